"""PyScript, with MicroPython and with Pyodide: a page's own code, as its users write it."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from browser.flow import connect_as

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser):
    with browser.new_context() as context:
        context.set_default_timeout(10_000)
        yield context.new_page()


def answered(page, connect, button):
    """Click, and let Connect send the window back."""
    with page.expect_popup() as opened:
        page.click(button)
    opened.value.wait_for_selector("#continue-button")
    asked = connect.asked[-1]
    query = urlencode({"code": "a-code", "state": asked["state"]})
    opened.value.evaluate(f"void setTimeout(() => location.assign('{asked['redirect_uri']}?{query}'))")


@pytest.mark.parametrize("python", ["mpy", "py"])
def test_page_connects(page, site, connect, python):
    """A click handler of ours, and an async one of `@when` that awaits the response."""
    said, heard = page.locator("#said"), page.locator("#heard")
    page.goto(f"{site.origin}/pyscript/{python}")
    expect(said).to_have_text("ready", timeout=60_000)
    answered(page, connect, "#connect")
    expect(said).to_have_text("a-code handler")
    expect(heard).to_be_empty()
    answered(page, connect, "#await")
    expect(heard).to_have_text("a-code awaited 🚗")
    expect(said).to_have_text("a-code awaited 🚗")
    with page.expect_popup() as opened:
        page.click("#await")
    connect_as(opened.value, brand="TESLA", decision="#deny-button")
    expect(heard).to_have_text("access_denied")


def test_worker_is_told_that_it_has_no_window(page, site):
    """In words, rather than by a window that the browser would block."""
    page.goto(f"{site.origin}/pyscript/worker/mpy")
    expect(page.locator("#said")).to_contain_text("in PyScript leave out `worker`", timeout=60_000)
