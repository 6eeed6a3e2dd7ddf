"""A button that keeps its attempt in the tab (`keep`), where the page or the attempt has gone meanwhile."""

import pytest
from playwright.sync_api import expect

from browser.flow import connect_as

pytestmark = pytest.mark.browser

KEPT = "sessionStorage['smartcar-connect-car']"


@pytest.fixture
def app(application):
    return application(button={"make": "TESLA", "keep": "car"}, modules=("/smartcar/keep.js",))


def codes(page):
    return [event["detail"].get("code") or event["name"] for event in page.events]


def test_attempt_that_nobody_knows_is_forgotten(app, garage, page):
    """What is left of an attempt that never began, or is long over, says nothing and is in nobody's way."""
    garage_page = garage(app)
    page.evaluate(f"{KEPT} = 'A'.repeat(21) + 'Q'")
    page.reload()
    page.wait_for_function(f"!{KEPT}")
    assert garage_page.events == []
    garage_page.says("")
    connect_as(garage_page.open())
    garage_page.ended("granted")
    assert page.evaluate(f"{KEPT}") is None


def test_reopen_after_a_reload(app, garage, page):
    """Of the window from before only the offer is left; the new one connects, the old one doesn't."""
    garage_page = garage(app)
    old = garage_page.open()
    page.reload()
    garage_page.says("Still connecting?")
    new = garage_page.open(garage_page.reopen)
    new.wait_for_selector("#continue-button")
    connect_as(old)
    expect(old.locator("h1")).to_have_text("This attempt was cancelled")
    connect_as(new)
    garage_page.ended("granted")
    assert codes(garage_page) == ["opened", "granted"]
    assert len(app.granted) == 1


def test_end_that_came_while_the_page_was_away(app, garage, page):
    """The data is what the function returned, told once."""
    garage_page = garage(app)
    popup = garage_page.open()
    page.goto("about:blank")
    with popup.expect_event("close"):
        connect_as(popup)
    page.goto(app.url)
    assert garage_page.ended("granted")["data"] == {"message": "Added to the garage."}
    garage_page.says("Added to the garage.")
    page.reload()
    garage_page.says("")
    assert garage_page.events == []


def test_attempt_that_expires_after_a_reload(app, garage, page, context):
    """The server knew it and doesn't any more: waiting on would be in vain."""
    garage_page = garage(app)
    garage_page.open()
    page.reload()
    garage_page.says("Still connecting?")
    context.clear_cookies()
    page.evaluate("dispatchEvent(new Event('focus'))")
    garage_page.says("That took too long. Please try again.")
    assert codes(garage_page) == ["timeout"]
