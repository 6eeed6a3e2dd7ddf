"""A script that asks for a car once and prints its odometer, also on a machine reached over SSH.

    python examples/terminal_app.py          # Connect and the car are played by the sandbox

For the real thing set SMARTCAR_APPLICATION_ID, SMARTCAR_CLIENT_SECRET, SMARTCAR_MODE and the like, set
SMARTCAR_CONNECT_ORIGIN=https://connect.smartcar.com, and register http://localhost:8000/callback and http://localhost:8001/callback.
"""

import os

from smartcar_auth import AccessDenied, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.loopback import Attempt, accompany

SANDBOX = "http://127.0.0.1:8010"
PORTS = [8000, 8001]  # those whose redirect URIs are registered

# Without settings of your own: the sandbox below.
os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CLIENT_SECRET", "any will do in the sandbox")
origin = os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", SANDBOX)
if origin.startswith("http://"):  # a sandbox, which plays the token endpoint and the cars, too
    os.environ.update(SMARTCAR_API_ORIGIN=origin, SMARTCAR_AUTH_ORIGIN=f"{origin}/oauth/token")


def main() -> int:
    client = Smartcar.from_environment(scope=["required:read_vehicle_info", "read_odometer"])
    try:
        with Attempt(client, ports=PORTS) as attempt:
            response = accompany(attempt)  # opens the browser; Ctrl-C gives up
    except AccessDenied:
        print("You didn't give access, so there is nothing to show.")
        return 1
    except SmartcarAuthError as error:
        print(error)
        return 1
    # A script of your own may hold the secret; one that you hand out sends the code to your server instead.
    import smartcar  # reads SMARTCAR_AUTH_ORIGIN and the like when it is imported

    sdk = smartcar.AuthClient(
        os.environ["SMARTCAR_APPLICATION_ID"], os.environ["SMARTCAR_CLIENT_SECRET"], attempt.redirect_uri
    )
    token = sdk.exchange_code(response.code).access_token
    for vehicle_id in smartcar.get_vehicles(token).vehicles:
        vehicle = smartcar.Vehicle(vehicle_id, token)
        attributes = vehicle.attributes()
        print(f"{attributes.make} {attributes.model}: {vehicle.odometer().distance:,.0f} km")
    return 0


if __name__ == "__main__":
    if origin == SANDBOX:
        from smartcar_auth.sandbox import Sandbox

        with Sandbox(port=8010):
            raise SystemExit(main())
    raise SystemExit(main())
