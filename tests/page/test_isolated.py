"""Pages that Cross-Origin-Opener-Policy cuts off from every window: the channel brings the answer all the same."""

import pytest

from browser.engines import PlaywrightWindow, until
from page.lab import CONNECT_SHOWS, GRANTED, Lab, holds
from page.test_endings import AWAITED, CANCELLED

pytestmark = pytest.mark.browser


@pytest.fixture(params=["isolated/micropython", "isolated/pyodide"])
def isolated(request, open_lab, shared_labs):
    """A cross-origin isolated page, as PyScript's workers need."""
    if request.param not in shared_labs:
        shared_labs[request.param] = open_lab(request.param)
    lab = shared_labs[request.param]
    assert lab.window.run("crossOriginIsolated")
    lab.smartcar()
    yield lab
    lab.reset()


def test_answer_comes_by_the_channel(isolated):
    """The window has no opener; it is answered, and closes itself."""
    popup = isolated.click(AWAITED.format("state='mine'"))
    assert popup.run("opener") is None
    isolated.grant(popup)
    assert isolated.told() == [{**GRANTED, "state": "mine"}]
    assert isolated.until("awaited") == isolated.told()


def test_window_that_was_cut_off_reads_closed_and_is_no_verdict(isolated):
    """The hint comes while the person is still there, and the answer counts."""
    popup = isolated.click(AWAITED.format("on_closed=hints.append"))
    isolated.until("len(hints)")
    assert holds(popup, CONNECT_SHOWS)
    assert isolated.value("told") == []
    isolated.grant(popup)
    assert isolated.told() == [GRANTED]


def test_error_comes_by_the_channel(isolated):
    """Denials as well as grants."""
    popup = isolated.click(AWAITED.format(""))
    isolated.grant(popup, "error=access_denied")
    assert [one["code"] for one in isolated.told()] == ["access_denied"]


def test_answer_after_the_end_stays_in_its_window(isolated):
    """Nobody answers it, so the window stays and says what to do."""
    popup = isolated.click(AWAITED.format(""))
    isolated.run("attempt.cancel()")
    assert isolated.told() == [CANCELLED]
    isolated.send(popup, f"code=a-code&state={isolated.state}")
    until("the window says so", lambda: holds(popup, "document.body.innerText.includes('start again')"))
    isolated.nothing_told(after=1)
    popup.close()


def test_two_pages_of_one_origin_hear_only_their_own(isolated):
    """All pages of an origin share their channels: the names are the attempts' own."""
    popup = isolated.click(AWAITED.format("state='one'"))
    state = isolated.state
    page = isolated.page.context.new_page()
    other = Lab(PlaywrightWindow(page, True), isolated.site, isolated.connect, "isolated/micropython")
    other.smartcar()
    second = other.click(AWAITED.format("state='two'"))
    isolated.grant(popup, "code=code-1", state)
    other.grant(second, "code=code-2")
    assert [one["code"] for one in isolated.told()] == ["code-1"]
    assert [one["code"] for one in other.told()] == ["code-2"]
    other.page.close()
