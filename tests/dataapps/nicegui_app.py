"""The data app of the table, in NiceGUI, and a page with more buttons: python nicegui_app.py PORT"""

import sys

from nicegui import app, ui

from smartcar_auth import AuthorizationResponse, SmartcarAuthError, VehicleIncompatible
from smartcar_auth.hosts.nicegui import SmartcarButton, SmartcarConnect

SmartcarConnect(identify=lambda request: app.storage.user.get("name"))


@ui.page("/")
def page() -> None:
    def connected(response: AuthorizationResponse) -> None:
        result.set_text(f"granted {response.code}")

    async def failed(error: SmartcarAuthError) -> None:
        result.set_text(f"failed {error.code}")
        if isinstance(error, VehicleIncompatible) and error.vehicle_info:
            result.set_text(f"failed {error.code} {error.vehicle_info.make}")

    SmartcarButton(make="TESLA").on_connected(connected).on_failed(failed)
    result = ui.label("nothing yet").props("id=result")


@ui.page("/garage/{person}")
async def garage(person: str) -> None:
    """Somebody is logged in; a button that is there at once, one that is added later, one that is awaited."""
    app.storage.user["name"] = person
    with ui.column().props("id=first"):
        first = SmartcarButton("First", state={"bay": 1}).on_connected(
            lambda response: ui.label(f"{response.subject} in bay {response.app_state['bay']}")
        )
        first.classes("big").props('window-options="width=500"')
    with ui.column().props("id=second"):
        ui.button("Add").on_click(
            lambda: SmartcarButton("Second", on_failed=lambda: ui.label("not this time"))
        )
    with ui.column().props("id=third"):
        third = SmartcarButton("Third", make="TESLA")
        try:
            while await third.connected():
                ui.label("connected")
        except SmartcarAuthError as error:
            ui.label(f"ended: {error.code}")


ui.run(
    host="localhost",
    port=int(sys.argv[1]),
    show=False,
    reload=False,
    show_welcome_message=False,
    storage_secret="of-the-data-app",
)
