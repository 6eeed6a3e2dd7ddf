"""A Dash app with a "Connect your car" button: how far the fleet has driven, with each car that is connected.

    python examples/dash_app.py        # Connect and the car are played by the sandbox; http://localhost:8000

For the real thing set SMARTCAR_APPLICATION_ID, SMARTCAR_CLIENT_SECRET, SMARTCAR_MODE and the like, set
SMARTCAR_CONNECT_ORIGIN=https://connect.smartcar.com, and register the redirect URI below.
"""

import os
from typing import Any

from dash import Dash, Input, Output, State, callback, dcc, html, no_update

from smartcar_auth import Smartcar, SmartcarAuthError, VehicleIncompatible
from smartcar_auth.hosts.dash import SmartcarButton, SmartcarConnect

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

app = Dash(
    title="Fleet",
    meta_tags=[
        {"name": "viewport", "content": "width=device-width, initial-scale=1"},
        {"name": "color-scheme", "content": "light dark"},
    ],
)
connect = SmartcarConnect(
    app,
    Smartcar.from_environment(
        redirect_uri=REDIRECT_URI, scope=["required:read_vehicle_info", "read_odometer"]
    ),
)
app.layout = html.Main(
    [
        html.H1("Fleet"),
        SmartcarButton("Connect your car", id="car"),
        html.P(id="notice", role="status"),
        html.Div(id="driven"),
        dcc.Store(id="cars", data={}),
    ],
    style={
        "maxWidth": "40rem",
        "margin": "2rem auto",
        "padding": "0 1rem",
        "fontFamily": "system-ui, sans-serif",
    },
)


def read_cars(code: str) -> dict[str, float]:
    """Exchange the code, once, and read the cars that it opens: their names and kilometres."""
    client = smartcar.AuthClient(
        os.environ["SMARTCAR_APPLICATION_ID"], os.environ["SMARTCAR_CLIENT_SECRET"], REDIRECT_URI
    )
    token = client.exchange_code(code).access_token
    cars = {}
    for vehicle_id in smartcar.get_vehicles(token).vehicles:
        vehicle = smartcar.Vehicle(vehicle_id, token)
        attributes = vehicle.attributes()
        cars[f"{attributes.make} {attributes.model} {attributes.year}"] = vehicle.odometer().distance
    return cars


@callback(
    Output("cars", "data"), Output("notice", "children"), Input("car", "outcome"), State("cars", "data")
)
def ended(outcome: Any, cars: dict[str, float]) -> tuple[Any, str]:
    """The page says that an attempt ended; what came of it is here."""
    try:
        response = connect.result(outcome)
    except VehicleIncompatible as error:
        car = error.vehicle_info
        return no_update, f"Sorry, no {car.make} {car.model} so far." if car else ""
    except SmartcarAuthError as error:
        print("Not connected:", error.code)
        return no_update, ""  # the button says it
    found = read_cars(response.code)
    return cars | found, f"Welcome, {' and '.join(found)}."


@callback(Output("driven", "children"), Input("cars", "data"))
def drawn(cars: dict[str, float]) -> Any:
    if not cars:
        return None
    bars = {"type": "bar", "orientation": "h", "x": list(cars.values()), "y": list(cars), "width": 0.5}
    layout = {
        "xaxis": {"title": {"text": "km driven"}, "gridcolor": "#8884"},
        "yaxis": {"automargin": True, "ticksuffix": "  "},
        "margin": {"t": 10, "r": 10},
        "font": {"color": "#888"},
        "paper_bgcolor": "transparent",
        "plot_bgcolor": "transparent",
    }
    return dcc.Graph(
        figure={"data": [bars], "layout": layout}, config={"displayModeBar": False}, style={"height": "18rem"}
    )


if __name__ == "__main__":
    from smartcar_auth.sandbox import Sandbox

    if origin == SANDBOX:
        with Sandbox(port=8010):
            app.run(host="localhost", port=PORT)
    else:
        app.run(host="localhost", port=PORT)
