"""Flows without a pop-up, pages seen again, servers restarted: the attempt survives all of them."""

import pytest
from playwright.sync_api import expect

from browser.application import Application
from browser.flow import connect_as, press

pytestmark = pytest.mark.browser


@pytest.fixture
def plain(browser):
    """A page in a browser without JavaScript."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    ("decision", "outcome"), [("#approval-button", "granted"), ("#deny-button", "access_denied")]
)
def test_without_script_the_flow_ends_where_the_button_says(application, plain, decision, outcome):
    """The button is a link, the flow is redirects, and `return_to` is told how it went."""
    app = application(button={"make": "TESLA", "return_to": "/garage?from=connect"})
    plain.goto(app.url)
    plain.get_by_role("link", name="Connect your car").click()
    connect_as(plain, decision=decision)
    plain.wait_for_url(f"{app.origin}/garage?from=connect&smartcar={outcome}")
    assert (len(app.granted), len(app.errors)) == ((1, 0) if outcome == "granted" else (0, 1))


def test_without_script_and_return_to_the_outcome_is_said_in_words(application, plain):
    """Nowhere to return to: a page in words, dressed without script, with a link back."""
    app = application()
    plain.goto(app.url)
    plain.get_by_role("link", name="Connect your car").click()
    connect_as(plain)
    expect(plain.locator("h1")).to_have_text("Your car is connected")
    expect(plain.get_by_role("main")).to_have_css("border-radius", "16px")
    plain.get_by_role("link", name="Back to the app").click()
    assert plain.url == app.url


def test_back_button_after_completion(application, plain):
    """Going back and allowing again shows the same outcome; the function does not run again."""
    app = application(button={"make": "TESLA", "return_to": "/garage"})
    plain.goto(app.url)
    plain.get_by_role("link", name="Connect your car").click()
    connect_as(plain)
    plain.wait_for_url(f"{app.origin}/garage?smartcar=granted")
    plain.go_back()
    press(plain, "#approval-button")
    expect(plain.locator("h1")).to_have_text("Your car is connected")
    assert len(app.granted) == 1


def test_reload_of_the_callback_page(application, page):
    """The same browser again gets the same page; the code is not even in the address any more."""
    app = application()
    page.goto(f"{app.origin}/smartcar/launch?make=TESLA")
    connect_as(page)
    expect(page.locator("h1")).to_have_text("Your car is connected")
    expect(page.get_by_text("Added to the garage.")).to_be_visible()
    page.wait_for_url("**/smartcar/callback?state=*")
    for _ in range(2):
        answer = page.reload()
        assert answer is not None
        assert answer.status == 200
        expect(page.locator("h1")).to_have_text("Your car is connected")
    assert len(app.granted) == 1


def test_callback_page_that_cannot_close_says_it_in_words(application, page):
    """Opened as a pop-up would be, in a tab that no script may close: the page dresses itself and stays."""
    app = application()
    page.goto(f"{app.origin}/smartcar/launch?make=TESLA&attempt={'A' * 22}&display=popup&origin={app.origin}")
    connect_as(page)
    expect(page.locator("h1")).to_have_text("Your car is connected")
    expect(page.get_by_role("main")).to_have_css("border-radius", "16px")
    page.reload()
    expect(page.get_by_role("main")).to_have_css("border-radius", "16px")
    assert len(app.granted) == 1


@pytest.mark.parametrize("rotated", [False, True], ids=["same keys", "rotated keys"])
def test_server_restarted_between_launch_and_callback(application, garage, sandbox, rotated):
    """Nothing is kept on the server for a pending attempt, so another process finishes what one began."""
    app = application()
    page = garage(app)
    popup = page.open()
    connect_as(popup, decision="")
    app.server.stop()
    keys = ("a-new-key-of-thirty-two-bytes-or-more", "an-application's-key-of-32-bytes-or-more")
    successor = Application(sandbox.origin, secret_keys=keys if rotated else keys[1:])
    app.server.app = successor
    app.server.start()
    press(popup, "#approval-button")
    page.ended("granted")
    assert (len(app.granted), len(successor.granted)) == (0, 1)


def test_page_reloaded_while_the_window_is_open(application, garage, page):
    """The waiting page is gone, the attempt is not: the function gets the car and the window closes."""
    app = application()
    popup = garage(app).open()
    connect_as(popup, decision="")
    page.reload()
    with popup.expect_event("close"):
        press(popup, "#approval-button")
    assert len(app.granted) == 1
