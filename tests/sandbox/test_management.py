"""Connections of API v2.0 for the application itself: token, filters, pages, removal."""

from typing import Any

import httpx2 as httpx
import pytest

from .conftest import Person

PATH = "/v2.0/management/connections"


def manages(person: Person, method: str = "GET", amt: str = "amt", **query: Any) -> httpx.Response:
    """A call with the application management token."""
    return person.client.request(method, PATH, params=query, auth=("default", amt))


def ids(response: httpx.Response) -> list[str]:
    """The vehicles on a page."""
    assert response.status_code == 200, response.text
    return [each["vehicleId"] for each in response.json()["connections"]]


@pytest.fixture
def users(person: Person, clock) -> list[str]:
    """Two people who have connected two and twelve cars, a minute apart."""
    first = person.connects()["user_id"]
    clock.move(60)
    return [first, person.connects("12-vehicles@smartcar.com", mode="simulated")["user_id"]]


def test_connections_listed(person: Person, users: list[str]) -> None:
    """Ten come at a time, the latest first; the cursor leads on, and is null at the end."""
    response = manages(person)
    first = response.json()
    assert first["connections"][0].keys() == {"vehicleId", "userId", "connectedAt", "mode"}
    assert first["connections"][0]["userId"] == users[1]
    assert first["connections"][0]["mode"] == "simulated"
    second = manages(person, cursor=first["paging"]["cursor"])
    assert second.json()["paging"] == {"cursor": None}
    found = ids(response) + ids(second)
    assert (len(ids(response)), len(set(found))) == (10, 14)
    assert [each["userId"] for each in second.json()["connections"]][-2:] == [users[0]] * 2
    times = [each["connectedAt"] for each in first["connections"] + second.json()["connections"]]
    assert times == sorted(times, reverse=True)
    assert times[0].endswith("Z")


def test_connections_filtered(person: Person, users: list[str]) -> None:
    """By user, vehicle and mode; a slash at the end, as the official SDK sends it, is nothing."""
    assert len(ids(manages(person, user_id=users[0]))) == 2
    assert len(ids(manages(person, mode="live"))) == 2
    (vehicle, *_) = ids(manages(person, user_id=users[0]))
    assert ids(manages(person, vehicle_id=vehicle)) == [vehicle]
    assert ids(manages(person, vehicle_id="none")) == []
    assert person.client.get(f"{PATH}/", auth=("default", "amt")).status_code == 200


def test_connections_removed(person: Person, users: list[str]) -> None:
    """Removing by user or vehicle says what was removed, and its tokens reach nothing any more."""
    tokens = person.gets_tokens(approval_prompt="force")
    response = manages(person, "DELETE", user_id=users[0])
    assert len(response.json()["connections"]) == 2
    assert response.json()["connections"][0].keys() == {"vehicleId", "userId"}
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    assert person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"] == []
    assert ids(manages(person, user_id=users[0])) == []
    assert ids(manages(person, "DELETE", vehicle_id="none")) == []


@pytest.mark.parametrize(
    ("method", "query", "field"),
    [
        ("GET", {"limit": "101"}, "limit"),
        ("GET", {"limit": "x"}, "limit"),
        ("GET", {"cursor": "nonsense"}, "cursor"),
        ("DELETE", {}, "user_id"),
        ("DELETE", {"user_id": "a", "vehicle_id": "b"}, "user_id"),
    ],
)
def test_query_refused(person: Person, method: str, query: dict[str, str], field: str) -> None:
    """An impossible filter is VALIDATION, and named."""
    response = manages(person, method, **query)
    assert response.status_code == 400
    assert response.json()["detail"][0]["field"] == field


def test_token_refused(make_person) -> None:
    """Without the right token, or with another name, nothing is told; the hint says what is wanted."""
    person = make_person(management_token="right")
    assert manages(person, amt="right").status_code == 200
    for auth in (("default", "wrong"), ("default", ""), ("somebody", "right"), None):
        response = person.client.get(PATH, auth=auth)
        assert response.status_code == 401
        assert "application management token" in response.headers["sandbox-hint"]
    assert person.client.post(PATH, auth=("default", "right")).status_code == 404


def test_user_token_is_no_management_token(person: Person) -> None:
    """A user's access token in the wrong place is noticed even where any token would do."""
    assert manages(person, amt=person.gets_tokens()["access_token"]).status_code == 401
