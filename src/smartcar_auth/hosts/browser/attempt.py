"""One attempt in a page: a window is opened, heard, and gone, with one ending.

There is no server here to own it. A random envelope around the caller's state ties the answer to the attempt,
and a window that reads closed is a hint and no verdict: under Cross-Origin-Opener-Policy it does so while the
person still signs in.
"""

import asyncio
import time

from smartcar_auth import (
    AmbiguousResponse,
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    DuplicateParameter,
    MissingParameter,
    PopupBlocked,
    SmartcarAuthError,
    StateMismatch,
)
from smartcar_auth._platform import MICROPYTHON, call, is_null, page, release, to_js
from smartcar_auth.envelope import new_instance_id, write_envelope
from smartcar_auth.message import FIELDS, NAME, parameters_of
from smartcar_auth.origin import HOSTED_PAGE, app_origin_of, origin_of, parse_origin
from smartcar_auth.response import Parameters, read_checked
from smartcar_auth.state import states_equal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from typing import Any

    from smartcar_auth import AuthorizationResponse, Smartcar

    Ended = Callable[["Attempt", SmartcarAuthError | None, AuthorizationResponse | None], None]

_LOOK_MILLISECONDS = 500
#: What our redirect page says of an answer that came to it broken.
_VERDICTS = {kind.code: kind for kind in (MissingParameter, DuplicateParameter, AmbiguousResponse)}
_running: "set[object]" = set()


class Attempt:
    """One try at connecting, from `Smartcar.open_dialog`: await it for the response, or `cancel` it.

    Cancelling the task that awaits it cancels it too. So does leaving or reloading the page: the next one
    couldn't know the answer.
    """

    def __init__(
        self,
        application: "Smartcar",
        ended: "Ended",
        *,
        state: "str | None" = None,
        window_options: "Mapping[str, object] | None" = None,
        timeout_seconds: "float" = 3600,
        signal: "Any" = None,
        on_closed: "Callable[[Attempt], Any] | None" = None,
        **options: "Any",
    ) -> None:
        if type(timeout_seconds) not in (int, float) or not timeout_seconds > 0:
            raise ConfigurationError("timeout_seconds must be a number above 0.")
        if signal is not None and not hasattr(signal, "aborted"):
            raise ConfigurationError("signal must be an AbortSignal, such as AbortController.new().signal.")
        if on_closed is not None and not callable(on_closed):
            raise ConfigurationError("on_closed must be a function: on_closed(attempt).")
        self._window = the_window()
        self._name = new_instance_id()
        self._state = write_envelope(self._name, state)
        self._original = state
        self._url = address(application, self._state, options)
        self._features = _features(self._window, window_options)
        self._origins = _origins(application, self._window)
        self._requires = "code" if application.response_type == "code" else None
        self._seconds = timeout_seconds
        self._signal = signal
        self._on_closed = on_closed
        self._looks_closed = 0
        self._tell = ended
        self._popup: Any = None
        self._listener: Any = None
        self._channel: Any = None
        self._over = asyncio.Event()
        self._error: SmartcarAuthError | None = None
        self._response: Any = None

    def cancel(self) -> None:
        """End it as Cancelled and close the window; after its end this does nothing."""
        self._end(Cancelled())

    async def _wait(self) -> "AuthorizationResponse":
        try:
            await self._over.wait()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if self._error is not None:
            raise self._error
        response: AuthorizationResponse = self._response
        return response

    if MICROPYTHON:

        def __iter__(self):  # type: ignore[no-untyped-def]
            return self._wait()

    else:

        def __await__(self) -> "Generator[Any, None, AuthorizationResponse]":
            return self._wait().__await__()

    def _open(self) -> None:
        """In this very call. A failure is told later, so that nobody is called back during it."""
        window, signal = self._window, self._signal
        if signal is not None and signal.aborted:
            return run(self._fail(Cancelled()))
        popup = call(window, "open", self._url, "", self._features)
        if is_null(popup):
            return run(self._fail(PopupBlocked()))
        self._popup = popup
        self._until = time.time() + self._seconds
        self._listener = listener = to_js(self._happened)  # one for all, so that one is let go in the end
        self._timer = call(window, "setInterval", listener, _LOOK_MILLISECONDS)
        call(window, "addEventListener", "message", listener)
        call(window, "addEventListener", "pagehide", listener)
        # Its name carries the random id: all pages of an origin share their channels.
        self._channel = window.BroadcastChannel.new("smartcar-auth-" + self._name)
        self._channel.onmessage = listener
        if signal is not None:
            call(signal, "addEventListener", "abort", listener)
        states_equal("", "")  # what Pyodide imports for it needn't wait for the answer
        return None

    def to_front(self) -> bool:
        """Bring the window before the person's eyes; False if it reads closed."""
        if self._popup is None or self._popup.closed:
            return False
        self._popup.focus()
        return True

    def _happened(self, event: "Any" = None) -> None:
        if event is None:
            self._look()
        elif event.type == "message":
            self._hear(event)
        else:  # abort, pagehide
            self.cancel()

    def _look(self) -> None:
        if time.time() > self._until:
            self._end(ConnectTimeout())
        elif self._popup.closed:
            self._looks_closed += 1
            # Not at the first look: a window that closes itself has just posted its message.
            if self._looks_closed == 2 and self._on_closed is not None:
                run(self._on_closed(self))

    def _hear(self, event: "Any") -> None:
        if event.origin not in self._origins:
            return
        # A source is missing when the window has closed meanwhile, and on the channel.
        ours = event.source == self._popup
        if not ours and not is_null(event.source):
            return
        posted = event.data
        if getattr(posted, "name", None) != NAME:
            return
        # Pyodide's null is false, and no None.
        message = {field: getattr(posted, field, None) or None for field, _ in FIELDS}
        state = message["state"]
        proven = isinstance(state, str) and states_equal(state, self._state)
        # After such a message our window has nothing more to say, so even one that proves nothing ends the
        # attempt. From anywhere else only this attempt's own state does.
        if ours or proven:
            error = response = None
            try:
                response = self._read(message, proven)
            except SmartcarAuthError as refused:
                error = refused
            self._end(error, response)

    def _read(self, message: "dict[str, Any]", proven: bool) -> "AuthorizationResponse":
        found = parameters_of(message)
        verdict = _VERDICTS.get(found.get("error", ""))
        if verdict is not None:
            raise verdict()
        if not found:  # Smartcar's own script says nothing else of an answer without a query
            raise MissingParameter()
        if not proven:
            raise StateMismatch(cause="altered" if "state" in found else "missing")
        del found["state"]
        if self._original is not None:
            found["state"] = self._original
        return read_checked(Parameters(found), requires=self._requires)

    def _end(
        self, error: "SmartcarAuthError | None", response: "AuthorizationResponse | None" = None
    ) -> None:
        if self._over.is_set():
            return
        self._error, self._response = error, response
        self._over.set()
        try:
            # First, because somebody waits: a window that has answered closes itself.
            self._tell(self, error, response)
        finally:
            if self._popup is not None:
                self._close()

    def _close(self) -> None:
        window, listener = self._window, self._listener
        call(window, "clearInterval", self._timer)
        call(window, "removeEventListener", "message", listener)
        call(window, "removeEventListener", "pagehide", listener)
        if self._signal is not None:
            call(self._signal, "removeEventListener", "abort", listener)
        self._channel.postMessage("over")  # our redirect page closes itself when it is answered
        self._channel.close()
        self._popup.close()
        release(listener)
        # A ring through both languages, which neither one's collector sees.
        self._popup = self._listener = self._channel = None

    async def _fail(self, error: "SmartcarAuthError") -> None:
        self._end(error)


def the_window() -> "Any":
    """This page's window.

    Raises:
        ConfigurationError: this Python runs in no page, or in a worker.
    """
    window = page()
    if window is None:
        raise ConfigurationError(
            "Connect opens from a page's main thread, where this Python isn't; in PyScript leave out `worker`."
        )
    return window


def address(application: "Smartcar", state: "str", options: "Mapping[str, Any]") -> "str":
    """The address that opens Connect; it says where to post the answer if there is nowhere to redirect to."""
    options = dict(options)
    if application.response_type == "none" and application.redirect_uri is None:
        options["app_origin"] = the_window().location.origin
    return application.get_auth_url(state, **options)


def run(result: "Any") -> None:
    """See an application's async function to its end; a plain one is over already."""
    if not hasattr(result, "throw"):
        return

    async def finish() -> None:
        try:
            await result
        finally:
            _running.discard(task)

    task = asyncio.create_task(finish())
    _running.add(task)  # an event loop may forget a task that nobody else knows


def _origins(application: "Smartcar", window: "Any") -> "list[str]":
    """Whose messages count, compared whole."""
    here = window.location.origin
    if application.redirect_uri is not None:
        origin = origin_of(application.redirect_uri)
        told = app_origin_of(application.redirect_uri)
        if told != here and (told is not None or origin == HOSTED_PAGE):
            there = f'app_origin="{told or ""}"'
            window.console.warn(
                f"smartcar-auth: redirect_uri hands the answer to {there}, but this page is at {here}."
            )
        return [] if origin is None else [origin]
    if application.response_type == "none":
        return [application.connect_origin]
    return [parse_origin(here, "the page's origin"), HOSTED_PAGE]


def _features(window: "Any", given: "Mapping[str, object] | None") -> "str":
    """Size and place as in the original: 30 % x 75 % of the screen, centred on the page's window."""
    width, height = window.screen.width * 0.3, window.screen.height * 0.75
    values = {
        "top": window.screenY + (window.outerHeight - height) / 8,
        "left": window.screenX + (window.outerWidth - width) / 2,
        "width": width,
        "height": height,
    }
    for name, value in (given or {}).items():
        if name not in values:
            raise ConfigurationError(f"window_options knows width, height, top and left, not {name!r}.")
        number = call(window, "parseFloat", str(value))
        if -1e6 < number < 1e6:  # and so no NaN
            values[name] = max(number, 100) if name in ("width", "height") else number
    return "popup," + ",".join([f"{name}={int(value)}" for name, value in values.items()])
