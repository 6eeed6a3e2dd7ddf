"""Opening a browser, and how one that runs elsewhere reaches this program.

Which one is `webbrowser`'s decision. Its yes proves nothing: the person may sit at another machine, or the browser may
show nothing. So the address is always said, too.
"""

from __future__ import annotations

import os
import sys
import threading

from smartcar_auth import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    #: "system" is the person's own; "app" a window without address bar and tabs, where there is a browser that has one.
    Browser = Literal["system", "app"]

# They would take over the terminal, and Connect needs scripts.
_TEXT_BROWSERS = ("www-browser", "links", "elinks", "lynx", "w3m")

# What has windows of the kind of `--app=`: Chromium and what is built on it.
_ON_THE_PATH: tuple[str, ...] = (
    "google-chrome",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "brave-browser",
)
_ON_A_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_ON_WINDOWS = (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe")
_FAILS_WITHIN_SECONDS = 3


class Opening:
    """A browser on its way. In a thread, because some ways of opening one return only when it is closed again."""

    def __init__(self, url: str, kind: Browser = "system") -> None:
        if kind not in ("system", "app"):
            raise ConfigurationError('A browser is opened as "system" or as "app".')
        #: Whether it is certain that none opens.
        self.failed = False
        self._url = url
        self._kind = kind
        threading.Thread(target=self._open, name="smartcar-auth-browser", daemon=True).start()

    def _open(self) -> None:
        try:
            opened = (self._kind == "app" and _open_app(self._url)) or _open_system(self._url)
        except Exception:  # whatever goes wrong in there, the person has the address
            opened = False
        self.failed = not opened


def _open_system(url: str) -> bool:
    import shutil
    import webbrowser

    if not os.environ.get("BROWSER") and sys.platform in ("win32", "darwin") and _over_ssh():
        return False  # it would open on the screen of that machine
    try:
        chosen = webbrowser.get()
    except webbrowser.Error:
        chosen = None
    name = getattr(chosen, "name", "")
    if name in _TEXT_BROWSERS:
        return False
    if webbrowser.open(url):
        return True
    # A command that hands the address to a running browser, and has ended by now, reads as a failure there.
    return isinstance(chosen, webbrowser.BackgroundBrowser) and shutil.which(name) is not None


def _open_app(url: str) -> bool:
    import subprocess
    from time import monotonic

    found = _app_browser()
    if found is None:
        return False
    started = monotonic()
    # Its messages would stand in the middle of ours, and our Ctrl-C would end it.
    opened = subprocess.Popen(  # noqa: S603
        [found, f"--app={url}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    return opened.wait() == 0 or monotonic() - started > _FAILS_WITHIN_SECONDS


def _app_browser() -> str | None:
    import shutil

    names = _ON_THE_PATH
    if sys.platform == "darwin":
        names = _ON_A_MAC
    elif sys.platform == "win32":
        folders = [os.environ.get(name, "") for name in ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")]
        names = tuple(os.path.join(folder, name) for folder in folders if folder for name in _ON_WINDOWS)
    return next(filter(None, map(shutil.which, names)), None)


def ways(port: int) -> str:
    """How a browser elsewhere reaches this port, a line for each case."""
    from .place import this_place  # seldom needed, and `typing` comes with it

    # A terminal of VS Code's is no place of its own: notebooks that are started there are shown elsewhere.
    around = this_place().around or os.environ.get("TERM_PROGRAM", "")
    hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/user/you/")
    there = {
        "hub": f"  on this hub     with jupyter-server-proxy: redirect URI https://THE-HUB{hub}proxy/{port}/callback\n",
        "vscode": f"  in VS Code      open it: the editor forwards port {port}\n",
    }
    return there.get(around, "") + (
        f"  over SSH        first run on your own machine: ssh -L {port}:localhost:{port} {_this_machine()}\n"
        f"  in a container  start the container with --network=host, or let your editor forward port {port}\n"
        f"  in WSL          open it in Windows, whose localhost is this machine, too\n"
    )


def _over_ssh() -> bool:
    return "SSH_CONNECTION" in os.environ


def _this_machine() -> str:
    # sshd says "client address, client port, server address, server port".
    pieces = os.environ.get("SSH_CONNECTION", "").split()
    if len(pieces) != 4:
        return "user@this-machine"
    return ("" if pieces[3] == "22" else f"-p {pieces[3]} ") + f"{os.environ.get('USER', 'user')}@{pieces[2]}"


def open_browser(url: str, kind: Browser = "system") -> Opening:
    """Open a browser without waiting for it. Show the address as well, for nobody can know whether it loads."""
    return Opening(url, kind)
