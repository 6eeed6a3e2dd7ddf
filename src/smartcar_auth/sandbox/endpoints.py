"""The endpoints of one vehicle in API v2.0, as a table: method and path, permission, answer.

An answer sees a `Call` and nothing else. Units are converted here, at the last moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .api_errors import ApiRefusal
from .garage import Vehicle

KM_PER_MILE = 1.609344
LITRES_PER_GALLON = 3.785411784
KPA_PER_PSI = 6.894757293168
PAGE_SIZE = 10
PAGE_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the vehicle, the units asked for, what came with it, and what is permitted."""

    vehicle: Vehicle
    units: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    permissions: tuple[str, ...]

    def distance(self, kilometres: float) -> float:
        """Kilometres, or miles if asked for."""
        return self._converted(kilometres, KM_PER_MILE)

    def volume(self, litres: float) -> float:
        """Litres, or US gallons if asked for."""
        return self._converted(litres, LITRES_PER_GALLON)

    def pressure(self, kilopascals: float) -> float:
        """Kilopascals, or pounds per square inch if asked for."""
        return self._converted(kilopascals, KPA_PER_PSI)

    def _converted(self, value: float, per_unit: float) -> float:
        return round(value / per_unit, 2) if self.units == "imperial" else value


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the table."""

    permission: str
    answer: Callable[[Call], Any]
    static: bool = False  # never fails for a test account whose calls fail


def page_of(items: Sequence[str], query: Mapping[str, str]) -> tuple[list[str], dict[str, int]]:
    """One page of a list: `count` is how many there are in all."""
    limit = _whole(query, "limit", PAGE_SIZE, PAGE_LIMIT)
    offset = _whole(query, "offset", 0, None)
    return list(items[offset : offset + limit]), {"count": len(items), "offset": offset}


def _whole(query: Mapping[str, str], name: str, default: int, most: int | None) -> int:
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
    capacity = call.vehicle.battery_kwh
    return {
        "availableCapacities": [{"capacity": capacity, "description": None}],
        "capacity": {"nominal": capacity, "source": "SMARTCAR"},
        "url": None,
    }


def _charge(call: Call) -> Any:
    charging = call.vehicle.charging
    return {"isPluggedIn": charging, "state": "CHARGING" if charging else "NOT_CHARGING"}


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
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        message = f"must be a number from {least:g} to {most:g}"
        raise ApiRefusal("VALIDATION", "PARAMETER", field=name, message=message)
    return float(value)


def _lock(call: Call) -> Any:
    call.vehicle.locked = _action(call, "LOCK", "UNLOCK") == "LOCK"
    return _SENT


def _start_charge(call: Call) -> Any:
    call.vehicle.charging = _action(call, "START", "STOP") == "START"
    return _SENT


def _limit_charge(call: Call) -> Any:
    call.vehicle.charge_limit = _number(call, "limit", 0, 1)
    return _SENT


def _navigate(call: Call) -> Any:
    destination = (_number(call, "latitude", -90, 90), _number(call, "longitude", -180, 180))
    call.vehicle.destinations[:] = [*call.vehicle.destinations[-9:], destination]
    return _SENT


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
        "read_battery", lambda call: {"capacity": call.vehicle.battery_kwh}
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
    ("GET", "service/history"): Endpoint("read_service_history", lambda call: []),
    ("GET", "diagnostics/system_status"): Endpoint("read_diagnostics", lambda call: {"systems": []}),
    ("GET", "diagnostics/dtcs"): Endpoint("read_diagnostics", lambda call: {"activeCodes": []}),
}
