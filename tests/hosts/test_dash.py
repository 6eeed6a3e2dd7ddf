"""The Dash host beyond the table of outcomes (tests/dataapps): prefixes, settings, and whose result it is."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dash import Dash, html
from dash.exceptions import PreventUpdate
from fastapi import FastAPI

from hosts.outcomes import APPLICATION_ID, ATTEMPT
from smartcar_auth import AuthorizationResponse, Cancelled, ConfigurationError, StateMismatch
from smartcar_auth.hosts.dash import SmartcarButton, SmartcarConnect

KEY = "k" * 32


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTCAR_APPLICATION_ID", APPLICATION_ID)


def made(prefix: str = "/", **options: Any) -> tuple[Dash, SmartcarConnect]:
    app = Dash(url_base_pathname=prefix)
    app.layout = html.Div(SmartcarButton(id="car"))
    return app, SmartcarConnect(app, secret_keys=KEY, **options)


def outcome_of(app: Dash, client: Any, answer: str = "code=the-code") -> dict[str, Any]:
    """Go through an attempt; what the page is told of it."""
    launched = client.get(f"/smartcar/launch?attempt={ATTEMPT}&display=popup")
    (state,) = parse_qs(urlsplit(launched.headers["Location"]).query)["state"]
    client.get(f"/smartcar/callback?{answer}&state={state}")
    return {"attempt": ATTEMPT, **client.get(f"/smartcar/status/{ATTEMPT}").json}


def collect(app: Dash, connect: SmartcarConnect, outcome: Any, cookies: str = "") -> AuthorizationResponse:
    """As in a callback of a browser with these cookies."""
    with app.server.test_request_context(headers={"Cookie": cookies}):
        return connect.result(outcome)


def cookies_of(client: Any) -> str:
    cookie = client.get_cookie(f"smartcar-{ATTEMPT}")
    return f"{cookie.key}={cookie.value}"


def test_page_under_a_prefix_names_routes_that_are_there() -> None:
    """Dash's prefix is before ours, on the page and on the server."""
    app, _ = made("/fleet/")
    client = app.server.test_client()
    page = client.get("/fleet/").text
    (launch,) = re.findall('data-launch="([^"]*)"', page)
    (module,) = re.findall('data-module="([^"]*)"', page)
    (script,) = re.findall('src="([^"]*/button[^"]*)"', page)
    assert launch == "/fleet/smartcar/launch"
    location = client.get(f"{launch}?make=TESLA").headers["Location"]
    assert parse_qs(urlsplit(location).query)["redirect_uri"] == ["http://localhost/fleet/smartcar/callback"]
    assert "javascript" in client.get(module).headers["Content-Type"]
    assert "javascript" in client.get(script).headers["Content-Type"]


def test_page_behind_a_proxy_that_cuts_a_prefix_off() -> None:
    """Pages know the whole path, the server what is left of it."""
    app = Dash(requests_pathname_prefix="/proxy/fleet/", routes_pathname_prefix="/fleet/")
    app.layout = html.Div()
    SmartcarConnect(app, secret_keys=KEY, public_url="https://app.example.com/proxy")
    client = app.server.test_client()
    assert 'data-launch="/proxy/fleet/smartcar/launch"' in client.get("/fleet/").text
    location = client.get("/fleet/smartcar/launch", base_url="https://app.example.com").headers["Location"]
    redirect_uri = "https://app.example.com/proxy/fleet/smartcar/callback"
    assert parse_qs(urlsplit(location).query)["redirect_uri"] == [redirect_uri]


def test_result_is_there_once_and_told_again_changes_nothing() -> None:
    """Dash calls back again when it shows a part of the page anew; what was handled stays as it is."""
    app, connect = made()
    client = app.server.test_client()
    outcome = outcome_of(app, client)
    assert "the-code" not in str(outcome)
    assert collect(app, connect, outcome, cookies_of(client)).code == "the-code"
    with pytest.raises(PreventUpdate):
        collect(app, connect, outcome, cookies_of(client))


def test_no_outcome_yet() -> None:
    """When a page begins, callbacks run without one."""
    app, connect = made()
    with pytest.raises(PreventUpdate):
        collect(app, connect, None)


def test_result_in_another_browser() -> None:
    """A claim without its attempt's cookie opens nothing, and spoils nothing for its own browser."""
    app, connect = made()
    client = app.server.test_client()
    outcome = outcome_of(app, client)
    for claim in (outcome, {**outcome, "attempt": "x"}, {**outcome, "attempt": None}):
        with pytest.raises(StateMismatch) as caught:
            collect(app, connect, claim)
        assert caught.value.cause == "other_browser"
    assert collect(app, connect, outcome, cookies_of(client)).code == "the-code"


@pytest.mark.parametrize("told", ["text", 7, [], {}, {"outcome": "granted"}, {"data": {"claim": ["x"]}}])
def test_outcome_that_is_none(told: Any) -> None:
    """Whatever a page may write into the property is refused in words."""
    app, connect = made()
    with pytest.raises(StateMismatch):
        collect(app, connect, told)


def test_launch_that_was_refused() -> None:
    """The page was told why; Python hears that it is the developer's move."""
    app, connect = made()
    told = {"message": "This link has expired."}
    refused = {"outcome": "failed", "attempt": ATTEMPT, "code": "invalid_configuration", "data": told}
    with pytest.raises(ConfigurationError):
        collect(app, connect, refused)


def test_end_without_an_answer() -> None:
    """No claim, no answer: the code alone says how it ended."""
    app, connect = made()
    with pytest.raises(Cancelled):
        collect(app, connect, {"outcome": "failed", "attempt": ATTEMPT, "code": "cancelled", "data": None})


def test_several_processes() -> None:
    """With `on_complete` the response stays where the answer came, and the page is told what it returned."""
    seen: list[str | None] = []

    def on_complete(request: Any, response: AuthorizationResponse) -> dict[str, int]:
        seen.append(response.code)
        return {"cars": 2}

    errors: list[str] = []
    app, connect = made(on_complete=on_complete, on_error=lambda request, error: errors.append(error.code))
    outcome = outcome_of(app, app.server.test_client())
    assert (outcome["data"], seen) == ({"cars": 2}, ["the-code"])
    outcome = outcome_of(app, app.server.test_client(), "error=access_denied")
    assert (outcome["code"], errors) == ("access_denied", ["access_denied"])
    with pytest.raises(ConfigurationError, match="on_complete has the response"):
        collect(app, connect, outcome)


def test_server_that_is_not_flask() -> None:
    """Said in words, where the developer sees it."""
    with pytest.raises(ConfigurationError, match="that is Flask"):
        SmartcarConnect(Dash(server=FastAPI()), secret_keys=KEY)


def test_keys_come_from_the_environment_or_last_as_long_as_the_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two processes with one setting understand each other; without any, nobody else can make a state."""

    def refused() -> str:
        first, second = Dash(), Dash()
        for app in (first, second):
            app.layout = html.Div()
            SmartcarConnect(app)
        launched = first.server.test_client().get(f"/smartcar/launch?attempt={ATTEMPT}")
        (state,) = parse_qs(urlsplit(launched.headers["Location"]).query)["state"]
        second.server.test_client().get(f"/smartcar/callback?code=c&state={state}")
        return caplog.messages[-1]

    monkeypatch.delenv("SMARTCAR_SECRET_KEYS", raising=False)
    assert refused().endswith("(altered)")
    monkeypatch.setenv("SMARTCAR_SECRET_KEYS", KEY)
    assert refused().endswith("(other_browser)")
