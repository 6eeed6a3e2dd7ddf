"""The launch and what follows from it: what is asked of Connect, the attempt's cookie and status, the callback.

It opens one attempt, which nobody finishes, and sends one answer without state, which `on_error` is told of.
"""

import re
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from smartcar_auth.web.attempt import make_id
from smartcar_auth.web.doctor import Finding, compare_sites, examine_request, other_name, registering

from .page import LOGIN, read_page
from .policy import SCRIPT, blocking, missing_from_sandbox, read_policies
from .visit import NAVIGATION, Answer, Visitor, host_of, netloc_of, origin_of

_WORKERS = 5  # how often the status is asked for, each time on a new connection, to meet several workers
_PROXY = (
    "The proxy's scheme is lost. Let the server trust X-Forwarded-Proto (uvicorn --proxy-headers "
    "--forwarded-allow-ips=..., Django's SECURE_PROXY_SSL_HEADER, werkzeug's ProxyFix), or set public_url."
)


def examine_launch(visitor: Visitor, page: str, base: str, clock: Callable[[], float]) -> Iterator[Finding]:
    attempt = make_id()
    query = urlencode({"attempt": attempt, "display": "popup", "origin": page})
    site = "same-origin"
    if origin_of(base) != page:
        site = "cross-site" if compare_sites(page, base) == "other" else "same-site"
    answer = visitor.get(f"{base}/launch?{query}", {**NAVIGATION, "Sec-Fetch-Site": site})
    sent = answer.location
    if sent is None or not sent.path.endswith("/oauth/authorize"):
        yield _no_launch(answer, base)
        return
    asked = dict(parse_qsl(sent.query))
    yield Finding("launch", "ok", f"{base}/launch leads to Connect.")
    yield from examine_request(
        asked.get("application_id") or asked.get("client_id") or "",
        asked.get("mode", "live"),
        origin_of(sent.geturl()),
        public=other_name(host_of(base)) is None,
    )
    yield from _redirect_uri(asked.get("redirect_uri", ""), base)
    cookie, said = _cookie(answer, attempt)
    yield from said
    if "no-store" not in answer.header("cache-control"):
        yield Finding("cache", "problem", _stored(f"{base}/launch"))
    if cookie is not None:
        yield _status(visitor, base, attempt, cookie)
    yield from _callback(visitor, asked.get("redirect_uri", ""), base)
    yield from _clock(answer, clock())


def _no_launch(answer: Answer, base: str) -> Finding:
    address = f"{base}/launch"
    words = read_page(answer.body).words
    there = answer.location
    as_http = origin_of(base).replace("https:", "http:", 1)
    if words and answer.status < 500:
        if base.startswith("https:") and re.search(re.escape(as_http) + r"(?![\w.:-])", words):
            said = (
                f"The app believes that it is reached over {as_http}, but it is {origin_of(base)}. {_PROXY}"
            )
            return Finding("scheme", "problem", said)
        named = re.search(r"\((https?://[^\s()]+)\)", words)
        check = "host_name" if named and host_of(named[1]) != host_of(base) else "launch"
        return Finding(check, "problem", f"{address} answers {answer.status}: {words[:600]}")
    if there is not None:
        to = there.geturl().partition("?")[0][:200]
        said = f"{address} redirects to {to} rather than to Connect. {LOGIN}"
        return Finding("launch", "problem", said)
    if answer.status in (401, 403):
        return Finding("launch", "problem", f"{address} asks for a login. {LOGIN}")
    meaning = {
        200: "Something else answers there, such as a front end's catch-all page. --prefix says where the routes are.",
        404: "Are the routes mounted there? --prefix says where else; a proxy may also have cut the path.",
        500: "The app's log holds the reason, a ConfigurationError in words.",
        502: "The proxy can't reach the app.",
        503: "The proxy can't reach the app, or the app is overloaded.",
        504: "The app doesn't answer the proxy in time.",
    }
    what = meaning.get(answer.status, "Look into the app's log.")
    return Finding("launch", "problem", f"{address} answers {answer.status}. {what}")


def _redirect_uri(uri: str, base: str) -> Iterator[Finding]:
    if not uri:
        yield Finding(
            "redirect_uri", "warning", "None is sent; Connect then uses the first one of the dashboard."
        )
        return
    there, here = urlsplit(uri), urlsplit(base)
    if (there.scheme, here.scheme) == ("http", "https"):
        yield Finding("scheme", "problem", f"The redirect URI is {uri[:300]}, but the app is https. {_PROXY}")
    elif there.scheme != here.scheme:
        yield Finding(
            "scheme",
            "problem",
            f"Connect answers to {uri[:300]}, so open and examine the app over https as well.",
        )
    elif netloc_of(there) != netloc_of(here):
        other = f"Connect answers to {netloc_of(there)}, but the app was opened on {netloc_of(here)}."
        yield Finding(
            "host_name",
            "problem",
            f"{other} Browsers keep their cookies apart. Open it on {netloc_of(there)}, or give that redirect URI up; "
            "behind a proxy, let it pass the Host header on.",
        )
    else:
        yield registering(uri[:1000])
        another = other_name(there.hostname or "")
        if another is not None:
            yield Finding(
                "host_name",
                "ok",
                f"Open the app on {there.hostname}. To browsers {another} is another site, which needs its own "
                "redirect URI.",
            )


def _cookie(answer: Answer, attempt: str) -> tuple[str | None, list[Finding]]:
    """The attempt's cookie as it would be sent back, and what is to be said about its attributes."""
    found = []
    for field in answer.all("set-cookie"):
        pair, *rest = field.split(";")
        name, _, value = pair.strip().partition("=")
        if name.endswith(attempt):
            attributes = {
                key.strip().lower(): text.strip() for key, _, text in (one.partition("=") for one in rest)
            }
            found.append((name, value, attributes))
    if len(found) != 1:
        said = (
            "launch sets no cookie for its attempt, so every answer is refused as other_browser: something on the "
            "way drops or renames Set-Cookie."
            if not found
            else "launch sets the attempt's cookie more than once: something on the way doubles header fields."
        )
        return None, [Finding("cookies", "problem", said)]
    name, value, attributes = found[0]
    secure = answer.url.startswith("https:")
    prefix = name.removesuffix(attempt)
    wrong = []
    if secure and prefix != "__Host-smartcar-":
        wrong.append("lacks the __Host- prefix in its name, which keeps other subdomains from planting it")
    if prefix.startswith("__Host-") and ("secure" not in attributes or attributes.get("path") != "/"):
        wrong.append("is dropped by browsers, which want Secure and Path=/ with a __Host- name")
    if "domain" in attributes:
        wrong.append("has a Domain, which shows it to other subdomains")
    if secure and "secure" not in attributes:
        wrong.append("lacks Secure")
    if "httponly" not in attributes:
        wrong.append("lacks HttpOnly, so scripts can read it")
    if attributes.get("path") != "/":
        wrong.append("has another path than /, so the callback may not see it")
    same_site = attributes.get("samesite", "").lower()
    if same_site == "strict":
        wrong.append("is SameSite=Strict, so it stays behind when Connect redirects back (other_browser)")
    elif same_site != "lax":
        wrong.append("is not SameSite=Lax")
    if wrong:
        said = (
            f"The attempt's cookie {'; '.join(wrong)}. Something on the way rewrites Set-Cookie; let it be."
        )
        return f"{name}={value}", [Finding("cookies", "problem", said)]
    flags = "Secure, " if secure else ""
    said = f"One for each attempt, {flags}HttpOnly, SameSite=Lax, Path=/."
    return f"{name}={value}", [Finding("cookies", "ok", said)]


def _status(visitor: Visitor, base: str, attempt: str, cookie: str) -> Finding:
    """Whether the attempt just opened is known, whichever worker is asked."""
    fields = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
    statuses = [visitor.get(f"{base}/status/{attempt}", fields, [cookie]).status for _ in range(_WORKERS)]
    known = statuses.count(200)
    if known == _WORKERS:
        return Finding(
            "status", "ok", "The attempt just opened is known, with its cookie, each time it is asked for."
        )
    if known:
        return Finding(
            "secret_keys",
            "problem",
            f"The attempt just opened is known to {known} of {_WORKERS} requests: the workers have different "
            "secret_keys, so answers are refused as altered. Give all of them the same, from a setting.",
        )
    if set(statuses) <= {404}:
        return Finding(
            "status",
            "problem",
            f"{base}/status doesn't know the attempt just opened: something on the way drops the Cookie header or cuts "
            "the path, or each worker has secret_keys of its own.",
        )
    return Finding("status", "problem", f"{base}/status/... answers {statuses[0]} rather than 200.")


def _callback(visitor: Visitor, uri: str, base: str) -> Iterator[Finding]:
    # Under the address examined: a redirect URI with another host or scheme was told of already.
    path = urlsplit(uri).path or urlsplit(f"{base}/callback").path
    address = origin_of(base) + path
    answer = visitor.get(address, {**NAVIGATION, "Sec-Fetch-Site": "cross-site"})
    no_store = "no-store" in answer.header("cache-control")
    no_referrer = answer.header("referrer-policy") == "no-referrer"
    if answer.status == 404:
        yield Finding(
            "callback",
            "problem",
            f"{address} answers 404, so people come back to nothing. A proxy cuts the path in front: tell the "
            "server (root_path, SCRIPT_NAME), or set public_url with the path.",
        )
        return
    ours = answer.status == 400 and bool(read_page(answer.body).words)
    # on_error may have answered by itself, which our two header fields tell from anybody else's answer.
    if not ours and (answer.status >= 500 or not (no_store and no_referrer)):
        there = answer.location
        what = (
            f"redirects to {there.geturl().partition('?')[0][:200]}" if there else f"answers {answer.status}"
        )
        yield Finding(
            "callback",
            "problem",
            f"{address} {what}, where an answer without state must be refused with 400. Something in front of the "
            "routes answers, such as a login; Connect's answer must reach them.",
        )
        return
    yield Finding(
        "callback",
        "ok",
        f"{address} refuses an answer without state, as it must (on_error was told of one: missing).",
    )
    if not no_store:
        yield Finding("cache", "problem", _stored(address))
    else:
        yield Finding("cache", "ok", "Cache-Control: no-store arrives.")
    if not no_referrer:
        yield Finding(
            "referrer",
            "problem",
            f"{address} comes without Referrer-Policy: no-referrer, so the code in its address may be passed on. "
            "Something on the way replaces it.",
        )
    policies = read_policies(answer.all("content-security-policy"))
    directive = blocking(policies, SCRIPT, f"{base}/connect.js", origin_of(base), nonce="") if ours else None
    if directive is not None or (ours and missing_from_sandbox(policies)):
        yield Finding(
            "csp",
            "problem",
            f"The callback page's {directive or 'sandbox'} keeps connect.js from running there, so the pop-up tells "
            "nobody. Something on the way adds a Content-Security-Policy; leave Connect's routes out.",
        )


def _clock(answer: Answer, now: float) -> Iterator[Finding]:
    try:
        theirs = parsedate_to_datetime(answer.header("date")).timestamp()
    except (TypeError, ValueError):
        return
    apart = round(abs(now - theirs))
    if apart <= 60:
        yield Finding("clock", "ok", "The server's clock agrees with this machine's.")
        return
    yield Finding(
        "clock",
        "warning" if apart <= 600 else "problem",
        f"The server's clock is {apart} s {'behind' if theirs < now else 'ahead of'} this machine's. Workers whose "
        "clocks differ let attempts end too early or too late (expired), and Connect's codes are good for 10 "
        "minutes only. Set both by NTP.",
    )


def _stored(address: str) -> str:
    return (
        f"{address} comes without Cache-Control: no-store, so one person's answer may be kept for the next. Something "
        "on the way replaces it."
    )
