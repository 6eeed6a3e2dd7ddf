"""A NiceGUI app with a "Connect your car" button: the car appears on the page that asked, and stays its person's.

    python examples/nicegui_app.py        # Connect and the car are played by the sandbox; http://localhost:8000

For the real thing set SMARTCAR_APPLICATION_ID, SMARTCAR_CLIENT_SECRET, SMARTCAR_MODE and the like, set
SMARTCAR_CONNECT_ORIGIN=https://connect.smartcar.com, and register the redirect URI below.
"""

import os

from nicegui import app, run, ui

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.nicegui import SmartcarButton, SmartcarConnect

SANDBOX = "http://127.0.0.1:8010"
PORT = int(os.environ.get("PORT", "8000"))
REDIRECT_URI = f"http://localhost:{PORT}/smartcar/callback"

# Without settings of your own: the sandbox below.
os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CLIENT_SECRET", "any will do in the sandbox")
origin = os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", SANDBOX)
if origin.startswith("http://"):  # a sandbox, which plays the token endpoint and the cars, too
    os.environ.update(SMARTCAR_API_ORIGIN=origin, SMARTCAR_AUTH_ORIGIN=f"{origin}/oauth/token")

import smartcar  # noqa: E402 (reads SMARTCAR_AUTH_ORIGIN and the like when it is imported)

SmartcarConnect(
    Smartcar.from_environment(
        redirect_uri=REDIRECT_URI, scope=["required:read_vehicle_info", "read_odometer"]
    ),
    identify=lambda request: app.storage.browser["id"],  # yours: app.storage.user.get("username")
)


def read_cars(code: str) -> list[dict[str, str]]:
    """Exchange the code, once, and read the cars that it opens."""
    client = smartcar.AuthClient(
        os.environ["SMARTCAR_APPLICATION_ID"], os.environ["SMARTCAR_CLIENT_SECRET"], REDIRECT_URI
    )
    token = client.exchange_code(code).access_token
    cars = []
    for vehicle_id in smartcar.get_vehicles(token).vehicles:
        vehicle = smartcar.Vehicle(vehicle_id, token)
        attributes = vehicle.attributes()
        odometer = f"{vehicle.odometer().distance:,.0f} km"
        cars.append({"name": f"{attributes.make} {attributes.model} {attributes.year}", "odometer": odometer})
    return cars


@ui.page("/")
def garage() -> None:
    async def connected(response: AuthorizationResponse) -> None:
        app.storage.user["cars"] = await run.io_bound(read_cars, response.code)
        cars.refresh()
        ui.notify("Your car is here.", type="positive")

    def failed(error: SmartcarAuthError) -> None:
        print("Not connected:", error.code)  # the button says it

    @ui.refreshable
    def cars() -> None:
        for car in app.storage.user.get("cars", []):
            with ui.item().classes("w-full p-0"):
                with ui.item_section().props("avatar"):
                    ui.icon("directions_car", color="primary")
                with ui.item_section():
                    ui.item_label(car["name"])
                    ui.item_label(car["odometer"]).props("caption")

    ui.dark_mode(None)  # as the person's machine is
    with ui.card().classes("w-full max-w-sm mx-auto mt-8 gap-4"):
        ui.label("Your garage").classes("text-2xl")
        cars()
        SmartcarButton("Connect your car", on_connected=connected, on_failed=failed)


if __name__ == "__main__":
    from smartcar_auth.sandbox import Sandbox

    def serve() -> None:
        ui.run(
            host="localhost",
            port=PORT,
            title="Garage",
            reload=False,
            show=False,
            storage_secret=os.environ.get("STORAGE_SECRET", "only for trying this out"),
        )

    if origin == SANDBOX:
        with Sandbox(port=8010):
            serve()
    else:
        serve()
