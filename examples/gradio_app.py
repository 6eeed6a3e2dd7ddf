"""A Gradio app with a "Connect your car" button: the car appears in the table of the page that asked.

    python examples/gradio_app.py        # Connect and the car are played by the sandbox; http://localhost:8000

For the real thing set SMARTCAR_APPLICATION_ID, SMARTCAR_CLIENT_SECRET, SMARTCAR_MODE and the like, set
SMARTCAR_CONNECT_ORIGIN=https://connect.smartcar.com, and register the redirect URI below.
"""

import os

import gradio as gr

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.gradio import SmartcarButton, SmartcarConnect

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

connect = SmartcarConnect(
    Smartcar.from_environment(
        redirect_uri=REDIRECT_URI, scope=["required:read_vehicle_info", "read_odometer"]
    )
)


def add(response: AuthorizationResponse, cars: list[list[str]]) -> list[list[str]]:
    """Exchange the code, once, and read the cars that it opens. Gradio keeps the list, per page."""
    client = smartcar.AuthClient(
        os.environ["SMARTCAR_APPLICATION_ID"], os.environ["SMARTCAR_CLIENT_SECRET"], REDIRECT_URI
    )
    token = client.exchange_code(response.code).access_token
    for vehicle_id in smartcar.get_vehicles(token).vehicles:
        vehicle = smartcar.Vehicle(vehicle_id, token)
        attributes = vehicle.attributes()
        odometer = f"{vehicle.odometer().distance:,.0f} km"
        cars = [*cars, [attributes.make, attributes.model, str(attributes.year), odometer]]
    return cars


def explain(error: SmartcarAuthError) -> None:
    print("Not connected:", error.code)  # the button says it


def table(cars: list[list[str]]) -> object:
    return gr.Dataframe(cars, visible=bool(cars))


with gr.Blocks(title="Garage") as demo:
    gr.Markdown("# Your garage")
    cars = gr.State([])
    shown = gr.Dataframe(headers=["Make", "Model", "Year", "Odometer"], show_label=False, visible=False)
    button = SmartcarButton("Connect your car")
    # Whoever connects at the same time needn't wait for another's car.
    button.connected(add, cars, cars, concurrency_limit=None).success(
        table, cars, shown, api_visibility="private"
    )
    button.failed(explain)

if __name__ == "__main__":
    from smartcar_auth.sandbox import Sandbox

    def serve() -> None:
        demo.launch(server_name="localhost", server_port=PORT, app_kwargs=connect.app_kwargs)

    if origin == SANDBOX:
        with Sandbox(port=8010):
            serve()
    else:
        serve()
