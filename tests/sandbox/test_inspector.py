"""Requests to look at: nothing secret in any of the three forms, and a page that keeps itself up to date."""

import json
import re
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from smartcar_auth.sandbox import Sandbox
from smartcar_auth.sandbox.inspector import described, json_line, line
from smartcar_auth.sandbox.journal import Recorded

from .application import Application
from .conftest import APPLICATION_ID, Person

VIN = "5YJ3E1EA7KF000001"
PATIENCE = 20_000  # milliseconds; the page asks every two seconds


def last(person: Person) -> Recorded:
    """The latest request."""
    return person.sandbox.requests[-1]


def use_everything(person: Person) -> list[str]:
    """The whole way of an application, and all the secrets on it."""
    username = f"{VIN.lower()}@compatible.smartcar.com"
    answer = person.connects(username, state="a-secret-state")
    attempt = re.findall(r"/connect/([^/]+)/", person.path)
    tokens = person.exchanges(answer["code"]).json()
    person.exchanges(answer["code"])
    person.refreshes(tokens["refresh_token"])
    person.refreshes("a-wrong-refresh-token")
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    (vehicle,) = person.client.get("/v2.0/vehicles", headers=headers).json()["vehicles"]
    requests = {"requests": [{"path": "/vin"}]}
    person.client.get(f"/v2.0/vehicles/{vehicle}/vin", headers=headers)
    person.client.post(f"/v2.0/vehicles/{vehicle}/batch", headers=headers, json=requests)
    person.client.get(f"/v2.0/compatibility?vin={VIN}&scope=read_vin", auth=(APPLICATION_ID, "app-secret"))
    form = {"grant_type": "client_credentials", "client_id": "client_1", "client_secret": "m2m-secret"}
    person.client.post("/oauth2/token", json=form)
    application = Application(person, answer["user_id"])
    application.finds(f"/vehicles/{vehicle}/signals/vehicleidentification-vin")
    person.client.get("/v2.0/management/connections", auth=("default", "the-amt"))
    application_token = application.headers["authorization"].removeprefix("Bearer ")
    secrets = [answer["code"], *attempt, *tokens.values(), application_token]
    named = ["a-secret-state", "app-secret", "m2m-secret", "the-amt", VIN, username, "a-wrong-refresh-token"]
    return [str(secret) for secret in secrets if len(str(secret)) > 8] + named


def test_no_secret_in_any_form(person: Person) -> None:
    """No code, state, token, secret, VIN, name or attempt is on the page, in the terminal or in the JSON."""
    secrets = use_everything(person)
    page = person.client.get("/inspector").text
    lines = "\n".join(map(line, person.sandbox.requests))
    rows = "\n".join(map(json_line, person.sandbox.requests))
    assert len(secrets) >= 11
    for text in (page, lines, rows):
        assert "/oauth/token" in text
        for secret in secrets:
            assert secret not in text, secret


def test_described(person: Person) -> None:
    """What came and what was answered are told apart; the hint says why."""
    person.exchanges("nonsense")
    shown = described(last(person))
    assert (shown["method"], shown["path"], shown["status"]) == ("POST", "/oauth/token", 400)
    assert shown["came"]["parameters"] == {"grant_type": "authorization_code", "code": "***"}
    assert shown["came"]["headers"]["authorization"] == f"Basic {APPLICATION_ID}:***"
    assert shown["answered"]["body"] == {
        "error": "invalid_request",
        "error_description": "Invalid code: ***.",
    }
    assert shown["hint"] == "No such code was given out here."
    assert shown["milliseconds"] >= 0
    assert shown["at"].endswith("Z")


def test_described_redirect(person: Person) -> None:
    """Where a browser was sent is shown without what it carries."""
    person.reaches("grant", state="a-secret-state")
    person.submits(decision="deny")
    shown = described(last(person))
    assert shown["path"] == "/connect/***/grant"
    assert shown["answered"]["location"]["address"] == "http://localhost:8000/callback"
    parameters = shown["answered"]["location"]["parameters"]
    assert (parameters["error"], parameters["state"]) == ("access_denied", "***")


def test_described_json(person: Person) -> None:
    """A JSON body that came is shown, also what no other part of the sandbox could read."""
    person.client.post("/v3/subscriptions", json={"password": "p", "a": [{"vin": "v", "b": 1}]})
    assert described(last(person))["came"]["body"] == {"password": "***", "a": [{"vin": "***", "b": 1}]}
    for body in (b"\xff{", b"[" * 100_000, b"{"):
        person.client.post("/v3/subscriptions", content=body)
        assert described(last(person))["came"]["body"] == {}


def test_line(person: Person) -> None:
    """A line for a terminal has time, method, status, path, and why not."""
    person.client.get("/v2.0/user")
    assert re.fullmatch(r"\d\d:\d\d:\d\d GET    401 /v2.0/user  Send the access token .*", line(last(person)))
    person.reaches("grant")
    person.submits(decision="deny")
    assert line(last(person)).endswith("POST   302 /connect/***/grant  access_denied")


def test_json_line(person: Person) -> None:
    """A line for a program is one JSON object, whatever the application sent."""
    person.client.get("/oauth/authorize?make=%ff%00%0a\u2028")
    assert "\n" not in json_line(last(person))
    assert json.loads(json_line(last(person)))["path"] == "/oauth/authorize"


def test_log_told_of_each_request() -> None:
    """`log` hears of a request once it is answered; the inspector and static files are not requests."""
    told: list[Recorded] = []
    with Sandbox(log=told.append) as sandbox, httpx.Client(base_url=sandbox.origin) as client:
        for path in ("/inspector", "/health", "/static/sandbox.css", "/favicon.ico", "/v2.0/user"):
            client.get(path)
    assert [(one.path, one.status) for one in told] == [("/v2.0/user", 401)]


def test_page(person: Person) -> None:
    """The latest come first, those that went wrong can be had alone, and nothing is inline."""
    assert "Nothing yet" in person.client.get("/inspector").text
    person.connects()
    person.client.get("/v2.0/user")
    response = person.client.get("/inspector")
    paths = re.findall(r"<code>(/[^<]*)</code>", response.text)
    assert paths[0] == "/v2.0/user"
    assert paths[-1] == "/oauth/authorize"
    assert "style=" not in response.text
    assert "<script>" not in response.text
    assert "connect-src 'self'" in response.headers["content-security-policy"]
    errors = person.client.get("/inspector?only=errors").text
    assert re.findall(r"<code>(/[^<]*)</code>", errors) == ["/v2.0/user"]


@pytest.mark.parametrize("markup", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_page_with_hostile_requests(person: Person, markup: str) -> None:
    """Whatever came is shown as text."""
    person.client.get(
        "/oauth/authorize", params={"make": markup, markup: "x"}, headers={"user-agent": markup}
    )
    text = person.client.get("/inspector").text
    assert markup not in text
    assert "&lt;" in text


def test_hint_cannot_split_a_header(person: Person) -> None:
    """What the application sent comes back in a hint without the line break that was in it."""
    response = person.opens(redirect_uri="http://localhost\r\nx-evil: 1\u00fc")
    assert response.status_code == 400
    assert "x-evil" not in response.headers
    assert response.headers["sandbox-hint"].startswith("http://localhost??x-evil: 1? can't be used.")


@pytest.fixture
def page(browser: Browser) -> Any:
    """A page that reports what its policy forbade."""
    with browser.new_context() as context:
        yield context.new_page()


@pytest.mark.browser
def test_page_in_chromium_keeps_up(page: Page) -> None:
    """New requests appear at the top by themselves, open ones stay open, and Live can be turned off."""
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.origin) as client:
        client.get("/v2.0/first")
        page.goto(f"{sandbox.origin}/inspector")
        rows = page.locator("#log > li")
        expect(rows).to_have_count(1)
        rows.locator("summary").click()
        client.get("/v2.0/second")
        expect(rows).to_have_count(2, timeout=PATIENCE)
        expect(rows.nth(0)).to_contain_text("/v2.0/second")
        expect(rows.nth(1).get_by_text("Came")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("1 new request")
        page.get_by_role("button", name="Live").press("Enter")
        expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")
        client.get("/v2.0/third")
        page.get_by_role("link", name="Show what went wrong").click()
        expect(rows).to_have_count(3)
    expect(page.get_by_role("status")).to_have_text("The sandbox doesn't answer.", timeout=PATIENCE)
    assert [each for each in troubles if "ERR_CONNECTION_REFUSED" not in each] == []
