"""The way back: whether the attempt is known wherever it is asked for, and whether answers reach the callback.

It sends one answer without state, which `on_error` is told of.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from smartcar_auth.web.attempt import read_issued
from smartcar_auth.web.causes import ends_as
from smartcar_auth.web.doctor import Finding

from .launch import Launched
from .markup import read_page
from .policy import SCRIPT, blocking, missing_from_sandbox, read_policies
from .visit import NAVIGATION, Answer, Visitor, origin_of

_ASTRAY = 60
_FAR_ASTRAY = 600  # seconds; a login with a second factor takes minutes, and a sealed link is good for 15
_TIMES = 10  # how often the status is asked for, each time on a new connection, to meet several workers


def examine_status(visitor: Visitor, base: str, attempt: str, cookie: str) -> Iterator[Finding]:
    """Whether the attempt just opened is known, whichever worker is asked, and to this browser only."""
    address = f"{base}/status/{attempt}"
    fields = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
    answers = [visitor.get(address, fields, [cookie]) for _ in range(_TIMES)]
    known = [answer.status for answer in answers].count(200)
    if known == _TIMES:
        said = f"The attempt just opened is known to all {_TIMES} requests, so the workers they met share their keys."
        yield Finding("secret_keys", "ok", said)
        without = visitor.get(address, fields)
        if without.status == 200:
            yield Finding(
                "cache",
                "problem",
                f"{base}/status tells how the attempt stands to a request without its cookie: a cache on the way keeps "
                "answers. Leave Connect's routes out of it.",
            )
    elif known:
        yield Finding(
            "secret_keys",
            "problem",
            f"The attempt just opened is known to {known} of {_TIMES} requests: the workers have different secret_keys,"
            f" so {ends_as('altered')}",
        )
    elif all(answer.status == 404 and b'"unknown"' in answer.body for answer in answers):
        yield Finding(
            "status",
            "problem",
            f"The attempt just opened is known to none of {_TIMES} requests. If something on the way drops the Cookie "
            f"header, {ends_as('other_browser')} If each of many workers has a key of its own, {ends_as('altered')}",
        )
    else:
        yield Finding(
            "status",
            "problem",
            f"{base}/status/... answers {answers[0].status} rather than 200. Something in front of the routes answers, "
            "or cuts the path, so pages don't learn the outcome when the pop-up can't tell them.",
        )


def examine_callback(visitor: Visitor, launched: Launched, base: str) -> Iterator[Finding]:
    """Whether an answer reaches the route, and whether what the routes say comes through unchanged."""
    address = f"{base}/callback"
    if launched.back is not None:
        # Under the address examined: a redirect URI with another host or scheme was told of already.
        address = urlsplit(base)._replace(path=launched.back.path).geturl()
    answer = visitor.get(address, {**NAVIGATION, "Sec-Fetch-Site": "cross-site"})
    refused = answer.status == 400 and bool(read_page(answer.body).words)
    no_referrer = answer.header("referrer-policy") == "no-referrer"
    # on_error may have answered by itself, which our two header fields tell from anybody else's answer.
    if refused or (answer.status < 500 and no_referrer and not _may_be_kept(answer)):
        said = (
            f"{address} is reached, and refuses an answer without state (your on_error was just told of one)."
        )
        yield Finding("callback", "ok", said)
        yield _caching(launched.answer, answer)
    else:
        yield _not_reached(answer, address)
        yield _caching(launched.answer)
        return
    if not no_referrer:
        yield Finding(
            "referrer",
            "problem",
            f"{address} comes without Referrer-Policy: no-referrer, so the code in its address may be passed on. "
            "Something on the way replaces it; leave it as it is.",
        )
    policies = read_policies(answer.all("content-security-policy")) if refused else []  # that of our own page
    directive = blocking(policies, SCRIPT, f"{base}/connect.js", origin_of(base), nonce="")
    if directive is not None or missing_from_sandbox(policies):
        yield Finding(
            "csp",
            "problem",
            f"The callback page's {directive or 'sandbox'} keeps connect.js from running there, so the pop-up tells "
            "nobody. Something on the way adds a Content-Security-Policy; leave Connect's routes out.",
        )


def _caching(*answers: Answer) -> Finding:
    kept = [answer.url.partition("?")[0] for answer in answers if _may_be_kept(answer)]
    if not kept:
        return Finding("cache", "ok", "Cache-Control: no-store arrives with what may hold an answer.")
    return Finding(
        "cache",
        "problem",
        f"{' and '.join(kept)} arrives without Cache-Control: no-store, so one person's answer may be kept for the "
        "next. Something on the way replaces it; leave it as it is.",
    )


def _may_be_kept(answer: Answer) -> bool:
    return "no-store" not in answer.header("cache-control")


def _not_reached(answer: Answer, address: str) -> Finding:
    if answer.status == 404:
        said = (
            f"{address} answers 404, so people come back to nothing. If a proxy cuts the path in front, tell the "
            "server (root_path, SCRIPT_NAME), or set public_url with the path."
        )
        return Finding("callback", "problem", said)
    there = answer.location
    what = f"redirects to {there.geturl().partition('?')[0][:200]}" if there else f"answers {answer.status}"
    said = (
        f"{address} {what}, where an answer without state must be refused with 400. Something in front of the routes "
        "answers, such as a login; let everybody through to the callback."
    )
    return Finding("callback", "problem", said)


def examine_clock(state: str, now: float) -> Iterator[Finding]:
    """The application's own clock, not a proxy's: the time in the state that it sent to Connect."""
    issued = read_issued(state)
    if issued is None:
        return
    apart = round(abs(now - issued))
    if apart <= _ASTRAY:
        yield Finding("clock", "ok", "The app's clock agrees with this machine's.")
        return
    yield Finding(
        "clock",
        "warning" if apart <= _FAR_ASTRAY else "problem",
        f"The app's clock is {apart} s {'behind' if issued < now else 'ahead of'} this machine's. Where two workers' "
        f"clocks differ, {ends_as('expired')}",
    )
