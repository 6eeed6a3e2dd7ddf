"""Examining a running application over HTTP, or the environment it will run in.

`smartcar-auth doctor` prints what these two functions find. The application is visited as its visitors'
browsers do: the page, the module, one launch that nobody finishes, its status, and the callback without an
answer. What settings alone tell is in `smartcar_auth.web.doctor`; what is repeated here of an answer is
hostile, and never holds the state or a cookie's value.
"""

import difflib
import os
import time
from collections.abc import Callable, Iterable, Iterator

from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.web.doctor import Finding, examine_request, registering

from .callback import examine_callback, examine_clock, examine_status
from .launch import examine_asked, examine_cookie, launch
from .markup import Page, read_page
from .page import (
    arrive,
    examine_module,
    examine_page,
    find_routes,
    is_page,
    no_page,
    read_prefix,
)
from .visit import SECONDS, Unreachable, Visitor, origin_of, read_address

__all__ = ["SECONDS", "examine_address", "examine_environment"]

_VARIABLES = (
    "SMARTCAR_APPLICATION_ID",
    "SMARTCAR_CLIENT_ID",
    "SMARTCAR_REDIRECT_URI",
    "SMARTCAR_MODE",
    "SMARTCAR_CONNECT_ORIGIN",
)


def examine_environment() -> list[Finding]:
    """What the SMARTCAR_* environment variables say, as `Smartcar.from_environment` reads them."""
    findings = []
    for name in sorted(os.environ):
        meant = difflib.get_close_matches(name, _VARIABLES, n=1, cutoff=0.87)
        if meant and name not in _VARIABLES:
            findings.append(
                Finding("environment", "warning", f"{name} is read by nobody here; {meant[0]} may be meant.")
            )
    if not findings and not any(os.environ.get(name) for name in _VARIABLES):
        said = "No SMARTCAR_... variable is set here, so the app has its settings elsewhere, or none yet."
        return [Finding("environment", "warning", said)]
    try:
        client = Smartcar.from_environment()
    except ConfigurationError as error:
        return [*findings, Finding("environment", "problem", str(error))]
    uri = client.redirect_uri
    public = uri is not None and uri.startswith("https:")
    findings += examine_request(client.application_id, client.mode, client.connect_origin, public=public)
    if uri is not None:
        return [*findings, *registering(uri)]
    said = "SMARTCAR_REDIRECT_URI is not set, so a web app sends its own address + /callback."
    return [*findings, Finding("redirect_uri", "ok", said)]


def examine_address(
    url: str,
    *,
    prefix: str | None = None,
    cookies: Iterable[str] = (),
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.time,
) -> Iterator[Finding]:
    """What a running application shows, one finding after the other as it is visited.

    Args:
        url: Of the page with the button, or any page of the application.
        prefix: Where the routes are, as a path or an address; None takes what the page says, else "/smartcar".
        cookies: Such as "session=...", of somebody who is logged in.
        seconds: How long each answer may take.
        clock: Seconds since 1970.

    Raises:
        ValueError: An argument can't be right; at once, before anything is asked.
    """
    address = read_address(url)
    if prefix is not None:
        prefix = read_prefix(prefix)
    return _visit(Visitor(address.netloc, cookies, seconds), address.geturl(), prefix, clock)


def _visit(visitor: Visitor, url: str, prefix: str | None, clock: Callable[[], float]) -> Iterator[Finding]:
    try:
        yield from _examine(visitor, url, prefix, clock)
    except Unreachable as error:
        yield Finding("reachable", "problem", str(error))


def _examine(visitor: Visitor, url: str, prefix: str | None, clock: Callable[[], float]) -> Iterator[Finding]:
    visitor, answer = arrive(visitor, url)
    if answer.url.startswith("https:") and url.startswith("http:"):
        yield Finding("scheme", "ok", f"{origin_of(url)} redirects to https, so that is what is examined.")
    shown = is_page(answer)
    if not shown:
        yield no_page(answer)
    page = read_page(answer.body) if shown else Page()
    base, said = find_routes(answer.url, page, prefix)
    if said is not None and shown:
        yield said
    if base is None:
        return
    if shown:
        yield from examine_page(answer, page, base)
    yield examine_module(visitor, page, answer.url, base)
    launched = launch(visitor, origin_of(answer.url), base)
    if isinstance(launched, Finding):
        yield launched
        return
    now = clock()
    yield from examine_asked(launched, base)
    cookie, said = examine_cookie(launched)
    yield said
    if cookie is not None:
        yield from examine_status(visitor, base, launched.attempt, cookie)
    yield from examine_callback(visitor, launched, base)
    yield from examine_clock(launched.asked.get("state", ""), now)
