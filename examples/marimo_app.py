"""A marimo app with a "Connect your car" button; the cells that use it run again when the car is connected.

    marimo run examples/marimo_app.py      # Connect and the car are played by the sandbox

For the real thing leave the sandbox out, set SMARTCAR_APPLICATION_ID and SMARTCAR_CLIENT_SECRET, and register
http://localhost:8000/callback and http://localhost:8001/callback in the Smartcar dashboard.
"""

# ruff: noqa: B018, N803  (marimo's way with cells)

import marimo

app = marimo.App()


@app.cell
def _():
    import os

    import marimo as mo

    from smartcar_auth import Smartcar
    from smartcar_auth.hosts.notebook import ConnectButton
    from smartcar_auth.sandbox import Sandbox

    if "SMARTCAR_CONNECT_ORIGIN" not in os.environ:
        origin = Sandbox().start().origin
        os.environ["SMARTCAR_APPLICATION_ID"] = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
        os.environ["SMARTCAR_CLIENT_SECRET"] = "any will do in the sandbox"
        os.environ["SMARTCAR_CONNECT_ORIGIN"] = os.environ["SMARTCAR_API_ORIGIN"] = origin
        os.environ["SMARTCAR_AUTH_ORIGIN"] = f"{origin}/oauth/token"
    return ConnectButton, Smartcar, mo, os


@app.cell
def _(ConnectButton, Smartcar, mo):
    client = Smartcar.from_environment(scope=["required:read_vehicle_info", "read_odometer"])
    button = mo.ui.anywidget(ConnectButton(client, ports=[8000, 8001]))
    button
    return (button,)


@app.cell
def _(button, mo, os):
    import smartcar  # reads SMARTCAR_AUTH_ORIGIN and the like when it is imported

    mo.stop(button.response is None, mo.md("No car yet."))
    sdk = smartcar.AuthClient(
        os.environ["SMARTCAR_APPLICATION_ID"], os.environ["SMARTCAR_CLIENT_SECRET"], button.redirect_uri
    )
    token = sdk.exchange_code(button.response.code).access_token
    lines = []
    for vehicle_id in smartcar.get_vehicles(token).vehicles:
        vehicle = smartcar.Vehicle(vehicle_id, token)
        attributes = vehicle.attributes()
        lines.append(f"- {attributes.make} {attributes.model}: {vehicle.odometer().distance:,.0f} km")
    mo.md("\n".join(lines))
    return


if __name__ == "__main__":
    app.run()
