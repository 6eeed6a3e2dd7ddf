"""Smartcar's permissions in words that a car's owner understands, and how a scope is read."""

from dataclasses import dataclass
from functools import lru_cache

WORDS = {
    "read_alerts": "See alerts from your vehicle",
    "read_battery": "See your electric battery's level and range",
    "read_charge": "See whether your vehicle is plugged in and charging",
    "read_charge_locations": "See places where you charged, and their settings",
    "read_charge_records": "See your charging history and its cost",
    "read_charge_events": "Be notified when charging starts, ends or fails",
    "read_climate": "See your climate system's settings",
    "read_compass": "See the direction your vehicle faces",
    "read_diagnostics": "See your vehicle's health and trouble codes",
    "read_engine_oil": "See how long your engine oil will last",
    "read_extended_vehicle_info": "See your vehicle's configuration",
    "read_fuel": "See your fuel level and range",
    "read_location": "See where your vehicle is",
    "read_odometer": "See the distance your vehicle has travelled",
    "read_security": "See whether doors and windows are locked or open",
    "read_service_history": "See your vehicle's service history",
    "read_speedometer": "See your vehicle's speed",
    "read_thermometer": "See temperatures inside and outside your vehicle",
    "read_tires": "See your tire pressure",
    "read_user_profile": "See the email address and phone number of your account",
    "read_vehicle_info": "See your vehicle's make, model and year",
    "read_vin": "See your vehicle identification number (VIN)",
    "control_charge": "Start and stop charging",
    "control_climate": "Change your climate system's settings",
    "control_navigation": "Send destinations to your vehicle",
    "control_pin": "Set the PIN needed to drive",
    "control_security": "Lock and unlock your vehicle",
    "control_trunk": "Open your trunk and front trunk",
}

# What the dashboard's "Vehicle Access" page would hold when the URL brings no scope.
DEFAULT_SCOPE = "required:read_vehicle_info read_vin read_odometer read_location"


@dataclass(frozen=True, slots=True)
class Permission:
    """One entry of a scope."""

    name: str
    required: bool

    @property
    def words(self) -> str:
        """The permission in human words; an unknown one by its own name."""
        return WORDS.get(self.name) or self.name.replace("_", " ").capitalize()


@lru_cache(maxsize=256)
def read_scope(scope: str) -> tuple[Permission, ...]:
    """The permissions of a space-separated scope, each once; `required:` wins over optional."""
    found: dict[str, bool] = {}
    for entry in scope.split():
        name = entry.removeprefix("required:")
        found[name] = found.get(name, False) or entry != name
    return tuple(Permission(name, required) for name, required in found.items() if name)
