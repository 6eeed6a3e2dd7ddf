"""The data app of the table, in NiceGUI: python nicegui_app.py PORT"""

import sys

from nicegui import ui

from smartcar_auth import AuthorizationResponse, SmartcarAuthError, VehicleIncompatible
from smartcar_auth.hosts.nicegui import SmartcarButton, SmartcarConnect

SmartcarConnect()


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


ui.run(host="localhost", port=int(sys.argv[1]), show=False, reload=False, show_welcome_message=False)
