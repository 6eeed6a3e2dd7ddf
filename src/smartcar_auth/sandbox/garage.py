"""Simulated vehicles: made from a person's name and a make, the same on every run.

Metric values only; `vehicles` converts them. What a person may do with a vehicle is decided there too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from types import MappingProxyType

from .accounts import VIN_API_ERRORS, Account, stable_uuid
from .brands import Brand

_VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"  # no I, O, Q
VIN_YEARS = {2018: "J", 2019: "K", 2020: "L", 2021: "M", 2022: "N", 2023: "P", 2024: "R", 2025: "S"}
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)

# Colorado, as in Smartcar's own test mode.
_TOWNS = (
    (39.7392, -104.9903),  # Denver
    (40.0150, -105.2705),  # Boulder
    (38.8339, -104.8214),  # Colorado Springs
    (40.5853, -105.0844),  # Fort Collins
    (39.0639, -108.5506),  # Grand Junction
)
_FUEL_ONLY = frozenset({"read_battery", "read_charge", "control_charge"})
_BATTERY_ONLY = frozenset({"read_fuel", "read_engine_oil"})
LACKS = {"fuel": _FUEL_ONLY, "dinosaur": _FUEL_ONLY, "bev": _BATTERY_ONLY}


@dataclass(slots=True)
class Vehicle:
    """One car and what its sensors would say."""

    id: str
    vin: str
    make: str  # the token, as the API spells it
    brand_name: str
    model: str
    year: int
    odometer_km: float
    latitude: float
    longitude: float
    fuel_fraction: float
    fuel_litres: float
    fuel_range_km: float
    battery_fraction: float
    battery_kwh: float
    battery_range_km: float
    oil_fraction: float
    tires_kpa: tuple[float, float, float, float]
    level: str = "compatible"
    api_error: tuple[str, str] | None = None
    capacity_known: bool = True  # of the battery, to Smartcar
    locked: bool = True
    plugged_in: bool = True
    charging: bool = False
    charge_limit: float = 0.8
    destinations: list[tuple[float, float]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """How a person knows it."""
        return f"{self.year} {self.brand_name} {self.model}"

    def copied(self) -> "Vehicle":
        """The same car as it is now: what happens to either doesn't happen to the other."""
        return replace(self, destinations=list(self.destinations))

    def can(self, permission: str) -> bool:
        """Whether the car has what this permission is about."""
        return self.level != "incompatible" and permission not in LACKS.get(self.level, ())

    def head_for(self, destination: tuple[float, float]) -> None:
        """Take a destination into the navigation system, which keeps the last ten."""
        self.destinations[:] = [*self.destinations[-9:], destination]

    @property
    def powertrain(self) -> str:
        """What drives it; a car that can everything is a plug-in hybrid."""
        return {"bev": "BEV", "fuel": "ICE", "dinosaur": "ICE"}.get(self.level, "PHEV")


def vehicles_of(
    account: Account,
    brand: Brand,
    vin: str | None = None,
    known: Mapping[str, Vehicle] = MappingProxyType({}),
) -> tuple[Vehicle, ...]:
    """The vehicles in this person's account with this brand; with a VIN, that one car.

    Args:
        known: vehicles by id, which are taken as they are instead of made anew.
    """
    chosen, count = (vin.upper(), 1) if vin is not None else (account.vin, account.vehicle_count)
    found = []
    for number in range(count):
        seed = chosen or f"{account.name}\x1f{brand.token}\x1f{number}"
        vehicle_id = stable_uuid("vehicle", account.name, seed)
        found.append(known.get(vehicle_id) or _vehicle(vehicle_id, seed, account, brand, number, chosen))
    return tuple(found)


def _vehicle(
    vehicle_id: str, seed: str, account: Account, brand: Brand, number: int, vin: str | None
) -> Vehicle:
    random = Random(seed)  # noqa: S311 (a car's plausible mileage, no secret)
    year = random.choice(tuple(VIN_YEARS))
    latitude, longitude = random.choice(_TOWNS)
    fuel, battery = random.uniform(0.2, 0.95), random.uniform(0.2, 0.95)
    return Vehicle(
        id=vehicle_id,
        vin=vin or _vin(random, brand, year),
        make=brand.token,
        brand_name=brand.name,
        # The first car of a Chevrolet test account is a Volt: number picks, not chance.
        model=brand.models[number % len(brand.models)],
        year=year,
        odometer_km=round(random.uniform(10_000, 160_000), 1),
        latitude=round(latitude + random.uniform(-0.04, 0.04), 6),
        longitude=round(longitude + random.uniform(-0.04, 0.04), 6),
        fuel_fraction=round(fuel, 2),
        fuel_litres=round(fuel * 55, 1),
        fuel_range_km=round(fuel * 620, 1),
        battery_fraction=round(battery, 2),
        battery_kwh=random.choice((40.0, 58.0, 64.0, 75.0, 77.4, 82.0)),
        battery_range_km=round(battery * 430, 1),
        oil_fraction=round(random.uniform(0.1, 0.95), 2),
        tires_kpa=tuple(round(random.uniform(215, 237)) for _ in range(4)),  # type: ignore[arg-type]
        level=account.level,
        api_error=account.api_error or VIN_API_ERRORS.get(vin or ""),
        capacity_known=account.effect != "battery-capacity",
    )


def _vin(random: Random, brand: Brand, year: int) -> str:
    """Seventeen characters of the right shape, check digit included (ISO 3779, 49 CFR 565)."""
    described = "".join(random.choices(_VIN_LETTERS, k=5))
    serial = f"{random.randrange(1_000_000):06d}"
    vin = f"{brand.vin_prefixes[0]}{described}0{VIN_YEARS[year]}{random.choice('ABCFHJ')}{serial}"
    return f"{vin[:8]}{check_digit(vin)}{vin[9:]}"


def check_digit(vin: str) -> str:
    """The ninth character that a VIN's other sixteen ask for."""
    values = (int(letter) if letter.isdigit() else _VIN_VALUES[letter] for letter in vin)
    remainder = sum(value * weight for value, weight in zip(values, _VIN_WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)
