"""The transports by which an answer reaches a kernel, and which one fits where.

It is a question of addresses and surroundings: nothing is opened here, and no answer read.
"""

from __future__ import annotations

import os
import re
import sys

from smartcar_auth import ConfigurationError, Smartcar, hosted_redirect_uri
from smartcar_auth.origin import HOSTED_PAGE, LOCAL_HOSTS, parse_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Transport = Literal["loopback", "hosted", "proxy", "device", "paste"]

TRANSPORTS = ("loopback", "hosted", "proxy", "device", "paste")

# jupyter-server-proxy's two routes: the first takes its own part of the path away, the second leaves it.
_PROXY = re.compile(r"https?://[^/?#]+[^?#]*?/proxy/(absolute/)?([0-9]{1,5})(/[^?#]*)", re.ASCII)
_HUB = ("JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_API_URL", "JUPYTERHUB_USER")


def surroundings() -> str:
    """What the kernel knows of its front end by itself: "colab", "vscode", "hub", or "" for nothing special."""
    if "google.colab" in sys.modules:
        return "colab"
    if "VSCODE_PID" in os.environ or "VSCODE_CWD" in os.environ:
        return "vscode"
    return "hub" if any(name in os.environ for name in _HUB) else ""


def check_that_cells_may_wait() -> None:
    """Whether the kernel takes a page's messages while a cell awaits: ipykernel does since version 7.

    Raises:
        ConfigurationError: It doesn't, so the click would never get here.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if "marimo" in sys.modules and sys.modules["marimo"].running_in_notebook():
        deaf = True
    else:
        deaf = hasattr(shell, "kernel") and sys.modules["ipykernel"].version_info[0] < 7
    if deaf:
        raise ConfigurationError(
            "This kernel takes no clicks while a cell waits. Name a function with button.on_complete, or look at "
            "button.response in a cell that runs afterwards."
        )


def choose(smartcar: Smartcar, *, has_waiter: bool, around: str, page: str | None) -> Transport:
    """The transport that fits.

    Args:
        smartcar: Its redirect URI decides most.
        has_waiter: Whether somebody would learn of an end on another device.
        around: What `surroundings` said.
        page: The origin that the page says it has; None before it has said anything.
    """
    uri = smartcar.redirect_uri
    if has_waiter:
        return "device"
    if uri is not None and uri.startswith(f"{HOSTED_PAGE}/"):
        return "hosted"
    if uri is not None and _PROXY.match(uri):
        return "proxy"
    elsewhere = uri is not None and not uri.lower().startswith("http://")  # http is this machine
    return "paste" if elsewhere or is_remote(around, page) else "loopback"


def is_remote(around: str, page: str | None) -> bool:
    """Whether the person's browser takes "localhost" for another machine than the kernel's."""
    if around in ("colab", "hub"):
        return True
    # The pages of VS Code have names of their own, and it forwards the kernel's ports by itself.
    if page is None or page.startswith("vscode-webview:"):
        return False
    return not any(page.lower().partition("://")[2] == name or f"://{name}:" in page for name in LOCAL_HOSTS)


def needs_link(around: str, page: str | None) -> bool:
    """Whether the front end keeps scripts from opening windows; a link works there, too."""
    return around == "colab" or (around == "vscode" and not (page or "").startswith("http://"))


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


def hosted(smartcar: Smartcar, page: str | None) -> Smartcar:
    """The same with the redirect URI of Smartcar's hosted page for the page of the notebook.

    Raises:
        ConfigurationError: The page has no origin, or the redirect URI hands the answer to another one.
    """
    if page is None:
        raise ConfigurationError('This page does not say its origin, so use transport="paste".')
    here = parse_origin(page, "the notebook's page")
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
