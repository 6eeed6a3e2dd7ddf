"""API v3: the whole way of an application, each resource, lists with filters and pages, errors."""

import json
from typing import Any

import pytest

from .application import Application, error
from .conftest import Person, preselected, received


@pytest.fixture
def user_id(person: Person) -> str:
    """A person who has connected two cars, as applications with API credentials learn of it."""
    answer = person.connects(response_type="none", external_id="owner-7")
    assert "code" not in answer
    return answer["user_id"]


@pytest.fixture
def application(person: Person, user_id: str) -> Application:
    """The application, speaking about that person."""
    return Application(person, user_id)


@pytest.fixture
def vehicle_id(application: Application) -> str:
    """The latest connected car."""
    return application.finds("/connections")[0]["relationships"]["vehicle"]["data"]["id"]


def test_whole_way(person: Person, user_id: str) -> None:
    """Token, connections, vehicle, signal, command and removal, as a server without codes does it."""
    application = Application(person, user_id)
    connection = application.finds("/connections")[0]
    vehicle = f"/vehicles/{connection['relationships']['vehicle']['data']['id']}"
    assert application.finds(vehicle)["attributes"]["make"] == "CHEVROLET"
    assert application.finds(f"{vehicle}/signals/closure-islocked")["attributes"]["body"] == {"value": True}
    assert application.calls(f"{vehicle}/commands/security/unlock", "POST").status_code == 200
    assert application.finds(f"{vehicle}/signals/closure-islocked")["attributes"]["body"] == {"value": False}
    assert application.calls(f"/connections/{connection['id']}", "DELETE").status_code == 204
    assert len(application.finds("/connections")) == 1
    assert error(application.calls(vehicle))[0] == 403


def test_vehicle(application: Application, vehicle_id: str) -> None:
    """A vehicle's attributes stand in `data` and beside it: readers of either generation find them."""
    body = application.calls(f"/vehicles/{vehicle_id}").json()
    assert body["data"]["id"] == body["id"] == vehicle_id
    assert body["type"] == "vehicle"
    assert body["attributes"] == body["data"]["attributes"]
    assert body["attributes"].keys() == {"make", "model", "year", "powertrainType", "mode"}
    assert body["links"] == {"self": f"/vehicles/{vehicle_id}"}


def test_signals(application: Application, vehicle_id: str) -> None:
    """All permitted signals come with code, name, group, status, body, times and link."""
    response = application.calls(f"/vehicles/{vehicle_id}/signals")
    body = response.json()
    signals = {signal["id"]: signal for signal in body["data"]}
    assert signals.keys() >= {
        "odometer-traveleddistance",
        "location-preciselocation",
        "tractionbattery-stateofcharge",
        "internalcombustionengine-fuellevel",
        "vehicleidentification-vin",
        "wheel-tires",
    }
    assert not {"diagnostics-dtclist", "climate-externaltemperature"} & signals.keys()
    odometer = signals["odometer-traveleddistance"]
    assert odometer["type"] == "signal"
    assert odometer["attributes"]["name"] == "TraveledDistance"
    assert odometer["attributes"]["group"] == "Odometer"
    assert odometer["attributes"]["status"] == {"value": "SUCCESS"}
    assert odometer["attributes"]["body"]["unit"] == "kilometers"
    assert odometer["meta"].keys() == {"retrievedAt", "oemUpdatedAt", "ingestedAt"}
    assert odometer["links"]["self"].endswith(f"{vehicle_id}/signals/odometer-traveleddistance")
    assert body["included"]["vehicle"]["id"] == vehicle_id
    assert body["meta"]["totalCount"] == body["meta"]["pageSize"] == len(signals)
    assert response.headers.keys() >= {"sc-request-id", "sc-data-age", "sc-fetched-at", "sc-unit-system"}


def test_signals_match_the_older_api(person: Person) -> None:
    """Both versions of the API tell the same about a car, also to a user's token and in miles."""
    tokens = person.gets_tokens()
    headers = {"authorization": f"Bearer {tokens['access_token']}", "sc-unit-system": "imperial"}
    (vehicle_id, *_) = person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"]
    old = person.client.get(f"/v2.0/vehicles/{vehicle_id}/odometer", headers=headers).json()
    new = person.client.get(f"/v3/vehicles/{vehicle_id}/signals/odometer-traveleddistance", headers=headers)
    assert new.json()["attributes"]["body"] == {"unit": "miles", "value": old["distance"]}


def test_signal_unknown_or_not_permitted(application: Application, vehicle_id: str) -> None:
    """An unknown signal is a PATH error that lists those that there are; one outside the scope is PERMISSION."""
    response = application.calls(f"/vehicles/{vehicle_id}/signals/warp-speed")
    assert error(response) == (404, "RESOURCE_NOT_FOUND", "PATH")
    assert "odometer-traveleddistance" in response.headers["sandbox-hint"]
    response = application.calls(f"/vehicles/{vehicle_id}/signals/diagnostics-dtclist")
    assert error(response) == (403, "PERMISSION", None)
    assert "read_diagnostics" in response.headers["sandbox-hint"]


def test_signals_of_a_car_that_lacks_something(person: Person) -> None:
    """What a car doesn't have is a signal whose status is an error."""
    user_id = person.connects("5YJ3E1EA7KF000001@bev.smartcar.com")["user_id"]
    application = Application(person, user_id)
    vehicle_id = application.finds("/connections")[0]["relationships"]["vehicle"]["data"]["id"]
    assert application.finds(f"/vehicles/{vehicle_id}")["attributes"]["powertrainType"] == "BEV"
    fuel = application.finds(f"/vehicles/{vehicle_id}/signals/internalcombustionengine-fuellevel")
    assert "body" not in fuel["attributes"]
    assert fuel["attributes"]["status"]["value"] == "ERROR"
    assert fuel["attributes"]["status"]["error"]["code"] == "VEHICLE_NOT_CAPABLE"


def test_account_whose_calls_fail(person: Person) -> None:
    """A test account's error is the status of its signals, except of static ones, and the answer to commands."""
    answer = person.connects("smartcar@vs-001.vehicle-state-error.com")
    application = Application(person, answer["user_id"])
    vehicle_id = application.finds("/connections")[0]["relationships"]["vehicle"]["data"]["id"]
    signals = {signal["id"]: signal for signal in application.finds(f"/vehicles/{vehicle_id}/signals")}
    assert signals["odometer-traveleddistance"]["attributes"]["status"]["error"]["code"] == "DOOR_OPEN"
    assert signals["vehicleidentification-vin"]["attributes"]["status"] == {"value": "SUCCESS"}
    response = application.calls(f"/vehicles/{vehicle_id}/commands/security/lock", "POST")
    assert error(response) == (409, "VEHICLE_STATE", "DOOR_OPEN")
    assert response.json()["errors"][0]["suggestedUserMessage"]


def body_of(**attributes: Any) -> dict[str, Any]:
    """A request's body in API v3."""
    return {"data": {"attributes": attributes}}


@pytest.mark.parametrize(
    ("command", "attributes", "signal", "expected"),
    [
        ("security/unlock", {}, "closure-islocked", {"value": False}),
        ("charge/start", {}, "charge-ischarging", {"value": True}),
        ("charge/set-limit", {"percent": 70}, "charge-chargelimits", {"limit": 70}),
    ],
)
def test_command_changes_the_vehicle(
    application: Application,
    vehicle_id: str,
    command: str,
    attributes: dict[str, Any],
    signal: str,
    expected: dict[str, Any],
) -> None:
    """A command is answered with its execution, and the signals tell of it afterwards."""
    body = body_of(**attributes) if attributes else None
    response = application.calls(f"/vehicles/{vehicle_id}/commands/{command}", "POST", json=body)
    assert response.status_code == 200, response.text
    execution = response.json()["data"]
    assert execution["type"] == "command-execution"
    assert execution["attributes"]["status"] == {"value": "SUCCESS"}
    told = application.finds(f"/vehicles/{vehicle_id}/signals/{signal}")["attributes"]["body"]
    told = told["values"][0] if "values" in told else told
    assert told.items() >= expected.items()


def test_command_undone(application: Application, vehicle_id: str) -> None:
    """What has been unlocked can be locked, what charges can be stopped; a destination is taken."""
    path = f"/vehicles/{vehicle_id}/commands"
    for command in ("security/unlock", "security/lock", "charge/start", "charge/stop"):
        assert application.calls(f"{path}/{command}", "POST").status_code == 200
    assert application.finds(f"/vehicles/{vehicle_id}/signals/closure-islocked")["attributes"]["body"][
        "value"
    ]
    charging = application.finds(f"/vehicles/{vehicle_id}/signals/charge-ischarging")
    assert charging["attributes"]["body"] == {"value": False}
    body = body_of(latitude=39.7, longitude=-105)
    assert application.calls(f"{path}/navigation/set-destination", "POST", json=body).status_code == 200


@pytest.mark.parametrize(
    ("command", "body", "expected"),
    [
        ("charge/set-limit", body_of(percent=49), (400, "VALIDATION", "INVALID_INPUT_FORMAT")),
        ("charge/set-limit", body_of(percent=True), (400, "VALIDATION", "INVALID_INPUT_FORMAT")),
        ("charge/set-limit", {"percent": 80}, (400, "VALIDATION", "INVALID_INPUT_FORMAT")),
        ("charge/set-limit", None, (400, "VALIDATION", "INVALID_INPUT_FORMAT")),
        (
            "navigation/set-destination",
            body_of(latitude=91, longitude=0),
            (400, "VALIDATION", "INVALID_INPUT_FORMAT"),
        ),
        ("navigation/set-destination", body_of(latitude=1), (400, "VALIDATION", "INVALID_INPUT_FORMAT")),
        ("warp/engage", None, (404, "RESOURCE_NOT_FOUND", "PATH")),
    ],
)
def test_command_refused(
    application: Application, vehicle_id: str, command: str, body: Any, expected: tuple[int, str, str | None]
) -> None:
    """A command that can't be is refused, and says why."""
    response = application.calls(f"/vehicles/{vehicle_id}/commands/{command}", "POST", json=body)
    assert error(response) == expected


def test_command_without_permission(person: Person) -> None:
    """A command outside the scope is PERMISSION."""
    user_id = person.connects(scope="read_vin")["user_id"]
    application = Application(person, user_id)
    vehicle_id = application.finds("/connections")[0]["relationships"]["vehicle"]["data"]["id"]
    response = application.calls(f"/vehicles/{vehicle_id}/commands/security/lock", "POST")
    assert error(response) == (403, "PERMISSION", None)


def test_command_to_a_car_that_cannot(person: Person) -> None:
    """A petrol car doesn't charge."""
    user_id = person.connects("5YJ3E1EA7KF000001@fuel.smartcar.com")["user_id"]
    application = Application(person, user_id)
    vehicle_id = application.finds("/connections")[0]["relationships"]["vehicle"]["data"]["id"]
    assert application.finds(f"/vehicles/{vehicle_id}")["attributes"]["powertrainType"] == "ICE"
    response = application.calls(f"/vehicles/{vehicle_id}/commands/charge/start", "POST")
    assert error(response) == (501, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE")


def test_user_must_be_named(person: Person, user_id: str) -> None:
    """Signals and commands with an application's token need sc-user-id; vehicles and connections don't."""
    everybody = Application(person)
    vehicle_id = everybody.finds("/connections")[0]["relationships"]["vehicle"]["data"]["id"]
    assert everybody.finds(f"/vehicles/{vehicle_id}")["id"] == vehicle_id
    response = everybody.calls(f"/vehicles/{vehicle_id}/signals")
    assert error(response) == (400, "VALIDATION", "INVALID_INPUT_FORMAT")
    assert "sc-user-id" in response.headers["sandbox-hint"]
    response = everybody.calls(f"/vehicles/{vehicle_id}/commands/security/lock", "POST")
    assert error(response)[0] == 400


def test_another_users_vehicle(person: Person, vehicle_id: str) -> None:
    """With sc-user-id of somebody else the vehicle can't be reached, and a user's token names its own user only."""
    theirs = person.connects("somebody.else@example.com")
    stranger = Application(person, theirs["user_id"])
    assert error(stranger.calls(f"/vehicles/{vehicle_id}/signals")) == (403, "PERMISSION", None)
    token = person.exchanges(theirs["code"]).json()["access_token"]
    headers = {"authorization": f"Bearer {token}", "sc-user-id": "somebody"}
    response = person.client.get("/v3/connections", headers=headers)
    assert error(response) == (403, "PERMISSION", None)


def test_users_token_reaches_its_own_vehicles(person: Person) -> None:
    """A user's token knows the vehicles that were chosen for it, and none besides."""
    person.connects()  # both of them
    one, other = preselected(person.reaches("grant", approval_prompt="force"))
    code = received(person.submits(vehicle=one, decision="allow"))["code"]
    headers = {"authorization": f"Bearer {person.exchanges(code).json()['access_token']}"}
    (listed,) = person.client.get("/v3/connections", headers=headers).json()["data"]
    assert listed["relationships"]["vehicle"]["data"]["id"] == one
    assert person.client.get(f"/v3/vehicles/{one}/signals", headers=headers).status_code == 200
    assert error(person.client.get(f"/v3/vehicles/{other}", headers=headers)) == (403, "PERMISSION", None)


def test_connection(application: Application, user_id: str, vehicle_id: str) -> None:
    """A connection tells permissions, vehicle, user with external id, and when it began."""
    listed = application.finds("/connections")[0]
    assert application.finds(f"/connections/{listed['id']}") == listed
    assert listed["type"] == "connection"
    assert listed["attributes"]["user"] == {"id": user_id, "externalId": "owner-7"}
    assert "read_odometer" in listed["attributes"]["permissions"]
    assert listed["attributes"]["vehicle"].keys() == {"make", "model", "year", "mode", "powertrainType"}
    assert listed["attributes"]["vehicle"]["mode"] == "live"
    assert listed["relationships"]["vehicle"]["data"] == {"id": vehicle_id, "type": "vehicle"}
    assert listed["relationships"]["user"]["data"] == {"id": user_id, "type": "user"}
    assert listed["meta"]["createdAt"] == listed["meta"]["updatedAt"]


def test_connecting_again_renews_the_connection(person: Person, application: Application, clock) -> None:
    """The same vehicle keeps its connection: scope and times change, and the external id only if one is sent."""
    before = application.finds("/connections")[0]
    clock.move(60)
    person.connects(scope="read_vin", response_type="none")
    (after,) = [each for each in application.finds("/connections") if each["id"] == before["id"]]
    assert after["attributes"]["permissions"] == ["read_vin"]
    assert after["attributes"]["user"]["externalId"] == "owner-7"
    assert after["meta"]["createdAt"] == before["meta"]["createdAt"] < after["meta"]["updatedAt"]
    person.connects(external_id="null", response_type="none", approval_prompt="force")
    assert application.finds(f"/connections/{before['id']}")["attributes"]["user"]["externalId"] is None


def test_connection_anew_after_removal(person: Person, application: Application, clock) -> None:
    """A removed connection doesn't come back: connecting again makes another one."""
    before = {each["id"] for each in application.finds("/connections")}
    for connection_id in before:
        assert application.calls(f"/connections/{connection_id}", "DELETE").status_code == 204
        assert error(application.calls(f"/connections/{connection_id}"))[0] == 404
    clock.move(1)
    person.connects(response_type="none")
    after = {each["id"] for each in application.finds("/connections")}
    assert len(after) == 2
    assert not after & before


def test_connections_filtered(person: Person, user_id: str, vehicle_id: str) -> None:
    """Filters by user, vehicle, mode and external id narrow the list."""
    person.connects("second@example.com", mode="simulated", response_type="none")
    everybody = Application(person)
    assert len(everybody.finds("/connections")) == 4
    for query, count in [
        (f"filter[userId]={user_id}", 2),
        (f"filter[vehicleId]={vehicle_id}", 1),
        ("filter[vehicle.mode]=simulated", 2),
        ("filter[user.externalId]=owner-7", 2),
        (f"filter[userId]={user_id}&filter[vehicle.mode]=simulated", 0),
    ]:
        assert len(everybody.finds(f"/connections?{query}")) == count, query


def test_connections_paged(person: Person) -> None:
    """Ten come on a page unless another size is asked for; links lead through them, the latest first."""
    person.connects("12-vehicles@smartcar.com", response_type="none")
    application = Application(person)
    first = application.calls("/connections").json()
    assert len(first["data"]) == 10
    assert first["meta"].items() >= {"pageNumber": 1, "pageSize": 10, "totalCount": 12}.items()
    assert first["links"]["prev"] is None
    second = application.calls(first["links"]["next"]).json()
    assert len(second["data"]) == 2
    assert second["links"]["next"] is None
    assert application.calls(second["links"]["prev"]).json()["data"] == first["data"]
    seen = [each["id"] for each in first["data"] + second["data"]]
    assert len(set(seen)) == 12
    assert [each["id"] for each in application.finds("/connections?page[size]=5&page[number]=3")] == seen[10:]
    assert application.finds("/connections?page[number]=99") == []


@pytest.mark.parametrize(
    "query",
    [
        "page[number]=0",
        "page[size]=101",
        "page[size]=x",
        "page[size]=",
        "page[number]=9999999999",
        "filter[user]=x",
        "limit=5",
    ],
)
def test_connections_query_refused(person: Person, query: str) -> None:
    """An impossible page and an unknown parameter are refused, and named."""
    response = Application(person).calls(f"/connections?{query}")
    assert error(response) == (400, "VALIDATION", "INVALID_INPUT_FORMAT")
    assert query.partition("=")[0] in response.json()["errors"][0]["detail"]


def test_user_removed(person: Person, application: Application, user_id: str) -> None:
    """A removed user has no connection and no token left, and is asked again for consent."""
    tokens = person.gets_tokens(approval_prompt="force")
    assert application.calls(f"/users/{user_id}", "DELETE").status_code == 204
    assert application.finds("/connections") == []
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    assert person.client.get("/v2.0/user", headers=headers).status_code == 401
    assert person.refreshes(tokens["refresh_token"]).status_code == 400
    assert error(application.calls(f"/users/{user_id}", "DELETE"))[0] == 404
    assert "approval-button" in person.logs_in("owner@example.com").text


def test_subscriptions(application: Application, user_id: str, vehicle_id: str) -> None:
    """A vehicle is subscribed to a webhook, listed, found and unsubscribed; twice is once."""
    body = body_of(webhookId="hook-1", userId=user_id, vehicleId=vehicle_id)
    created = application.calls("/subscriptions", "POST", json=body)
    assert created.status_code == 202
    again = application.calls("/subscriptions", "POST", json=body)
    subscription_id = created.json()["data"]["id"]
    assert again.json()["data"]["id"] == subscription_id
    (listed,) = application.finds("/subscriptions?filter[webhookId]=hook-1")
    assert listed == application.finds(f"/subscriptions/{subscription_id}")
    assert listed["attributes"]["vehicleId"] == vehicle_id
    assert application.finds("/subscriptions?filter[webhookId]=hook-2") == []
    assert application.calls(f"/subscriptions/{subscription_id}", "DELETE").status_code == 204
    assert error(application.calls(f"/subscriptions/{subscription_id}"))[0] == 404


def test_subscription_ends_with_its_connection(
    application: Application, user_id: str, vehicle_id: str
) -> None:
    """Who disconnects a vehicle hears no more of it."""
    body = body_of(webhookId="hook-1", userId=user_id, vehicleId=vehicle_id)
    application.calls("/subscriptions", "POST", json=body)
    (connection, *_) = application.finds("/connections")
    application.calls(f"/connections/{connection['id']}", "DELETE")
    assert application.finds("/subscriptions") == []


@pytest.mark.parametrize("missing", ["webhookId", "userId", "vehicleId"])
def test_subscription_refused(application: Application, user_id: str, vehicle_id: str, missing: str) -> None:
    """A subscription needs all three ids, and a vehicle that this user has connected."""
    attributes = {"webhookId": "hook-1", "userId": user_id, "vehicleId": vehicle_id}
    response = application.calls("/subscriptions", "POST", json=body_of(**{**attributes, missing: ""}))
    assert error(response)[0] == 400
    if missing != "webhookId":
        response = application.calls("/subscriptions", "POST", json=body_of(**{**attributes, missing: "x"}))
        assert error(response) == (403, "PERMISSION", None)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("POST", "/connections"), ("PUT", "/vehicles/x"), ("GET", "/")]
)
def test_address_unknown(application: Application, method: str, path: str) -> None:
    """What isn't there is a PATH error."""
    assert error(application.calls(path, method)) == (404, "RESOURCE_NOT_FOUND", "PATH")


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic abc"])
def test_token_not_good(person: Person, header: str) -> None:
    """A missing or unknown token is AUTHENTICATION, which API v3 gives a code."""
    response = person.client.get("/v3/connections", headers={"authorization": header})
    assert error(response) == (401, "AUTHENTICATION", "UNAUTHORIZED")


def test_body_unreadable(application: Application) -> None:
    """A body that isn't JSON, or too long, is VALIDATION."""
    for content in (b"{", b"[" * 100_000, json.dumps([1]).encode(), b"x" * 300_000):
        assert error(application.calls("/subscriptions", "POST", content=content))[0] == 400
