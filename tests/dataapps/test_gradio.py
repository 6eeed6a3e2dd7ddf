"""Gradio passes the table of outcomes, served by its own `demo.launch`; and what is Gradio's own."""

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

QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}


def run(script: str, sandbox: Sandbox, path: str = "/"):
    """The app, until it is left."""
    return serving(lambda port: [sys.executable, HERE / script, str(port)], sandbox, path=path, **QUIET)


@pytest.fixture(scope="module")
def app(sandbox: Sandbox) -> Iterator[App]:
    with run("gradio_app.py", sandbox) as served:
        yield served


@pytest.fixture(scope="module")
def garage(sandbox: Sandbox) -> Iterator[App]:
    with run("gradio_garage.py", sandbox, path="/bare/") as served:
        yield served


class TestGradio(EveryApp):
    """The table of outcomes."""


def log_in(page: Page, app: App, person: str) -> None:
    form = {"username": person, "password": f"{person}'s"}
    assert page.request.post(f"{app.origin}/garage/login", form=form).ok


def press(page: Page, button: str) -> None:
    page.locator(f"#{button} smartcar-connect [part~=button]").click()


def says(page: Page, text: str, selector: str = "#cars") -> None:
    expect(page.locator(selector)).to_have_text(text, timeout=SECONDS * 1000)


def test_buttons_of_a_person_who_is_logged_in(page: Page, garage: App) -> None:
    """Each tells its own listener, of whatever kind, with inputs and options that the page can't change."""
    log_in(page, garage, "ann")
    page.goto(f"{garage.origin}/garage")
    garage.sandbox.next(outcome="granted")
    press(page, "first")
    says(page, "ann's red car in bay 3, ann")
    says(page, "swept", "#steps")
    garage.sandbox.next(outcome="granted")
    press(page, "second")
    says(page, "ann came")
    garage.sandbox.next(outcome="no_vehicles")
    press(page, "third")
    says(page, "no red car: no_vehicles")
    page.get_by_role("button", name="Add").click()
    garage.sandbox.next(outcome="granted")
    press(page, "late")
    says(page, "late, too", "#late-car")


def test_page_of_a_person_who_has_left(page: Page, garage: App) -> None:
    """Benny logs in elsewhere in Ann's browser: what Ann's page has sealed for her is not for him."""
    log_in(page, garage, "ann")
    page.goto(f"{garage.origin}/garage")
    expect(page.locator("#first smartcar-connect")).to_be_visible()
    log_in(page, garage, "benny")
    press(page, "first")
    status = page.locator("#first [role=status]")
    expect(status).to_contain_text("made for another person", timeout=SECONDS * 1000)


def test_result_is_not_for_whoever_logs_in_next(page: Page, garage: App) -> None:
    """Ann's answer came while her page was away; the page is Benny's by now, and he gets nothing."""
    log_in(page, garage, "ann")
    page.goto(f"{garage.origin}/garage")
    with page.expect_popup() as popup:
        press(page, "third")
    page.goto("about:blank")
    with popup.value.expect_event("close"):
        connect_as(popup.value)
    log_in(page, garage, "benny")
    page.goto(f"{garage.origin}/garage")
    says(page, "no red car: state_mismatch")


def test_routes_that_were_forgotten(page: Page, garage: App) -> None:
    """The page says what to write where."""
    page.goto(f"{garage.origin}/bare")
    says(
        page,
        "Connect's routes don't answer here: start with demo.launch(app_kwargs=connect.app_kwargs).",
        "smartcar-connect",
    )


def test_example_shows_the_car(page: Page, sandbox: Sandbox) -> None:
    """As it stands: connect, exchange the code with the official SDK, read the car, show it."""
    sandbox.reset()
    command = [sys.executable, ROOT / "examples" / "gradio_app.py"]
    with serving(lambda port: ["env", f"PORT={port}", *command], sandbox, **QUIET) as example:
        page.goto(example.origin)
        with page.expect_popup() as popup:
            page.locator("smartcar-connect [part~=button]").click()
        connect_as(popup.value, brand="TESLA")
        expect(page.get_by_text("Model 3").filter(visible=True)).to_be_visible(timeout=SECONDS * 1000)
