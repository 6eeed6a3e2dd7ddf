"""What an application's server does with API credentials: its token, and calls to API v3."""

from typing import Any

import httpx2 as httpx

from .conftest import Person

API_CLIENT_ID = "client_01HXTEST"


class Application:
    """An application with a token of its own, in front of the same sandbox as a person."""

    def __init__(self, person: Person, user_id: str | None = None) -> None:
        self.client = person.client
        response = asks_for_token(person)
        assert response.status_code == 200, response.text
        self.headers = {"authorization": f"Bearer {response.json()['access_token']}"}
        if user_id is not None:
            self.headers["sc-user-id"] = user_id

    def calls(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """A call to API v3."""
        headers = self.headers | options.pop("headers", {})
        return self.client.request(method, f"/v3{path}", headers=headers, **options)

    def finds(self, path: str) -> Any:
        """The `data` of a call that works."""
        response = self.calls(path)
        assert response.status_code == 200, response.text
        return response.json()["data"]


def asks_for_token(person: Person, **form: str) -> httpx.Response:
    """Ask for an application's token."""
    asked = {"grant_type": "client_credentials", "client_id": API_CLIENT_ID, "client_secret": "s"}
    return person.client.post("/oauth2/token", data=asked | form)


def error(response: httpx.Response) -> tuple[int, str, str | None]:
    """Status, type and code of an error of API v3, once it is found complete."""
    assert "sc-request-id" in response.headers
    (found,) = response.json()["errors"]
    assert found.keys() >= {"status", "type", "code", "title", "detail", "resolution", "links"}
    assert found["status"] == str(response.status_code)
    assert found["links"]["about"].startswith("https://")
    return response.status_code, found["type"], found["code"]
