"""The main outcomes in Firefox and WebKitGTK: engines with blockers, channels and windows of their own."""

import json

import pytest

from browser.engines import firefox, until, webkit
from page.lab import GRANTED, Lab
from page.test_endings import AWAITED, CANCELLED, failure

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),  # selenium's own
]


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def profile(request, playwright):
    """A person's browser with this engine."""
    started = firefox(playwright) if request.param == "firefox" else webkit()
    with started as engine, engine() as person:
        yield person


@pytest.fixture(scope="module", params=["micropython", "isolated/micropython"])
def opened_lab(request, profile, site, connect):
    """One page for all tests; the last one is cut off from its windows."""
    return Lab(profile(), site, connect, request.param)


@pytest.fixture
def lab(opened_lab):
    opened_lab.smartcar()
    yield opened_lab
    opened_lab.reset()


def test_grant(lab):
    """A click opens the window, and the response is in Python."""
    lab.run("smartcar.add_click_handler(id='in-form', state='mine 🚗 自動車')")
    lab.grant(lab.opened("#in-form"))
    assert lab.told() == [{**GRANTED, "state": "mine 🚗 自動車"}]
    assert lab.window.run("location.pathname").endswith(lab.python)


def test_pyodide(profile, site, connect):
    """The other Python, in the same engine: granted and denied."""
    lab = Lab(profile(), site, connect, "pyodide")
    lab.smartcar()
    lab.grant(lab.click(AWAITED.format("state='mine 🚗'")))
    lab.grant(lab.click(AWAITED.format("")), "error=access_denied")
    assert [one["code"] for one in lab.told(2)] == ["a-code", "access_denied"]
    assert lab.until("len(awaited) == 2 and awaited") == lab.value("told")


def test_denial(lab):
    """An error is told and raised."""
    lab.grant(lab.click(AWAITED.format("")), "error=access_denied")
    assert lab.told() == [failure("AccessDenied", "access_denied", error="access_denied")]
    assert lab.until("awaited") == lab.value("told")


def test_block(lab):
    """Without a click no window opens, and that is told."""
    # The last click's permission, or in Firefox that of having gone to the page, lasts some seconds.
    until("no permission is left", lambda: not lab.window.run("navigator.userActivation.isActive"))
    lab.run("attempt = smartcar.open_dialog()")
    assert lab.told() == [failure("PopupBlocked", "popup_blocked")]


def test_async_handler_opens(lab):
    """The click's permission lasts until something is awaited."""
    lab.run("async def later():\n    await smartcar.open_dialog()")
    lab.grant(lab.click("asyncio.create_task(later())"))
    assert lab.told() == [GRANTED]


def test_closed_window(lab):
    """A hint, and then the person's decision."""
    lab.click(AWAITED.format("on_closed=hints.append")).close()
    lab.until("len(hints)")
    assert lab.value("told") == []
    lab.run("attempt.cancel()")
    assert lab.told() == [CANCELLED]


def test_cancel(lab):
    """The window goes, unless the page was cut off from it."""
    popup = lab.click(AWAITED.format(""))
    lab.run("attempt.cancel()")
    assert lab.told() == [CANCELLED]
    if lab.window.run("crossOriginIsolated"):
        popup.close()
    else:
        lab.gone(popup)


def test_two_at_once(lab):
    """Each ends with its own answer."""
    popups = []
    for number in (0, 1):
        popup = lab.click(f"smartcar.open_dialog(state='state {number}')")
        popups.append((popup, lab.state))
    for number in (1, 0):
        lab.grant(popups[number][0], f"code=code-{number}", popups[number][1])
        lab.until(f"any([one['code'] == 'code-{number}' for one in told])")
    assert [(one["code"], one["state"]) for one in lab.told(2)] == [
        ("code-1", "state 1"),
        ("code-0", "state 0"),
    ]


def test_answer_counts_once_and_from_its_own_origin(lab):
    """Connect's page, another window and a second delivery change nothing."""
    popup = lab.click(AWAITED.format(""))
    if not lab.window.run("crossOriginIsolated"):
        lab.post(popup, lab.message(code="forged"))
    lab.window.run(f"void postMessage({json.dumps(lab.message(code='forged'))}, location.origin)")
    lab.nothing_told()
    lab.grant(popup)
    lab.nothing_told(after=1)
    assert lab.told() == [GRANTED]
