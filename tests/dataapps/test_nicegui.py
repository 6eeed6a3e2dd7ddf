"""NiceGUI passes the table of outcomes, served by its own `ui.run`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.engines import SECONDS
from browser.flow import connect_as
from dataapps.outcomes import Anybody, EveryApp, Row, check, connect_beside_another
from dataapps.serving import HERE, ROOT, App, serving
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    storage = tmp_path_factory.mktemp("nicegui")
    command = [sys.executable, HERE / "nicegui_app.py"]
    with serving(lambda port: [*command, str(port)], sandbox, NICEGUI_STORAGE_PATH=str(storage)) as served:
        yield served


class TestNiceGUI(EveryApp):
    """The table of outcomes."""


def test_several_buttons(page: Page, app: App) -> None:
    """Each tells its own handlers, in its own slot: with options that the page can't change, added late, awaited."""
    page.goto(f"{app.origin}/garage/ann")

    def ends(button: str, outcome: str, text: str) -> None:
        app.sandbox.next(outcome=outcome)
        page.locator(f"#{button} smartcar-connect [part~=button]").click()
        expect(page.locator(f"#{button}")).to_contain_text(text, timeout=SECONDS * 1000)

    ends("first", "granted", "ann in bay 1")
    page.get_by_role("button", name="Add").click()
    ends("second", "access_denied", "not this time")
    ends("third", "granted", "connected")
    ends("third", "no_vehicles", "ended: no_vehicles")
    expect(page.locator("#first")).not_to_contain_text("ended")
    assert page.locator("smartcar-connect.big").get_attribute("window-options") == "width=500"


def test_a_person_who_is_not_the_one_of_the_page(page: Page, app: App) -> None:
    """Ben logs in elsewhere in Ann's browser: what Ann's page has sealed for her is not for him."""
    page.goto(f"{app.origin}/garage/ann")
    other = page.context.new_page()
    other.goto(f"{app.origin}/garage/ben")
    page.locator("#first smartcar-connect [part~=button]").click()
    expect(page.locator("#first [role=status]")).to_contain_text(
        "made for another person", timeout=SECONDS * 1000
    )


def test_result_is_not_for_whoever_logs_in_next(page: Page, app: App) -> None:
    """Ann's car came while her page was away; the page is Ben's by now, and says that it got nothing."""
    page.goto(f"{app.origin}/garage/ann")
    page.goto(app.origin)
    with page.expect_popup() as popup:
        page.locator("smartcar-connect [part~=button]").click()
    page.goto("about:blank")
    with popup.value.expect_event("close"):
        connect_as(popup.value)
    page.goto(f"{app.origin}/garage/ben")
    page.goto(app.origin)
    expect(page.locator("#result")).to_have_text("failed state_mismatch", timeout=SECONDS * 1000)


def test_example_shows_the_car(page: Page, sandbox: Sandbox, tmp_path: Path) -> None:
    """As it stands: connect, exchange the code with the official SDK, read the car, show it."""
    sandbox.reset()
    command = [sys.executable, ROOT / "examples" / "nicegui_app.py"]
    with serving(
        lambda port: ["env", f"PORT={port}", *command], sandbox, NICEGUI_STORAGE_PATH=str(tmp_path)
    ) as example:
        page.goto(example.origin)
        with page.expect_popup() as popup:
            page.locator("smartcar-connect [part~=button]").click()
        connect_as(popup.value, brand="TESLA")
        expect(page.get_by_text("TESLA Model 3")).to_be_visible(timeout=SECONDS * 1000)


def test_script_without_pages(anybody: Anybody, sandbox: Sandbox) -> None:
    """Run again for each visitor, it has one set of routes, and everybody's result finds the right page."""
    command = [sys.executable, HERE / "nicegui_script.py"]
    with serving(lambda port: [*command, str(port)], sandbox) as served:
        check(Row(connect_beside_another), anybody, served)
