"""Compatibility of a VIN, and the matrix of makes."""

from typing import Any

import httpx2 as httpx
import pytest

from smartcar_auth.sandbox.permissions import WORDS

from .conftest import APPLICATION_ID, Person

TESLA = "5YJ3E1EA7KF000001"


def asks(person: Person, path: str = "compatibility", **query: Any) -> httpx.Response:
    """A call with the application's credentials."""
    return person.client.get(f"/v2.0/{path}", params=query, auth=(APPLICATION_ID, "secret"))


def test_compatible(person: Person) -> None:
    """A VIN of a known brand is compatible, with a line for each endpoint that a permission opens."""
    answer = asks(person, vin=TESLA.lower(), scope="required:read_odometer read_charge", country="DE").json()
    assert answer["compatible"] is True
    assert answer["reason"] is None
    assert [(each["permission"], each["endpoint"]) for each in answer["capabilities"]] == [
        ("read_odometer", "/odometer"),
        ("read_charge", "/charge"),
        ("read_charge", "/charge/limit"),
    ]
    assert all(each["capable"] and each["reason"] is None for each in answer["capabilities"])


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"vin": "ZZZ3E1EA7KF000001"}, "MAKE_NOT_COMPATIBLE"),
        ({"vin": TESLA.replace("5YJ", "VF1")}, "MAKE_NOT_COMPATIBLE"),  # Renault, in the United States
        ({"vin": "0SCAUDI012FE3B132"}, "VEHICLE_NOT_COMPATIBLE"),
        ({"vin": TESLA, "test_mode_compatibility_level": "incompatible"}, "VEHICLE_NOT_COMPATIBLE"),
    ],
)
def test_not_compatible(person: Person, query: dict[str, str], reason: str) -> None:
    """Each reason why not."""
    answer = asks(person, scope="read_odometer", **query).json()
    assert answer == {"compatible": False, "reason": reason, "capabilities": []}


def test_capabilities_of_a_level(person: Person) -> None:
    """A test vehicle without a battery can't read one."""
    answer = asks(
        person, vin=TESLA, scope="read_battery read_fuel", test_mode_compatibility_level="fuel"
    ).json()
    able = {each["permission"]: (each["capable"], each["reason"]) for each in answer["capabilities"]}
    assert able == {"read_battery": (False, "VEHICLE_NOT_CAPABLE"), "read_fuel": (True, None)}


def test_every_permission_has_a_line(person: Person) -> None:
    """No permission is passed over, also one that no endpoint of API v2.0 needs."""
    answer = asks(person, vin=TESLA, scope=" ".join(WORDS)).json()
    assert {each["permission"] for each in answer["capabilities"]} == WORDS.keys()


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("compatibility", {"scope": "read_vin"}, "vin"),
        ("compatibility", {"vin": "short", "scope": "read_vin"}, "vin"),
        ("compatibility", {"vin": TESLA}, "scope"),
        ("compatibility", {"vin": TESLA, "scope": "read_mind"}, "scope"),
        ("compatibility/matrix", {}, "region"),
        ("compatibility/matrix", {"region": "MARS"}, "region"),
        ("compatibility/matrix", {"region": "US", "type": "STEAM"}, "type"),
        ("compatibility/matrix", {"region": "US", "scope": "read_mind"}, "scope"),
    ],
)
def test_query_refused(person: Person, path: str, query: dict[str, str], field: str) -> None:
    """What is missing or wrong is named."""
    response = asks(person, path, **query)
    assert response.status_code == 400
    assert response.json()["detail"][0]["field"] == field


def test_credentials_refused(make_person) -> None:
    """Only a known application with its secret is answered."""
    person = make_person(applications={APPLICATION_ID: "secret"})
    assert asks(person, vin=TESLA, scope="read_vin").status_code == 200
    for auth in ((APPLICATION_ID, "wrong"), ("client_01", "secret"), None):
        assert person.client.get("/v2.0/compatibility", auth=auth).status_code == 401
    assert person.client.post("/v2.0/compatibility", auth=(APPLICATION_ID, "secret")).status_code == 404
    assert asks(person, "compatibility/moon").status_code == 404


def test_matrix(person: Person) -> None:
    """The matrix lists the makes of a region, their models, and what those can do."""
    matrix = asks(person, "compatibility/matrix", region="EUROPE").json()
    assert {"TESLA", "RENAULT"} <= matrix.keys()
    assert "CHEVROLET" not in matrix
    row = matrix["TESLA"][0]
    assert row.keys() == {"model", "startYear", "endYear", "type", "endpoints", "permissions"}
    assert len(row["endpoints"]) == len(row["permissions"])


def test_matrix_narrowed(person: Person) -> None:
    """Make, type and scope narrow it; a make that has nothing of the kind is left out."""
    narrowed = asks(person, "compatibility/matrix", region="US", make="TESLA AUDI", type="ICE").json()
    assert narrowed.keys() <= {"TESLA", "AUDI"}
    assert {row["type"] for rows in narrowed.values() for row in rows} == {"ICE"}
    battery = asks(person, "compatibility/matrix", region="US", scope="read_battery").json()
    assert {row["type"] for rows in battery.values() for row in rows} == {"BEV", "PHEV"}
    assert asks(person, "compatibility/matrix", region="US", type="ICE", scope="read_battery").json() == {}
