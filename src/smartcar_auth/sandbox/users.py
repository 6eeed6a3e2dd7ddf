"""Users and their vehicles as data: who may log in besides everybody, with what in the garage.

[[users]]
email = "ada@example.com"
password = "secret"       # left out, any password will do
country = "DE"            # left out, any country will do
effect = "two-factor"     # the screen this account meets, as the test accounts do

[[users.vehicles]]
make = "TESLA"
model = "Model 3"
odometer_km = 12345.6     # and any other field of `garage.Vehicle`; what is left out is made up
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from .accounts import Account, account_of
from .brands import COUNTRIES, brand_called
from .garage import Vehicle, vehicles_of

UserData = Sequence[Mapping[str, Any]]

# The screens that an account may meet, as an ordinary one meets none.
EFFECTS = (
    "incompatible",
    "subscription",
    "no-vehicles",
    "missing-permission",
    "configuration",
    "server-error",
    "invalid-credentials",
    "two-factor",
    "pin",
    "virtual-key",
    "battery-capacity",
)
_GIVEN = ("email", "password", "country", "effect", "vehicles")
_OF_A_VEHICLE = tuple(
    one.name for one in fields(Vehicle) if one.name not in ("id", "brand_name", "destinations")
)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody whom the sandbox was told about."""

    account: Account
    password: str | None
    country: str | None
    vehicles: tuple[Vehicle, ...]

    def may_log_in(self, password: str, country: str) -> bool:
        """Whether these are the right credentials; at Smartcar another country's are not."""
        return self.password in (None, password) and self.country in (None, country)

    def vehicles_with(self, make: str, vin: str | None) -> tuple[Vehicle, ...]:
        """This user's vehicles of a make; with a VIN, that one."""
        if vin is not None:
            return tuple(vehicle for vehicle in self.vehicles if vehicle.vin == vin.upper())
        return tuple(vehicle for vehicle in self.vehicles if vehicle.make == make)


def read_users(source: str | Path | UserData) -> dict[str, User]:
    """Users by name, from a JSON or TOML file or from a list of mappings.

    Raises:
        OSError: the file can't be read.
        ValueError: it isn't JSON or TOML, or says something that can't be.
    """
    listed = _read_file(Path(source)) if isinstance(source, str | Path) else source
    users = [_user(given) for given in listed]
    return {user.account.name: user for user in users}


def _read_file(path: Path) -> UserData:
    text = path.read_text(encoding="utf-8")
    content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    listed = content.get("users") if isinstance(content, dict) else content
    if not isinstance(listed, list):
        raise ValueError(f"{path.name} has no list of users.")
    return listed


def _user(given: Mapping[str, Any]) -> User:
    email = given.get("email")
    if not isinstance(email, str) or not email.strip():
        raise ValueError("Each user needs an email.")
    _check(f"The user {email}", given, _GIVEN)
    effect, country = given.get("effect", ""), given.get("country")
    if effect not in ("", *EFFECTS):
        raise ValueError(
            f"The user {email} can't have the effect {effect!r}. There are: {', '.join(EFFECTS)}."
        )
    if country not in (None, *COUNTRIES):
        raise ValueError(f"The user {email} can't be in {country!r}. Countries: {', '.join(COUNTRIES)}.")
    name = account_of(email).name
    vehicles = [_vehicle(name, number, each) for number, each in enumerate(given.get("vehicles", ()))]
    account = Account(name, effect=effect, vehicle_count=len(vehicles))
    return User(account, given.get("password"), country, tuple(vehicles))


def _vehicle(name: str, number: int, given: Mapping[str, Any]) -> Vehicle:
    whose = f"Vehicle {number + 1} of {name}"
    _check(whose, given, _OF_A_VEHICLE)
    if not isinstance(given.get("make"), str):
        raise ValueError(f"{whose} needs a make, such as TESLA.")
    brand = brand_called(given["make"])
    made_up = vehicles_of(Account(name, vehicle_count=number + 1), brand)[number]
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in given.items()
    }
    for key, value in values.items():
        usual = getattr(made_up, key)
        if key != "api_error" and not isinstance(
            value, (int, float) if isinstance(usual, float) else type(usual)
        ):
            raise ValueError(f"{whose} has {key} = {value!r}; it should be like {usual!r}.")
    if "vin" in values:
        values["vin"] = values["vin"].upper()
    return replace(made_up, **{**values, "make": brand.token})


def _check(whose: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            raise ValueError(f"{whose} has an unknown {key}. There are: {', '.join(known)}.")
