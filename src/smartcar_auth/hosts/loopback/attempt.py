"""One attempt over a port of this machine: the request that goes out, the answer that may end it, and how it ended.

No browser is opened and nothing is said here, so that a window, a terminal and an event loop can each do that in
their own way. What may be believed is the core's decision; what proves nothing changes nothing.
"""

from __future__ import annotations

import hmac  # noqa: F401  (the core loads it to compare its first state, when a browser would be waiting)
from time import monotonic

from smartcar_auth import (
    AmbiguousResponse,
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    InvalidResponse,
    MissingParameter,
    SmartcarAuthError,
    StateMismatch,
)
from smartcar_auth.origin import LOCAL_HOSTS

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


class Attempt:
    """One try at connecting from a program on this machine. Making it holds the port; `with` lets it go.

        with Attempt(smartcar, ports=[8000, 8001]) as attempt:
            show(attempt.url)
            response = attempt.wait()

    A window calls `poll` from a timer instead, and `close` when it goes. It belongs to one thread; `cancel` may come
    from any.

    Args:
        smartcar: Its redirect URI, `http://localhost:PORT/path`, says where the answer comes to. Its `on_complete`, if
            it has one, is told how the attempt ended, once.
        ports: Those whose redirect URIs are registered, tried in this order. None: the redirect URI's own. Without a
            redirect URI the path is /callback. 0, any free port, is for the sandbox.
        timeout_seconds: How long the person may take.
        proxied_path: Where a proxy passes the redirect URI on to the port: the path with which it asks here. The
            redirect URI is any one of its own then, and `ports` says which port it asks.
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
        proxied_path: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> None:
        proxied = None if proxied_path is None else smartcar.redirect_uri
        if proxied_path is not None and proxied is None:
            raise ConfigurationError("proxied_path is part of a redirect URI: make this Smartcar with it.")
        host, own_port, rest = _parts(None if proxied else smartcar.redirect_uri)
        if not timeout_seconds > 0:
            raise ConfigurationError("timeout_seconds must be more than 0.")
        smartcar.authorization_request(
            None, app_origin=None, **options
        )  # a mistake is said before a port is taken
        self._port = hold(_candidates(own_port, ports))
        self.port = self._port.number
        #: This attempt's redirect URI, with the port that is held.
        self.redirect_uri = smartcar.redirect_uri
        if self.redirect_uri is None or (self.port != own_port and not proxied):
            self.redirect_uri = f"http://{host}:{self.port}{rest}"
        smartcar = smartcar.replace(redirect_uri=self.redirect_uri)
        self._request = smartcar.authorization_request(None, app_origin=None, **options)
        self._on_complete = smartcar.on_complete
        self._path = proxied_path or rest.partition("?")[0] or "/"
        # What another name resolves to is for its owner to say: that is how DNS rebinding would reach this port.
        self._hosts = {f"{name}:{self.port}" for name in LOCAL_HOSTS}
        if self.port == 80:
            self._hosts.update(LOCAL_HOSTS)
        if proxied:  # as the browser asked for it, if the proxy passes that on
            self._hosts.add(proxied.partition("://")[2].partition("/")[0].lower())
        self._until = monotonic() + timeout_seconds
        self._given_up: SmartcarAuthError | None = None
        self._refused: SmartcarAuthError | None = None
        self._outcome: AuthorizationResponse | SmartcarAuthError | None = None

    @property
    def url(self) -> str:
        """Connect's address: open it in a browser, or show it to the person."""
        return self._request.url

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
        for _ in range(_MANY_REQUESTS):  # and no more, or a flood of them would freeze the window
            if self._outcome is not None:
                break
            if self._given_up is not None:
                self._end(self._given_up)
            elif self.remaining_seconds == 0:
                self._end(self._timeout())
            else:
                request = self._port.receive(max(0.0, min(until, self._until) - monotonic()))
                if request is not None:
                    self._answer(request)
                elif monotonic() >= until:
                    break
        if isinstance(self._outcome, SmartcarAuthError):
            raise self._outcome
        return self._outcome

    def wait(self) -> AuthorizationResponse:
        """The response, once it is here.

        Raises:
            SmartcarAuthError: As `poll`.
        """
        while True:
            # In slices, for `cancel` is noticed between two of them, and so is Ctrl-C on Windows.
            response = self.poll(0.1)
            if response is not None:
                return response

    def receive(self, source: ResponseSource) -> AuthorizationResponse:
        """Take an answer that came another way: the address that a person copied out of a browser elsewhere.

        Raises:
            InvalidResponse: It isn't this attempt's answer, or can't be read; the attempt goes on.
            ConnectError, MissingParameter, AmbiguousResponse: It is, and ends the attempt.
        """
        answer = self._read(source)
        self._take(answer)
        if isinstance(answer, SmartcarAuthError):
            raise answer
        return answer

    def cancel(self, reason: SmartcarAuthError | None = None) -> None:
        """Give up: whoever waits is told within a moment, with `Cancelled` or the reason given. From any thread."""
        self._given_up = reason or Cancelled()

    def close(self) -> None:
        """Let the port go, which cancels an attempt that has no end yet. A second call does nothing."""
        if self._outcome is None:
            self._end(Cancelled())

    def __enter__(self) -> Attempt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, request: Request) -> None:
        """Tell the browser what its request means here. Only an answer of Connect's ends the attempt."""
        if request.host not in self._hosts:
            request.answer(421)
        elif request.path != self._path:
            request.answer(404)
        elif request.method != "GET":
            request.answer(405, "Allow: GET\r\n")
        else:
            answer = self._read(request.query)
            request.answer(400 if isinstance(answer, InvalidResponse) else 200, HEADERS, page(_kind(answer)))
            self._take(answer)

    def _read(self, source: ResponseSource) -> AuthorizationResponse | SmartcarAuthError:
        try:
            return self._request.receive(source)
        except SmartcarAuthError as error:
            return error

    def _take(self, answer: AuthorizationResponse | SmartcarAuthError) -> None:
        # These two are found after the state was, so it is Connect that makes no sense; the others prove nothing.
        if isinstance(answer, InvalidResponse) and not isinstance(
            answer, (MissingParameter, AmbiguousResponse)
        ):
            self._refused = answer
        else:
            self._end(answer)

    def _end(self, outcome: AuthorizationResponse | SmartcarAuthError) -> None:
        """The first end counts: let the port go and tell `on_complete`."""
        if self._outcome is not None:
            return
        self._outcome = outcome
        self._port.close()
        if self._on_complete is None:
            return
        if isinstance(outcome, SmartcarAuthError):
            self._on_complete(outcome, None)
        else:
            self._on_complete(None, outcome)

    def _timeout(self) -> ConnectTimeout:
        error = ConnectTimeout()
        error.__cause__ = self._refused
        return error


def _kind(answer: AuthorizationResponse | SmartcarAuthError) -> str:
    if isinstance(answer, StateMismatch):
        return answer.cause
    if isinstance(answer, InvalidResponse):
        return "unreadable"
    return answer.code if isinstance(answer, SmartcarAuthError) else "granted"


def _parts(redirect_uri: str | None) -> tuple[str, int | None, str]:
    """Host, port and the rest of a redirect URI, which the core has checked."""
    if redirect_uri is None:
        return "localhost", None, "/callback"
    scheme, _, rest = redirect_uri.partition("://")
    if scheme.lower() != "http":
        raise ConfigurationError(
            "A program without a web server is answered at http://localhost:PORT/path: register such a redirect URI, "
            "and make this Smartcar with it."
        )
    end = min(at for at in (rest.find("/"), rest.find("?"), len(rest)) if at >= 0)
    authority = rest[:end]
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, port = authority, "80"
    return host, int(port), rest[end:]


def _candidates(own_port: int | None, ports: Iterable[int] | None) -> list[int]:
    if ports is None:
        if own_port is None:
            raise ConfigurationError(
                "No port is known: make this Smartcar with a registered redirect URI, such as "
                "http://localhost:8000/callback, or pass ports=[8000]."
            )
        return [own_port]
    try:
        candidates = list(ports)
    except TypeError:
        candidates = []
    if not candidates or not all(type(port) is int and 0 <= port <= 65535 for port in candidates):
        raise ConfigurationError("ports must be a list of port numbers such as [8000, 8001].")
    return candidates
