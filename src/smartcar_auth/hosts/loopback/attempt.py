"""One attempt: the request that goes out, the answer that may end it, and how it ended.

The answer comes to a port of this machine, or is brought by whoever has it. No browser is opened and nothing is said
here, so that a window, a terminal and an event loop can each do that in their own way. What may be believed is the
core's decision; what proves nothing changes nothing.
"""

from __future__ import annotations

import hmac  # noqa: F401  (the core loads it to compare its first state, when a browser would be waiting)
import threading
from time import monotonic

from smartcar_auth import (
    AmbiguousResponse,
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    InvalidResponse,
    MissingParameter,
    SmartcarAuthError,
)
from smartcar_auth.envelope import new_instance_id, write_envelope
from smartcar_auth.origin import HOSTED_PAGE

from .address import Address
from .page import HEADERS, page
from .port import hold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Unpack

    from smartcar_auth import AuthorizationResponse, Smartcar
    from smartcar_auth.request import RequestOptions
    from smartcar_auth.response import ResponseSource

    from .port import Request


_MANY_REQUESTS = 32
_SLICE_SECONDS = 0.1  # a cancelled wait is noticed between two of them, and so is Ctrl-C on Windows


class Attempt:
    """One try at connecting from a program on this machine. Making it holds the port; `with` lets it go.

        with Attempt(smartcar, ports=[8000, 8001]) as attempt:
            show(attempt.url)
            response = attempt.wait()

    A window calls `poll` from a timer instead, and `close` when it goes. While one thread waits, any other may call
    `receive`, `cancel` and `close`.

    Args:
        smartcar: Its redirect URI says where the answer comes to: `http://localhost:PORT/path`, or one through
            jupyter-server-proxy, `https://hub.example/user/you/proxy/PORT/path`, which passes it on to that port. Its
            `on_complete`, if it has one, is told how the attempt ended, once.
        ports: Those whose redirect URIs are registered, tried in this order. None: the redirect URI's own. Without a
            redirect URI the path is /callback. 0, any free port, is for the sandbox. An empty list holds none: the
            redirect URI is any one then, and the answer is given to `receive`.
        timeout_seconds: How long the person may take.
        options: make, single_select, single_select_vin, flags, user, force_prompt, as in `Smartcar.get_auth_url`.

    Raises:
        ConfigurationError: An option can't work, or no port is known.
        PortUnavailable: Other programs hold all the ports.
    """

    def __init__(
        self,
        smartcar: Smartcar,
        *,
        ports: Iterable[int] | None = None,
        timeout_seconds: float = 600,
        **options: Unpack[RequestOptions],
    ) -> None:
        address = Address(smartcar.redirect_uri, ports)
        if not timeout_seconds > 0:
            raise ConfigurationError("timeout_seconds must be more than 0.")
        # A mistake is said before a port is taken.
        smartcar.authorization_request(None, app_origin=None, **options)
        self._port = hold(address.candidates) if address.candidates else None
        #: The one that is held, or None.
        self.port = None if self._port is None else self._port.number
        #: This attempt's redirect URI, with the port that is held.
        self.redirect_uri = address.redirect_uri(self.port)
        #: Whether jupyter-server-proxy passes the answer on, so that browsers anywhere reach this.
        self.proxied = address.proxied
        # Smartcar's own page knows by the official SDK's envelope whose answer it is.
        hosted = self.redirect_uri is not None and self.redirect_uri.startswith(f"{HOSTED_PAGE}/")
        state = write_envelope(new_instance_id()) if hosted else None
        asking = smartcar.replace(redirect_uri=self.redirect_uri)
        self._request = asking.authorization_request(state, app_origin=None, **options)
        self._on_complete = smartcar.on_complete
        self._path, self._hosts = address.path, address.names(self.port)
        self._until = monotonic() + timeout_seconds
        self._refused: SmartcarAuthError | None = None
        #: What ends it. Any thread may add to it, and the first counts.
        self._ends: list[AuthorizationResponse | SmartcarAuthError] = []
        self._woken = threading.Event()
        #: Whose turn it is to look; the port is nobody else's meanwhile.
        self._turn = threading.RLock()
        self._over = False

    @property
    def url(self) -> str:
        """Connect's address: open it in a browser, or show it to the person."""
        return self._request.url

    @property
    def ended(self) -> bool:
        """Whether it has an end, which `poll` says."""
        return bool(self._ends)

    @property
    def remaining_seconds(self) -> float:
        """How long the person still has."""
        return max(0.0, self._until - monotonic())

    def poll(self, seconds: float = 0.0) -> AuthorizationResponse | None:
        """The response if it is here within `seconds`, else None; for the timer of a window. After the end, the end.

        Raises:
            ConnectError: Connect said no.
            MissingParameter, AmbiguousResponse: Connect's answer makes no sense.
            ConnectTimeout: The time is over. Its cause is the last answer that was not believed, if one came.
            Cancelled: `cancel` or `close` was called.
        """
        until = monotonic() + seconds
        with self._turn:
            ends_now = not self._over and self._ends_by(until)
        if not self._over:
            return None
        end = self._ends[0]
        error, response = (end, None) if isinstance(end, SmartcarAuthError) else (None, end)
        if ends_now and self._on_complete is not None:
            self._on_complete(error, response)
        if error is not None:
            raise error
        return response

    def wait(self) -> AuthorizationResponse:
        """The response, once it is here.

        Raises:
            SmartcarAuthError: As `poll`.
        """
        while True:
            response = self.poll(self.remaining_seconds)
            if response is not None:
                return response

    def receive(self, source: ResponseSource) -> AuthorizationResponse:
        """Take an answer that came another way, such as the address that a person copied out of a browser elsewhere.

        Returns or raises the attempt's end, within a moment: this answer, or the one that was first.

        Raises:
            InvalidResponse: It isn't this attempt's answer, or can't be read; the attempt goes on.
            SmartcarAuthError: It is, and ends the attempt: ConnectError, MissingParameter, AmbiguousResponse. Or that
                had ended already.
        """
        answer = self._take(source)
        if not self.ended and isinstance(answer, SmartcarAuthError):
            raise answer
        return self.wait()

    def cancel(self, reason: SmartcarAuthError | None = None) -> None:
        """Give up: whoever waits is told within a moment, with `Cancelled` or the reason given."""
        self._end(reason or Cancelled())

    def close(self) -> None:
        """Let the port go, which cancels an attempt that has no end yet. A second call does nothing."""
        self.cancel()
        try:
            self.poll()
        except SmartcarAuthError:
            pass

    def __enter__(self) -> Attempt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ends_by(self, until: float) -> bool:
        """Whether the attempt ends until then; if so the port is let go."""
        for _ in range(_MANY_REQUESTS):  # and no more, or a flood of them would freeze the window
            request = None
            while request is None:
                if self.remaining_seconds == 0:
                    late = ConnectTimeout()
                    late.__cause__ = self._refused
                    self._end(late)
                if self._ends:
                    self._over = True
                    if self._port is not None:
                        self._port.close()
                    return True
                request = self._next(max(0.0, min(until, self._until) - monotonic()))
                if request is None and monotonic() >= until:
                    return False
            self._answer(request)
        return False

    def _next(self, seconds: float) -> Request | None:
        """A request, if one comes soon."""
        seconds = min(seconds, _SLICE_SECONDS)
        if self._port is not None:
            return self._port.receive(seconds)
        self._woken.wait(seconds)
        return None

    def _answer(self, request: Request) -> None:
        """Tell the browser what its request means here. Only an answer of Connect's ends the attempt."""
        if request.host not in self._hosts:
            request.answer(421)
        elif request.path != self._path:
            request.answer(404)
        elif request.method != "GET":
            request.answer(405, "Allow: GET\r\n")
        else:
            answer = self._take(request.query)
            request.answer(400 if isinstance(answer, InvalidResponse) else 200, HEADERS, page(answer))

    def _take(self, source: ResponseSource) -> AuthorizationResponse | SmartcarAuthError:
        """Read an answer. It ends the attempt if it is Connect's."""
        answer: AuthorizationResponse | SmartcarAuthError
        try:
            answer = self._request.receive(source)
        except SmartcarAuthError as error:
            answer = error
        # These two are found after the state was, so it is Connect that makes no sense; the others prove nothing.
        senseless = isinstance(answer, (MissingParameter, AmbiguousResponse))
        if isinstance(answer, InvalidResponse) and not senseless:
            self._refused = answer
        else:
            self._end(answer)
        return answer

    def _end(self, outcome: AuthorizationResponse | SmartcarAuthError) -> None:
        self._ends.append(outcome)
        self._woken.set()
