"""The loopback host with a person's own Chromium, opened through `webbrowser`."""

import json
import sys
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from browser.desk import Desk
from browser.engines import firefox, webkit
from browser.flow import connect_as, press
from smartcar_auth.words import WORDS
from terminal import Terminal

pytestmark = [
    pytest.mark.browser,
    # Selenium's own driver of WebKitGTK does what Selenium has deprecated.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]

PROGRAM = """
import json, sys
from smartcar_auth import Smartcar, SmartcarAuthError
from smartcar_auth.hosts.loopback import connect
smartcar = Smartcar(application_id="an-application", connect_origin=sys.argv[1])
try:
    print("granted", connect(smartcar, **{"ports": [0], "timeout_seconds": 60, **json.loads(sys.argv[2])}).code)
except SmartcarAuthError as error:
    print("failed", error.code)
"""
ADDRESS = r"\n(http://\S+/oauth/authorize\S+)\n"
MAGIC = {
    "invalid_subscription": "smartcar@invalid-subscription.com",
    "no_vehicles": "0-vehicles@smartcar.com",
    "vehicle_incompatible": "smartcar@vehicle-incompatible.com",
}


@pytest.fixture(scope="module")
def desk(playwright, tmp_path_factory):
    made = Desk(playwright, tmp_path_factory.mktemp("desk"))
    yield made
    made.close()


@pytest.fixture
def connecting(desk, sandbox):
    """Start a program that connects: its terminal, and the window that it opens."""

    @contextmanager
    def started(**options):
        with desk.windows.expect_page() as opened:
            terminal = desk.runs("-c", PROGRAM, sandbox.origin, json.dumps(options))
        with terminal:
            yield terminal, opened.value
        opened.value.close()

    return started


def sent(terminal):
    """What Connect was asked: its parameters, as the program said them."""
    url = terminal.shows(ADDRESS)[1]
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_owner_allows(connecting):
    """The code is with the program; the page is whole, although nobody answers any more."""
    with connecting() as (terminal, window):
        said, failed = [], []
        window.on("console", lambda message: said.append(message.text))
        window.on("requestfailed", lambda request: failed.append(request.url))
        connect_as(window, brand="TESLA")
        expect(window.get_by_role("heading", name="Your car is connected")).to_be_visible()
        code = terminal.shows(r"granted (\S+)")[1]
        assert terminal.ends() == 0
        query = parse_qs(urlsplit(window.url).query)
        assert query["code"] == [code]
        assert window.evaluate("getComputedStyle(document.body).display") == "grid"
        assert window.evaluate("document.documentElement.lang") == "en"
        assert window.title() == "Your car is connected"
        assert (said, failed) == ([], [])


@pytest.mark.parametrize("code", MAGIC)
def test_owner_meets_a_dead_end(connecting, code):
    """What Connect says arrives as its error, and as words in the window."""
    with connecting() as (terminal, window):
        connect_as(window, MAGIC[code], brand="TESLA", decision="")
        press(window, "#back-to-application-button")
        expect(window.get_by_role("heading", name=WORDS[code][0])).to_be_visible()
        terminal.shows(f"failed {code}")


@pytest.mark.parametrize(
    "error",
    [
        "access_denied",
        "configuration_error",
        "server_error",
        "oem_cancelled_login",
        "user_cancelled",
        "battery_capacity_no_selection",
    ],
)
def test_connect_ends_with_an_error(connecting, sandbox, error):
    """Every other end, chosen beforehand."""
    code = {"user_cancelled": "user_exited", "battery_capacity_no_selection": "unknown_error"}.get(
        error, error
    )
    sandbox.next(outcome=error)
    with connecting() as (terminal, window):
        expect(window.get_by_role("heading", name=WORDS[code][0])).to_be_visible()
        terminal.shows(f"failed {code}")


def test_owner_denies(connecting):
    """By the button."""
    with connecting() as (terminal, window):
        connect_as(window, brand="TESLA", decision="#deny-button")
        expect(window.get_by_role("heading", name="No access was given")).to_be_visible()
        terminal.shows("failed access_denied")


def test_owner_closes_the_window(connecting):
    """No verdict: the program waits until its time is over."""
    with connecting(timeout_seconds=4) as (terminal, window):
        window.close()
        terminal.shows("failed timeout")


def test_two_programs_at_once(connecting):
    """Each has a port and a window; they end in the other order, each with its own code."""
    with connecting() as (first, one), connecting() as (second, other):
        assert sent(first)["redirect_uri"] != sent(second)["redirect_uri"]
        for terminal, window in ((second, other), (first, one)):
            connect_as(window, brand="TESLA")
            window.get_by_role("heading", name="Your car is connected").wait_for()
            code = terminal.shows(r"granted (\S+)")[1]
            assert parse_qs(urlsplit(window.url).query)["code"] == [code]


def test_answer_of_an_earlier_attempt_on_the_same_port(connecting, desk):
    """A window left over says so, and the attempt of now goes on."""
    with connecting() as (terminal, old):
        port = urlsplit(sent(terminal)["redirect_uri"]).port
        terminal.types("\x03")
        terminal.ends()
        with connecting(ports=[port]) as (terminal, window):
            connect_as(old, brand="TESLA")
            expect(old.get_by_role("heading", name=WORDS["altered"][0])).to_be_visible()
            connect_as(window, brand="TESLA")
            terminal.shows("granted")


def test_page_under_a_rebound_name(connecting, desk):
    """It knows the state, even, and reaches nothing."""
    with connecting() as (terminal, window):
        asked = sent(terminal)
        port = urlsplit(asked["redirect_uri"]).port
        hostile = desk.windows.new_page()
        answer = hostile.goto(f"http://rebound.example:{port}/callback?code=forged&state={asked['state']}")
        assert (answer.status, hostile.inner_text("body")) == (421, "Misdirected Request")
        hostile.close()
        connect_as(window, brand="TESLA")
        assert terminal.shows(r"granted (\S+)")[1] != "forged"


def test_hostile_page_asks_in_the_background(connecting, desk, serve):
    """Images, frames and requests of another site's page are strays without the state."""

    async def page(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}
        )
        await send({"type": "http.response.body", "body": b"<!doctype html><title>Hostile</title>"})

    with connecting() as (terminal, window):
        target = f"{sent(terminal)['redirect_uri']}?code=forged&state=guessed"
        hostile = desk.windows.new_page()
        hostile.goto(serve(page, host="127.0.0.1").origin)
        hostile.evaluate(
            """async (target) => {
                const loaded = (name) => new Promise((done) => {
                    const element = document.createElement(name);
                    element.onload = element.onerror = done;
                    element.src = target;
                    document.body.append(element);
                });
                await Promise.all([loaded("img"), loaded("iframe"), fetch(target, {mode: "no-cors"}).catch(() => 0)]);
            }""",
            target,
        )
        hostile.close()
        connect_as(window, brand="TESLA")
        assert terminal.shows(r"granted (\S+)")[1] != "forged"


def test_window_like_an_apps(connecting):
    """Without an address bar, where the program asks for one."""
    with connecting(browser="app") as (terminal, window):
        assert window.evaluate("matchMedia('(display-mode: standalone)').matches")
        connect_as(window, brand="TESLA")
        expect(window.get_by_role("heading", name="Your car is connected")).to_be_visible()
        terminal.shows("granted")


def test_program_on_another_machine(desk, sandbox):
    """Its localhost isn't the browser's: the last page doesn't load, and its address is pasted at the prompt."""
    alone = 'ip link set lo up && exec "$@"'
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", alone, "sh", sys.executable, "-c", PROGRAM]
    environment = {
        name: value for name, value in desk.environment.items() if name not in ("BROWSER", "DISPLAY")
    }
    with Terminal(*command, sandbox.origin, "{}", env=environment) as terminal:
        asked = sent(terminal)
        terminal.shows("No browser opens here")
        window = desk.windows.new_page()
        window.goto(terminal.shows(ADDRESS)[1])
        with window.expect_event("requestfailed") as failed:  # whose address stays in the address bar
            connect_as(window, brand="TESLA")
        assert failed.value.url.startswith(f"{asked['redirect_uri']}?code=")
        terminal.types(failed.value.url + "\n")
        terminal.shows("granted")
        window.close()


@pytest.mark.parametrize("name", ["firefox", "webkit"])
def test_page_in_another_engine(desk, sandbox, playwright, name):
    """Its one answer holds the stylesheet, which the page's policy lets in."""
    with (
        desk.runs("-c", PROGRAM, sandbox.origin, json.dumps({"browser": None})) as terminal,
        firefox(playwright) if name == "firefox" else webkit() as engine,
        engine() as person,
    ):
        sandbox.next(outcome="granted")
        window = person()
        window.go(terminal.shows(ADDRESS)[1])
        window.reads("h1", "Your car is connected")
        assert window.run("getComputedStyle(document.body).display") == "grid"
        terminal.shows("granted")
