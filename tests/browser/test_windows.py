"""Windows that are closed, blocked, given up, opened twice; pages that wait too long."""

import pytest
from playwright.sync_api import expect

from browser.flow import connect_as, press

pytestmark = pytest.mark.browser

# A page that calls the module itself, without the element.
CALLS = """
import { connect } from "/smartcar/connect.js";
window.start = (options = {}) => {
  window.controller = new AbortController();
  window.ended = connect({ launch: "/smartcar/launch?make=TESLA", signal: controller.signal, ...options }).then(
    (result) => ({ result }),
    ({ name, message, outcome, attempt, code, data }) => ({ error: { name, message, outcome, attempt, code, data } }),
  );
};
document.getElementById("after").addEventListener("click", () => start());
"""


@pytest.fixture
def calling(application, garage):
    """A page whose text "After" is clicked to call `connect()`."""
    app = application(modules=("/calls.js",))
    app.scripts["calls.js"] = CALLS
    return app, garage(app)


def test_closed_window_is_a_hint_and_no_verdict(application, garage, page):
    """The page asks; it does not decide. Cancelling is something the person does."""
    app = application()
    garage_page = garage(app)
    garage_page.open_and_close()
    garage_page.says("Still connecting?")
    expect(garage_page.reopen).to_be_visible()
    page.wait_for_timeout(1_200)
    assert [event["name"] for event in garage_page.events] == ["opened"]
    assert app.errors == []
    garage_page.cancel.click()
    assert garage_page.ended("failed")["code"] == "cancelled"
    garage_page.says("Cancelled. Nothing was connected.")
    expect(garage_page.cancel).to_be_hidden()
    assert app.codes == ["cancelled"]


def test_closed_window_is_reopened(application, garage):
    """Reopen begins anew in the same click, and the new window completes."""
    app = application()
    page = garage(app)
    first = page.open()
    first.close()
    connect_as(page.open(page.reopen))
    page.ended("granted")
    opened = [event["detail"]["attempt"] for event in page.events if event["name"] == "opened"]
    assert len(set(opened)) == 2
    assert [event["name"] for event in page.events].count("failed") == 0
    assert len(app.granted) == 1


def test_second_click_keeps_what_was_typed(application, garage, context):
    """While the window is open the button leads back to it; nothing is launched, nothing lost."""
    app = application()
    page = garage(app)
    popup = page.open()
    popup.click("#continue-button")
    popup.fill("#username", "typed@example.com")
    page.button.click()
    page.button.click()
    assert len(context.pages) == 2
    assert popup.input_value("#username") == "typed@example.com"
    assert app.paths("/smartcar/launch") == ["/smartcar/launch"]
    popup.fill("#password", "any")
    popup.click("#sign-in-button")
    press(popup, "#approval-button")
    page.ended("granted")


def test_deadline_ends_the_attempt(application, garage, page):
    """After `attempt_seconds` page, server and function are told `timeout`, and the window closes."""
    app = application(attempt_seconds=600)
    page.clock.install()
    garage_page = garage(app)
    popup = garage_page.open()
    popup.wait_for_selector("#continue-button")
    page.clock.fast_forward("09:50")
    assert [event["name"] for event in garage_page.events] == ["opened"]
    with popup.expect_event("close"):
        page.clock.fast_forward("00:15")
    assert garage_page.ended("failed")["code"] == "timeout"
    garage_page.says("That took too long. Please try again.")
    assert app.codes == ["timeout"]


def test_lost_network_ends_when_the_person_gives_up(application, garage, page, context):
    """Offline nothing can be asked; Cancel ends the attempt on the page all the same."""
    app = application()
    garage_page = garage(app)
    popup = garage_page.open()
    popup.wait_for_selector("#continue-button")
    context.set_offline(True)
    popup.close()
    garage_page.says("Still connecting?")
    garage_page.cancel.click()
    assert garage_page.ended("failed")["code"] == "cancelled"


def test_function_resolves(calling, page):
    """`connect({launch, signal})` is the element's flow as a promise."""
    app, garage_page = calling
    connect_as(garage_page.open(page.locator("#after")))
    ended = page.evaluate("ended")
    assert ended == {
        "result": {
            "outcome": "granted",
            "attempt": ended["result"]["attempt"],
            "data": {"message": "Added to the garage."},
        }
    }
    assert len(app.granted) == 1


def test_function_rejects_with_an_error_that_has_a_code(calling, page):
    """A `SmartcarConnectError` with the Python error's code and words for a person."""
    _, garage_page = calling
    connect_as(garage_page.open(page.locator("#after")), decision="#deny-button")
    error = page.evaluate("ended")["error"]
    assert error == {
        "name": "SmartcarConnectError",
        "message": "You did not give access. Nothing was connected.",
        "outcome": "failed",
        "attempt": error["attempt"],
        "code": "access_denied",
        "data": None,
    }


def test_aborted_signal_means_cancelled(calling, page):
    """Aborting closes the window and tells the server."""
    app, garage_page = calling
    popup = garage_page.open(page.locator("#after"))
    popup.wait_for_selector("#continue-button")
    with popup.expect_event("close"):
        page.evaluate("controller.abort()")
    assert page.evaluate("ended")["error"]["code"] == "cancelled"
    assert app.codes == ["cancelled"]


def test_signal_aborted_before_opens_nothing(calling, page, context):
    """An attempt that is over before it begins shows no window and asks no server."""
    app, _ = calling
    page.evaluate("start({ signal: AbortSignal.abort() })")
    assert page.evaluate("ended")["error"]["code"] == "cancelled"
    assert len(context.pages) == 1
    assert app.paths("/smartcar/launch") == []


@pytest.mark.parametrize("options", ["{ launch: undefined }", "{ launch: '' }"])
def test_function_without_a_launch_address_says_so(calling, page, context, options):
    """A developer's mistake is told in words, and no window opens for it."""
    page.evaluate(f"start({options})")
    error = page.evaluate("ended")["error"]
    assert (error["name"], error["code"]) == ("SmartcarConnectError", "invalid_configuration")
    assert "launch" in error["message"]
    assert len(context.pages) == 1


@pytest.mark.usefixtures("calling")
def test_function_tells_when_the_window_reads_closed(page):
    """Without the element the hint is the caller's to show: `closed` is called once."""
    page.evaluate(
        "document.getElementById('after').onclick = null; window.hints = 0;"
        "document.body.addEventListener('dblclick', () => start({ closed: () => hints++ }))"
    )
    with page.expect_popup() as opened:
        page.locator("h1").dblclick()
    opened.value.close()
    page.wait_for_function("hints === 1")
    page.evaluate("controller.abort()")
    assert page.evaluate("ended")["error"]["code"] == "cancelled"


def test_window_options_size_the_window(application, garage):
    """The usual size is 30 % x 75 % of the screen; the element's attribute overrules it."""
    app = application(button={"make": "TESLA", "window_options": "width=500, height=640"})
    popup = garage(app).open()
    size = popup.evaluate("[innerWidth, innerHeight]")
    assert size == [500, 640]
