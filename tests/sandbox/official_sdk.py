"""Run by `test_official_sdk` in a process of its own: the unmodified official SDK against the sandbox.

The SDK reads its environment when it is imported. Standard input is a JSON object: application id, redirect
URI, VIN and a code. Prints one JSON object with everything that came back.
"""

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

warnings.simplefilter("ignore")  # the SDK uses datetime.utcnow

import smartcar  # noqa: E402
from smartcar.smartcar import get_compatibility_matrix, get_vehicle  # noqa: E402  (there, but not exported)

ALL = [
    "/",
    "/vin",
    "/odometer",
    "/location",
    "/fuel",
    "/battery",
    "/battery/capacity",
    "/battery/nominal_capacity",
    "/charge",
    "/charge/limit",
    "/engine/oil",
    "/tires/pressure",
    "/security",
    "/service/history",
    "/diagnostics/system_status",
    "/diagnostics/dtcs",
    "/permissions",
]


def plain(value: Any) -> Any:
    """A named tuple as a dict, at every depth, without its meta."""
    if hasattr(value, "_asdict"):
        return {name: plain(each) for name, each in value._asdict().items() if name != "meta"}
    return [plain(each) for each in value] if isinstance(value, list) else value


def refused(function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """What the SDK makes of an error."""
    try:
        function(*arguments)
    except smartcar.SmartcarException as error:
        names = ("status_code", "type", "code", "description", "doc_url", "resolution", "detail", "message")
        found = {name: getattr(error, name, None) for name in names}
        return found | {"request_id": bool(getattr(error, "request_id", None))}
    raise AssertionError("the SDK raised nothing")


def addresses(client: Any, vin: str) -> list[str]:
    """Authorization URLs with every option."""
    options: list[dict[str, Any]] = [
        {},
        {"force_prompt": True, "state": "a state", "make_bypass": "TESLA", "user": "u-1"},
        {"single_select": {"enabled": True}, "flags": {"country": "DE", "color": "00819D"}},
        {"single_select": {"vin": vin}},
        {"single_select": {"nothing": 1}},
    ]
    return [client.get_auth_url(["required:read_vin", "read_odometer"], each) for each in options] + [
        client.get_auth_url()
    ]


def read(vehicle: Any) -> dict[str, Any]:
    """Every method that reads."""
    methods = {
        "attributes": vehicle.attributes,
        "vin": vehicle.vin,
        "odometer": vehicle.odometer,
        "location": vehicle.location,
        "fuel": vehicle.fuel,
        "battery": vehicle.battery,
        "battery_capacity": vehicle.battery_capacity,
        "nominal_capacity": vehicle.nominal_capacity,
        "charge": vehicle.charge,
        "get_charge_limit": vehicle.get_charge_limit,
        "engine_oil": vehicle.engine_oil,
        "tire_pressure": vehicle.tire_pressure,
        "lock_status": vehicle.lock_status,
        "service_history": vehicle.service_history,
        "diagnostic_system_status": vehicle.diagnostic_system_status,
        "diagnostic_trouble_codes": vehicle.diagnostic_trouble_codes,
        "permissions": vehicle.permissions,
    }
    return {name: plain(method()) for name, method in methods.items()}


def act(vehicle: Any) -> list[str]:
    """Every method that commands, and what they change."""
    told = [
        vehicle.unlock().message,
        str(vehicle.lock_status().is_locked),
        vehicle.lock().message,
        str(vehicle.lock_status().is_locked),
        vehicle.start_charge().message,
        vehicle.charge().state,
        vehicle.stop_charge().message,
        vehicle.charge().state,
        vehicle.set_charge_limit(0.9).message,
        str(vehicle.get_charge_limit().limit),
        vehicle.send_destination(39.7, -105.0).message,
    ]
    return [*told, vehicle.request("POST", "security", {"action": "LOCK"}, {}).body["message"]]


def batch(vehicle: Any) -> dict[str, Any]:
    """A batch of everything: each answer is a function, named as the SDK's method is."""
    answers = vehicle.batch(ALL)
    return {name: plain(getattr(answers, name)()) for name in answers._fields if name != "meta"}


def manage(amt: str, user_id: str, vehicle_id: str) -> dict[str, Any]:
    """The connections, by pages and filters."""
    first = smartcar.get_connections(amt, paging={"limit": 1})
    second = smartcar.get_connections(amt, paging={"limit": 1, "cursor": first.paging.cursor})
    return {
        "pages": [plain(first.connections), plain(second.connections), second.paging.cursor],
        "of_user": len(smartcar.get_connections(amt, {"user_id": user_id}).connections),
        "of_vehicle": plain(smartcar.get_connections(amt, {"vehicle_id": vehicle_id}).connections),
        "deleted": plain(smartcar.delete_connections(amt, {"vehicle_id": vehicle_id}).connections),
        "left": len(smartcar.get_connections(amt).connections),
    }


def main() -> None:
    """Use everything an application could, and print what came back."""
    given = json.load(sys.stdin)
    client = smartcar.AuthClient(given["application_id"], "secret", given["redirect_uri"], mode="simulated")
    found: dict[str, Any] = {"urls": addresses(client, given["vin"])}
    access = client.exchange_code(given["code"], {"flags": {"some": True}})
    found["access"] = [access.token_type, access.expires_in, access.refresh_expiration > access.expiration]
    refreshed = client.exchange_refresh_token(access.refresh_token, {"flags": {"some": True}})
    found["rotated"] = refreshed.refresh_token != access.refresh_token
    token = refreshed.access_token

    found["user"] = smartcar.get_user(token).id
    pages = [smartcar.get_vehicles(token, {"limit": 1, "offset": number}) for number in range(3)]
    found["pages"] = [[page.vehicles, page.paging.count, page.paging.offset] for page in pages]
    vehicle = smartcar.Vehicle(pages[0].vehicles[0], token)
    other = smartcar.Vehicle(pages[1].vehicles[0], token, {"unit_system": "imperial", "flags": {"a": "b"}})
    found["read"], found["other"] = read(vehicle), plain(other.odometer())
    found["meta"] = dict(vehicle.odometer().meta._asdict()) | {
        "unit_system": other.odometer().meta.unit_system
    }
    found["permissions_page"] = plain(vehicle.permissions({"limit": 2, "offset": 1}))
    found["no_service"] = plain(vehicle.service_history("2001-01-01", "2001-12-31"))
    found["batch"] = batch(vehicle)
    found["acts"] = act(vehicle)
    found["requested"] = plain(vehicle.request("GET", "odometer", {}, {}).body)

    found["signals"] = {one["id"]: one["attributes"]["body"] for one in vehicle.get_signals()["body"]["data"]}
    found["signal"] = vehicle.get_signal("odometer-traveleddistance")["body"]
    found["vehicle"] = get_vehicle(token, vehicle.vehicle_id)["body"]

    credentials = {"client_id": given["application_id"], "client_secret": "secret", "flags": {"a": True}}
    found["compatibility"] = plain(
        smartcar.get_compatibility(given["vin"], ["read_odometer", "read_fuel"], "US", credentials)
    )
    matrix = get_compatibility_matrix(
        "US", "TESLA", {**credentials, "type": "BEV", "scope": ["read_battery"]}
    )
    found["matrix"] = {make: [row._asdict() for row in rows] for make, rows in matrix.items()}

    subscribed = vehicle.subscribe("webhook-1")
    found["subscribed"] = [subscribed.webhook_id, subscribed.vehicle_id == vehicle.vehicle_id]
    found["unsubscribed"] = vehicle.unsubscribe("amt", "webhook-1").status
    challenge = smartcar.hash_challenge("amt", "challenge")
    found["verified"] = smartcar.verify_payload("amt", challenge, "challenge")

    narrow = smartcar.Vehicle(vehicle.vehicle_id, token)
    found["errors"] = {
        "code": refused(client.exchange_code, given["code"]),
        "refresh_token": refused(client.exchange_refresh_token, "nonsense"),
        "token": refused(smartcar.get_user, "nonsense"),
        "vehicle": refused(smartcar.Vehicle("not-an-id", token).vin),
        "path": refused(narrow.request, "GET", "teleport", {}, {}),
        "limit": refused(smartcar.get_vehicles, token, {"limit": 51}),
        "charge": refused(narrow.set_charge_limit, 1.1),
        "amt": refused(narrow.unsubscribe, "", "webhook-1"),
    }
    smartcar.set_api_version("1.0")
    found["errors"]["version"] = refused(smartcar.get_user, token)
    smartcar.set_api_version("9.9")
    found["later_version"] = [smartcar.get_api_version(), smartcar.get_user(token).id]
    smartcar.set_api_version("2.0")

    found["managed"] = manage("amt", found["user"], other.vehicle_id)
    found["disconnected"] = vehicle.disconnect().status
    found["left"] = smartcar.get_vehicles(token).paging.count
    found["errors"]["disconnected"] = refused(vehicle.odometer)
    print(json.dumps(found))


main()
