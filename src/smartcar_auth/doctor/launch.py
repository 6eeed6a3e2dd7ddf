"""The way out: what a launch asks of Connect, and the cookie by which the browser keeps its attempt.

It opens one attempt, which nobody finishes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from smartcar_auth.web.attempt import make_id
from smartcar_auth.web.causes import ends_as
from smartcar_auth.web.doctor import Finding, compare_sites, examine_request, other_name, registering

from .markup import read_page
from .page import LOGIN
from .visit import NAVIGATION, Answer, Visitor, host_of, origin_of, resolve

_PROXY = (
    "The proxy's scheme is lost. Let the server trust X-Forwarded-Proto (uvicorn --proxy-headers "
    "--forwarded-allow-ips=..., Django's SECURE_PROXY_SSL_HEADER, werkzeug's ProxyFix), or set public_url."
)

_LOST = "state_mismatch (other_browser)"


class Launched(NamedTuple):
    """An attempt that was opened.

    Args:
        attempt: Its id.
        answer: Of the launch route.
        connect: The origin that it leads to.
        asked: The parameters sent there.
        back: Where Connect will answer, or None where that can't be read.
    """

    attempt: str
    answer: Answer
    connect: str
    asked: dict[str, str]
    back: SplitResult | None


def launch(visitor: Visitor, page: str, base: str) -> Launched | Finding:
    """Launch as the module does from the page at this origin; a finding where that doesn't lead to Connect."""
    attempt = make_id()
    query = urlencode({"attempt": attempt, "display": "popup", "origin": page})
    site = "cross-site" if compare_sites(page, base) == "other" else "same-origin"
    answer = visitor.get(f"{base}/launch?{query}", {**NAVIGATION, "Sec-Fetch-Site": site})
    sent = answer.location
    if sent is None or not sent.path.endswith("/oauth/authorize"):
        return _no_launch(answer, base)
    asked = dict(parse_qsl(sent.query))
    return Launched(
        attempt, answer, origin_of(sent.geturl()), asked, resolve("", asked.get("redirect_uri", ""))
    )


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
        return Finding("launch", "problem", f"{address} redirects to {to} rather than to Connect. {LOGIN}")
    meaning = {
        200: "Something else answers there, such as a front end's catch-all page. --prefix says where the routes are.",
        401: LOGIN,
        403: f"It is forbidden by something in front of the routes. {LOGIN}",
        404: "Are the routes mounted there? --prefix says where else; a proxy may also have cut the path.",
        500: "The app's log holds the reason, in words.",
        502: "The proxy can't reach the app.",
        503: "The proxy can't reach the app, or the app is overloaded.",
        504: "The app doesn't answer the proxy in time.",
    }
    what = meaning.get(answer.status, "Look into the app's log.")
    return Finding("launch", "problem", f"{address} answers {answer.status}. {what}")


def examine_asked(launched: Launched, base: str) -> Iterator[Finding]:
    """What was asked of Connect, and where Connect will answer."""
    asked = launched.asked
    yield Finding("launch", "ok", f"{base}/launch leads to Connect.")
    yield from examine_request(
        asked.get("application_id") or asked.get("client_id") or "",
        asked.get("mode", "live"),
        launched.connect,
        public=other_name(host_of(base)) is None,
    )
    uri = asked.get("redirect_uri", "")
    there, here = launched.back, urlsplit(base)
    if not uri:
        yield Finding(
            "redirect_uri", "warning", "None is sent; Connect then uses the first one of the dashboard."
        )
    elif there is None:
        yield Finding("redirect_uri", "problem", "What is sent is no address of a web page.")
    elif (there.scheme, here.scheme) == ("http", "https"):
        yield Finding("scheme", "problem", f"The redirect URI is {uri[:300]}, but the app is https. {_PROXY}")
    elif there.scheme != here.scheme:
        yield Finding(
            "scheme",
            "problem",
            f"Connect answers to {uri[:300]}, so open and examine the app over https as well.",
        )
    elif there.netloc != here.netloc:
        yield Finding(
            "host_name",
            "problem",
            f"Connect answers to {there.netloc}, but the app was opened on {here.netloc}, so "
            + ends_as("other_browser"),
        )
    else:
        yield from registering(uri[:1000])


def examine_cookie(launched: Launched) -> tuple[str | None, Finding]:
    """The attempt's cookie as it would be sent back, if there is one, and what is to be said of it."""
    found = []
    for field in launched.answer.all("set-cookie"):
        pair, *rest = field.split(";")
        name, _, value = pair.strip().partition("=")
        if name.endswith(launched.attempt):
            attributes = {
                key.strip().lower(): text.strip() for key, _, text in (one.partition("=") for one in rest)
            }
            found.append((name, value, attributes))
    if len(found) != 1:
        many = "the attempt's cookie more than once" if found else "no cookie for its attempt"
        said = f"launch sets {many}. Something on the way changes Set-Cookie, so {ends_as('other_browser')}"
        return None, Finding("cookies", "problem", said)
    name, value, attributes = found[0]
    secure = launched.answer.url.startswith("https:")
    wrong = list(_wrong(name.removesuffix(launched.attempt), attributes, secure))
    if wrong:
        said = f"The attempt's cookie {'; '.join(wrong)}. Something on the way rewrites Set-Cookie; leave it as it is."
        return f"{name}={value}", Finding("cookies", "problem", said)
    flags = "Secure, " if secure else ""
    said = f"One for each attempt, {flags}HttpOnly, SameSite=Lax, Path=/."
    return f"{name}={value}", Finding("cookies", "ok", said)


def _wrong(prefix: str, attributes: dict[str, str], secure: bool) -> Iterator[str]:
    """What of the cookie is not as it was sent, and what comes of it."""
    path = attributes.get("path")
    same_site = attributes.get("samesite", "").lower()
    if secure and prefix != "__Host-smartcar-":
        yield "lacks the __Host- prefix in its name, which keeps other subdomains from planting it"
    elif secure and ("secure" not in attributes or path != "/" or "domain" in attributes):
        yield f"is dropped by browsers, which want Secure, Path=/ and no Domain with a __Host- name: {_LOST}"
    else:
        if path != "/":
            yield f"has another path than /, so the callback may not see it: {_LOST}"
        if "domain" in attributes:
            yield "has a Domain, which shows it to other subdomains"
    if secure and "secure" not in attributes:
        yield "lacks Secure, so it travels unencrypted too"
    if "httponly" not in attributes:
        yield "lacks HttpOnly, so scripts can read it"
    if same_site == "strict":
        yield f"is SameSite=Strict, so it stays behind when Connect redirects back: {_LOST}"
    elif same_site != "lax":
        yield "is not SameSite=Lax, so other sites' requests carry it"
