"""API v2.0: every endpoint, permissions, units, paging, errors with all documented fields."""

from typing import Any

import httpx2 as httpx
import pytest

from .conftest import Person, received

ERROR_FIELDS = {"type", "code", "description", "docURL", "statusCode", "requestId", "resolution"}


class Api:
    """What an application's server does with an access token."""

    def __init__(self, person: Person, username: str = "owner@example.com", **parameters: str) -> None:
        self.client = person.client
        self.headers = {
            "authorization": f"Bearer {person.gets_tokens(username, **parameters)['access_token']}"
        }
        self.ids = self.get("/v2.0/vehicles").json()["vehicles"]

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A GET with the token."""
        return self.client.get(path, headers=self.headers | headers)

    def car(self, path: str = "", method: str = "GET", number: int = 0, **options: Any) -> httpx.Response:
        """A call to one vehicle."""
        address = f"/v2.0/vehicles/{self.ids[number]}{path}"
        headers = self.headers | options.pop("headers", {})
        return self.client.request(method, address, headers=headers, **options)


def refusal(response: httpx.Response) -> tuple[int, str, str | None]:
    """Status, type and code of an error, once its fields are found complete."""
    body = response.json()
    assert body.keys() >= ERROR_FIELDS
    assert body["statusCode"] == response.status_code
    assert body["requestId"] == response.headers["sc-request-id"]
    assert body["resolution"].keys() >= {"type"}
    return response.status_code, body["type"], body["code"]


@pytest.fixture
def api(person: Person) -> Api:
    """A connected application with every permission of the test's scope."""
    return Api(person)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("", {"id", "make", "model", "year"}),
        ("/", {"id", "make", "model", "year"}),
        ("/vin", {"vin"}),
        ("/odometer", {"distance"}),
        ("/location/", {"latitude", "longitude"}),
        ("/permissions", {"permissions", "paging"}),
        ("/fuel", {"range", "percentRemaining", "amountRemaining"}),
        ("/battery", {"percentRemaining", "range"}),
        ("/battery/capacity", {"capacity"}),
        ("/battery/nominal_capacity", {"availableCapacities", "capacity", "url"}),
        ("/charge", {"isPluggedIn", "state"}),
        ("/charge/limit", {"limit"}),
        ("/engine/oil", {"lifeRemaining"}),
        ("/tires/pressure", {"frontLeft", "frontRight", "backLeft", "backRight"}),
        ("/security", {"isLocked", "doors", "windows", "sunroof", "storage", "chargingPort"}),
    ],
)
def test_endpoint_documented_fields(api: Api, path: str, fields: set[str]) -> None:
    """Every endpoint answers with the documented fields and headers, with or without a trailing slash."""
    response = api.car(path)
    assert response.status_code == 200
    assert response.json().keys() == fields
    assert response.headers.keys() >= {"sc-request-id", "sc-data-age", "sc-fetched-at", "sc-unit-system"}


def test_attributes_of_the_first_chevrolet(api: Api) -> None:
    """A Chevrolet account's first car is a Volt."""
    attributes = api.car().json()
    assert (attributes["make"], attributes["model"]) == ("CHEVROLET", "Volt")
    assert isinstance(attributes["year"], int)
    assert attributes["id"] == api.ids[0]


def test_user_same_as_on_the_redirect(person: Person) -> None:
    """/user names the person whom Connect named."""
    answer = person.connects()
    token = person.exchanges(answer["code"]).json()["access_token"]
    response = person.client.get("/v2.0/user/", headers={"authorization": f"Bearer {token}"})
    assert response.json() == {"id": answer["user_id"]}


def test_vehicles_paging(person: Person) -> None:
    """Vehicles come in pages of ten, or as asked."""
    api = Api(person, "12-vehicles@smartcar.com")
    assert len(api.ids) == 10
    page = api.get("/v2.0/vehicles/?limit=5&offset=10").json()
    assert len(page["vehicles"]) == 2
    assert page["paging"] == {"count": 12, "offset": 10}
    assert not set(page["vehicles"]) & set(api.ids)


@pytest.mark.parametrize(
    "query", ["limit=51", "limit=x", "limit=-1", "offset=1.5", "offset=9999999999", "limit=²"]
)
def test_vehicles_paging_refused(api: Api, query: str) -> None:
    """Impossible pages are a VALIDATION error that names the parameter."""
    response = api.get(f"/v2.0/vehicles?{query}")
    assert refusal(response) == (400, "VALIDATION", "PARAMETER")
    assert response.json()["detail"][0]["field"] == query.partition("=")[0]


def test_permissions_granted(person: Person) -> None:
    """/permissions lists what was granted, without the word required."""
    api = Api(person, scope="required:read_vin read_odometer")
    answer = api.car("/permissions?limit=1").json()
    assert answer == {"permissions": ["read_vin"], "paging": {"count": 2, "offset": 0}}


def test_permission_not_granted(person: Person) -> None:
    """An endpoint outside the scope is a PERMISSION error."""
    api = Api(person, scope="read_vin")
    assert refusal(api.car("/odometer")) == (403, "PERMISSION", None)
    assert refusal(api.car("/security", "POST", json={"action": "LOCK"})) == (403, "PERMISSION", None)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic abc"])
def test_token_not_good(person: Person, header: str) -> None:
    """A missing or unknown token is an AUTHENTICATION error."""
    response = person.client.get("/v2.0/user", headers={"authorization": header})
    assert refusal(response) == (401, "AUTHENTICATION", None)


def test_vehicle_of_somebody_else(person: Person) -> None:
    """A token reaches only the vehicles it was made for."""
    mine, theirs = Api(person), Api(person, "somebody.else@example.com")
    response = person.client.get(f"/v2.0/vehicles/{theirs.ids[0]}/vin", headers=mine.headers)
    assert refusal(response) == (403, "PERMISSION", None)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2.0/vehicles/not-a-uuid/vin", (400, "VALIDATION", None)),
        ("/v2.0/nothing", (404, "RESOURCE_NOT_FOUND", "PATH")),
        ("/v2.0/", (404, "RESOURCE_NOT_FOUND", "PATH")),
        ("/v1.0/vehicles", (404, "RESOURCE_NOT_FOUND", "VERSION")),
        ("/vtwo/vehicles", (404, "RESOURCE_NOT_FOUND", "VERSION")),
    ],
)
def test_address_wrong(api: Api, path: str, expected: tuple[int, str, str | None]) -> None:
    """Wrong addresses are told apart as documented."""
    assert refusal(api.get(path)) == expected


def test_endpoint_unknown(api: Api) -> None:
    """An endpoint that doesn't exist is a PATH error."""
    assert refusal(api.car("/teleport")) == (404, "RESOURCE_NOT_FOUND", "PATH")
    assert refusal(api.car("/vin", "POST")) == (404, "RESOURCE_NOT_FOUND", "PATH")


def test_version_higher(api: Api) -> None:
    """A higher numeric version falls back to the latest."""
    assert api.get("/v2.99/user").status_code == 200


def test_units_imperial(api: Api) -> None:
    """Miles, gallons and psi come on request; the header says which."""
    imperial = {"sc-unit-system": "Imperial"}
    for path, field, factor in [
        ("/odometer", "distance", 1.609344),
        ("/fuel", "amountRemaining", 3.785412),
        ("/tires/pressure", "frontLeft", 6.894757),
        ("/battery", "range", 1.609344),
    ]:
        metric, other = api.car(path), api.car(path, headers=imperial)
        assert other.headers["sc-unit-system"] == "imperial"
        assert metric.headers["sc-unit-system"] == "metric"
        assert other.json()[field] == pytest.approx(metric.json()[field] / factor, rel=1e-3, abs=0.01)


def test_lock_and_unlock(api: Api) -> None:
    """Locking and unlocking changes what /security says, of that vehicle only."""
    assert api.car("/security").json()["isLocked"] is True
    response = api.car("/security", "POST", json={"action": "UNLOCK"})
    assert response.json() == {"status": "success", "message": "Successfully sent request to vehicle"}
    assert api.car("/security").json()["isLocked"] is False
    assert api.car("/security", number=1).json()["isLocked"] is True


def test_vehicle_state_survives_connecting_again(person: Person) -> None:
    """A car unlocked a minute ago is still unlocked when its owner connects it again."""
    api = Api(person)
    api.car("/security", "POST", json={"action": "UNLOCK"})
    assert Api(person, approval_prompt="force").car("/security").json()["isLocked"] is False


def test_vehicle_of_a_given_user_as_new_after_a_reset(make_person) -> None:
    """What happened to a car that a user was given is forgotten with everything else."""
    person = make_person(users=[{"email": "ada@example.com", "vehicles": [{"make": "TESLA"}]}])
    for _ in range(2):
        api = Api(person, "ada@example.com", make="TESLA")
        assert api.car("/security").json()["isLocked"] is True
        api.car("/security", "POST", json={"action": "UNLOCK"})
        person.sandbox.reset()


def test_charging(api: Api) -> None:
    """Charging can be started, stopped and limited."""
    api.car("/charge", "POST", json={"action": "START"})
    assert api.car("/charge").json() == {"isPluggedIn": True, "state": "CHARGING"}
    api.car("/charge", "POST", json={"action": "STOP"})
    api.car("/charge/limit", "POST", json={"limit": 0.5})
    assert api.car("/charge/limit").json() == {"limit": 0.5}


def test_destination(api: Api) -> None:
    """A destination can be sent, again and again."""
    for _ in range(12):
        response = api.car("/navigation/destination", "POST", json={"latitude": 39.7, "longitude": -105})
        assert response.json()["status"] == "success"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/security", {"action": "EXPLODE"}),
        ("/security", {}),
        ("/security", {"action": ["LOCK"]}),
        ("/charge/limit", {"limit": 2}),
        ("/charge/limit", {"limit": True}),
        ("/navigation/destination", {"latitude": "north", "longitude": 0}),
    ],
)
def test_command_refused(api: Api, path: str, body: dict[str, Any]) -> None:
    """A command that makes no sense is a VALIDATION error with a detail."""
    response = api.car(path, "POST", json=body)
    assert refusal(response) == (400, "VALIDATION", "PARAMETER")
    assert response.json()["detail"][0]["message"].startswith("must be")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000, b"x" * 300_000])
def test_command_not_json(api: Api, body: bytes) -> None:
    """A body that isn't a JSON object is a VALIDATION error."""
    assert refusal(api.car("/security", "POST", content=body)) == (400, "VALIDATION", None)


def test_batch(api: Api) -> None:
    """A batch answers each path by itself."""
    asked = {"requests": [{"path": "/odometer"}, {"path": "/"}, {"path": "/teleport"}, {"nothing": 1}, "x"]}
    answers = api.car("/batch", "POST", json=asked).json()["responses"]
    assert [answer["code"] for answer in answers] == [200, 200, 404, 400, 400]
    assert answers[0]["body"] == api.car("/odometer").json()
    assert answers[0]["headers"].keys() == {"sc-data-age", "sc-unit-system", "sc-fetched-at"}


@pytest.mark.parametrize("requests", [None, [], "x", [{}] * 51])
def test_batch_refused(api: Api, requests: Any) -> None:
    """A batch without a sensible list is refused."""
    assert refusal(api.car("/batch", "POST", json={"requests": requests}))[0] == 400


def test_disconnect(person: Person) -> None:
    """A disconnected vehicle is gone for every token, and the next attempt asks again for consent."""
    api = Api(person)
    for number in range(2):
        assert api.car("/application", "DELETE", number=number).json() == {"status": "success"}
    assert api.get("/v2.0/vehicles").json() == {"vehicles": [], "paging": {"count": 0, "offset": 0}}
    assert refusal(api.car("/vin")) == (403, "PERMISSION", None)
    assert "approval-button" in person.logs_in("owner@example.com").text


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("smartcar@vs-001.vehicle-state-error.com", (409, "VEHICLE_STATE", "DOOR_OPEN")),
        (
            "smartcar@voa-000.vehicle-owner-action-required.com",
            (400, "CONNECTED_SERVICES_ACCOUNT", "ACCOUNT_ISSUE"),
        ),
    ],
)
def test_account_whose_calls_fail(person: Person, email: str, expected: tuple[int, str, str]) -> None:
    """Such an account connects; then all but the static endpoints fail as its address says."""
    api = Api(person, email)
    assert api.car("/vin").status_code == 200
    assert refusal(api.car("/odometer")) == expected


@pytest.mark.parametrize(
    ("level", "lacks", "has"), [("fuel", "/battery", "/fuel"), ("bev", "/fuel", "/battery")]
)
def test_vehicle_that_lacks_something(person: Person, level: str, lacks: str, has: str) -> None:
    """A petrol car has no battery to read, an electric one no fuel."""
    api = Api(person, f"5YJ3E1EA7KF000001@{level}.smartcar.com")
    assert api.car("/vin").json() == {"vin": "5YJ3E1EA7KF000001"}
    assert refusal(api.car(lacks)) == (501, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
    assert api.car(has).status_code == 200


def test_charging_unplugged(make_person) -> None:
    """A car that isn't plugged in can't be told to charge."""
    unplugged = {"make": "TESLA", "plugged_in": False}
    person = make_person(users=[{"email": "ada@example.com", "vehicles": [unplugged]}])
    api = Api(person, "ada@example.com", make="TESLA")
    response = api.car("/charge", "POST", json={"action": "START"})
    assert refusal(response) == (409, "VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED")
    assert api.car("/charge").json() == {"isPluggedIn": False, "state": "NOT_CHARGING"}
    assert api.car("/charge", "POST", json={"action": "STOP"}).status_code == 200


def test_service_history_between_dates(person: Person) -> None:
    """The services of the last year come, or those between the dates asked for; a date that is none is refused."""
    api = Api(person, scope="read_service_history")
    services = api.car("/service/history").json()
    assert len(services) == 2
    assert services[0].keys() == {
        "serviceId",
        "serviceDate",
        "odometerDistance",
        "serviceTasks",
        "serviceDetails",
        "serviceCost",
    }
    day = services[0]["serviceDate"][:10]
    assert api.car(f"/service/history?startDate={day}&endDate={day}T23:59:59.000Z").json() == services[:1]
    assert api.car(f"/service/history?startDate={services[1]['serviceDate']}").json() == services[1:]
    response = api.car("/service/history?startDate=yesterday")
    assert refusal(response) == (400, "VALIDATION", "PARAMETER")


def test_battery_capacity_unknown_until_its_owner_chooses(person: Person) -> None:
    """Where Smartcar doesn't know the capacity, the answer has an address at which the owner chooses it."""
    person.approves(person.logs_in("smartcar@battery-capacity.com", scope="read_battery"))
    tokens = person.exchanges(received(person.submits(action="unknown"))["code"]).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    (vehicle, *_) = person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"]
    path = f"/v2.0/vehicles/{vehicle}/battery/nominal_capacity"
    unknown = person.client.get(path, headers=headers).json()
    assert unknown["capacity"] is None
    assert unknown["url"].endswith("&redirect_uri=")
    # Whoever knows the sandbox by the API's own name knows Connect by its own.
    named = person.client.get(path, headers={**headers, "host": "api.smartcar.com"}).json()
    assert named["url"].startswith("https://connect.smartcar.com/battery-capacity?")
    person.follows(person.client.get(unknown["url"] + "http%3A%2F%2Flocalhost%3A8000%2Fcallback"))
    assert person.screen == "battery-capacity"
    answer = received(person.submits(capacity="77.4"))
    assert answer == {"vehicle_id": vehicle, "selected_capacity": "77.4", "reason": "battery_capacity"}
    known = person.client.get(path, headers=headers).json()
    assert known["capacity"] == {"nominal": 77.4, "source": "USER_SELECTED"}
    assert known["url"] is None


def test_webhook_subscribed_and_unsubscribed(api: Api) -> None:
    """A user's token subscribes a vehicle, the management token unsubscribes it; neither does the other's work."""
    response = api.car("/webhooks/hook-1", "POST")
    assert response.json() == {"webhookId": "hook-1", "vehicleId": api.ids[0]}
    assert refusal(api.car("/webhooks/hook-1", "DELETE")) == (401, "AUTHENTICATION", None)
    answer = api.car("/webhooks/hook-1", "DELETE", headers={"authorization": "Bearer amt"})
    assert answer.json() == {"status": "success"}
    assert refusal(api.car("/webhooks/", "POST")) == (404, "RESOURCE_NOT_FOUND", "PATH")


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("refresh_token", "refresh token"),
        ("nothing", "Send the access token"),
        ("unknown", "No such token"),
        ("client_01", "/oauth2/token"),
    ],
)
def test_token_mistaken(person: Person, kind: str, hint: str) -> None:
    """A likely mistake with tokens is named in the hint."""
    tokens = person.gets_tokens()
    text = {"refresh_token": tokens["refresh_token"], "nothing": ""}.get(kind, kind)
    response = person.client.get("/v2.0/user", headers={"authorization": f"Bearer {text}"})
    assert refusal(response) == (401, "AUTHENTICATION", None)
    assert hint in response.headers["sandbox-hint"]


def test_token_expired(person: Person, clock) -> None:
    """An expired token is told from an unknown one."""
    api = Api(person)
    clock.move(7200)
    response = api.get("/v2.0/user")
    assert refusal(response) == (401, "AUTHENTICATION", None)
    assert "expired" in response.headers["sandbox-hint"]


def test_code_in_place_of_a_token(person: Person) -> None:
    """A code isn't a token."""
    headers = {"authorization": f"Bearer {person.connects()['code']}"}
    assert "authorization code" in person.client.get("/v2.0/user", headers=headers).headers["sandbox-hint"]
