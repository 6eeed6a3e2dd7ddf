"""Run by `test_official_sdk` in a process of its own: the unmodified official SDK against the sandbox.

The SDK reads its environment when it is imported. Arguments: the application id, the redirect URI,
and then lines on standard input, each a code. Prints one JSON object.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")  # the SDK uses datetime.utcnow

import smartcar  # noqa: E402


def main() -> None:
    """Use everything an application would, and print what came back."""
    application_id, redirect_uri, code = sys.argv[1:]
    client = smartcar.AuthClient(application_id, "secret", redirect_uri)
    found: dict[str, object] = {"url": client.get_auth_url(["read_vin"], {"state": "s"})}
    access = client.exchange_code(code)
    access = client.exchange_refresh_token(access.refresh_token)
    token = access.access_token
    found["user"] = smartcar.get_user(token).id
    vehicles = smartcar.get_vehicles(token, {"limit": 1, "offset": 0})
    found["count"] = vehicles.paging.count
    vehicle = smartcar.Vehicle(vehicles.vehicles[0], token)
    found["make"] = vehicle.attributes().make
    found["odometer"] = vehicle.odometer().distance
    found["latitude"] = vehicle.location().latitude
    found["vin"] = vehicle.vin().vin
    found["permissions"] = vehicle.permissions({"limit": 2}).permissions
    found["rest"] = [
        vehicle.fuel().range,
        vehicle.battery().range,
        vehicle.battery_capacity().capacity,
        vehicle.charge().state,
        vehicle.get_charge_limit().limit,
        vehicle.engine_oil().life_remaining,
        vehicle.tire_pressure().front_left,
    ]
    found["unlock"] = vehicle.unlock().message
    found["unlocked"] = vehicle.lock_status().is_locked
    vehicle.lock()
    vehicle.start_charge()
    vehicle.set_charge_limit(0.9)
    vehicle.send_destination(39.7, -105.0)
    batch = vehicle.batch(["/odometer", "/service/history"])
    found["batch"] = batch.odometer().distance
    found["request_id"] = vehicle.odometer().meta.request_id
    try:
        batch.service_history()
    except smartcar.SmartcarException as error:
        found["batch_error"] = error.type
    try:
        vehicle.diagnostic_system_status()
    except smartcar.SmartcarException as error:
        found["permission_error"] = [
            error.status_code,
            error.type,
            error.message[:20],
            bool(error.request_id),
        ]
    try:
        client.exchange_code(code)
    except smartcar.SmartcarException as error:
        found["code_error"] = [error.status_code, error.type, error.message.replace(code, "X")]
    try:
        smartcar.get_user("nonsense")
    except smartcar.SmartcarException as error:
        found["token_error"] = [error.status_code, error.type]
    found["disconnect"] = vehicle.disconnect().status
    found["left"] = smartcar.get_vehicles(token).paging.count
    print(json.dumps(found))


main()
