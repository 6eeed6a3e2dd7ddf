"""The errors of the API: all that Smartcar documents, complete in either version."""

import pytest

from smartcar_auth.sandbox.api_errors import TABLE, ApiRefusal

from .application import Application, error
from .conftest import Person, received

# docs/wire.md, "Vehicles, API v2.0"
DOCUMENTED = {
    "AUTHENTICATION": (401, "-"),
    "PERMISSION": (403, "-"),
    "VALIDATION": (400, "- PARAMETER"),
    "RESOURCE_NOT_FOUND": (404, "PATH VERSION"),
    "CONNECTED_SERVICES_ACCOUNT": (
        400,
        "ACCOUNT_ISSUE AUTHENTICATION_FAILED NO_VEHICLES PERMISSION SUBSCRIPTION VEHICLE_MISSING "
        "VIRTUAL_KEY_REQUIRED",
    ),
    "VEHICLE_STATE": (
        409,
        "ASLEEP CHARGING_IN_PROGRESS CHARGING_PLUG_CONNECTED CHARGING_PLUG_NOT_CONNECTED CHARGE_FAULT DOOR_OPEN "
        "FULLY_CHARGED HOOD_OPEN IGNITION_ON IN_MOTION NOT_CHARGING REMOTE_ACCESS_DISABLED TRUNK_OPEN UNKNOWN "
        "UNREACHABLE VEHICLE_OFFLINE_FOR_SERVICE",
    ),
    "RATE_LIMIT": (429, "SMARTCAR_API VEHICLE"),
    "BILLING": (430, "INVALID_PLAN VEHICLE_LIMIT VEHICLE_REQUEST_LIMIT ACCOUNT_SUSPENDED"),
    "SERVER": (500, "INTERNAL RECORD_NOT_FOUND MULTIPLE_RECORDS_FOUND"),
    "COMPATIBILITY": (
        501,
        "MAKE_NOT_COMPATIBLE PLATFORM_NOT_CAPABLE SMARTCAR_NOT_CAPABLE VEHICLE_NOT_CAPABLE",
    ),
    "UPSTREAM": (502, "INVALID_DATA KNOWN_ISSUE NO_RESPONSE RATE_LIMIT UNKNOWN_ISSUE"),
}
RESOLUTIONS = {None, "RETRY_LATER", "REAUTHENTICATE", "CONTACT_SUPPORT", "ACTION_REQUIRED", "FINANCE"}


def test_every_documented_error_is_there() -> None:
    """No error more or less than Smartcar documents, each with its status and a documented way out."""
    documented = {
        (kind, None if code == "-" else code): status
        for kind, (status, codes) in DOCUMENTED.items()
        for code in codes.split()
    }
    assert {key: words.status for key, words in TABLE.items()} == documented
    assert {words.resolution for words in TABLE.values()} <= RESOLUTIONS


@pytest.mark.parametrize("key", TABLE, ids=lambda key: ":".join(filter(None, key)))
def test_error_in_both_versions(key: tuple[str, str | None]) -> None:
    """Either version writes an error with all its fields and a page to read."""
    refusal = ApiRefusal(*key)
    old, new = refusal.body("request"), refusal.resource()
    assert (old["type"], old["code"], old["statusCode"]) == (*key, refusal.status)
    assert (new["type"], new["status"]) == (key[0], str(refusal.status))
    assert new["code"] or key[0] == "PERMISSION"
    assert old["docURL"] == new["links"]["about"]
    assert old["description"].endswith(".")


@pytest.mark.parametrize(
    ("code", "status"), [(("RATE_LIMIT", "VEHICLE"), 429), (("BILLING", "INVALID_PLAN"), 430)]
)
def test_error_of_a_users_vehicle(make_person, code: tuple[str, str], status: int) -> None:
    """A vehicle that was given an error answers with it; too many requests say when to come again."""
    vehicle = {"make": "TESLA", "api_error": list(code)}
    person: Person = make_person(users=[{"email": "ada@example.com", "vehicles": [vehicle]}])
    tokens = person.gets_tokens("ada@example.com", make="TESLA")
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    (vehicle_id,) = person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"]
    response = person.client.get(f"/v2.0/vehicles/{vehicle_id}/odometer", headers=headers)
    assert response.status_code == status
    assert response.headers.get("retry-after") == ("60" if status == 429 else None)
    user_id = person.client.get("/v2.0/user", headers=headers).json()["id"]
    command = Application(person, user_id).calls(f"/vehicles/{vehicle_id}/commands/security/lock", "POST")
    assert error(command) == (status, *code)
    assert command.headers.get("retry-after") == ("60" if status == 429 else None)


def test_login_that_no_longer_works(make_person) -> None:
    """The error that asks for a new login says where; whoever logs in there has put it right."""
    vehicle = {"make": "TESLA", "api_error": ["CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED"]}
    person: Person = make_person(users=[{"email": "ada@example.com", "vehicles": [vehicle]}])
    tokens = person.gets_tokens("ada@example.com", make="TESLA")
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    (vehicle_id,) = person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"]
    body = person.client.get(f"/v2.0/vehicles/{vehicle_id}/odometer", headers=headers).json()
    assert body["resolution"]["type"] == "REAUTHENTICATE"
    url = body["resolution"]["url"] + "&redirect_uri=http%3A%2F%2Flocalhost%3A8000%2Fcallback&state=s"
    assert url.startswith("http://127.0.0.1:9000/oauth/reauthenticate?")
    person.follows(person.client.get(url))
    assert person.screen == "login"
    assert received(person.submits(username="ada@example.com", password="secret"))["vehicle_id"] == vehicle_id
    assert person.client.get(f"/v2.0/vehicles/{vehicle_id}/odometer", headers=headers).status_code == 200
