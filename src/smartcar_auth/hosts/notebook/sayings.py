"""What the button says to its person, in words. Ends have the words of our other pages."""

from __future__ import annotations

from importlib.util import find_spec

from smartcar_auth import SmartcarAuthError
from smartcar_auth.words import WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .transports import Transport

#: What the page's part says by itself.
SAYINGS = {
    "opening": "Waiting for this notebook’s kernel.",
    "waiting": "Waiting for you in the other window.",
    "closed": "Still connecting?",
    "linked": "Open Connect with this link.",
    "scan": "Open Connect with this link, or scan the code with your phone.",
    "busy": "The kernel doesn’t answer. If a cell is running, it will when that has ended; else run this cell again.",
    "refused": "That isn’t the answer to this attempt, so it was ignored.",
    "reopen": "Reopen",
    "cancel": "Cancel",
    "open": "Open Connect",
    "unreachable": "The last page doesn’t load?",
    "address": "Address of the last page",
    "use": "Use",
    "describe": "Opens a new window",
    "code": "QR code of Connect’s address",
}


def words_for(transport: Transport, redirect_uri: str | None, *, around: str, page: str | None) -> str:
    """How the answer gets here, for the person who looks at the button."""
    if transport == "loopback":
        where = redirect_uri or "a port of this machine"
        return f"This notebook’s kernel listens on {where} while you are at Connect."
    if transport == "hosted":
        return f"Smartcar’s own page hands the answer to this notebook{f' at {page}' if page else ''}."
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
    place = {"colab": " in Google Colab", "hub": " on a JupyterHub"}.get(around, "")
    return (
        f"Your browser can’t reach this notebook’s kernel{place}. The page at which Connect ends won’t load: copy its "
        "address and paste it here."
    )


def words_for_end(outcome: str, error: SmartcarAuthError | None) -> str:
    """How an attempt ended. Where our pages have no words for it the reader is a developer: the error's own."""
    return WORDS[outcome][0] if outcome in WORDS else str(error)
