"""The transports by which an answer reaches a kernel: which one fits where, what is said of it, an attempt on it."""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args
from weakref import WeakSet

from smartcar_auth import ConfigurationError, PortUnavailable, Smartcar, hosted_redirect_uri
from smartcar_auth.hosts.device import HandOff
from smartcar_auth.hosts.loopback import Attempt
from smartcar_auth.origin import HOSTED_PAGE, LOCAL_HOSTS, parse_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from smartcar_auth import AuthorizationResponse
    from smartcar_auth.hosts.device import Waiter

Transport: TypeAlias = Literal["loopback", "hosted", "proxy", "device", "paste"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)

# jupyter-server-proxy's two routes: the first takes its own part of the path away, the second leaves it.
_PROXY = re.compile(r"https?://[^/?#]+[^?#]*?/proxy/(absolute/)?([0-9]{1,5})(/[^?#]*)", re.ASCII)
_HUB = ("JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_API_URL", "JUPYTERHUB_USER")

_listening: WeakSet[Attempt] = WeakSet()


class Place(NamedTuple):
    """Where a button is shown.

    Args:
        around: What the kernel knows of its front end: "colab", "vscode", "hub", or "" for nothing special.
        page: The origin that the page says it has; None before it has said anything.
    """

    around: str
    page: str | None = None

    @property
    def is_remote(self) -> bool:
        """Whether the person's browser takes "localhost" for another machine than the kernel's."""
        if self.around in ("colab", "hub"):
            return True
        # The pages of VS Code have names of their own, and it forwards the kernel's ports by itself.
        if self.page is None or self.page.startswith("vscode-webview:"):
            return False
        host = self.page.lower().partition("://")[2]
        return not any(host == name or host.startswith(f"{name}:") for name in LOCAL_HOSTS)

    @property
    def needs_link(self) -> bool:
        """Whether the front end keeps scripts from opening windows; a link works there, too."""
        return self.around == "colab" or (
            self.around == "vscode" and not (self.page or "").startswith("http://")
        )


def this_place() -> Place:
    """What the kernel knows by itself."""
    if "google.colab" in sys.modules:
        return Place("colab")
    if "VSCODE_PID" in os.environ or "VSCODE_CWD" in os.environ:
        return Place("vscode")
    return Place("hub" if any(name in os.environ for name in _HUB) else "")


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


def choose(smartcar: Smartcar, place: Place) -> Transport:
    """The transport that fits: by the redirect URI, then by who could reach this machine."""
    uri = smartcar.redirect_uri or "http://localhost"
    if uri.startswith(f"{HOSTED_PAGE}/"):
        return "hosted"
    if _PROXY.match(uri):
        return "proxy"
    return "loopback" if uri.lower().startswith("http://") and not place.is_remote else "paste"


def words_for(transport: str, redirect_uri: str | None, place: Place) -> str:
    """How the answer gets here, for the person who looks at the button."""
    if transport == "loopback":
        where = redirect_uri or "a port of this machine"
        return f"This notebook’s kernel listens on {where} while you are at Connect."
    if transport == "hosted":
        return f"Smartcar’s own page hands the answer to this notebook{f' at {place.page}' if place.page else ''}."
    if transport == "proxy":
        text = f"The answer comes to {redirect_uri}, which jupyter-server-proxy passes on to this kernel."
        if find_spec("jupyter_server_proxy") is None:
            text += (
                " It isn’t installed beside the kernel; if the Jupyter server lacks it too, the last page isn’t "
                "found, and you can paste its address here."
            )
        return text
    if transport == "device":
        return "Open Connect on any device. Smartcar tells this notebook’s kernel when the car is connected."
    if redirect_uri is not None and not redirect_uri.lower().startswith("http://"):
        where = redirect_uri.partition("?")[0]
        return f"The answer goes to {where}. Copy the address of the page at which Connect ends, and paste it here."
    name = {"colab": " in Google Colab", "hub": " on a JupyterHub"}.get(place.around, "")
    return (
        f"Your browser can’t reach this notebook’s kernel{name}. The page at which Connect ends won’t load: copy its "
        "address and paste it here."
    )


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
    path = None
    if transport == "hosted":
        smartcar = hosted(smartcar, place)
    if transport == "proxy":
        port, path = proxied(smartcar)
        ports = [port]
    elif transport != "loopback":
        ports = []
    made = partial(
        Attempt, smartcar, ports=ports, proxied_path=path, timeout_seconds=timeout_seconds, **options
    )
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


def proxied(smartcar: Smartcar) -> tuple[int, str]:
    """The port that the redirect URI names to jupyter-server-proxy, and the path that arrives there.

    Raises:
        ConfigurationError: It names none.
    """
    found = _PROXY.match(smartcar.redirect_uri or "")
    if found is None or not 0 < int(found[2]) < 65536:
        raise ConfigurationError(
            "A redirect URI through jupyter-server-proxy looks like "
            "https://hub.example/user/you/proxy/8000/callback: register one, and make this Smartcar with it."
        )
    path = found[3] if found[1] is None else "/" + found[0].partition("://")[2].partition("/")[2]
    return int(found[2]), path


def hosted(smartcar: Smartcar, place: Place) -> Smartcar:
    """The same with the redirect URI of Smartcar's hosted page for the page of the notebook.

    Raises:
        ConfigurationError: The page has no origin, or the redirect URI hands the answer to another one.
    """
    if place.page is None:
        raise ConfigurationError('This page does not say its origin, so use transport="paste".')
    here = parse_origin(place.page, "the notebook's page")
    uri = smartcar.redirect_uri
    if uri is None:
        return smartcar.replace(redirect_uri=hosted_redirect_uri(here))
    told = uri.partition("app_origin=")[2].partition("&")[0].rstrip("/")
    if not uri.startswith(f"{HOSTED_PAGE}/") or told != here:
        raise ConfigurationError(
            f"This notebook is at {here}, and redirect_uri hands the answer to {told or 'another page'}. Register "
            f"{hosted_redirect_uri(here)} and make this Smartcar with it, or open the notebook there."
        )
    return smartcar
