"""Ours in NiceGUI."""

import sys

from known import known
from nicegui import ui

from smartcar_auth.hosts.nicegui import SmartcarButton, SmartcarConnect

SmartcarConnect()


@ui.page("/")
def page() -> None:
    SmartcarButton().on_connected(known)


ui.run(host="localhost", port=int(sys.argv[1]), show=False, reload=False)
