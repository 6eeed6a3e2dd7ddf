"""The button in marimo, where cells run again when the page has something to tell."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.engines import SECONDS
from browser.flow import connect_as
from notebooks.lab import allows
from notebooks.serving import marimo

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

APP = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    from smartcar_auth import SmartcarAuthError, Smartcar
    from smartcar_auth.hosts.notebook import ConnectButton

    smartcar = Smartcar(application_id="an-application", connect_origin="{origin}")
    button = mo.ui.anywidget(ConnectButton(smartcar, ports=[0], make="TESLA"))
    button
    return SmartcarAuthError, button, mo


@app.cell
def _(button, mo):
    button.value  # so that this cell runs again
    mo.md("Outcome: " + (f"granted {{button.response.code}}" if button.response else button.outcome or "none yet"))
    return


@app.cell
async def _(SmartcarAuthError, button, mo):
    said = "No wait."
    try:
        await button.result()
    except SmartcarAuthError as error:
        said = str(error)
    mo.md(said)
    return
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory, sandbox):
    with marimo(tmp_path_factory.mktemp("marimo"), APP.format(origin=sandbox.origin)) as started:
        yield started


@pytest.fixture(scope="module")
def page(browser, served):
    with browser.new_context() as context:
        context.set_default_timeout(SECONDS * 1000)
        page = context.new_page()
        page.goto(served.origin)
        expect(page.get_by_text("Outcome: none yet")).to_be_visible(timeout=SECONDS * 1000)
        yield page


def opens(page):
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect your car").click()
    opened.value.wait_for_selector("#continue-button")
    return opened.value


def test_cell_that_waits(page):
    """marimo takes no clicks meanwhile, so that is said at once."""
    expect(page.get_by_text("This kernel takes no clicks while a cell waits.")).to_be_visible()


def test_owner_denies_then_allows(page):
    """Cells that use the button run again at each end; the address shows which code it was."""
    connect_as(opens(page), decision="#deny-button")
    expect(page.get_by_text("Outcome: access_denied")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("No access was given")
    window = opens(page)
    with page.context.expect_event("request", lambda request: "code=" in request.url) as answered:
        allows(window)
    code = page.get_by_text("Outcome: granted").inner_text().split()[-1]
    assert f"code={code}&" in answered.value.url


def test_person_cancels(page):
    """An end like any other."""
    opens(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Outcome: cancelled")).to_be_visible()


def test_two_people_at_once(page, browser, served):
    """Each has a kernel; they end in the other order, each with their own code."""
    codes = []
    with browser.new_context() as context:
        other = context.new_page()
        other.goto(served.origin)
        windows = [(one, opens(one)) for one in (page, other)]
        for one, window in reversed(windows):
            with one.context.expect_event("request", lambda request: "code=" in request.url) as answered:
                allows(window)
            codes.append(one.get_by_text("Outcome: granted").inner_text().split()[-1])
            assert f"code={codes[-1]}&" in answered.value.url
    assert len(set(codes)) == 2


def test_example(browser, tmp_path):
    """The app of examples/, run as it is but for its ports: the car appears below the button."""
    source = (EXAMPLES / "marimo_app.py").read_text().replace("[8000, 8001]", "[0]")
    with marimo(tmp_path, source) as served, browser.new_context() as context:
        context.set_default_timeout(SECONDS * 1000)
        page = context.new_page()
        page.goto(served.origin)
        expect(page.get_by_text("No car yet.")).to_be_visible(timeout=SECONDS * 1000)
        window = opens(page)
        with window.expect_event("close"):
            connect_as(window, brand="TESLA")
        expect(page.get_by_text(re.compile(r"TESLA Model \S+: [\d,]+ km")).first).to_be_visible(
            timeout=SECONDS * 1000
        )
