"""Users and vehicles that a sandbox is told about, from a file or a list."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smartcar_auth.sandbox.plan import EXTRA_SCREENS
from smartcar_auth.sandbox.stops import STOPS
from smartcar_auth.sandbox.users import EFFECTS, read_users

from .conftest import Person, received

TOML = """
[[users]]
email = "Ada@Example.com"
password = "secret"
country = "DE"

[[users.vehicles]]
make = "tesla"
vin = "5yj3e1ea7kf000001"
model = "Model 3"
year = 2023
odometer_km = 12345.5
tires_kpa = [220, 220, 230, 230]

[[users.vehicles]]
make = "KIA"
"""
ADA = {"email": "ada@example.com", "vehicles": [{"make": "TESLA", "vin": "5YJ3E1EA7KF000001"}]}


@pytest.fixture
def told(tmp_path: Path, make_person: Callable[..., Person]) -> Person:
    """A person in front of a sandbox that knows Ada."""
    path = tmp_path / "users.toml"
    path.write_text(TOML, encoding="utf-8")
    return make_person(users=path)


def test_user_logs_in_and_finds_the_vehicle(told: Person) -> None:
    """A told user has the told vehicle, with the told values; what wasn't told is made up."""
    told.reaches("login", make="TESLA", flags="country:DE")
    page = told.submits(username="ada@example.com", password="secret")
    assert "2023 Tesla Model 3" in page.text
    assert "5YJ3E1EA7KF000001" in page.text
    tokens = told.exchanges(received(told.approves(page))["code"]).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    vehicle = told.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"][0]
    odometer = told.client.get(f"/v2.0/vehicles/{vehicle}/odometer", headers=headers)
    assert odometer.json() == {"distance": 12345.5}


@pytest.mark.parametrize(
    ("country", "password"), [("US", "secret"), ("DE", "wrong")], ids=["other country", "wrong password"]
)
def test_user_with_wrong_credentials(told: Person, country: str, password: str) -> None:
    """Another password, or the right one in another country, is a wrong password."""
    told.reaches("login", make="TESLA", flags=f"country:{country}")
    assert "don&#39;t match" in told.submits(username="ada@example.com", password=password).text


def test_user_without_a_vehicle_of_the_brand(told: Person) -> None:
    """A brand of which the user has no vehicle has an empty garage."""
    told.reaches("login", make="BMW", flags="country:DE")
    assert "no vehicles in this account" in told.submits(username="ada@example.com", password="secret").text


def test_user_and_single_select_vin(told: Person) -> None:
    """Single select finds the user's own VIN, and no other."""
    told.reaches("login", single_select="true", single_select_vin="5YJ3E1EA7KF000001", flags="country:DE")
    assert "2023 Tesla" in told.submits(username="ada@example.com", password="secret").text
    told.reaches("login", single_select="true", single_select_vin="5YJ3E1EA7KF000002", flags="country:DE")
    assert "no vehicles" in told.submits(username="ada@example.com", password="secret").text


def test_everybody_else_still_logs_in(told: Person) -> None:
    """Who wasn't told about connects as always."""
    assert told.connects("somebody@example.com")["code"]


@pytest.mark.parametrize("effect", EFFECTS)
def test_effect_leads_to_its_screen(make_person: Callable[..., Person], effect: str) -> None:
    """A told account meets the screen that it is told to meet."""
    person = make_person(users=[{**ADA, "effect": effect}])
    page = person.logs_in("ada@example.com", make="TESLA")
    if person.screen == "grant":
        person.approves(page)
    assert person.screen == ("login" if effect == "invalid-credentials" else effect)


def test_effects_are_all_that_there_are() -> None:
    """A user can meet every screen that comes after a login."""
    assert set(EFFECTS) == STOPS.keys() - {"unlisted", "coming-later"} | {
        "invalid-credentials",
        *EXTRA_SCREENS,
    }


def test_users_in_the_guide(tmp_path: Path) -> None:
    """The file that docs/sandbox.md shows can be read."""
    guide = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    path = tmp_path / "users.toml"
    path.write_text(guide.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    (user,) = read_users(path).values()
    assert user.account.effect == "two-factor"
    assert user.vehicles[0].battery_fraction == 0.8


def test_users_as_json_and_as_list(tmp_path: Path) -> None:
    """JSON holds the same, as an object or as the list alone."""
    for content in ({"users": [ADA]}, [ADA]):
        path = tmp_path / "users.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        assert read_users(path) == read_users(str(path)) == read_users([ADA])


@pytest.mark.parametrize(
    ("users", "words"),
    [
        ([{"name": "ada"}], "needs an email"),
        ([{"email": "a@b", "pasword": "x"}], "unknown pasword. There are: email, password"),
        ([{"email": "a@b", "effect": "captcha"}], "can't have the effect 'captcha'. There are: incompatible"),
        ([{"email": "a@b", "country": "XX"}], "can't be in 'XX'"),
        ([{"email": "a@b", "vehicles": [{}]}], "Vehicle 1 of a@b needs a make"),
        ([{"email": "a@b", "vehicles": [{"make": "BMW", "colour": 1}]}], "unknown colour"),
        (
            [{"email": "a@b", "vehicles": [{"make": "BMW", "year": "2020"}]}],
            "year = '2020'; it should be like 20",
        ),
    ],
)
def test_users_that_cannot_be(users: Any, words: str) -> None:
    """A mistake names the user, the key, and what there is instead."""
    with pytest.raises(ValueError, match=words):
        read_users(users)


def test_file_without_users(tmp_path: Path) -> None:
    """A file that holds something else is named."""
    path = tmp_path / "other.toml"
    path.write_text("[tool]\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.toml has no list of users"):
        read_users(path)
