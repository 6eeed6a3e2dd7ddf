"""The button in JupyterLab and Notebook 7, in Chromium with its pop-up blocker on, and once in Firefox."""

import json
import os
import re
import signal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from browser.engines import SECONDS, executable
from browser.flow import connect_as
from chromium import start_chromium_with_smartcar
from notebooks.lab import PANEL, Notebook, allows
from notebooks.serving import jupyter
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser

ROUNDS = int(os.environ.get("SMARTCAR_ROUNDS", "3"))  # by hand: SMARTCAR_ROUNDS=50
EXAMPLES = Path(__file__).parent.parent.parent / "examples"

HOSTED = 'redirect_uri=hosted_redirect_uri("{origin}")'
PASTED = 'redirect_uri="https://app.example/callback"'
REFUSED = "That isn’t the answer to this attempt, so it was ignored."


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with jupyter(tmp_path_factory.mktemp("jupyter")) as started:
        yield started


@pytest.fixture(scope="module")
def smartcar():
    """Smartcar's own hosts, as far as the browser can tell."""
    with Sandbox(tls=True) as started:
        yield started


@pytest.fixture(scope="module")
def context(playwright, smartcar):
    browser = start_chromium_with_smartcar(playwright, smartcar)
    with browser, browser.new_context() as context:
        context.set_default_timeout(SECONDS * 1000)
        yield context


@pytest.fixture(scope="module")
def lab(context, served):
    """One notebook for most rows: a cell each."""
    return Notebook(context, served)


@pytest.fixture
def shown(lab, served):
    """Run a cell with a button on the transport named."""

    def run(transport="loopback"):
        options = {"loopback": "", "hosted": HOSTED.format(origin=served.origin), "paste": PASTED}[transport]
        cell = lab.runs(f"button = made({options})\nbutton")
        expect(cell.button).to_be_visible()
        return cell

    return run


@pytest.mark.parametrize("transport", ["loopback", "hosted"])
def test_owner_allows(lab, shown, transport):
    """The cell that awaits and the function that was named have the code; the window is gone."""
    cell = shown(transport)
    waiting = lab.runs("await awaited(button)")
    window = cell.opens()
    cell.says("Waiting for you in the other window.")
    allows(window)
    cell.says("Your car is connected")
    assert cell.printed("told") == waiting.printed("granted")


@pytest.mark.parametrize("transport", ["loopback", "hosted"])
def test_owner_denies(lab, shown, transport):
    """Raised where it is awaited, said in words; the next attempt may succeed."""
    cell = shown(transport)
    waiting = lab.runs("await awaited(button)")
    connect_as(cell.opens(), decision="#deny-button")
    waiting.prints("failed access_denied")
    cell.says("No access was given")
    allows(cell.opens())
    cell.says("Your car is connected")


def test_way_is_shown(shown, served):
    """How the answer gets to the kernel is no secret of the program."""
    expect(shown().root).to_contain_text("This notebook’s kernel listens on a port of this machine")
    expect(shown("hosted").root).to_contain_text(f"hands the answer to this notebook at {served.origin}.")
    expect(shown("paste").root).to_contain_text("The answer goes to https://app.example/callback.")


def test_person_cancels(lab, shown):
    """With the window open, which closes."""
    cell = shown()
    waiting = lab.runs("await awaited(button)")
    window = cell.opens()
    with window.expect_event("close"):
        cell.action("Cancel").click()
    waiting.prints("failed cancelled")
    cell.says("This attempt was cancelled")
    expect(cell.action("Cancel")).to_be_hidden()


@pytest.mark.parametrize("transport", ["loopback", "hosted"])
def test_window_is_closed_and_reopened(shown, transport):
    """No verdict: the same attempt goes on in another window."""
    cell = shown(transport)
    cell.opens().close()
    cell.says("Still connecting?")
    allows(cell.opens(cell.action("Reopen")))
    cell.says("Your car is connected")


def test_window_is_blocked(lab, served):
    """No person behind the click: an end where the window is needed, a link where it isn't."""
    lab.page.evaluate(
        """() => new MutationObserver((_, observer) => {
            const buttons = [...document.querySelectorAll(".smartcar-button")].slice(-2);
            if (!buttons.every(({ textContent }) => textContent.startsWith("Late"))) return;
            observer.disconnect();
            for (const button of buttons) button.click();
            console.log("clicked");
        }).observe(document, { subtree: true, childList: true })"""
    )
    # Windows may open for five seconds after what a person does, and a driver's look at the page counts as that.
    with lab.page.expect_console_message(lambda said: said.text == "clicked"):
        cell = lab.runs(
            "await asyncio.sleep(5.5)\n"
            f'hosted = made(label="Late, hosted", {HOSTED.format(origin=served.origin)})\n'
            'display(hosted, made(label="Late, by a port"))'
        )
    cell.prints("told popup_blocked")
    hosted, by_port = cell.root.locator(".smartcar-connect").all()
    expect(hosted.get_by_role("status")).to_contain_text("The browser blocked the pop-up")
    with lab.page.expect_popup() as opened:
        by_port.get_by_role("link", name="Open Connect").click()
    connect_as(opened.value)
    expect(opened.value.get_by_role("heading", name="Your car is connected")).to_be_visible()
    assert opened.value.evaluate("window.opener") is None
    expect(by_port.get_by_role("status")).to_have_text("Your car is connected")
    opened.value.close()


def test_hosted_page_hands_over_another_answer(smartcar, shown):
    """Its state is not this attempt's: refused in words, and the attempt goes on."""
    cell = shown("hosted")
    smartcar.next(state="altered")
    allows(cell.opens())
    cell.says(REFUSED)
    allows(cell.opens(cell.action("Reopen")))
    cell.says("Your car is connected")


def test_messages_of_others(lab, shown):
    """The page's own, and a frame's of another origin, are not even handed over."""
    cell = shown("hosted")
    window = cell.opens()
    forge = """() => {
        window.handedOver = 0;
        const message = {name: "SmartcarAuthMessage", code: "forged", state: "guessed"};
        window.postMessage(message, "*");
        window.dispatchEvent(new MessageEvent("message", {
            origin: "https://javascript-sdk.smartcar.com", source: window, data: message,
        }));
    }"""
    lab.page.evaluate(forge)
    cell.says("Waiting for you in the other window.")
    allows(window)
    cell.says("Your car is connected")
    assert cell.printed("told") != "forged"


def test_person_pastes_the_last_address(shown):
    """A wrong one first; the right one is that of a page that didn't load."""
    cell = shown("paste")
    window = cell.opens()
    with window.expect_event("requestfailed") as failed:
        connect_as(window)
    field = cell.root.get_by_label("Address of the last page")
    field.fill("https://app.example/callback?code=forged&state=guessed")
    cell.action("Use").click()
    cell.says(REFUSED)
    field.fill(failed.value.url)
    field.press("Enter")
    cell.says("Your car is connected")
    assert f"code={cell.printed('told')}" in failed.value.url


def test_two_buttons_in_one_notebook(shown):
    """They end in the other order, each with its own code."""
    first, second = shown(), shown("hosted")
    one, other = first.opens(), second.opens()
    allows(other)
    second.says("Your car is connected")
    first.says("Waiting for you in the other window.")
    allows(one)
    first.says("Your car is connected")
    assert first.printed("told") != second.printed("told")


def test_notebook_is_saved_without_secrets(lab, context, shown):
    """Neither the state of an attempt on its way nor a code that nobody printed stands in the file."""
    cell = shown()
    with context.expect_event("request", lambda request: "/oauth/authorize" in request.url) as asked:
        cell.opens()
    (state,) = parse_qs(urlsplit(asked.value.url).query)["state"]
    lab.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    saved = lab.file.read_text()
    assert "jupyter.widget-view" in saved
    assert state not in saved
    cell.action("Cancel").click()
    cell.says("This attempt was cancelled")


def test_kernel_is_busy(lab, shown):
    """With nothing left for messages, which is said after a while; the click counts when it is back."""
    cell = shown()
    kernel = int(lab.runs("import os\nprint('kernel', os.getpid())").printed("kernel"))
    os.kill(kernel, signal.SIGSTOP)
    try:
        with lab.page.expect_popup() as opened:
            cell.button.click()
        expect(opened.value.locator("body")).to_have_text("Waiting for this notebook’s kernel.")
        expect(cell.status).to_contain_text("The kernel doesn’t answer.")
    finally:
        os.kill(kernel, signal.SIGCONT)
    opened.value.wait_for_selector("#continue-button")
    cell.says("Waiting for you in the other window.")
    cell.action("Cancel").click()
    cell.says("This attempt was cancelled")


def test_cell_is_busy(lab, shown):
    """A cell that keeps the kernel from its event loop: JupyterLab has the click taken elsewhere, and it counts."""
    cell = shown()
    sign = lab.file.with_name("go-on")
    busy = lab.runs(
        "import pathlib, time\nprint('busy')\nwhile not pathlib.Path('go-on').exists():\n    time.sleep(0.05)"
    )
    busy.prints("busy")
    try:
        window = cell.opens()
        allows(window)
        cell.says("Your car is connected")
        assert "told" not in cell.root.inner_text()
    finally:
        sign.touch()
    cell.prints("told")


@pytest.fixture(scope="module")
def other(context, served):
    """Another notebook, on the same server."""
    return Notebook(context, served)


def test_two_notebooks_at_once(lab, other, context, served):
    """Two kernels on one server, in parallel, hosted and by port: each has exactly the codes that went to it."""
    for number in range(ROUNDS):
        transport = ("loopback", "hosted")[number % 2]
        options = HOSTED.format(origin=served.origin) if transport == "hosted" else ""
        cells = [one.runs(f"button = made({options})\nbutton") for one in (lab, other)]
        codes = []
        windows = []
        for cell in cells:
            cell.page.bring_to_front()
            windows.append(cell.opens())
        for cell, window in reversed(list(zip(cells, windows, strict=True))):
            with (
                window.expect_event("close"),
                context.expect_event("request", lambda request: "code=" in request.url) as request,
            ):
                connect_as(window)
            codes.append((cell, request.value.url))
        for cell, address in codes:
            cell.says("Your car is connected")
            assert f"code={cell.printed('told')}&" in address


def test_kernel_is_restarted(other):
    """It knows nothing of the button, which says so; the window that waits for it can be given up."""
    cell = other.runs("button = made()\nbutton")
    expect(cell.button).to_be_visible()
    other.page.evaluate(f"{PANEL}.sessionContext.session.kernel.restart()")
    with other.page.expect_popup() as opened:
        cell.button.click()
    expect(cell.status).to_contain_text("The kernel doesn’t answer.")
    with opened.value.expect_event("close"):
        cell.action("Cancel").click()


def test_notebook_7(context, served):
    """The same widget in the other front end."""
    notebook = Notebook(context, served, app="notebooks")
    cell = notebook.runs("button = made()\nbutton")
    waiting = notebook.runs("await awaited(button)")
    allows(cell.opens())
    cell.says("Your car is connected")
    assert cell.printed("told") == waiting.printed("granted")
    notebook.page.close()


def test_firefox(playwright, served, sandbox):
    """JupyterLab there: allow and deny."""
    browser = playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=executable("firefox-esr", "firefox-esr"),
        firefox_user_prefs={"dom.disable_open_during_load": True},
    )
    with browser, browser.new_context() as context:
        context.set_default_timeout(SECONDS * 1000)
        notebook = Notebook(context, served)
        cell = notebook.runs(f'button = made("{sandbox.origin}")\nbutton')
        waiting = notebook.runs("await awaited(button)")
        connect_as(cell.opens(), decision="#deny-button")
        waiting.prints("failed access_denied")
        waiting = notebook.runs("await awaited(button)")
        allows(cell.opens())
        assert cell.root.inner_text().split()[-1] == waiting.printed("granted")


def test_example(lab):
    """The notebook of examples/, run from the top: only what it installs and its ports are others."""
    example = json.loads((EXAMPLES / "notebook.ipynb").read_text())
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in example["cells"])
    sources = {cell["id"]: "".join(cell["source"]) for cell in example["cells"]}
    lab.runs(sources["sandbox"])
    cell = lab.runs(sources["button"].replace("[8000, 8001]", "[0]"))
    lab.runs(sources["result"])
    window = cell.opens()
    expect(cell.root).to_contain_text("listens on http://localhost:")
    with window.expect_event("close"):
        connect_as(window, brand="TESLA")
    car = lab.runs(sources["car"])
    expect(car.root).to_contain_text(re.compile(r"TESLA Model \S+: [\d,]+ km"), timeout=SECONDS * 1000)
