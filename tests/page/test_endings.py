"""Every way in which an attempt in the page ends: it is told once, and the window goes."""

import json

import pytest

from browser.engines import until
from browser.flow import connect_as
from page.lab import GRANTED, holds, page_of

pytestmark = pytest.mark.browser

AWAITED = "attempt = smartcar.open_dialog({})\n    asyncio.create_task(wait_for(attempt))"


def failure(kind, code, **more):
    """A failure as on_complete and whoever awaits are told it."""
    return {
        "kind": kind,
        "code": code,
        "error": None,
        "description": None,
        "cause": None,
        "vehicle_info": None,
        **more,
    }


CANCELLED = failure("Cancelled", "cancelled")


def ended(lab, told, count=1):
    """Both hear the same of it."""
    assert lab.told(count)[-1] == told
    assert lab.until("awaited")[-1] == told


def test_person_walks_through_connect(lab):
    """The whole way: the brand's login, the permissions, and the code in Python."""
    popup = lab.click(AWAITED.format("make='TESLA', state='mine'"))
    connect_as(page_of(popup))
    lab.gone(popup)
    (told,) = lab.told()
    assert told["code"]
    assert told["user_id"]
    assert told["state"] == "mine"
    assert lab.until("awaited") == [told]


def test_failure_is_told_and_raised(lab):
    """on_complete has it as its argument, whoever awaits as an exception."""
    lab.grant(lab.click(AWAITED.format("")), "error=access_denied&error_description=User+denied")
    ended(lab, failure("AccessDenied", "access_denied", error="access_denied", description="User denied"))


def test_failure_that_nobody_awaits_makes_no_noise(lab):
    """It only goes to on_complete; no "exception was never retrieved"."""
    lab.grant(lab.click("attempt = smartcar.open_dialog()"), "error=access_denied")
    assert [one["code"] for one in lab.told()] == ["access_denied"]
    lab.run("import gc\nattempt = None\ngc.collect()")
    lab.nothing_told(after=1)
    assert lab.noise == []


def test_outcome_may_be_awaited_late_and_often(lab):
    """What it became stays."""
    lab.grant(lab.click("attempt = smartcar.open_dialog()"))
    lab.told()
    lab.run("for _ in range(3):\n    asyncio.create_task(wait_for(attempt))")
    assert lab.until("len(awaited) == 3 and awaited") == [GRANTED] * 3


def test_blocked_window_is_told_after_the_call(lab):
    """A click allows one window: the second attempt is blocked, the first goes on."""
    popup = lab.click(
        "global told_by_then\n    first = smartcar.open_dialog()\n    attempt = smartcar.open_dialog()\n"
        "    told_by_then = len(told)\n    asyncio.create_task(wait_for(attempt))"
    )
    ended(lab, failure("PopupBlocked", "popup_blocked"))
    assert lab.value("told_by_then") == 0
    lab.grant(popup)
    assert lab.told(2)[1] == GRANTED


def test_closed_window_is_a_hint_and_no_verdict(lab):
    """It is said once; the attempt goes on until somebody decides."""
    popup = lab.click(AWAITED.format("on_closed=hints.append"))
    popup.close()
    lab.until("hints == [attempt]")
    lab.page.wait_for_timeout(1_200)
    assert lab.value("len(hints)") == 1
    lab.nothing_told()
    lab.run("hints[0].cancel()")
    ended(lab, CANCELLED)


def test_window_that_closes_after_its_answer_gives_no_hint(lab):
    """Closing is how every good attempt ends."""
    lab.grant(lab.click(AWAITED.format("on_closed=hints.append")))
    ended(lab, GRANTED)
    lab.page.wait_for_timeout(1_200)
    assert lab.value("len(hints)") == 0


def test_answer_counts_after_the_window_read_closed(lab):
    """As with a page that cut the window off: the hint was wrong, and nothing is lost."""
    popup = lab.click(AWAITED.format("on_closed=hints.append"))
    popup.close()
    lab.until("len(hints)")
    other = lab.page.context.new_page()
    other.goto(f"{lab.site.redirect_uri}?code=a-code&state={lab.state}")
    ended(lab, GRANTED)
    until("the other window closes or says so", lambda: other.is_closed() or other.inner_text("body"))
    other.close()


def test_async_hint_runs(lab):
    """on_closed may await, to ask in the page."""
    lab.run("async def ask(attempt):\n    await asyncio.sleep(0)\n    attempt.cancel()")
    lab.click(AWAITED.format("on_closed=ask")).close()
    ended(lab, CANCELLED)


def test_cancel_closes_the_window(lab):
    """And a second time does nothing."""
    popup = lab.click(AWAITED.format(""))
    lab.run("attempt.cancel()\nattempt.cancel()")
    lab.gone(popup)
    ended(lab, CANCELLED)
    lab.nothing_told(after=1)


def test_cancelled_task_cancels_the_attempt(lab):
    """Nobody waits any more, so the window goes too."""
    popup = lab.click(
        "global task\n    attempt = smartcar.open_dialog()\n    task = asyncio.create_task(wait_for(attempt))"
    )
    lab.nothing_told()
    lab.run("task.cancel()")
    lab.gone(popup)
    assert lab.told() == [CANCELLED]
    assert lab.until("awaited") == ["task cancelled"]


def test_aborted_signal_cancels(lab):
    """A page's other code has AbortControllers."""
    lab.run("controller = js.AbortController.new()")
    popup = lab.click(AWAITED.format("signal=controller.signal"))
    lab.window.run("void 0")
    lab.run("controller.abort()")
    lab.gone(popup)
    ended(lab, CANCELLED)


def test_signal_aborted_before_opens_nothing(lab):
    """An attempt that is over before it begins shows no window."""
    lab.run(
        "controller = js.AbortController.new()\ncontroller.abort()\n"
        "attempt = smartcar.open_dialog(signal=controller.signal)\nasyncio.create_task(wait_for(attempt))"
    )
    ended(lab, CANCELLED)
    assert len(lab.page.context.pages) == 1


def test_deadline_ends_the_attempt(lab):
    """The window closes, and it is told as a timeout."""
    popup = lab.click(AWAITED.format("timeout_seconds=0.6"))
    lab.gone(popup)
    ended(lab, failure("ConnectTimeout", "timeout"))


def test_unmount_cancels_what_is_open(lab):
    """All windows of this Smartcar; and it can be used again."""
    lab.smartcar("another")
    other = lab.click("global other\n    other = another.open_dialog()")
    popups = [lab.click("attempt = smartcar.open_dialog()") for _ in range(2)]
    lab.run("smartcar.unmount()\nsmartcar.unmount()")
    for popup in popups:
        lab.gone(popup)
    assert lab.told(2) == [CANCELLED] * 2
    lab.grant(lab.click("attempt = smartcar.open_dialog()"))
    assert lab.told(3)[2] == GRANTED
    lab.run("other.cancel()")
    lab.gone(other)


def test_reload_ends_the_attempt(own_lab):
    """The next page can't know the answer, so the window doesn't stay to give one."""
    lab = own_lab
    lab.run("def complete(error, response):\n    js.sessionStorage.setItem('told', error.code)")
    lab.smartcar(on_complete="complete")
    popup = lab.click("attempt = smartcar.open_dialog()")
    lab.window.run("void setTimeout(() => location.reload())")
    lab.gone(popup)
    until("it was told", lambda: holds(lab.window, "sessionStorage.getItem('told') === 'cancelled'"))


def test_two_at_once_end_each_with_their_own(lab):
    """In any order, of one Smartcar and of two."""
    lab.smartcar("another")
    attempts = []
    for number, name in enumerate(["smartcar", "smartcar", "another"]):
        popup = lab.click(f"{name}.open_dialog(state='state {number}')")
        attempts.append((popup, lab.state))
    for number in (2, 0, 1):
        popup, state = attempts[number]
        lab.grant(popup, f"code=code-{number}", state)
        lab.until(f"any([one['code'] == 'code-{number}' for one in told])")
    told = lab.told(3)
    assert [(one["code"], one["state"]) for one in told] == [(f"code-{n}", f"state {n}") for n in (2, 0, 1)]


def test_flood_of_messages_changes_nothing(lab):
    """Thousands of every kind, from page and window, and then the answer."""
    popup = lab.click(AWAITED.format(""))
    lab.stand_in(popup)
    junk = [None, 7, "text", [], {}, {"name": 7}, {"name": "SmartcarAuth"}, {"name": "smartcar-connect"}]
    lab.post(popup, *junk * 100)
    forged = json.dumps([*junk, lab.message(), lab.message(state="wrong"), lab.message(state=None)])
    lab.window.run(
        f"void Array.from({{length: 300}}, () => {forged}.forEach((message) => postMessage(message, location.origin)))"
    )
    lab.nothing_told()
    lab.grant(popup)
    ended(lab, GRANTED)


def test_answer_counts_once(lab):
    """Delivered again, by either road, it changes nothing."""
    popup = lab.click(AWAITED.format(""))
    lab.stand_in(popup)
    message = lab.message()
    popup.run("void addEventListener('beforeunload', (event) => event.preventDefault())")
    lab.post(popup, message, message, {**message, "code": "another"})
    ended(lab, GRANTED)
    lab.nothing_told(after=1)


def test_on_complete_may_be_async(lab):
    """It can send the code to the server."""
    lab.run(
        "async def complete(error, response):\n    await asyncio.sleep(0.05)\n    on_complete(error, response)\n"
    )
    lab.smartcar(on_complete="complete")
    lab.grant(lab.click("attempt = smartcar.open_dialog()"))
    assert lab.told() == [GRANTED]


def test_exception_in_on_complete_is_the_console_s(lab):
    """The developer sees it; the attempt has ended for everybody else."""
    lab.run("def complete(error, response):\n    raise RuntimeError('the application failed')\n")
    lab.smartcar(on_complete="complete")
    lab.grant(lab.click(AWAITED.format("")))
    assert lab.until("awaited") == [GRANTED]
    assert "the application failed" in "".join(lab.noise)
    lab.noise.clear()


def test_second_click_keeps_what_was_typed(lab):
    """While the window is open the button leads back to it."""
    lab.run("smartcar.add_click_handler(selector='.connect', make='TESLA')")
    popup = lab.opened("#connect")
    popup.press("#continue-button")
    popup.write("#username", "typed@example.com")
    lab.window.press("#connect")
    lab.window.press("#in-form")
    assert len(lab.page.context.pages) == 2
    assert popup.run("document.querySelector('#username').value") == "typed@example.com"
    lab.grant(popup)
    assert lab.told() == [GRANTED]


def test_click_after_closing_begins_anew(lab):
    """The person has decided by clicking: the earlier attempt is cancelled, the new one completes."""
    lab.run("smartcar.add_click_handler(id='connect')")
    lab.opened("#connect").close()
    lab.grant(lab.opened("#connect"))
    assert lab.told(2) == [CANCELLED, GRANTED]


def test_click_after_the_end_opens_again(lab):
    """A handler serves many attempts."""
    lab.run("smartcar.add_click_handler(id='connect')")
    for count in (1, 2):
        lab.grant(lab.opened("#connect"))
        assert lab.told(count)[-1] == GRANTED
