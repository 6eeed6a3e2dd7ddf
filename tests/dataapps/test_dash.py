"""Dash passes the table of outcomes, served by its own `app.run`."""

import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from browser.engines import SECONDS
from browser.flow import connect_as
from dataapps.outcomes import EveryApp
from dataapps.serving import HERE, ROOT, App, serving
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(sandbox: Sandbox) -> Iterator[App]:
    with serving(lambda port: [sys.executable, HERE / "dash_app.py", str(port)], sandbox) as served:
        yield served


class TestDash(EveryApp):
    """The table of outcomes."""


def test_several_buttons(page: Page, app: App) -> None:
    """Patterns, options that the page can't change, a button added late: each tells its own callback."""
    page.goto(f"{app.origin}/login/ann")
    page.goto(f"{app.origin}/garage")

    def ends(bay: int, outcome: str, text: str) -> None:
        app.sandbox.next(outcome=outcome)
        page.locator(f"#bay-{bay} [part~=button]").click()
        expect(page.locator(f"#bay-{bay} p")).to_have_text(text, timeout=SECONDS * 1000)

    ends(1, "granted", "ann in bay 1, told in 1")
    page.get_by_role("button", name="Add").click()
    ends(2, "access_denied", "access_denied")
    ends(2, "granted", "ann in bay 2, told in 2")
    expect(page.locator("#bay-1 p")).to_have_text("ann in bay 1, told in 1")


def test_result_is_not_for_whoever_logs_in_next(page: Page, app: App) -> None:
    """Ann's car came while her page was away; the page is Ben's by now, and says that it got nothing."""
    page.goto(f"{app.origin}/login/ann")
    page.goto(app.origin)
    with page.expect_popup() as popup:
        page.locator("smartcar-connect [part~=button]").click()
    page.goto("about:blank")
    with popup.value.expect_event("close"):
        connect_as(popup.value)
    page.goto(f"{app.origin}/login/ben")
    page.goto(app.origin)
    expect(page.locator("#result")).to_have_text("failed state_mismatch", timeout=SECONDS * 1000)


def test_example_shows_the_car(page: Page, sandbox: Sandbox) -> None:
    """As it stands: connect, exchange the code with the official SDK, read the car, show it."""
    sandbox.reset()
    command = [sys.executable, ROOT / "examples" / "dash_app.py"]
    with serving(lambda port: ["env", f"PORT={port}", *command], sandbox) as example:
        page.goto(example.origin)
        with page.expect_popup() as popup:
            page.locator("smartcar-connect [part~=button]").click()
        connect_as(popup.value, brand="TESLA")
        expect(page.locator("#notice")).to_contain_text("Welcome, TESLA Model 3", timeout=SECONDS * 1000)
