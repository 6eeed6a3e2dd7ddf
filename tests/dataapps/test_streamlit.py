"""Streamlit: the table of outcomes, and what is its own: reruns, fragments, st.login, iframes, AppTest."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from browser.flow import connect_as
from dataapps.outcomes import (
    ALLOW,
    AT_LOAD,
    BUTTON,
    DENY,
    HERE,
    STATUS,
    Anybody,
    EveryApp,
    sign_in,
)
from dataapps.serving import App, serving
from smartcar_auth import AccessDenied, Smartcar
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser

APPS = Path(__file__).parent / "streamlit"
OPTIONS = ["--server.headless=true", "--browser.gatherUsageStats=false", "--server.fileWatcherType=none"]
READY = "/_stcore/health"
COOKIE_SECRET = "a-secret-of-st-login-of-32-bytes-or-more"


def streamlit_run(script: str) -> Any:
    command = [sys.executable, "-m", "streamlit", "run", APPS / script, *OPTIONS]
    return lambda port: [*command, f"--server.port={port}"]


@pytest.fixture(scope="module")
def app(sandbox: Sandbox) -> Iterator[App]:
    """Started with `streamlit run app.py`; its settings are in the environment."""
    with serving(streamlit_run("app.py"), sandbox, path=READY) as served:
        yield served


@pytest.fixture(scope="module")
def garage(sandbox: Sandbox) -> Iterator[App]:
    """Started with uvicorn, under `server.baseUrlPath`; its settings are in secrets.toml, and people log in."""
    command = [sys.executable, "-m", "uvicorn", "--app-dir", APPS / "garage", "app:app", "--port"]
    with serving(lambda port: [*command, str(port)], sandbox, path=f"/shop{READY}") as served:
        yield served


@pytest.fixture(scope="module")
def framed(sandbox: Sandbox) -> Iterator[App]:
    """Started with `python app.py`; without components v2."""
    command = [sys.executable, APPS / "framed" / "app.py"]
    with serving(lambda port: [*command, str(port)], sandbox, path=READY) as served:
        yield served


@pytest.fixture
def context(anybody: Anybody) -> BrowserContext:
    return anybody()._context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


class TestStreamlit(EveryApp):
    """The table of outcomes."""


def test_result_survives_a_lost_connection(anybody: Anybody, app: App) -> None:
    """As on a phone, whose page sleeps while the other window is open: what the page told is sent again."""
    app.sandbox.reset()
    sockets: list[Any] = []
    away = False

    def connect(socket: Any) -> None:
        sockets.append(socket)
        if not away:
            socket.connect_to_server()

    somebody = anybody()
    somebody._context.route_web_socket("**/_stcore/stream", connect)
    page = somebody.visit(app)
    page.says("nothing yet")
    popup = page.open(BUTTON)
    sign_in(popup)
    popup.reads(ALLOW, "Allow")
    away = True
    sockets[-1].close()
    popup.press(ALLOW)
    popup.gone()
    page.reads(STATUS, "Connected.")
    page.says("nothing yet")
    away = False
    for socket in sockets[1:]:
        socket.close()
    page.says_granted()


def log_in(context: BrowserContext, app: App, person: str, secret: str = COOKIE_SECRET) -> None:
    """As st.login leaves it: the provider's answer in a cookie that Streamlit signed."""
    name = "_streamlit_user"
    user = json.dumps({"origin": app.origin, "is_logged_in": True, "sub": person})
    value = create_signed_value(secret, name, user).decode()
    context.add_cookies(
        [{"name": name, "value": value, "domain": "localhost", "path": "/shop", "httpOnly": True}]
    )


def button(page: Page, number: int) -> Any:
    return page.locator(BUTTON).nth(number)


def test_buttons_keep_their_results(context: BrowserContext, page: Page, garage: App) -> None:
    """Each key has its own, through reruns, until it is deleted; the callback runs once, in a fragment too."""
    garage.sandbox.reset()
    log_in(context, garage, "ann")
    page.goto(f"{garage.origin}/shop")
    garage.sandbox.next(outcome="granted")
    button(page, 0).click()
    expect(page.locator("#first")).to_have_text("granted ann 1")
    (asked,) = garage.sandbox.requests
    sent = {name: values[0] for name, values in parse_qs(asked.query.decode()).items()}
    assert sent["application_id"] == "the-application-of-secrets-toml"
    assert sent["scope"] == "read_odometer read_location"
    assert sent["redirect_uri"] == f"{garage.origin}/shop/smartcar/callback"
    assert (sent["make"], sent["approval_prompt"]) == ("TESLA", "force")
    garage.sandbox.next(outcome="access_denied")
    button(page, 1).click()
    expect(page.locator("#second")).to_have_text("failed access_denied")
    runs = page.locator("#runs").text_content()
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("#runs")).not_to_have_text(runs or "")
    expect(page.locator("#first")).to_have_text("granted ann 1")
    expect(page.locator("#log")).to_have_text("first: granted ann 1; second: failed access_denied")
    page.get_by_role("button", name="Forget").click()
    expect(page.locator("#first")).to_have_text("nothing yet")
    expect(page.locator("#second")).to_have_text("failed access_denied")


def test_button_that_was_away_has_the_result(context: BrowserContext, page: Page, garage: App) -> None:
    """The script showed something else while the person was at Connect, as a page of a multipage app does."""
    garage.sandbox.reset()
    log_in(context, garage, "ann")
    page.goto(f"{garage.origin}/shop")
    with page.expect_popup() as opened:
        button(page, 0).click()
    connect_as(opened.value, decision="")
    page.get_by_text("Hide the first bay").click()
    expect(page.locator("#first")).to_have_count(0)
    opened.value.click(DENY, no_wait_after=True)
    opened.value.wait_for_event("close")
    page.get_by_text("Hide the first bay").click()
    expect(page.locator("#first")).to_have_text("failed access_denied")
    expect(page.locator("#log")).to_have_text("first: failed access_denied")


def test_page_of_another_person_gets_no_car(context: BrowserContext, page: Page, garage: App) -> None:
    """Ben logs in behind Ann's page: what is sealed for her is refused, and what he connects is not hers."""
    garage.sandbox.reset()
    log_in(context, garage, "ann")
    page.goto(f"{garage.origin}/shop")
    expect(page.locator("#person")).to_have_text("ann")
    log_in(context, garage, "ben")
    with page.expect_popup() as opened:
        button(page, 0).click()
    expect(page.locator("#first")).to_contain_text("failed state_mismatch")
    assert opened.value.url.startswith(f"{garage.origin}/shop/smartcar/launch?")
    garage.sandbox.next(outcome="granted")
    button(page, 1).click()
    expect(page.locator("#second")).to_have_text("failed state_mismatch other_person")


def test_forged_login_is_nobody(context: BrowserContext, page: Page, garage: App) -> None:
    """A cookie that Streamlit did not sign says nothing about anybody, on the page and at launch."""
    garage.sandbox.reset()
    log_in(context, garage, "ann", secret="a-secret-of-somebody-else-of-32-bytes-or-more")
    page.goto(f"{garage.origin}/shop")
    expect(page.locator("#person")).to_have_text("None")
    garage.sandbox.next(outcome="granted")
    button(page, 1).click()
    expect(page.locator("#second")).to_have_text("granted None None")


def test_sealed_link_is_made_anew_before_it_expires(context: BrowserContext, page: Page, garage: App) -> None:
    """A page may lie open for hours, and its button works."""
    log_in(context, garage, "ann")
    page.clock.install()
    page.goto(f"{garage.origin}/shop")
    expect(page.locator("#runs")).to_have_text("1")
    expect(button(page, 0)).to_be_visible()
    page.clock.run_for(600_000)
    expect(page.locator("#runs")).to_have_text("2")


def test_buttons_in_iframes(context: BrowserContext, page: Page, framed: App) -> None:
    """Where Streamlit has no components v2: pop-up, result, callback, one attempt after another, the blocker."""
    framed.sandbox.reset()
    context.add_cookies([{"name": "person", "value": "ann", "url": framed.origin}])
    page.goto(framed.origin)
    frames = [page.frame_locator(f"iframe >> nth={number}") for number in range(2)]
    for number, outcome, reads in (
        (0, "granted", "AuthorizationResponse ann"),
        (1, "access_denied", "AccessDenied "),
        (0, "no_vehicles", "NoVehicles "),
    ):
        framed.sandbox.next(outcome=outcome)
        frames[number].locator(BUTTON).click()
        expect(page.locator(("#first", "#second")[number])).to_have_text(reads)
    assert all(b"external_id=an-order" in request.query for request in framed.sandbox.requests)
    expect(page.locator("#second")).to_have_text("AccessDenied ")
    expect(page.locator("#log")).to_have_text("AuthorizationResponse ann; AccessDenied ; NoVehicles ")


def test_blocked_person_leaves_the_iframe(context: BrowserContext, page: Page, framed: App) -> None:
    """The frame's link takes the whole tab along; it comes back to a new session, which has the result."""
    framed.sandbox.reset()
    context.add_cookies([{"name": "person", "value": "ann", "url": framed.origin}])
    page.add_init_script(AT_LOAD)
    with page.expect_console_message(lambda message: message.text == "clicked"):
        page.goto(framed.origin)
    expect(page.locator("#second")).to_have_text("PopupBlocked ")
    framed.sandbox.next(outcome="granted")
    page.frame_locator("iframe >> nth=1").locator(HERE).click()
    page.wait_for_url(f"{framed.origin}/?smartcar=granted")
    expect(page.locator("#second")).to_have_text("AuthorizationResponse ann")


def test_script_without_routes_says_what_to_write(sandbox: Sandbox, page: Page) -> None:
    """`streamlit run main.py` serves no routes: words in place of a button that would lead nowhere."""
    with serving(streamlit_run("main.py"), sandbox, path=READY) as served:
        page.goto(served.origin)
        expect(page.get_by_role("alert")).to_contain_text("streamlit run app.py")
        expect(page.locator("smartcar-connect")).to_have_count(0)


@pytest.mark.parametrize("missing", ["SECRET_KEYS", "APPLICATION_ID"])
def test_missing_setting_says_what_to_write_where(sandbox: Sandbox, page: Page, missing: str) -> None:
    """In the app, before anybody clicks."""
    with serving(streamlit_run("app.py"), sandbox, path=READY, **{f"SMARTCAR_{missing}": ""}) as served:
        page.goto(served.origin)
        words = page.get_by_test_id("stException")
        expect(words).to_contain_text(f"{missing.lower()} is missing")
        expect(words).to_contain_text("[smartcar]")


def test_example_shows_the_car(sandbox: Sandbox, page: Page) -> None:
    """The code is exchanged once, in the callback; the cars stay through another run."""
    sandbox.reset()
    example = Path(__file__).parents[2] / "examples" / "streamlit_app.py"
    with serving(
        lambda port: ["env", f"PORT={port}", sys.executable, example], sandbox, path=READY
    ) as served:
        page.goto(served.origin)
        with page.expect_popup() as opened:
            button(page, 0).click()
        connect_as(opened.value, brand="KIA")
        expect(page.get_by_test_id("stMetricLabel").first).to_contain_text("KIA")
        expect(page.get_by_test_id("stMetricValue").first).to_contain_text(" km")
        with page.expect_popup() as opened:
            button(page, 0).click()
        connect_as(opened.value, brand="KIA", decision="#deny-button")
        expect(page.get_by_text("Not connected: access_denied")).to_be_visible()
        expect(page.get_by_test_id("stMetricLabel").first).to_contain_text("KIA")
    assert [request.path for request in sandbox.requests].count("/oauth/token") == 1


def test_app_test_sets_the_result() -> None:
    """As docs/hosts/streamlit.md has it: without routes, settings or a browser."""
    smartcar = Smartcar(
        application_id="an-application", redirect_uri="http://localhost:8501/smartcar/callback"
    )
    at = AppTest.from_file(str(APPS / "main.py")).run()
    assert not at.exception
    assert says(at) == "nothing yet"
    at.session_state["car"] = smartcar.read_response("code=a-code&state=abc", state="abc")
    assert says(at.run()) == "granted a-code"
    at.session_state["car"] = AccessDenied()
    assert says(at.run()) == "failed access_denied"
    del at.session_state["car"]
    assert says(at.run()) == "nothing yet"


def says(at: AppTest) -> str:
    (html,) = (element.proto.body for element in at.get("html"))
    return str(html).split(">")[1].split("<")[0]
