"""The endpoints of one vehicle in API v2.0, as a table: method and path, permission, answer.

An answer sees a `Call` and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .api_errors import ApiRefusal
from .calls import Call, timestamp
from .garage import Vehicle

PAGE_SIZE = 10
PAGE_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the table."""

    permission: str
    answer: Callable[[Call], Any]
    static: bool = False  # never fails for a test account whose calls fail


def page_of(items: Sequence[str], query: Mapping[str, str]) -> tuple[list[str], dict[str, int]]:
    """One page of a list: `count` is how many there are in all."""
    limit = whole_number(query, "limit", PAGE_SIZE, PAGE_LIMIT)
    offset = whole_number(query, "offset", 0, None)
    return list(items[offset : offset + limit]), {"count": len(items), "offset": offset}


def whole_number(query: Mapping[str, str], name: str, default: int, most: int | None) -> int:
    """A parameter that is a whole number.

    Raises:
        ApiRefusal: it isn't, or is too large.
    """
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or (most is not None and int(text) > most):
        rule = "must be a whole number" + (f" up to {most}" if most is not None else "")
        raise ApiRefusal("VALIDATION", "PARAMETER", field=name, message=rule)
    return int(text)


def _attributes(call: Call) -> Any:
    vehicle = call.vehicle
    return {"id": vehicle.id, "make": vehicle.make, "model": vehicle.model, "year": vehicle.year}


def _permissions(call: Call) -> Any:
    names, paging = page_of(call.permissions, call.query)
    return {"permissions": names, "paging": paging}


def _fuel(call: Call) -> Any:
    vehicle = call.vehicle
    return {
        "range": call.distance(vehicle.fuel_range_km),
        "percentRemaining": vehicle.fuel_fraction,
        "amountRemaining": call.volume(vehicle.fuel_litres),
    }


def _battery(call: Call) -> Any:
    vehicle = call.vehicle
    return {"percentRemaining": vehicle.battery_fraction, "range": call.distance(vehicle.battery_range_km)}


def _nominal_capacity(call: Call) -> Any:
    vehicle, chosen = call.vehicle, call.capacity_kwh
    known = chosen is not None or vehicle.capacity_known
    nominal = {
        "nominal": vehicle.battery_kwh if chosen is None else chosen,
        "source": "SMARTCAR" if chosen is None else "USER_SELECTED",
    }
    return {
        "availableCapacities": [{"capacity": vehicle.battery_kwh, "description": None}],
        "capacity": nominal if known else None,
        "url": None if known else call.capacity_url(),
    }


def _charge(call: Call) -> Any:
    vehicle = call.vehicle
    return {"isPluggedIn": vehicle.plugged_in, "state": "CHARGING" if vehicle.charging else "NOT_CHARGING"}


def _tires(call: Call) -> Any:
    places = ("frontLeft", "frontRight", "backLeft", "backRight")
    return dict(zip(places, map(call.pressure, call.vehicle.tires_kpa), strict=True))


def _security(call: Call) -> Any:
    four = ("frontLeft", "frontRight", "backLeft", "backRight")
    return {
        "isLocked": call.vehicle.locked,
        "doors": [{"type": place, "status": "CLOSED"} for place in four],
        "windows": [{"type": place, "status": "CLOSED"} for place in four],
        "sunroof": [{"type": "sunroof", "status": "CLOSED"}],
        "storage": [{"type": "rear", "status": "CLOSED"}, {"type": "front", "status": "CLOSED"}],
        "chargingPort": [{"type": "chargingPort", "status": "CLOSED"}],
    }


_SENT = {"status": "success", "message": "Successfully sent request to vehicle"}


def _action(call: Call, *allowed: str) -> str:
    action = call.body.get("action")
    if action not in allowed:
        message = f"must be one of {', '.join(allowed)}"
        raise ApiRefusal("VALIDATION", "PARAMETER", field="action", message=message)
    return str(action)


def _number(call: Call, name: str, least: float, most: float) -> float:
    value = call.body.get(name)
    try:
        number = float("nan" if isinstance(value, bool) else value)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # a text is read, too: the official Node SDK sends the limit as one
        number = float("nan")
    if least <= number <= most:
        return number
    message = f"must be a number from {least:g} to {most:g}"
    raise ApiRefusal("VALIDATION", "PARAMETER", field=name, message=message)


def _lock(call: Call) -> Any:
    call.vehicle.locked = _action(call, "LOCK", "UNLOCK") == "LOCK"
    return _SENT


def _start_charge(call: Call) -> Any:
    charge(call.vehicle, start=_action(call, "START", "STOP") == "START")
    return _SENT


def charge(vehicle: Vehicle, *, start: bool) -> None:
    """Start or stop charging.

    Raises:
        ApiRefusal: the plug is out.
    """
    if start and not vehicle.plugged_in:
        raise ApiRefusal("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED")
    vehicle.charging = start


def _limit_charge(call: Call) -> Any:
    call.vehicle.charge_limit = _number(call, "limit", 0, 1)
    return _SENT


def _navigate(call: Call) -> Any:
    call.vehicle.head_for((_number(call, "latitude", -90, 90), _number(call, "longitude", -180, 180)))
    return _SENT


def _service_history(call: Call) -> Any:
    """Two services of the last year, or those between the dates asked for."""
    first = _date(call, "startDate", _morning(call, 365))
    last = _date(call, "endDate", _morning(call, -1))
    services = ((300, "Oil and filter changed"), (90, "Tires rotated"))
    return [
        {
            "serviceId": str(days),
            "serviceDate": timestamp(_morning(call, days).timestamp()),
            "odometerDistance": call.distance(round(call.vehicle.odometer_km - 30 * days, 1)),
            "serviceTasks": [{"taskId": None, "taskDescription": task}],
            "serviceDetails": [{"type": "Service Dealer", "value": "Sandbox Motors"}],
            "serviceCost": {"totalCost": None, "currency": None},
        }
        for days, task in services
        if first <= _morning(call, days) <= last
    ]


def _morning(call: Call, days_ago: int) -> datetime:
    today = datetime.fromtimestamp(call.now, UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def _date(call: Call, name: str, default: datetime) -> datetime:
    text = call.query.get(name)
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = "must be a date such as 2026-01-31"
        raise ApiRefusal("VALIDATION", "PARAMETER", field=name, message=message) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_SYSTEMS = {
    "SYSTEM_TPMS": "OK",
    "SYSTEM_AIRBAG": "OK",
    "SYSTEM_MIL": "ALERT",
    "SYSTEM_BRAKE_FLUID": "OK",
}


def _system_status(call: Call) -> Any:
    return {
        "systems": [
            {"systemId": name, "status": status, "description": None} for name, status in _SYSTEMS.items()
        ]
    }


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", ""): Endpoint("read_vehicle_info", _attributes, static=True),
    ("GET", "vin"): Endpoint("read_vin", lambda call: {"vin": call.vehicle.vin}, static=True),
    ("GET", "permissions"): Endpoint("", _permissions, static=True),
    ("GET", "odometer"): Endpoint(
        "read_odometer", lambda call: {"distance": call.distance(call.vehicle.odometer_km)}
    ),
    ("GET", "location"): Endpoint(
        "read_location",
        lambda call: {"latitude": call.vehicle.latitude, "longitude": call.vehicle.longitude},
    ),
    ("GET", "fuel"): Endpoint("read_fuel", _fuel),
    ("GET", "battery"): Endpoint("read_battery", _battery),
    ("GET", "battery/capacity"): Endpoint(
        "read_battery", lambda call: {"capacity": call.capacity_kwh or call.vehicle.battery_kwh}
    ),
    ("GET", "battery/nominal_capacity"): Endpoint("read_battery", _nominal_capacity),
    ("GET", "charge"): Endpoint("read_charge", _charge),
    ("POST", "charge"): Endpoint("control_charge", _start_charge),
    ("GET", "charge/limit"): Endpoint("read_charge", lambda call: {"limit": call.vehicle.charge_limit}),
    ("POST", "charge/limit"): Endpoint("control_charge", _limit_charge),
    ("GET", "engine/oil"): Endpoint(
        "read_engine_oil", lambda call: {"lifeRemaining": call.vehicle.oil_fraction}
    ),
    ("GET", "tires/pressure"): Endpoint("read_tires", _tires),
    ("GET", "security"): Endpoint("read_security", _security),
    ("POST", "security"): Endpoint("control_security", _lock),
    ("POST", "navigation/destination"): Endpoint("control_navigation", _navigate),
    ("GET", "service/history"): Endpoint("read_service_history", _service_history),
    ("GET", "diagnostics/system_status"): Endpoint("read_diagnostics", _system_status),
    ("GET", "diagnostics/dtcs"): Endpoint(
        "read_diagnostics",
        lambda call: {
            "activeCodes": [{"code": "P0420", "timestamp": timestamp(_morning(call, 1).timestamp())}]
        },
    ),
}
