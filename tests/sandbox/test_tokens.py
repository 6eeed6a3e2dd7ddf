"""The token endpoint: grants, credentials, lives, documented errors."""

import re

import pytest

from .conftest import APPLICATION_ID, REDIRECT_URI, Person

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def works(person: Person, access_token: str) -> bool:
    """Whether the API accepts an access token."""
    response = person.client.get("/v2.0/user", headers={"authorization": f"Bearer {access_token}"})
    return response.status_code == 200


def test_exchange(person: Person) -> None:
    """A code gives a Bearer pair as documented, as JSON that nobody keeps."""
    response = person.exchanges(person.connects()["code"], redirect_uri=REDIRECT_URI)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 7200)
    assert UUID.fullmatch(tokens["access_token"])
    assert UUID.fullmatch(tokens["refresh_token"])
    assert works(person, tokens["access_token"])


@pytest.mark.parametrize("path", ["/", "/oauth/token", "/oauth/token/"])
def test_paths_of_all_official_sdks(person: Person, path: str) -> None:
    """The endpoint answers on every path that an official SDK uses."""
    data = {"grant_type": "authorization_code", "code": person.connects()["code"]}
    assert person.client.post(path, data=data, auth=(APPLICATION_ID, "s")).status_code == 200


def test_credentials_in_the_body(person: Person) -> None:
    """Client id and secret may be in the body instead of the header."""
    data = {"grant_type": "authorization_code", "code": person.connects()["code"]}
    data |= {"client_id": APPLICATION_ID, "client_secret": "s"}
    assert person.client.post("/oauth/token", data=data).status_code == 200


@pytest.mark.parametrize(
    "header", [None, "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", "Basic /////w=="]
)
def test_credentials_missing(person: Person, header: str | None) -> None:
    """Missing or unreadable credentials are invalid_client."""
    headers = {} if header is None else {"authorization": header}
    response = person.client.post("/oauth/token", data={"grant_type": "refresh_token"}, headers=headers)
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"


def test_credentials_checked_against_the_list(make_person) -> None:
    """With a list of applications the secret must be right, form-encoded or not."""
    person = make_person(applications={APPLICATION_ID: "a+b%c"})
    code = person.connects()["code"]
    assert person.exchanges(code).status_code == 401
    data = {"grant_type": "authorization_code", "code": code}
    assert person.client.post("/oauth/token", data=data, auth=(APPLICATION_ID, "a+b%c")).status_code == 200
    data["code"] = person.connects()["code"]
    assert (
        person.client.post("/oauth/token", data=data, auth=(APPLICATION_ID, "a%2Bb%25c")).status_code == 200
    )


def test_code_used_twice(person: Person) -> None:
    """A code works once; after that it is invalid_request in the documented words."""
    code = person.connects()["code"]
    assert person.exchanges(code).status_code == 200
    response = person.exchanges(code)
    assert response.status_code == 400
    assert response.json() == {"error": "invalid_request", "error_description": f"Invalid code: {code}."}


@pytest.mark.parametrize(("age", "status"), [(599, 200), (600, 400)])
def test_code_life(person: Person, clock, age: int, status: int) -> None:
    """A code lives ten minutes."""
    code = person.connects()["code"]
    clock.move(age)
    assert person.exchanges(code).status_code == status


def test_code_of_another_application(person: Person) -> None:
    """A code is good only for the application it was made for, which can still use it afterwards."""
    code = person.connects()["code"]
    data = {"grant_type": "authorization_code", "code": code}
    response = person.client.post("/oauth/token", data=data, auth=("another", "s"))
    assert response.json()["error_description"] == f"Invalid code: {code}."
    assert person.exchanges(code).status_code == 200


def test_code_with_another_redirect_uri(person: Person) -> None:
    """A redirect URI that is given must be the one that Connect was opened with."""
    code = person.connects()["code"]
    response = person.exchanges(code, redirect_uri=f"{REDIRECT_URI}/")
    assert response.json()["error"] == "invalid_request"
    assert person.exchanges(code).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "\udcff<b>"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_request"),
    ],
)
def test_request_refused(person: Person, form: dict[str, str], error: str) -> None:
    """Every refusal is OAuth JSON with both an error and a description."""
    body = "&".join(f"{name}={value}" for name, value in form.items()).encode("utf-8", "surrogateescape")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = person.client.post("/oauth/token", content=body, headers=headers, auth=("a", "b"))
    assert response.status_code == 400
    assert response.json()["error"] == error
    assert response.json()["error_description"]


def test_request_as_json_refused(person: Person) -> None:
    """A JSON body is refused in words."""
    response = person.client.post("/oauth/token", json={"grant_type": "x"}, auth=("a", "b"))
    assert "x-www-form-urlencoded" in response.json()["error_description"]


@pytest.mark.parametrize(("body", "status"), [(b"a=" + b"x" * 70_000, 413), (b"a=1&" * 100, 400)])
def test_request_too_long(person: Person, body: bytes, status: int) -> None:
    """Monstrous bodies are refused as JSON."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = person.client.post("/oauth/token", content=body, headers=headers, auth=("a", "b"))
    assert (response.status_code, response.json()["error"]) == (status, "invalid_request")


def test_access_token_life(person: Person, clock) -> None:
    """An access token lives two hours."""
    access_token = person.gets_tokens()["access_token"]
    clock.move(7199)
    assert works(person, access_token)
    clock.move(1)
    assert not works(person, access_token)


def test_refresh_rotation(person: Person, clock) -> None:
    """Each refresh gives a new pair; the old access token lives on, the old refresh token ten minutes."""
    old = person.gets_tokens()
    new = person.refreshes(old["refresh_token"]).json()
    assert len({old["access_token"], old["refresh_token"], new["access_token"], new["refresh_token"]}) == 4
    assert works(person, old["access_token"])
    clock.move(599)
    assert person.refreshes(old["refresh_token"]).status_code == 200
    clock.move(1)
    response = person.refreshes(old["refresh_token"])
    assert response.status_code == 400
    assert response.json()["error_description"] == f"Invalid refresh_token: {old['refresh_token']}."
    assert person.refreshes(new["refresh_token"]).status_code == 200


def test_refresh_token_life(person: Person, clock) -> None:
    """An unused refresh token lives sixty days."""
    first = person.gets_tokens()
    second = person.refreshes(first["refresh_token"]).json()
    clock.move(60 * 86_400 - 1)
    third = person.refreshes(second["refresh_token"]).json()
    clock.move(60 * 86_400)
    assert person.refreshes(third["refresh_token"]).status_code == 400


def test_answer_with_get(person: Person) -> None:
    """GET is not a way to ask for tokens."""
    assert person.client.get("/oauth/token").status_code == 405


def test_hints_about_codes(person: Person, clock) -> None:
    """A code that isn't good is refused in Smartcar's words; the hint says what is wrong with it."""
    code, other = person.connects()["code"], person.connects()["code"]

    def hint(code: str, application_id: str = APPLICATION_ID, **form: str) -> str:
        data = {"grant_type": "authorization_code", "code": code, **form}
        response = person.client.post("/oauth/token", data=data, auth=(application_id, "secret"))
        assert response.status_code == 400
        return response.headers["sandbox-hint"]

    assert "byte for byte" in hint(code, redirect_uri=f"{REDIRECT_URI}/")
    assert "another application" in hint(code, "somebody-else")
    assert "No such code" in hint("nonsense")
    assert person.exchanges(code).status_code == 200
    assert "works once" in hint(code)
    clock.move(600)
    assert "expired" in hint(other)


def test_hints_about_refresh_tokens(person: Person, clock) -> None:
    """The same for refresh tokens."""
    token = person.gets_tokens()["refresh_token"]

    def hint(token: str, application_id: str = APPLICATION_ID) -> str:
        data = {"grant_type": "refresh_token", "refresh_token": token}
        response = person.client.post("/oauth/token", data=data, auth=(application_id, "secret"))
        assert response.status_code == 400
        return response.headers["sandbox-hint"]

    assert "another application" in hint(token, "somebody-else")
    assert "No such refresh token" in hint("nonsense")
    person.refreshes(token)
    clock.move(600)
    assert "ten minutes" in hint(token)


def test_hints_about_credentials(make_person) -> None:
    """Credentials that are missing, or wrong, or of another kind."""
    person = make_person(applications={APPLICATION_ID: "secret"})
    grant = {"grant_type": "refresh_token", "refresh_token": "x"}
    for auth, words in ((None, "HTTP Basic"), ((APPLICATION_ID, "wrong"), "secret is wrong")):
        response = person.client.post("/oauth/token", data=grant, auth=auth)
        assert response.status_code == 401
        assert words in response.headers["sandbox-hint"]
