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
from urllib.parse import urlsplit

from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.web.doctor import Finding, examine_request, registering

from .launch import examine_launch
from .page import Page, examine_module, examine_page, find_routes, no_page, read_page
from .visit import NAVIGATION, Unreachable, Visitor, origin_of, read_address

__all__ = ["examine_address", "examine_environment", "read_address"]

VARIABLES = (
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
        meant = difflib.get_close_matches(name, VARIABLES, n=1, cutoff=0.87)
        if meant and name not in VARIABLES:
            findings.append(
                Finding("environment", "warning", f"{name} is read by nobody here; {meant[0]} may be meant.")
            )
    try:
        client = Smartcar.from_environment()
    except ConfigurationError as error:
        return [*findings, Finding("environment", "problem", str(error))]
    uri = client.redirect_uri
    public = uri is not None and uri.startswith("https:")
    findings += examine_request(client.application_id, client.mode, client.connect_origin, public=public)
    if uri is not None:
        return [*findings, registering(uri)]
    said = (
        "SMARTCAR_REDIRECT_URI is not set. A web application then uses its own address + /callback; to see what "
        "to register, run it and give its address: smartcar-auth doctor http://localhost:8000"
    )
    return [*findings, Finding("redirect_uri", "ok", said)]


def examine_address(
    url: str,
    *,
    prefix: str | None = None,
    cookies: Iterable[str] = (),
    clock: Callable[[], float] = time.time,
) -> list[Finding]:
    """What a running application shows.

    Args:
        url: Of the page with the button, or any page of the application.
        prefix: Where the routes are; None takes what the page says, else "/smartcar".
        cookies: Such as "session=...", of somebody who is logged in.
        clock: Seconds since 1970.

    Raises:
        ValueError: The address is none.
    """
    address = read_address(url)
    findings: list[Finding] = []
    try:
        # extend() keeps what was found before the exception
        findings.extend(_examine(Visitor(address.netloc, cookies), address.geturl(), prefix, clock))
    except Unreachable as error:
        findings.append(Finding("reachable", "problem", str(error)))
    return findings


def _examine(visitor: Visitor, url: str, prefix: str | None, clock: Callable[[], float]) -> Iterator[Finding]:
    answer = visitor.get(url, NAVIGATION)
    there = answer.location
    if (
        url.startswith("http:")
        and there
        and there.scheme == "https"
        and there.hostname == urlsplit(url).hostname
    ):
        yield Finding("scheme", "ok", f"{origin_of(url)} redirects to https, so that is what is examined.")
        visitor = Visitor(there.netloc, visitor.cookies)
        answer = visitor.get(there.geturl(), NAVIGATION)
    shown = answer.status == 200 and "html" in answer.header("content-type")
    page = read_page(answer.body) if shown else Page()
    if not shown:
        yield no_page(answer)
    base, said = find_routes(answer.url, page, prefix)
    if said is not None and (shown or base is None):
        yield said
    if base is None:
        return
    if shown:
        yield from examine_page(answer, page, base)
    yield from examine_module(visitor, page, answer.url, base)
    yield from examine_launch(visitor, origin_of(answer.url), base, clock)
