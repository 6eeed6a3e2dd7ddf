"""The token endpoint of API credentials."""

import pytest

from .application import API_CLIENT_ID, Application, asks_for_token
from .conftest import APPLICATION_ID, Person


def test_token(person: Person) -> None:
    """Client credentials give a token for an hour, and no refresh token."""
    response = asks_for_token(person)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    token = response.json()
    assert token.keys() == {"access_token", "token_type", "expires_in"}
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)


def test_token_asked_for_as_json_and_with_basic(person: Person) -> None:
    """Smartcar's reference asks with JSON, OAuth with HTTP Basic: both are answered."""
    form = {"grant_type": "client_credentials", "client_id": API_CLIENT_ID, "client_secret": "s"}
    assert person.client.post("/oauth2/token", json=form).status_code == 200
    grant = {"grant_type": "client_credentials"}
    assert person.client.post("/oauth2/token/", data=grant, auth=(API_CLIENT_ID, "s")).status_code == 200


def test_token_life(person: Person, clock) -> None:
    """After an hour the token is worth nothing, and the answer says so."""
    application = Application(person)
    clock.move(3599)
    assert application.calls("/connections").status_code == 200
    clock.move(1)
    response = application.calls("/connections")
    assert response.status_code == 401
    assert "expired" in response.headers["sandbox-hint"]


@pytest.mark.parametrize(
    ("form", "status", "error", "hint"),
    [
        ({"client_id": APPLICATION_ID}, 401, "invalid_client", "Application ID"),
        ({"client_id": ""}, 401, "invalid_client", "Send client_id"),
        ({"client_secret": ""}, 401, "invalid_client", "secret"),
        ({"grant_type": "authorization_code"}, 400, "invalid_request", "grant_type=client_credentials"),
    ],
)
def test_token_refused(person: Person, form: dict[str, str], status: int, error: str, hint: str) -> None:
    """Every mistake gets the documented error, and a hint that names it."""
    response = asks_for_token(person, **form)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert hint in response.headers["sandbox-hint"]


def test_token_for_known_credentials_only(make_person) -> None:
    """With a list of applications only its API credentials get a token."""
    person = make_person(applications={APPLICATION_ID: "secret", API_CLIENT_ID: "right"})
    assert asks_for_token(person, client_secret="right").status_code == 200
    assert asks_for_token(person, client_secret="wrong").status_code == 401
    assert person.opens(application_id=API_CLIENT_ID).status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff"])
def test_token_body_unreadable(person: Person, body: bytes) -> None:
    """JSON that is no object is invalid_request."""
    response = person.client.post("/oauth2/token", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_api_credentials_at_the_other_endpoint(person: Person) -> None:
    """Who sends API credentials where codes are exchanged is told the right address."""
    data = {"grant_type": "authorization_code", "code": person.connects()["code"]}
    response = person.client.post("/oauth/token", data=data, auth=(API_CLIENT_ID, "s"))
    assert response.status_code == 401
    assert "/oauth2/token" in response.headers["sandbox-hint"]


def test_token_refused_by_the_older_api(person: Person) -> None:
    """API v2.0 wants a user's token."""
    response = person.client.get("/v2.0/user", headers=Application(person).headers)
    assert response.status_code == 401
    assert "API v3" in response.headers["sandbox-hint"]
