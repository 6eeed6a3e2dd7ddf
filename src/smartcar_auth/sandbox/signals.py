"""The signals of one vehicle in API v3, as a table: group, name, permission, body.

A body is made from a `Call`, as the endpoints' answers are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .calls import Call
from .endpoints import ENDPOINTS

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signal:
    """One row of the table."""

    group: str
    name: str
    permission: str
    body: Callable[[Call], Body]
    static: bool = False  # never fails for a test account whose calls fail

    @property
    def code(self) -> str:
        """What it is called in addresses."""
        return f"{self.group}-{self.name}".lower()


def _value(function: Callable[[Call], Any], unit: str = "") -> Callable[[Call], Body]:
    """A body with one value; it has a unit if the value has."""
    return lambda call: {"unit": unit, "value": function(call)} if unit else {"value": function(call)}


def _distance(function: Callable[[Call], float]) -> Callable[[Call], Body]:
    def body(call: Call) -> Body:
        unit = "miles" if call.units == "imperial" else "kilometers"
        return {"unit": unit, "value": call.distance(function(call))}

    return body


def _percent(function: Callable[[Call], float]) -> Callable[[Call], Body]:
    return _value(lambda call: round(function(call) * 100, 1), "percent")


def _closed(call: Call) -> Body:
    return {"isOpen": False, "isLocked": call.vehicle.locked}


def _two_by_two(**each: Any) -> Body:
    places = [(row, column) for row in (0, 1) for column in (0, 1)]
    values = [{"row": row, "column": column, **each} for row, column in places]
    return {"values": values, "rowCount": 2, "columnCount": 2}


def _tires(call: Call) -> Body:
    body = _two_by_two()
    for place, pressure in zip(body["values"], call.vehicle.tires_kpa, strict=True):
        place["tirePressure"] = call.pressure(pressure)
    return body | {"unit": "psi" if call.units == "imperial" else "kilopascals"}


def _charge_limits(call: Call) -> Body:
    limit = round(call.vehicle.charge_limit * 100)
    values = [{"type": "GLOBAL", "limit": limit, "condition": None}]
    return {"values": values, "activeLimit": limit if call.vehicle.charging else None, "unit": "percent"}


def _charging_status(call: Call) -> str:
    if call.vehicle.charging:
        return "CHARGING"
    return "FULLY_CHARGED" if call.vehicle.battery_fraction >= 1 else "NOT_CHARGING"


def _minutes_left(call: Call) -> int | None:
    vehicle = call.vehicle
    missing = max(vehicle.charge_limit - vehicle.battery_fraction, 0)
    return round(missing * vehicle.battery_kwh / 11 * 60) if vehicle.charging else None  # at 11 kW


def _nominal_capacity(call: Call) -> Body:
    found = ENDPOINTS["GET", "battery/nominal_capacity"].answer(call)
    capacity = found["capacity"] or {"nominal": None, "source": None}
    return {
        "source": capacity["source"],
        "capacity": capacity["nominal"],
        "availableCapacities": found["availableCapacities"],
        "unit": "kWh",
    }


def _location(call: Call) -> Body:
    vehicle = call.vehicle
    place = {"latitude": vehicle.latitude, "longitude": vehicle.longitude}
    return place | {"heading": 0, "direction": "N", "locationType": "LAST_PARKED"}


def _fuel_amount(call: Call) -> Body:
    unit = "gallons" if call.units == "imperial" else "liters"
    return {"unit": unit, "value": call.volume(call.vehicle.fuel_litres)}


_TABLE = (
    Signal("Charge", "ChargeLimits", "read_charge", _charge_limits),
    Signal("Charge", "DetailedChargingStatus", "read_charge", _value(_charging_status)),
    Signal("Charge", "IsCharging", "read_charge", _value(lambda call: call.vehicle.charging)),
    Signal("Charge", "IsChargingCableConnected", "read_charge", _value(lambda call: call.vehicle.plugged_in)),
    Signal("Charge", "TimeToComplete", "read_charge", _value(_minutes_left)),
    Signal("Climate", "ExternalTemperature", "read_thermometer", _value(lambda call: 14.5, "celsius")),
    Signal("Climate", "InternalTemperature", "read_thermometer", _value(lambda call: 19.0, "celsius")),
    Signal(
        "Closure",
        "Doors",
        "read_security",
        lambda call: _two_by_two(isOpen=False, isLocked=call.vehicle.locked),
    ),
    Signal("Closure", "EngineCover", "read_security", lambda call: {"isOpen": False}),
    Signal("Closure", "FrontTrunk", "read_security", _closed),
    Signal("Closure", "IsLocked", "read_security", _value(lambda call: call.vehicle.locked)),
    Signal("Closure", "RearTrunk", "read_security", _closed),
    Signal("Closure", "Sunroof", "read_security", lambda call: {"isOpen": False}),
    Signal("Closure", "Windows", "read_security", lambda call: _two_by_two(isOpen=False)),
    Signal("Diagnostics", "DTCCount", "read_diagnostics", _value(lambda call: 1)),
    Signal("Diagnostics", "DTCList", "read_diagnostics", lambda call: {"values": [{"code": "P0420"}]}),
    Signal("HVAC", "IsCabinHVACActive", "read_climate", _value(lambda call: False)),
    Signal("InternalCombustionEngine", "AmountRemaining", "read_fuel", _fuel_amount),
    Signal(
        "InternalCombustionEngine",
        "FuelLevel",
        "read_fuel",
        _percent(lambda call: call.vehicle.fuel_fraction),
    ),
    Signal(
        "InternalCombustionEngine",
        "OilLife",
        "read_engine_oil",
        _percent(lambda call: call.vehicle.oil_fraction),
    ),
    Signal(
        "InternalCombustionEngine", "Range", "read_fuel", _distance(lambda call: call.vehicle.fuel_range_km)
    ),
    Signal("Location", "PreciseLocation", "read_location", _location),
    Signal("Motion", "CurrentSpeed", "read_speedometer", _value(lambda call: 0, "kph")),
    Signal("Odometer", "TraveledDistance", "read_odometer", _distance(lambda call: call.vehicle.odometer_km)),
    Signal("TractionBattery", "NominalCapacity", "read_battery", _nominal_capacity),
    Signal(
        "TractionBattery",
        "Range",
        "read_battery",
        lambda call: {**_distance(lambda _: call.vehicle.battery_range_km)(call), "additionalValues": []},
    ),
    Signal(
        "TractionBattery",
        "StateOfCharge",
        "read_battery",
        _percent(lambda call: call.vehicle.battery_fraction),
    ),
    Signal("VehicleIdentification", "VIN", "read_vin", _value(lambda call: call.vehicle.vin), static=True),
    Signal("Wheel", "Tires", "read_tires", _tires),
)
SIGNALS = {signal.code: signal for signal in _TABLE}
