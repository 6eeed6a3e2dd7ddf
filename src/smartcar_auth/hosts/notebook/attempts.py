"""One attempt on each transport. All have the same six: `url`, `redirect_uri`, `shown`, `wait`,
`receive`, `cancel`.

`wait` runs in a thread of its own; `receive` and `cancel` come from whichever thread reads the page's messages. What
may be believed is the core's decision; what proves nothing changes nothing.
"""

from __future__ import annotations

from base64 import b64encode
from queue import Empty, SimpleQueue
from threading import Event
from time import monotonic
from weakref import WeakSet

from smartcar_auth import (
    AmbiguousResponse,
    AuthorizationResponse,
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    InvalidResponse,
    MissingParameter,
    PortUnavailable,
    Smartcar,
    SmartcarAuthError,
)
from smartcar_auth.envelope import new_instance_id, write_envelope
from smartcar_auth.hosts.device import HandOff
from smartcar_auth.hosts.loopback import Attempt

from .transports import hosted, proxied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    from smartcar_auth.hosts.device import Waiter
    from smartcar_auth.response import ResponseSource

    from .transports import Transport

    Refused = Callable[[], object]
    AnyAttempt: TypeAlias = "Listening | Told | Elsewhere"

_SLICE_SECONDS = 0.1


class Listening:
    """On a port of the kernel's machine. A pasted address is as good, until the port has the answer."""

    def __init__(self, smartcar: Smartcar, refused: Refused, **options: Any) -> None:
        self._refused = refused
        self._pasted: SimpleQueue[ResponseSource] = SimpleQueue()
        self._over = Event()
        try:
            self._attempt = Attempt(smartcar, **options)
        except PortUnavailable:
            # A cell that runs again leaves the old button's attempt behind: the newer click is what is meant.
            others = [one for one in _listening if one is not self and not one._over.is_set()]
            if not [one for one in others if one.let_go()]:
                raise
            self._attempt = Attempt(smartcar, **options)
        self.url = self._attempt.url
        self.redirect_uri = self._attempt.redirect_uri
        self.shown: dict[str, str] = {}
        _listening.add(self)

    def wait(self) -> AuthorizationResponse:
        """The response, once it is here; raises as `loopback.Attempt.wait`."""
        with self._attempt as attempt:
            try:
                while True:
                    response = attempt.poll(_SLICE_SECONDS)
                    if response is not None:
                        return response
                    self._read_pasted()
            finally:
                attempt.close()
                self._over.set()

    def receive(self, source: ResponseSource) -> None:
        self._pasted.put(source)

    def cancel(self) -> None:
        self._attempt.cancel()

    def _read_pasted(self) -> None:
        while not self._pasted.empty():
            try:
                self._attempt.receive(self._pasted.get())
            except (MissingParameter, AmbiguousResponse):
                return  # the end, as the next poll says
            except InvalidResponse:
                self._refused()

    def let_go(self) -> bool:
        """Cancel; whether the port is free within a moment."""
        self.cancel()
        return self._over.wait(5)


_listening: WeakSet[Listening] = WeakSet()


class Told:
    """Without a port: the page hands over what it was posted, or what the person has pasted."""

    def __init__(
        self,
        smartcar: Smartcar,
        refused: Refused,
        *,
        timeout_seconds: float,
        state: str | None,
        **options: Any,
    ) -> None:
        self._request = smartcar.authorization_request(state, app_origin=None, **options)
        self.url = self._request.url
        self.redirect_uri = smartcar.redirect_uri
        self.shown: dict[str, str] = {}
        self._refused = refused
        self._told: SimpleQueue[ResponseSource | None] = SimpleQueue()
        self._until = monotonic() + timeout_seconds

    def wait(self) -> AuthorizationResponse:
        """The response, once it is here.

        Raises:
            ConnectError: Connect said no.
            MissingParameter, AmbiguousResponse: Connect's answer makes no sense.
            ConnectTimeout: The time is over. Its cause is the last answer that was not believed, if one came.
            Cancelled: `cancel` was called.
        """
        not_believed: InvalidResponse | None = None
        while True:
            try:
                source = self._told.get(timeout=max(0.0, self._until - monotonic()))
            except Empty:
                raise ConnectTimeout() from not_believed
            if source is None:
                raise Cancelled()
            try:
                return self._request.receive(source)
            except (MissingParameter, AmbiguousResponse):  # found after the state was: Connect makes no sense
                raise
            except InvalidResponse as error:
                not_believed = error
                self._refused()

    def receive(self, source: ResponseSource) -> None:
        self._told.put(source)

    def cancel(self) -> None:
        self._told.put(None)


class Elsewhere:
    """On another device: a link and a code, and somebody who learns of the end."""

    def __init__(
        self, smartcar: Smartcar, waiter: Waiter | None, *, timeout_seconds: float, **options: Any
    ) -> None:
        if waiter is None:
            raise ConfigurationError(
                'With transport="device" somebody must learn of the end: pass waiter=Connections.from_environment(), '
                "of smartcar_auth.hosts.device."
            )
        self._waiter = waiter
        self._seconds = timeout_seconds
        self._handoff = HandOff(smartcar, **options)
        self.url = self._handoff.url
        self.redirect_uri: str | None = None
        #: What a page shows besides the link: the code, as an image of its own.
        self.shown: dict[str, str] = {}
        try:
            svg = self._handoff.qr_svg(scale=3).replace(
                "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1
            )
        except ImportError:  # without segno the link alone will do
            return
        self.shown["code"] = "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()

    def wait(self) -> AuthorizationResponse:
        """The response, once it is here; raises as `HandOff.wait`."""
        return self._handoff.wait(self._waiter, timeout_seconds=self._seconds)

    def receive(self, source: ResponseSource) -> None:
        """Nothing comes back by the browser."""

    def cancel(self) -> None:
        self._handoff.cancel()


def outcome_of(attempt: AnyAttempt) -> AuthorizationResponse | SmartcarAuthError:
    """Wait for the end, and give it back whichever it is."""
    try:
        return attempt.wait()
    except SmartcarAuthError as error:
        return error
    except Exception as error:  # of a waiter of the application's own
        end = SmartcarAuthError()
        end.__cause__ = error
        return end


def begin(
    transport: Transport,
    smartcar: Smartcar,
    refused: Refused,
    *,
    page: str | None,
    ports: Iterable[int] | None,
    waiter: Waiter | None,
    **options: Any,
) -> AnyAttempt:
    """Begin an attempt.

    Args:
        refused: Called when an answer proved nothing; the attempt goes on.
        page: The origin of the page in which the click was.
        options: timeout_seconds, and those of `Smartcar.get_auth_url`.

    Raises:
        ConfigurationError: It can't work so.
        PortUnavailable: Other programs hold all the ports.
    """
    if transport == "loopback":
        return Listening(smartcar, refused, ports=ports, **options)
    if transport == "proxy":
        port, path = proxied(smartcar)
        return Listening(smartcar, refused, ports=[port], proxied_path=path, **options)
    if transport == "device":
        return Elsewhere(smartcar, waiter, **options)
    if transport == "hosted":
        # In the official SDK's envelope, by which Smartcar's own page knows whose answer it is.
        return Told(hosted(smartcar, page), refused, state=write_envelope(new_instance_id()), **options)
    return Told(smartcar, refused, state=None, **options)
