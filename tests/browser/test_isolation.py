"""Openers cut off, other origins, strict policies, forged messages: the outcome arrives, the secrets don't."""

import json

import pytest
from playwright.sync_api import expect

from browser.application import SAME_ORIGIN, Application, WithHeaders, static_page
from browser.flow import Garage, connect_as, press

pytestmark = pytest.mark.browser

STRICT = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "require-trusted-types-for 'script'"
)


@pytest.mark.parametrize("severed", ["page", "connect", "callback", "page and connect", "all"])
def test_opener_is_cut_off(application, garage, severing_sandbox, context, severed):
    """With Cross-Origin-Opener-Policy anywhere the handle reads closed, yet the flow completes in one window."""
    connect = severing_sandbox.origin if severed in ("connect", "page and connect", "all") else None
    app = application(
        connect_origin=connect, page_headers=SAME_ORIGIN if severed in ("page", "page and connect") else None
    )
    if severed in ("callback", "all"):
        app.app = WithHeaders(app.app, SAME_ORIGIN)
    page = garage(app)
    popup = page.open()
    popup.click("#continue-button")
    page.says("Still connecting?")
    page.button.click()
    assert len(context.pages) == 2
    popup.fill("#username", f"{severed.replace(' ', '-')}@example.com")
    popup.fill("#password", "any")
    popup.click("#sign-in-button")
    with popup.expect_event("close"):
        press(popup, "#approval-button")
    assert page.ended("granted")["data"] == {"message": "Added to the garage."}
    assert app.paths("/smartcar/launch") == ["/smartcar/launch"]
    assert len(app.granted) == 1


def test_reopened_window_counts_and_the_severed_one_does_not(application, garage, severing_sandbox):
    """After Reopen two windows are open; only the new one can connect."""
    app = application(connect_origin=severing_sandbox.origin)
    page = garage(app)
    old = page.open()
    new = page.open(page.reopen)
    new.wait_for_selector("#continue-button")
    connect_as(old)
    expect(old.locator("h1")).to_have_text("This attempt was cancelled")
    connect_as(new)
    page.ended("granted")
    assert len(app.granted) == 1


def front_end(serve, sandbox, headers=None):
    """An application, and a page on another port of the same host that uses its module."""
    scripts = {}
    page = static_page(
        '<!doctype html><title>Front end</title><script src="/record.js"></script>'
        '<script type="module" src="/front.js"></script><button id="own">Own</button>'
        '<smartcar-connect id="element">Connect your car</smartcar-connect>',
        scripts,
        headers,
    )
    front = serve(page)
    app = Application(sandbox.origin, allowed_origins=[front.origin])
    app.server = serve(app)
    scripts["front"] = f"""
        import {{ connect }} from "{app.origin}/smartcar/connect.js";
        const launch = "{app.origin}/smartcar/launch?make=TESLA";
        document.getElementById("element").setAttribute("launch", launch);
        document.getElementById("own").onclick = () => {{
          window.ended = connect({{ launch }}).catch(({{ code }}) => ({{ code }}));
        }};
    """
    return front, app


@pytest.mark.parametrize("headers", [None, SAME_ORIGIN], ids=["plain", "severed"])
def test_page_on_another_port(serve, sandbox, page, headers):
    """An allowed front end imports the module from the application; severed, only the status is left."""
    front, app = front_end(serve, sandbox, headers)
    front_page = Garage(page, front.origin)
    connect_as(front_page.open(page.locator("#own")))
    assert page.evaluate("ended")["data"] == {"message": "Added to the garage."}
    assert len(app.granted) == 1


def test_element_on_another_port(serve, sandbox, page):
    """The element works there too: closed window, cancelled across origins, and again to the end."""
    front, app = front_end(serve, sandbox)
    front_page = Garage(page, front.origin)
    front_page.open_and_close()
    front_page.cancel.click()
    assert front_page.ended("failed")["code"] == "cancelled"
    assert app.codes == ["cancelled"]
    connect_as(front_page.open())
    front_page.ended("granted")


def test_page_on_a_port_that_is_not_allowed(serve, sandbox, page):
    """A page that the application does not know gets no attempt; the window says why."""
    front, app = front_end(serve, sandbox)
    stranger = serve(front.app)
    popup = Garage(page, stranger.origin).open()
    expect(popup.get_by_text(f"The page's origin {stranger.origin} is not this app's")).to_be_visible()
    assert app.granted == []


def test_strict_policy(application, garage, context):
    """The policy of the documentation is enough: nothing violates it, on the page or on the callback page."""
    said = []
    context.on("console", lambda message: said.append(message.text))
    app = application(page_headers={"Content-Security-Policy": STRICT + "; img-src data:"})
    page = garage(app)
    popup = page.open()
    page.page.evaluate("dispatchEvent(new Event('focus'))")
    connect_as(popup)
    page.ended("granted")
    assert page.page.evaluate("violations") == []
    assert said == []


def test_strict_policy_without_connections(application, garage):
    """Where the page may ask nobody, the messages still arrive, and asking is all that is refused."""
    policy = STRICT.replace(" connect-src 'self';", " img-src data:;")
    app = application(page_headers={"Content-Security-Policy": policy})
    page = garage(app)
    popup = page.open()
    page.page.evaluate("dispatchEvent(new Event('focus'))")
    connect_as(popup)
    page.ended("granted")
    violations = page.page.evaluate("violations")
    assert {directive for directive, _ in violations} == {"connect-src"}
    assert all(address.startswith(f"{app.origin}/smartcar/status/") for _, address in violations)


def test_forged_messages_change_nothing(application, garage, serve):
    """Another origin's frame, the page itself, Connect's own window and a flood of them: none is believed."""
    app = application()
    page = garage(app)
    failures = []
    page.page.on("pageerror", lambda error: failures.append(str(error)))
    popup = page.open()
    popup.wait_for_selector("#continue-button")
    attempt = page.events[0]["detail"]["attempt"]
    right = {"name": "smartcar-connect", "attempt": attempt, "outcome": "granted", "data": {"forged": True}}
    original = {"name": "SmartcarAuthMessage", "isSmartcarHosted": True, "code": "x", "state": "y"}
    flood = f"for (let i = 0; i < 300; i++) for (const one of {json.dumps([right, original, None, 7])})"
    frame = serve(
        static_page('<script src="/flood.js"></script>', {"flood": f"{flood} parent.postMessage(one, '*')"})
    )
    page.page.evaluate(
        "src => document.body.append(Object.assign(document.createElement('iframe'), { src }))",
        frame.origin,
    )
    page.page.evaluate(f"{flood} postMessage(one, '*')")
    popup.evaluate(f"{flood} opener.postMessage(one, '*')")
    # The right road with another attempt's name, and the right name with no outcome.
    channel = f"new BroadcastChannel('smartcar-connect-{attempt}')"
    other = {**right, "attempt": "x" * 22}
    undecided = {**right, "outcome": "pending"}
    junk = json.dumps([other, undecided, None, 7])
    page.page.evaluate(f"for (const one of {junk}) {channel}.postMessage(one)")
    page.page.wait_for_function("messages.length >= 3600")
    assert [event["name"] for event in page.events] == ["opened"]
    connect_as(popup)
    assert page.ended("granted")["data"] == {"message": "Added to the garage."}
    assert failures == []


def test_no_secret_reaches_the_page(application, garage, page):
    """Neither code nor state is in anything that page JavaScript can read in server mode."""
    app = application()
    told = []
    page.on(
        "response",
        lambda answer: told.append(answer.text()) if answer.request.resource_type == "fetch" else 0,
    )
    garage_page = garage(app)
    page.evaluate(
        """() => addEventListener("smartcar-opened", ({ detail }) => {
             window.channel = new BroadcastChannel(`smartcar-connect-${detail.attempt}`);
             channel.onmessage = (event) => messages.push(event.data);
           })"""
    )
    popup = garage_page.open()
    page.evaluate("dispatchEvent(new Event('focus'))")
    connect_as(popup)
    attempt = garage_page.ended("granted")["attempt"]
    status = page.evaluate("id => fetch(`/smartcar/status/${id}`).then((answer) => answer.json())", attempt)
    assert status == {"outcome": "granted", "code": None, "data": {"message": "Added to the garage."}}
    messages = page.evaluate("messages")
    assert messages
    seen = json.dumps([messages, garage_page.events, told, page.evaluate("document.cookie"), page.content()])
    (response,) = app.granted
    assert response.code not in seen
    assert response.state not in seen
    assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize("stable", [False, True], ids=["hashed", "stable"])
def test_way_back_costs_one_request(application, garage, page, stable):
    """After Connect's redirect the browser asks for the callback page and for nothing else."""
    app = application(modules=("/own.js",) if stable else ())
    app.scripts["own.js"] = """
        import { connect } from "/smartcar/connect.js";
        document.getElementById("after").onclick = () => {
          window.ended = connect({ launch: "/smartcar/launch?make=TESLA" });
        };
    """
    garage_page = garage(app)
    popup = garage_page.open(page.locator("#after") if stable else None)
    connect_as(popup, decision="")
    before = len(app.requests)
    with popup.expect_event("close"):
        press(popup, "#approval-button")
    if stable:
        assert page.evaluate("ended")["outcome"] == "granted"
    else:
        garage_page.ended("granted")
    assert [path for _, path, _ in app.requests[before:]] == ["/smartcar/callback"]
