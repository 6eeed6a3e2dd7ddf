"""Results on their way to a session: for applications whose pages speak to Python over a connection of their own.

`on_complete` runs in the callback's request, but in a data app the code that waits lives in a session: behind
a WebSocket, or in a script that runs again. So the callback leaves the result here, and only a *claim* travels
to the page, random and good for once. It reaches the page that opened this attempt in this browser and no
other, by the roads an outcome takes; the page's session hands it in. The code itself stays on the server.
"""

import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from smartcar_auth import (
    AuthorizationResponse,
    Cancelled,
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    PopupBlocked,
    SmartcarAuthError,
    StateMismatch,
)
from smartcar_auth.errors import CONNECT_ERRORS

from .causes import REMEDIES
from .connect import Connect, checked_subject
from .cookies import Cookies

__all__ = ["Claims", "Result", "for_person", "keys_or_own", "not_this_browser"]

Result = AuthorizationResponse | SmartcarAuthError

# What a page may say of an attempt's end without a claim: it got no answer, or one that nobody believed.
_BY_CODE: dict[str, type[SmartcarAuthError]] = {
    kind.code: kind for kind in (PopupBlocked, Cancelled, ConnectTimeout, ConfigurationError, StateMismatch)
} | {kind.code: kind for kind in CONNECT_ERRORS.values()}

_LOST = (
    "The result of this attempt is not here: it was collected before, its five minutes are over, the server "
    "started again, or another worker has it. Start a new attempt; with several workers, let all requests of "
    "one browser reach the same one."
)


class Claims:
    """What callbacks left and nobody collected yet: in this process, bounded, thread-safe.

    Args:
        seconds: How long a result waits for its page.
        capacity: How many wait at most; the oldest is dropped first.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, seconds: int = 300, capacity: int = 10_000, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, tuple[float, Result]] = OrderedDict()

    def serve(self, connect: Connect) -> None:
        """Make this the end of every attempt of `connect`: its `on_complete` and `on_error`."""

        def completed(request: Any, response: AuthorizationResponse) -> dict[str, str]:
            return self.leave(response)

        def failed(request: Any, error: SmartcarAuthError) -> dict[str, str] | None:
            # Of other errors the page hears without a callback, or never: an answer that proves nothing ends nothing.
            return self.leave(error) if isinstance(error, ConnectError) else None

        connect.on_complete(completed)
        connect.on_error(failed)

    def leave(self, result: Result) -> dict[str, str]:
        """Keep a result; what comes back is the outcome's data, for the page."""
        claim = secrets.token_urlsafe(24)
        now = self._clock()
        with self._lock:
            self._waiting[claim] = (now + self._seconds, result)
            while len(self._waiting) > self._capacity or self._oldest() <= now:
                self._waiting.popitem(last=False)
        return {"claim": claim}

    def collect(self, told: object) -> Result:
        """What became of the attempt that a page tells of, once.

        Args:
            told: The `detail` of the element's `smartcar-granted` or `smartcar-failed`, as it came from the page:
                `{"outcome": ..., "code": ..., "data": ...}`. Nothing in it is believed but the claim.

        Returns:
            The response, or the error with all that Connect said. An error alone, by its code, where no answer
            came: `PopupBlocked`, `Cancelled`, `ConnectTimeout`. A `StateMismatch` where the claim is not known.
        """
        detail = told if isinstance(told, Mapping) else {}
        claim = _claim(detail)
        if claim is not None:
            with self._lock:
                until, result = self._waiting.pop(claim, (0.0, None))
            if result is not None and until > self._clock():
                return result
            return StateMismatch(_LOST, cause="replayed")
        code = detail.get("code")
        if detail.get("outcome") == "failed" and isinstance(code, str):
            return _BY_CODE.get(code, SmartcarAuthError)()
        return StateMismatch("The page told of an outcome without a claim to a result.", cause="missing")

    def look(self, told: object) -> Result | None:
        """What `collect` would find, left where it is: for hosts that choose a function before they collect."""
        claim = _claim(told)
        until, result = self._waiting.get(claim, (0.0, None)) if claim is not None else (0.0, None)
        return result if until > self._clock() else None

    def _oldest(self) -> float:
        return next(iter(self._waiting.values()))[0]

    def __len__(self) -> int:
        return len(self._waiting)


def for_person(result: Result, person: object) -> Result:
    """The result, unless somebody else is logged in now than the one who launched the attempt.

    Args:
        result: As `Claims.collect` gives it.
        person: What `identify` says now.
    """
    if isinstance(result, SmartcarAuthError) or result.subject == checked_subject(person):
        return result
    what = "Another person is logged in than the one who launched the attempt."
    return StateMismatch(f"{what} {REMEDIES['other_person']}", cause="other_person")


def not_this_browser(told: object, cookies: Cookies) -> StateMismatch | None:
    """Why a claim does not count here, for frameworks whose events are requests: the attempt's cookie comes along.

    The outcome that the page was told rides in that cookie, too.
    """
    claim = _claim(told)
    if claim is None:
        return None
    attempt = told.get("attempt") if isinstance(told, Mapping) else None
    found = cookies.get(attempt) if isinstance(attempt, str) else None
    if found is not None and found.outcome is not None and found.outcome.data == {"claim": claim}:
        return None
    what = "This browser does not carry the attempt that the page tells of."
    return StateMismatch(f"{what} {REMEDIES['other_browser']}", cause="other_browser")


def keys_or_own(
    secret_keys: str | bytes | Iterable[str | bytes] | None,
) -> str | bytes | Iterable[str | bytes]:
    """These; else those of SMARTCAR_SECRET_KEYS, separated by spaces; else one of this process's own.

    That one lasts as long as the process, and so does what waits to be collected.
    """
    if secret_keys is not None:
        return secret_keys
    return os.environ.get("SMARTCAR_SECRET_KEYS", "").split() or secrets.token_bytes(32)


def _claim(told: object) -> str | None:
    data = told.get("data") if isinstance(told, Mapping) else None
    claim = data.get("claim") if isinstance(data, Mapping) else None
    return claim if isinstance(claim, str) else None
