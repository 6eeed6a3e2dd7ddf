"""A person who clicks through the sandbox, over ASGI and without a browser."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from smartcar_auth.sandbox import Sandbox

APPLICATION_ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
REDIRECT_URI = "http://localhost:8000/callback"
SCOPE = (
    "required:read_vehicle_info read_vin read_odometer read_location read_fuel read_battery read_charge "
    "read_tires read_engine_oil read_security control_security control_charge control_navigation"
)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Person:
    """Walks one attempt; every step returns the response, unfollowed."""

    sandbox: Sandbox  # for those whom `make_person` made

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.path = ""

    def opens(self, entry: str = "authorize", **parameters: str | None) -> httpx.Response:
        """Follow the application's link. A parameter given as None is left out."""
        asked: dict[str, str | None] = {"response_type": "code", "application_id": APPLICATION_ID}
        asked |= {"redirect_uri": REDIRECT_URI, "scope": SCOPE, "state": "the state", **parameters}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return self.follows(self.client.get(f"/oauth/{entry}?{query}"))

    def follows(self, response: httpx.Response) -> httpx.Response:
        """Go where a redirect within Connect leads; stop at a page or at the application's address."""
        while (address := response.headers.get("location", "")).startswith("/"):
            self.path = address
            response = self.client.get(address)
        return response

    @property
    def screen(self) -> str:
        """Where the person is."""
        return self.path.rsplit("/", 1)[1]

    @property
    def attempt(self) -> str:
        """The attempt's own path."""
        return self.path.rsplit("/", 1)[0]

    def submits(self, **form: str | list[str]) -> httpx.Response:
        """Send the form of the screen."""
        return self.follows(self.client.post(self.path, data=form))

    def reaches(self, screen: str, **parameters: str | None) -> httpx.Response:
        """Go the ordinary way up to a screen."""
        response = self.opens(**parameters)
        forms: dict[str, dict[str, str | list[str]]] = {
            "welcome": {},
            "brands": {"brand": "CHEVROLET"},
            "login": {"username": "owner@example.com", "password": "secret"},
        }
        while self.screen != screen:
            response = self.submits(**forms[self.screen])
        return response

    def logs_in(self, username: str, **parameters: str | None) -> httpx.Response:
        """Go to the login screen and log in."""
        self.reaches("login", **parameters)
        return self.submits(username=username, password="secret")

    def approves(self, page: httpx.Response) -> httpx.Response:
        """Allow everything that the grant screen offers, as it is preselected."""
        return self.submits(vehicle=preselected(page), decision="allow")

    def connects(self, username: str = "owner@example.com", **parameters: str | None) -> dict[str, str]:
        """The whole way; returns what the application receives."""
        response = self.logs_in(username, **parameters)
        return received(self.approves(response) if response.status_code == 200 else response)

    def gets_tokens(self, username: str = "owner@example.com", **parameters: str | None) -> dict[str, Any]:
        """The whole way and the exchange."""
        response = self.exchanges(self.connects(username, **parameters)["code"])
        assert response.status_code == 200, response.text
        return response.json()

    def exchanges(self, code: str, **form: str) -> httpx.Response:
        """What the application's server does with a code."""
        data = {"grant_type": "authorization_code", "code": code, **form}
        return self.client.post("/oauth/token", data=data, auth=(APPLICATION_ID, "secret"))

    def refreshes(self, refresh_token: str) -> httpx.Response:
        """What it does with a refresh token."""
        data = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.client.post("/oauth/token", data=data, auth=(APPLICATION_ID, "secret"))


def received(response: httpx.Response) -> dict[str, str]:
    """The parameters that the application receives on its redirect URI."""
    assert response.status_code == 302, (response.status_code, response.text)
    return dict(parse_qsl(urlsplit(response.headers["location"]).query, keep_blank_values=True))


def preselected(page: httpx.Response) -> list[str]:
    """The vehicles that a grant screen has ticked."""
    return re.findall(r'name="vehicle" value="([^"]+)" checked', page.text)


@pytest.fixture
def clock() -> Clock:
    """The time in the sandbox."""
    return Clock()


@pytest.fixture
def make_person(clock: Clock) -> Iterator[Callable[..., Person]]:
    """Makes a person in front of a sandbox with the given options."""
    clients: list[TestClient] = []

    def make(**options: object) -> Person:
        sandbox = Sandbox(clock=clock, **options)  # type: ignore[arg-type]
        clients.append(TestClient(sandbox.app, base_url="http://127.0.0.1:9000", follow_redirects=False))
        person = Person(clients[-1])
        person.sandbox = sandbox
        return person

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def person(make_person: Callable[..., Person]) -> Person:
    """A person in front of an ordinary sandbox."""
    return make_person()
