"""Each hostile switch in Chromium: what becomes of an attempt with our host, and with the official SDK's page."""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from browser.application import Application, Server
from browser.flow import Garage, connect_as, press
from browser.front_end import official_page
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


@pytest.fixture(scope="module")
def served(running: Sandbox) -> Iterator[Application]:
    """A site whose `on_complete` exchanges the code, as a back end does."""

    def exchange(request: Any, response: Any) -> dict[str, str]:
        data = {"grant_type": "authorization_code", "code": response.code}
        httpx.post(running.token_url, data=data, auth=("an-application", "secret")).raise_for_status()
        return {"message": "Added to the garage."}

    app = Application(running.origin, outcome=exchange)
    app.server = Server(app)
    yield app
    app.server.stop()


@pytest.fixture
def app(served: Application) -> Application:
    served.granted.clear()
    served.errors.clear()
    return served


@pytest.fixture(scope="module")
def official_server() -> Iterator[Server]:
    server = Server(official_page())
    yield server
    server.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def garage(sandbox: Sandbox, app: Application, context: BrowserContext) -> Garage:
    """Our page, opened in the browser."""
    return Garage(context.new_page(), app.url)


class Official:
    """A page with the official SDK, unchanged, whose pop-up finds Connect in the sandbox."""

    def __init__(self, page: Page, origin: str, sandbox: Sandbox) -> None:
        self.page = page
        self.sandbox = sandbox
        page.goto(f"{origin}/")
        self.begin({"redirectUri": f"{sandbox.origin}/v2/redirect?app_origin={origin}"})

    def begin(self, options: dict[str, str]) -> None:
        """Make a `Smartcar` with these options."""
        self.page.evaluate("options => begin(options)", options)

    def open(self) -> Page:
        """What its button does, but for the address of Connect."""
        with self.page.expect_popup() as opened:
            self.page.evaluate(
                """origin => {
                  const address = smartcar.getAuthUrl({vehicleInfo: {make: "TESLA"}});
                  open(address.replace("https://connect.smartcar.com", origin), "Connect your car", "popup");
                }""",
                self.sandbox.origin,
            )
        return opened.value

    @property
    def completed(self) -> list[dict[str, Any]]:
        """What onComplete was told so far."""
        found: list[dict[str, Any]] = self.page.evaluate("completed")
        return found

    def completes(self) -> None:
        """onComplete is told of a code, once."""
        self.page.wait_for_function("completed.length")
        (only,) = self.completed
        assert only["code"]
        assert only["error"] is None

    def was_told_and_said_nothing(self) -> None:
        """The redirect page's message has arrived, and onComplete knows nothing of it."""
        self.page.wait_for_function("messages.some(({ name }) => name === 'SmartcarAuthMessage')")
        assert self.completed == []


@pytest.fixture
def official(sandbox: Sandbox, official_server: Server, context: BrowserContext) -> Official:
    return Official(context.new_page(), official_server.origin, sandbox)


def stays_behind(popup: Page) -> None:
    """The window is at the redirect page, which has nobody to tell."""
    popup.wait_for_url(re.compile("/v2/redirect"))
    expect(popup).to_have_title("Smartcar Redirect")
    assert popup.evaluate("opener") is None


# Nothing goes wrong: without this the rest would prove little.


def test_nothing_wrong(sandbox: Sandbox, garage: Garage, app: Application) -> None:
    """Our page is told and the window closes."""
    sandbox.next(outcome="granted")
    popup = garage.open()
    garage.ended("granted")
    expect_closed(popup)
    assert len(app.granted) == 1


def test_nothing_wrong_official(sandbox: Sandbox, official: Official) -> None:
    """So is the official SDK's."""
    sandbox.next(outcome="granted")
    popup = official.open()
    official.completes()
    expect_closed(popup)


def test_nothing_wrong_without_redirect_uri(sandbox: Sandbox, official: Official) -> None:
    """Without a redirect URI, Connect itself tells the official SDK's page."""
    official.begin({"responseType": "none", "externalId": "ada"})
    sandbox.next(outcome="granted")
    popup = official.open()
    official.page.wait_for_function("completed.length")
    (only,) = official.completed
    assert (only["code"], only["externalId"]) == (None, "ada")
    assert only["userId"]
    expect_closed(popup)


# Who opened the window can't be reached from it any more.


@pytest.mark.parametrize("switch", [{"coop": "connect"}, {"opener": "cut"}])
def test_opener_lost(sandbox: Sandbox, garage: Garage, app: Application, switch: Any) -> None:
    """Our page learns the outcome all the same, and the window closes."""
    sandbox.next(outcome="granted", **switch)
    popup = garage.open()
    assert garage.ended("granted")["data"] == {"message": "Added to the garage."}
    expect_closed(popup)
    assert len(app.granted) == 1


@pytest.mark.parametrize("switch", [{"coop": "connect"}, {"opener": "cut"}])
def test_opener_lost_official(sandbox: Sandbox, official: Official, switch: Any) -> None:
    """The official SDK is told nothing, and an empty window stays."""
    sandbox.next(outcome="granted", **switch)
    stays_behind(official.open())
    assert official.completed == []


def test_coop_on_the_login(sandbox: Sandbox, garage: Garage, app: Application) -> None:
    """A brand's login that cuts the opener costs us nothing."""
    sandbox.next(coop="login")
    popup = garage.open()
    popup.click("#continue-button")
    popup.wait_for_url("**/login")
    assert popup.evaluate("opener") is None
    popup.fill("#username", "owner@example.com")
    popup.fill("#password", "any")
    popup.click("#sign-in-button")
    press(popup, "#approval-button")
    garage.ended("granted")


def test_coop_on_the_login_official(sandbox: Sandbox, official: Official) -> None:
    """It costs the official SDK the outcome."""
    sandbox.next(coop="login")
    popup = official.open()
    connect_as(popup)
    stays_behind(popup)
    assert official.completed == []


# The answer comes more than once, or to somebody else.


def test_answer_twice(sandbox: Sandbox, garage: Garage, app: Application, context: BrowserContext) -> None:
    """Two windows bring the same answer; the function runs once, and the page is told once."""
    sandbox.next(outcome="granted", answer="twice")
    popup = garage.open()
    press(popup, "#answer-link")
    garage.ended("granted")
    expect_asked(app, "/smartcar/callback", 2)
    assert len(app.granted) == 1
    assert [event["name"] for event in garage.events] == ["opened", "granted"]


def test_answer_twice_official(sandbox: Sandbox, official: Official) -> None:
    """The second window has another opener, so the official SDK completes once."""
    sandbox.next(outcome="granted", answer="twice")
    press(official.open(), "#answer-link")
    official.completes()


def test_answer_in_another_browser(
    sandbox: Sandbox, garage: Garage, app: Application, browser: Browser
) -> None:
    """Another browser is refused, in words; ours finishes the attempt it began."""
    sandbox.next(outcome="granted", answer="other_browser")
    popup = garage.open()
    address = popup.input_value("#answer-address")
    with browser.new_context() as elsewhere:
        page = elsewhere.new_page()
        page.goto(address)
        expect(page.locator("main, body").first).to_contain_text("another browser")
    assert [getattr(error, "cause", "") for error in app.errors] == ["other_browser"]
    assert app.granted == []
    press(popup, "#answer-link")
    garage.ended("granted")


def test_answer_in_another_browser_official(sandbox: Sandbox, official: Official, browser: Browser) -> None:
    """The official redirect page has no opener there and fails; nobody is told."""
    sandbox.next(outcome="granted", answer="other_browser")
    address = official.open().input_value("#answer-address")
    with browser.new_context() as elsewhere:
        page = elsewhere.new_page()
        with page.expect_event("pageerror") as raised:
            page.goto(address)
        assert "opener" in str(raised.value)
    assert official.completed == []


# The state isn't what was sent.


@pytest.mark.parametrize(
    ("outcome", "state", "error"),
    [
        ("granted", "dropped", "missing"),
        ("access_denied", "dropped", "missing"),
        ("granted", "altered", "altered"),
        ("granted", "doubled", "duplicate_parameter"),
    ],
)
def test_state_spoilt(
    sandbox: Sandbox, garage: Garage, app: Application, outcome: str, state: str, error: str
) -> None:
    """An answer that proves nothing is refused, also an error; the person reads why and can begin again."""
    sandbox.next(outcome=outcome, state=state)
    popup = garage.open()
    expect(popup.get_by_role("heading")).to_be_visible()
    popup.wait_for_url("**/smartcar/callback?*")
    assert [getattr(one, "cause", None) or one.code for one in app.errors] == [error]
    assert app.granted == []
    popup.close()
    garage.says("Still connecting?")
    sandbox.next(outcome="granted")
    garage.open(garage.reopen)
    garage.ended("granted")


@pytest.mark.parametrize("state", ["dropped", "altered"])
def test_state_spoilt_official(sandbox: Sandbox, official: Official, state: str) -> None:
    """The official SDK hears the message and says nothing to anybody."""
    sandbox.next(outcome="granted", state=state)
    official.open()
    official.was_told_and_said_nothing()


def test_state_doubled_official(sandbox: Sandbox, official: Official) -> None:
    """The official SDK takes the first of two."""
    sandbox.next(outcome="granted", state="doubled")
    official.open()
    official.completes()


def test_error_without_state_official(sandbox: Sandbox, official: Official) -> None:
    """An error without a state is lost."""
    sandbox.next(outcome="access_denied", state="dropped")
    official.open()
    official.was_told_and_said_nothing()


# The window goes away.


@pytest.mark.parametrize("screen", ["welcome", "grant", "answer"])
def test_window_closes(sandbox: Sandbox, garage: Garage, app: Application, screen: str) -> None:
    """Our page notices, asks, and takes the person's word for it."""
    if screen == "answer":
        sandbox.next(outcome="granted", closes_at=screen)
    else:
        sandbox.next(closes_at=screen)
    popup = garage.open()
    if screen == "grant":
        connect_as(popup, decision="")
    expect_closed(popup)
    garage.says("Still connecting?")
    garage.cancel.click()
    assert garage.ended("failed")["code"] == "cancelled"
    assert app.codes == ["cancelled"]


def test_window_closes_official(sandbox: Sandbox, official: Official) -> None:
    """The official SDK never knows."""
    sandbox.next(closes_at="welcome")
    expect_closed(official.open())
    assert official.completed == []


# Connect has a bad day.


def test_connect_fails_once(sandbox: Sandbox, garage: Garage) -> None:
    """The person reads it and reloads; the attempt is the same one and completes."""
    sandbox.next(outcome="granted", connect=503)
    popup = garage.open()
    expect(popup.get_by_role("heading", level=1)).to_contain_text("503")
    reload(popup)
    garage.ended("granted")


def test_connect_fails_once_official(sandbox: Sandbox, official: Official) -> None:
    """So does the official SDK."""
    sandbox.next(outcome="granted", connect=503)
    popup = official.open()
    expect(popup.get_by_role("heading", level=1)).to_contain_text("503")
    reload(popup)
    official.completes()


def test_connect_offline(sandbox: Sandbox, garage: Garage) -> None:
    """A connection that ends without an answer is an error page of the browser, from which one reloads."""
    sandbox.next(outcome="granted", connect="offline")
    reload(garage.open())
    garage.ended("granted")
    assert [one.status for one in sandbox.requests.to("/oauth/authorize")] == [0, 302]


def test_connect_offline_official(sandbox: Sandbox, official: Official) -> None:
    """With the official SDK as well."""
    sandbox.next(outcome="granted", connect="offline")
    reload(official.open())
    official.completes()


def test_connect_slow(sandbox: Sandbox, garage: Garage) -> None:
    """A slow Connect is waited for."""
    sandbox.next(outcome="granted", connect="slow", slow_seconds=0.7)
    garage.open()
    garage.ended("granted")


def test_connect_slow_official(sandbox: Sandbox, official: Official) -> None:
    """By the official SDK, too."""
    sandbox.next(outcome="granted", connect="slow", slow_seconds=0.7)
    official.open()
    official.completes()


# The code is worth nothing.


@pytest.mark.parametrize("exchange", ["used", 429])
def test_exchange_fails(sandbox: Sandbox, garage: Garage, app: Application, exchange: str | int) -> None:
    """The back end's failure reaches the page as `handler_failed`, and the window says so."""
    sandbox.next(outcome="granted", exchange=exchange)
    garage.open()
    assert garage.ended("failed")["code"] == "handler_failed"
    assert sandbox.requests.one("/oauth/token").status in (400, 429)


def test_exchange_fails_official(sandbox: Sandbox, official: Official) -> None:
    """The official SDK hands the code to the page, which finds out with its own server."""
    sandbox.next(outcome="granted", exchange="used")
    official.open()
    official.completes()


def test_switches_from_the_controls(sandbox: Sandbox, garage: Garage, app: Application) -> None:
    """A person turns the switches below a screen, goes on from there, and they work."""
    popup = garage.open()
    popup.click(".controls summary")
    popup.select_option("#sandbox-coop", "connect")
    popup.select_option("#sandbox-state", "altered")
    popup.select_option("#sandbox-screens", "pin")
    popup.click("#sandbox-apply-button")
    expect(popup.locator("#sandbox-state")).to_have_value("altered")
    assert popup.evaluate("opener") is None
    connect_as(popup, decision="")
    popup.fill("#verification-code", "1234")
    popup.click("#verify-button")
    popup.click("#approval-button")
    popup.wait_for_url("**/smartcar/callback?*")
    assert [getattr(one, "cause", "") for one in app.errors] == ["altered"]


def reload(popup: Page) -> None:
    """Press the browser's reload button.

    Chromium does so by itself a moment after a connection has failed, and may be first; what comes of it is
    for the test to say.
    """
    with suppress(Error):
        popup.reload(wait_until="commit")


def expect_closed(popup: Page) -> None:
    """The window closes by itself, or has done so already."""
    if not popup.is_closed():
        popup.wait_for_event("close")


def expect_asked(app: Application, path: str, count: int) -> None:
    """The application is asked this often, in the end."""
    until = time.monotonic() + 10
    while len(app.paths(path)) < count:
        assert time.monotonic() < until, app.paths()
        time.sleep(0.02)
