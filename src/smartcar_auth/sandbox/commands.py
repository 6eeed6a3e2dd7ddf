"""What one may tell a vehicle in API v3, as a table: path, permission, deed.

A command changes the vehicle or raises why it can't.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .api_errors import ApiRefusal
from .endpoints import charge
from .garage import Vehicle

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table. `act` gets what the request's `data.attributes` are."""

    permission: str
    act: Callable[[Vehicle, Attributes], None]


def _lock(vehicle: Vehicle, attributes: Attributes) -> None:
    vehicle.locked = True


def _unlock(vehicle: Vehicle, attributes: Attributes) -> None:
    vehicle.locked = False


def _set_limit(vehicle: Vehicle, attributes: Attributes) -> None:
    percent = attributes.get("percent")
    if not isinstance(percent, int) or isinstance(percent, bool) or not 50 <= percent <= 100:
        message = "must be a whole number from 50 to 100"
        raise ApiRefusal("VALIDATION", "PARAMETER", field="data.attributes.percent", message=message)
    vehicle.charge_limit = percent / 100


def _set_destination(vehicle: Vehicle, attributes: Attributes) -> None:
    destination = (_coordinate(attributes, "latitude", 90), _coordinate(attributes, "longitude", 180))
    vehicle.head_for(destination)


def _coordinate(attributes: Attributes, name: str, most: float) -> float:
    value = attributes.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
        message = f"must be a number from {-most} to {most}"
        raise ApiRefusal("VALIDATION", "PARAMETER", field=f"data.attributes.{name}", message=message)
    return float(value)


COMMANDS = {
    "charge/start": Command("control_charge", lambda vehicle, attributes: charge(vehicle, start=True)),
    "charge/stop": Command("control_charge", lambda vehicle, attributes: charge(vehicle, start=False)),
    "charge/set-limit": Command("control_charge", _set_limit),
    "security/lock": Command("control_security", _lock),
    "security/unlock": Command("control_security", _unlock),
    "navigation/set-destination": Command("control_navigation", _set_destination),
}
