"""Where this program runs, and whether the person's browser takes "localhost" for the same machine."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from smartcar_auth.origin import LOCAL_HOSTS

_HUB = ("JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_API_URL", "JUPYTERHUB_USER")


class Place(NamedTuple):
    """Where a program runs.

    Args:
        around: What it knows of its surroundings: "colab", "vscode", "hub", or "" for nothing special.
        page: The origin of the page in which the person sees it, where there is one that has said so.
    """

    around: str
    page: str | None = None

    @property
    def is_remote(self) -> bool:
        """Whether "localhost" is another machine in the person's browser."""
        if self.around in ("colab", "hub"):
            return True
        # The pages of VS Code have names of their own, and it forwards ports by itself.
        if self.page is None or self.page.startswith("vscode-webview:"):
            return False
        host = self.page.lower().partition("://")[2]
        return not any(host == name or host.startswith(f"{name}:") for name in LOCAL_HOSTS)


def this_place() -> Place:
    """What this program knows by itself."""
    if "google.colab" in sys.modules:
        return Place("colab")
    if "VSCODE_PID" in os.environ or "VSCODE_CWD" in os.environ:
        return Place("vscode")
    return Place("hub" if any(name in os.environ for name in _HUB) else "")
