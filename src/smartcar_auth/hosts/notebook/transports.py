"""The transports by which an answer reaches a kernel: which one fits where, what is said of it, an attempt on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal, TypeAlias, get_args
from weakref import WeakSet

from smartcar_auth import (
    AuthorizationResponse,
    ConfigurationError,
    PortUnavailable,
    Smartcar,
    hosted_redirect_uri,
)
from smartcar_auth.hosts.device import HandOff, Waiter
from smartcar_auth.hosts.loopback import Attempt
from smartcar_auth.hosts.loopback.address import proxied
from smartcar_auth.hosts.loopback.place import Place
from smartcar_auth.origin import HOSTED_PAGE, app_origin_of, parse_origin

Transport: TypeAlias = Literal["loopback", "hosted", "proxy", "device", "paste"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)

# How the answer gets here, for the person who looks at the button.
_WAYS: dict[str, str] = {
    "loopback": "This notebook’s kernel listens on {uri} while you are at Connect.",
    "hosted": "Smartcar’s own page hands the answer to this notebook{at}.",
    "proxy": "The answer comes to {uri}, which jupyter-server-proxy passes on to this kernel. If that page isn’t "
    "found, paste its address here.",
    "device": "Open Connect on any device. Smartcar tells this notebook’s kernel when the car is connected.",
    "paste": "The answer goes to {uri}. Copy the address of the page at which Connect ends, and paste it here.",
}
_OUT_OF_REACH = (
    "Your browser can’t reach this notebook’s kernel. The page at which Connect ends won’t load: copy its address and "
    "paste it here."
)

_listening: WeakSet[Attempt] = WeakSet()


def choose(smartcar: Smartcar, place: Place) -> Transport:
    """The transport that fits: by the redirect URI, then by who could reach this machine."""
    uri = smartcar.redirect_uri or "http://localhost"
    if uri.startswith(f"{HOSTED_PAGE}/"):
        return "hosted"
    if proxied(uri):
        return "proxy"
    return "loopback" if uri.lower().startswith("http://") and not place.is_remote else "paste"


def words_for(transport: str, redirect_uri: str | None, place: Place) -> str:
    """How the answer gets here, for the person who looks at the button."""
    if transport == "paste" and (redirect_uri is None or redirect_uri.lower().startswith("http://")):
        return _OUT_OF_REACH
    uri = (redirect_uri or "a port of this machine").partition("?")[0]
    return _WAYS[transport].format(uri=uri, at=f" at {place.page}" if place.page else "")


def needs_link(place: Place) -> bool:
    """Whether the front end keeps scripts from opening windows; a link works there, too."""
    in_an_editor = place.around == "vscode" and not (place.page or "").startswith("http://")
    return place.around == "colab" or in_an_editor


def begin(
    transport: str,
    smartcar: Smartcar,
    place: Place,
    *,
    ports: Iterable[int] | None,
    waiter: Waiter | None,
    timeout_seconds: float,
    **options: Any,
) -> tuple[Attempt | HandOff, Callable[[], AuthorizationResponse]]:
    """An attempt, and the wait for its end.

    Raises:
        ConfigurationError: It can't work so.
        PortUnavailable: Other programs hold all the ports.
    """
    if transport == "device":
        if waiter is None:
            raise ConfigurationError(
                'With transport="device" somebody must learn of the end: pass waiter=Connections.from_environment(), '
                "of smartcar_auth.hosts.device."
            )
        handoff = HandOff(smartcar, **options)
        return handoff, partial(handoff.wait, waiter, timeout_seconds=timeout_seconds)
    if transport == "proxy" and not proxied(smartcar.redirect_uri):
        raise ConfigurationError(
            "A redirect URI through jupyter-server-proxy looks like "
            "https://hub.example/user/you/proxy/8000/callback: register one, and make this Smartcar with it."
        )
    if transport == "hosted":
        smartcar = hosted(smartcar, place)
    held = {"loopback": ports, "proxy": None}.get(transport, ())
    made = partial(Attempt, smartcar, ports=held, timeout_seconds=timeout_seconds, **options)
    try:
        attempt = made()
    except PortUnavailable:
        # A cell that ran again leaves the old button's attempt behind: the newer click is what is meant.
        for other in tuple(_listening):
            other.close()
        attempt = made()
    if attempt.port is not None:
        _listening.add(attempt)
    return attempt, attempt.wait


def code_of(attempt: Attempt | HandOff) -> str | None:
    """The QR code beside an attempt's link, as an image; without segno the link alone will do."""
    try:
        return attempt.qr_image(scale=3) if isinstance(attempt, HandOff) else None
    except ImportError:
        return None


def hosted(smartcar: Smartcar, place: Place) -> Smartcar:
    """The same with the redirect URI of Smartcar's hosted page for the page of the notebook.

    Raises:
        ConfigurationError: The page has no origin, or the redirect URI hands the answer to another one.
    """
    if place.page is None:
        raise ConfigurationError('This page does not say its origin, so use transport="paste".')
    here = parse_origin(place.page, "the notebook's page")
    uri = smartcar.redirect_uri or hosted_redirect_uri(here)
    told = app_origin_of(uri)
    if not uri.startswith(f"{HOSTED_PAGE}/") or told != here:
        raise ConfigurationError(
            f"This notebook is at {here}, and redirect_uri hands the answer to {told or 'another page'}. Register "
            f"{hosted_redirect_uri(here)} and make this Smartcar with it, or open the notebook there."
        )
    return smartcar.replace(redirect_uri=uri)


def check_that_cells_may_wait() -> None:
    """Whether the kernel takes a page's messages while a cell awaits: ipykernel does since version 7.

    Raises:
        ConfigurationError: It doesn't, so the click would never get here.
    """
    marimo, ipython = sys.modules.get("marimo"), sys.modules.get("IPython")
    in_ipykernel = ipython is not None and hasattr(ipython.get_ipython(), "kernel")
    in_marimo = marimo is not None and marimo.running_in_notebook()
    if in_marimo or (in_ipykernel and sys.modules["ipykernel"].version_info[0] < 7):
        raise ConfigurationError(
            "This kernel takes no clicks while a cell waits. Name a function with button.on_complete, or look at "
            "button.response in a cell that runs afterwards."
        )
