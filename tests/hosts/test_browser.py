"""Python in the page, without a page: the browser's window is a double here (with real ones: tests/page)."""

import asyncio
import functools
import math
import sys
from types import SimpleNamespace

import pytest

from smartcar_auth import (
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    InvalidResponse,
    MissingParameter,
    PopupBlocked,
    StateMismatch,
    hosted_redirect_uri,
    read_envelope,
)
from smartcar_auth.hosts.browser import Attempt, Smartcar

ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
ORIGIN = "https://app.example.com"
REDIRECT = f"{ORIGIN}/smartcar/redirect"
NULL = object()  # Pyodide's jsnull


def in_a_loop(test):
    """A page's Python always runs in one."""

    @functools.wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


class Proxy:
    """A function as JavaScript keeps it; calling it after it was let go is Pyodide's error."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *arguments):
        assert self.function is not None, "called after its end"
        return self.function(*arguments)

    def destroy(self):
        self.function = None


class Target:
    """What has listeners."""

    def __init__(self):
        self.listeners = []

    def addEventListener(self, name, listener):
        self.listeners.append((name, listener))

    def removeEventListener(self, name, listener):
        self.listeners.remove((name, listener))

    def happens(self, name, **more):
        for each, listener in list(self.listeners):
            if each == name:
                listener(SimpleNamespace(type=name, **more))


class Element(Target):
    """What can be clicked."""

    def __init__(self):
        super().__init__()
        self.prevented = 0

    def preventDefault(self):
        self.prevented += 1

    def click(self):
        self.happens("click", preventDefault=self.preventDefault)


class Popup:
    """A window that this one opened."""

    def __init__(self, address):
        self.address = address
        self.closed = False
        self.focused = 0

    @property
    def state(self):
        return dict(pair.split("=") for pair in self.address.partition("?")[2].split("&"))["state"]

    def close(self):
        self.closed = True

    def focus(self):
        self.focused += 1


class Channel:
    """One end of a channel."""

    def __init__(self, name):
        self.name, self.onmessage, self.said, self.open = name, None, [], True

    def postMessage(self, message):
        self.said.append(message)

    def close(self):
        self.open = False


class Window(Target):
    """The page's window, as far as it is used."""

    CSS = SimpleNamespace(escape=lambda text: text)
    location = SimpleNamespace(origin=ORIGIN)
    screen = SimpleNamespace(width=1000, height=800)

    def __init__(self):
        super().__init__()
        self.screenX, self.screenY, self.outerWidth, self.outerHeight = 10, 20, 900, 700
        self.elements = {}
        self.document = SimpleNamespace(querySelectorAll=self._find)
        self.BroadcastChannel = SimpleNamespace(new=self._channel)
        self.console = SimpleNamespace(warn=lambda text: self.warnings.append(text))
        self.channels, self.popups, self.features, self.timers, self.warnings = [], [], [], {}, []
        self.blocks = False

    @staticmethod
    def parseFloat(text):
        try:
            return float(text.removesuffix("px"))
        except ValueError:
            return math.nan

    def _find(self, selector):
        found = self.elements.get(selector, [])
        return SimpleNamespace(length=len(found), item=found.__getitem__)

    def _channel(self, name):
        self.channels.append(Channel(name))
        return self.channels[-1]

    def open(self, address, name, features):
        self.features.append(features)
        if self.blocks:
            return NULL
        self.popups.append(Popup(address))
        return self.popups[-1]

    def setInterval(self, listener, milliseconds):
        self.timers[len(self.timers) + 1] = listener
        return len(self.timers)

    def clearInterval(self, timer):
        del self.timers[timer]

    def tick(self):
        for listener in list(self.timers.values()):
            listener()

    def answer(self, popup, origin=ORIGIN, **fields):
        message = SimpleNamespace(name="SmartcarAuthMessage", **{"state": popup.state, **fields})
        self.happens("message", origin=origin, source=popup, data=message)


@pytest.fixture
def window(monkeypatch):
    """A page around this Python."""
    double = Window()
    monkeypatch.setitem(sys.modules, "js", SimpleNamespace(window=double, open=double.open))
    ffi = SimpleNamespace(create_proxy=Proxy, jsnull=NULL)
    monkeypatch.setitem(sys.modules, "pyodide", SimpleNamespace(ffi=ffi))
    monkeypatch.setitem(sys.modules, "pyodide.ffi", ffi)
    return double


@pytest.fixture
def told():
    return []


@pytest.fixture
def smartcar(told):
    return Smartcar(
        application_id=ID,
        redirect_uri=REDIRECT,
        on_complete=lambda error, response: told.append(error or response),
    )


def test_module_and_constructor_touch_no_page(smartcar):
    """A module that makes its Smartcar can be imported and tested on a server."""
    assert read_envelope(smartcar.get_auth_url("mine").partition("&state=")[2]) == "mine"
    with pytest.raises(ConfigurationError, match="main thread"):
        smartcar.open_dialog()
    with pytest.raises(ConfigurationError, match="main thread"):
        smartcar.add_click_handler(id="connect")
    smartcar.unmount()


def test_older_options_are_deprecated():
    """Where Python can say so; MicroPython has no warnings."""
    with pytest.warns(DeprecationWarning, match="client_id"):
        Smartcar(client_id=ID)
    with pytest.warns(DeprecationWarning, match="outdated form"):
        Smartcar(
            application_id=ID,
            redirect_uri="https://javascript-sdk.smartcar.com/redirect-2.4.0?app_origin=https://app.example.com",
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout_seconds": "60"}, "timeout_seconds"),
        ({"timeout_seconds": True}, "timeout_seconds"),
        ({"timeout_seconds": math.nan}, "timeout_seconds"),
        ({"signal": asyncio.Event}, "AbortSignal"),
        ({"on_closed": "ask"}, "on_closed"),
        ({"window_options": {"hight": 1}}, "'hight'"),
        ({"state": ""}, "state"),
        ({"state": 7}, "state"),
        ({"flags": ["country"]}, "flags"),
    ],
)
def test_bad_option_opens_nothing(window, smartcar, options, message):
    """It is said at once: in the call, and when the click handler is added."""
    window.elements["#connect"] = [Element()]
    with pytest.raises(ConfigurationError, match=message):
        smartcar.open_dialog(**options)
    with pytest.raises(ConfigurationError, match=message):
        smartcar.add_click_handler(id="connect", **options)
    assert window.popups == []
    assert window.elements["#connect"][0].listeners == []


def test_unknown_option_is_a_type_error(window, smartcar):
    """A word with a slip in it isn't swallowed."""
    with pytest.raises(TypeError, match="mkae"):
        smartcar.open_dialog(mkae="TESLA")
    with pytest.raises(TypeError, match="reditect_uri"):
        Smartcar(application_id=ID, reditect_uri=REDIRECT)


@in_a_loop
async def test_response_is_awaited_and_told(window, smartcar, told):
    """The same object for both; everything is let go."""
    attempt = smartcar.open_dialog(state="mine")
    (popup,) = window.popups
    waiting = asyncio.ensure_future(attempt)
    await asyncio.sleep(0)
    window.answer(popup, code="a-code")
    response = await waiting
    assert (response.code, response.state) == ("a-code", "mine")
    assert response.raw["state"] == "mine"
    assert told == [response]
    assert popup.closed
    assert (window.listeners, window.timers) == ([], {})
    assert (window.channels[0].open, window.channels[0].said) == (False, ["over"])


@in_a_loop
async def test_attempt_fits_what_waits(window, smartcar, told):
    """asyncio.wait_for cancels it when its own time is over; gather waits for several."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(smartcar.open_dialog(), 0.01)
    assert [type(one) for one in told] == [Cancelled]
    attempts = [smartcar.open_dialog(state=str(number)) for number in range(3)]
    for popup in window.popups[1:]:
        window.answer(popup, code="c")
    assert [one.state for one in await asyncio.gather(*attempts)] == ["0", "1", "2"]


@in_a_loop
async def test_blocked_window_is_told_after_the_call(window, smartcar, told):
    """Nothing was added that would have to be removed."""
    window.blocks = True
    attempt = smartcar.open_dialog()
    assert told == []
    with pytest.raises(PopupBlocked):
        await attempt
    assert [type(one) for one in told] == [PopupBlocked]
    assert (window.listeners, window.timers, window.channels) == ([], {}, [])


@in_a_loop
async def test_blocked_attempt_may_be_cancelled_meanwhile(window, smartcar, told):
    """The first ending counts."""
    window.blocks = True
    smartcar.open_dialog()
    smartcar.unmount()
    await asyncio.sleep(0.01)
    assert [type(one) for one in told] == [Cancelled]


def test_hint_has_grace(window, smartcar, told):
    """At the first look its message may be on its way; at the second it is told, and never again."""
    hints = []
    attempt = smartcar.open_dialog(on_closed=hints.append)
    window.tick()
    window.popups[0].closed = True
    window.tick()
    assert hints == []
    window.tick()
    window.tick()
    assert hints == [attempt]
    assert told == []


def test_answer_after_the_first_look_gives_no_hint(window, smartcar, told):
    """The usual end of an attempt, at the worst moment."""
    hints = []
    smartcar.open_dialog(on_closed=hints.append)
    popup = window.popups[0]
    popup.closed = True
    window.tick()
    window.answer(popup, code="c")
    window.tick()
    assert hints == []
    assert told[0].code == "c"


def test_deadline_counts_from_the_opening(window, smartcar, told, monkeypatch):
    """An hour unless given, by the clock on the wall, so that a closed laptop counts too."""
    now = [1_800_000_000.0]
    monkeypatch.setattr("smartcar_auth.hosts.browser.attempt.time", SimpleNamespace(time=lambda: now[0]))
    smartcar.open_dialog()
    now[0] += 3599
    window.tick()
    assert told == []
    now[0] += 2
    window.tick()
    assert [type(one) for one in told] == [ConnectTimeout]
    assert window.popups[0].closed


def test_source_may_be_missing(window, smartcar, told):
    """A window that has closed meanwhile is null; then only the attempt's own state counts."""
    smartcar.open_dialog()
    popup = window.popups[0]
    for state in (None, "other", 7):
        message = SimpleNamespace(name="SmartcarAuthMessage", code="c", state=state)
        window.happens("message", origin=ORIGIN, source=NULL, data=message)
    assert told == []
    message = SimpleNamespace(name="SmartcarAuthMessage", code="c", state=popup.state)
    window.channels[0].onmessage(SimpleNamespace(type="message", origin=ORIGIN, source=NULL, data=message))
    assert told[0].code == "c"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"state": None}, MissingParameter),
        ({"state": None, "code": "c"}, StateMismatch),
        ({"state": "another", "code": "c"}, StateMismatch),
        ({"error": "missing_parameter", "state": None}, MissingParameter),
        ({"code": 7}, InvalidResponse),
    ],
)
def test_attempt_s_own_window_may_end_it_badly(window, smartcar, told, fields, kind):
    """What proves nothing ends it when it is from there, and is ignored when it isn't."""
    smartcar.open_dialog()
    popup = window.popups[0]
    message = SimpleNamespace(name="SmartcarAuthMessage", **{"state": popup.state, **fields})
    window.happens("message", origin=ORIGIN, source=Popup(""), data=message)
    assert told == []
    window.answer(popup, **fields)
    assert [type(one) for one in told] == [kind]


@pytest.mark.parametrize(
    ("options", "origins"),
    [
        ({"redirect_uri": REDIRECT}, [ORIGIN]),
        ({"redirect_uri": "https://API.example.com:443/r"}, ["https://api.example.com"]),
        ({"redirect_uri": hosted_redirect_uri(ORIGIN)}, ["https://javascript-sdk.smartcar.com"]),
        ({"response_type": "none"}, ["https://connect.smartcar.com"]),
        ({"response_type": "none", "connect_origin": "http://127.0.0.1:9"}, ["http://127.0.0.1:9"]),
        ({}, [ORIGIN, "https://javascript-sdk.smartcar.com"]),
    ],
)
def test_origins_follow_from_the_redirect_uri(window, options, origins):
    """And no other counts, however it begins."""
    told = []
    candidates = [
        *(ORIGIN, "https://api.example.com", "https://javascript-sdk.smartcar.com", "http://127.0.0.1:9"),
        *("https://connect.smartcar.com", ORIGIN[:-1], ORIGIN + ".evil.example", "", "null", "https://"),
    ]
    for origin in candidates:
        smartcar = Smartcar(
            application_id=ID, on_complete=lambda error, response: told.append(response), **options
        )
        smartcar.open_dialog()
        before = len(told)
        window.answer(window.popups[-1], origin=origin, code="c")
        assert (len(told) > before) == (origin in origins), origin
        smartcar.unmount()
        told.clear()


def test_page_that_no_redirect_could_reach_is_refused(window):
    """http off localhost, or no origin at all."""
    smartcar = Smartcar(application_id=ID)
    for origin in ("http://192.168.1.5:8000", "null"):
        window.location = SimpleNamespace(origin=origin)
        with pytest.raises(ConfigurationError, match="the page's origin"):
            smartcar.open_dialog()


def test_answer_for_another_page_is_foreseen(window):
    """The console says that it can't arrive."""
    addresses = {
        hosted_redirect_uri(ORIGIN): False,
        "https://api.example.com/r?x=1&app_origin=https%3A%2F%2Fapp.example.com%2F&y=2": False,
        "https://api.example.com/r?state=1&state=2": False,
        hosted_redirect_uri("https://other.example"): True,
        "https://javascript-sdk.smartcar.com/v2/redirect": True,
        "https://api.example.com/r?app_origin=": True,
    }
    for redirect_uri, warned in addresses.items():
        Smartcar(application_id=ID, redirect_uri=redirect_uri).open_dialog()
        assert bool(window.warnings) == warned, redirect_uri
        window.warnings.clear()


def test_click_handler_serves_many_clicks(window, smartcar, told):
    """Open, to the front, and anew after the window has closed; the default action never happens."""
    element = Element()
    window.elements["#connect"] = window.elements[".connect"] = [element]
    smartcar.add_click_handler(id="#connect", selector=".connect")
    assert len(element.listeners) == 1
    element.click()
    element.click()
    assert (len(window.popups), window.popups[0].focused, told) == (1, 1, [])
    window.popups[0].closed = True
    element.click()
    assert [type(one) for one in told] == [Cancelled]
    assert len(window.popups) == 2
    assert element.prevented == 3
    smartcar.unmount()
    smartcar.unmount()
    assert element.listeners == []
    assert len(told) == 2


@in_a_loop
async def test_async_functions_run_to_their_end(window):
    """on_complete and on_closed may await."""
    told = []

    async def complete(error, response):
        await asyncio.sleep(0)
        told.append(error)

    async def ask(attempt):
        await asyncio.sleep(0)
        attempt.cancel()

    smartcar = Smartcar(application_id=ID, redirect_uri=REDIRECT, on_complete=complete)
    attempt = smartcar.open_dialog(on_closed=ask)
    window.popups[0].closed = True
    window.tick()
    window.tick()
    with pytest.raises(Cancelled):
        await attempt
    await asyncio.sleep(0.01)
    assert [type(one) for one in told] == [Cancelled]


def test_exception_of_on_complete_spares_no_other_attempt(window):
    """It is the application's to see, and all windows go."""

    def complete(error, response):
        raise RuntimeError("the application failed")

    smartcar = Smartcar(application_id=ID, redirect_uri=REDIRECT, on_complete=complete)
    for _ in range(3):
        smartcar.open_dialog()
    with pytest.raises(RuntimeError, match="the application failed"):
        smartcar.unmount()
    assert [popup.closed for popup in window.popups] == [True] * 3
    smartcar.unmount()


def test_window_comes_to_the_front(window, smartcar):
    """As long as it is there."""
    attempt = smartcar.open_dialog()
    assert attempt.to_front()
    assert window.popups[0].focused == 1
    attempt.cancel()
    assert not attempt.to_front()


def test_repr_holds_no_secret(window, smartcar):
    """An attempt may be logged."""
    attempt = smartcar.open_dialog(state="mine")
    assert isinstance(attempt, Attempt)
    assert window.popups[0].state not in repr(attempt)
