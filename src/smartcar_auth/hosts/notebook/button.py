"""The widget: a "Connect your car" button in a cell, one attempt at a time, and who is told how it ended.

The page shows and asks. What it says is a stranger's word until the kernel has checked it: it begins and cancels
attempts, which are its person's to begin and cancel, and hands over answers, which count if their state does. It sets
nothing here. The address with the state goes to it as a message, for what a widget's traits hold is saved in notebooks.
"""

from __future__ import annotations

from pathlib import Path
from threading import RLock, Thread
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Bool, Int, Unicode

from smartcar_auth import ConfigurationError, PopupBlocked, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.device import HandOff
from smartcar_auth.hosts.loopback import Attempt
from smartcar_auth.hosts.loopback.place import this_place
from smartcar_auth.message import read_message
from smartcar_auth.origin import HOSTED_PAGE
from smartcar_auth.words import WORDS

from .audience import Audience
from .transports import TRANSPORTS, begin, check_that_cells_may_wait, choose, code_of, needs_link, words_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar, Unpack

    from smartcar_auth import AuthorizationResponse
    from smartcar_auth.hosts.device import Waiter
    from smartcar_auth.request import RequestOptions

    from .transports import Transport

    Handler = TypeVar("Handler", bound=Callable[..., Any])

_LONG_TEXT = 16_384


class ConnectButton(anywidget.AnyWidget):
    """A button that opens Connect. `await button.result()`, or say with `on_complete` whom to call.

    Its traits may be observed and are never set by a page: `status` is "ready", "waiting", "granted" or "failed";
    `outcome` is "granted", the error's code, "handler_failed" where a handler raised, or empty; `text` says it in
    words. `response` is the last response; no trait holds anything of it.

    Args:
        smartcar: Its redirect URI decides the transport. Its `on_complete`, if it has one, is told how each attempt
            ended.
        label: What the button reads.
        transport: "loopback" (a port of this machine), "hosted" (Smartcar's own redirect page), "proxy" (a redirect URI
            through jupyter-server-proxy), "device" (link and QR code), "paste" (the person brings the last address).
            None: the one that fits.
        ports: For "loopback": those whose redirect URIs are registered. 0, any free one, is for the sandbox.
        waiter: For "device": `Connections` or `Webhook` of `smartcar_auth.hosts.device`.
        timeout_seconds: How long the person may take.
        options: make, single_select, single_select_vin, flags, user, force_prompt, as in `Smartcar.get_auth_url`.

    Raises:
        ConfigurationError: An option can't work.
    """

    _esm = Path(__file__).parent / "button.js"
    _css = Path(__file__).parent / "button.css"

    label = Unicode(read_only=True).tag(sync=True)
    status = Unicode("ready", read_only=True).tag(sync=True)
    outcome = Unicode(read_only=True).tag(sync=True)
    text = Unicode(read_only=True).tag(sync=True)
    transport = Unicode(read_only=True).tag(sync=True)
    way = Unicode(read_only=True).tag(sync=True)
    as_link = Bool(read_only=True).tag(sync=True)
    ends = Int(read_only=True).tag(sync=True)  # the page counts them, for itself

    _attempt: Attempt | HandOff | None = None

    def __init__(
        self,
        smartcar: Smartcar,
        *,
        label: str = "Connect your car",
        transport: Transport | None = None,
        ports: Iterable[int] | None = None,
        waiter: Waiter | None = None,
        timeout_seconds: float = 600,
        **options: Unpack[RequestOptions],
    ) -> None:
        if transport is not None and transport not in TRANSPORTS:
            raise ConfigurationError(f"transport must be one of {', '.join(TRANSPORTS)}, or None.")
        if not timeout_seconds > 0:
            raise ConfigurationError("timeout_seconds must be more than 0.")
        smartcar.authorization_request(None, app_origin=None, **options)  # a mistake is said in the cell
        super().__init__()
        #: The last response, or None.
        self.response: AuthorizationResponse | None = None
        #: The last attempt's, port and all, which some back-end SDKs want for the exchange.
        self.redirect_uri = smartcar.redirect_uri
        self._smartcar = smartcar.replace(on_complete=None)  # it is called here
        self._given = transport or (None if waiter is None else "device")
        self._asked: dict[str, Any] = {"ports": list(ports or ()) or None, "waiter": waiter}
        self._asked.update(options, timeout_seconds=timeout_seconds)
        self._place = this_place()
        self._lock = RLock()
        self._untold: SmartcarAuthError | None = None
        self._audience = Audience(self._handler_failed)
        if smartcar.on_complete is not None:
            self.on_complete(smartcar.on_complete)
        self._show(label=label)
        self._choose()
        self.on_msg(self._hear)

    def on_complete(self, handler: Handler) -> Handler:
        """Call `handler(error, response)` at the end of each attempt; also as a decorator.

        It is called in the kernel's event loop, and what it prints appears under the cell that named it. A coroutine
        function will do.
        """
        self._audience.add(handler)
        return handler

    async def result(self) -> AuthorizationResponse:
        """The response, once the owner has allowed. An error is raised once; after that the next attempt counts.

        Interrupting the cell ends this wait and not the attempt, which the button goes on with.

        Raises:
            ConfigurationError: It has to wait, and this kernel takes no clicks meanwhile: marimo, ipykernel before 7.
            SmartcarAuthError: How the attempt ended.
        """
        while True:
            with self._lock:
                if self._attempt is None and self.response is not None:
                    return self.response
                if self._attempt is None and self._untold is not None:
                    error, self._untold = self._untold, None
                    raise error
                check_that_cells_may_wait()
                ended = self._audience.next_end()
            await ended

    def cancel(self) -> None:
        """Give the attempt up, if there is one: it ends as `Cancelled`."""
        attempt = self._attempt
        if attempt is not None:
            attempt.cancel()

    def close(self) -> None:
        """Remove the widget, which cancels its attempt."""
        self.cancel()
        super().close()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """What a page says of the traits is ignored: only the kernel knows how an attempt stands."""

    def _hear(self, _: object, content: object, __: object) -> None:
        if not isinstance(content, dict):
            return
        kind, attempt, origin = content.get("kind"), self._attempt, content.get("origin")
        if kind in ("hello", "open") and attempt is None and isinstance(origin, str) and len(origin) < 256:
            self._place = self._place._replace(page=origin)
            self._choose()  # where the page is may change how the answer gets here
        if kind == "open":
            self._open(content.get("click"), blocked=content.get("blocked") is True)
        elif kind == "cancel":
            self.cancel()
        elif kind in ("message", "paste") and isinstance(attempt, Attempt):
            self._receive(attempt, content)
        self.send({"kind": "heard"})  # or the page says that nobody listens

    def _receive(self, attempt: Attempt, content: dict[str, Any]) -> None:
        """Hand over what the page says that it was posted, or what the person has pasted."""
        try:
            if content["kind"] == "paste":
                text = content.get("text")
                attempt.receive(text.strip()[:_LONG_TEXT] if isinstance(text, str) else "")
            elif self.transport == "hosted":
                message, origin = content.get("message"), str(content.get("origin"))
                found = read_message(message, origin=origin, trusted_origins=[HOSTED_PAGE])
                if found is not None:
                    attempt.receive(found)
        except SmartcarAuthError:
            if not attempt.ended:
                self._show(text="")  # or the same words twice would be no change, and read out once
                self._show(text="That isn’t the answer to this attempt, so it was ignored.")

    def _open(self, click: object, *, blocked: bool) -> None:
        with self._lock:
            try:
                if self._attempt is None and blocked and self.transport == "hosted":
                    raise PopupBlocked()  # without an opener nobody would be told
                attempt = self._attempt or self._start()
            except SmartcarAuthError as error:
                self._end(None, error)
                return
        self._show(text="")
        self.send({"kind": "go", "click": click, "url": attempt.url, "code": code_of(attempt)})

    def _start(self) -> Attempt | HandOff:
        attempt, ends = begin(self.transport, self._smartcar, self._place, **self._asked)
        self._attempt = attempt
        self.response = self._untold = None
        self.redirect_uri = attempt.redirect_uri if isinstance(attempt, Attempt) else None
        way = words_for(self.transport, self.redirect_uri, self._place)
        self._show(status="waiting", outcome="", text="", way=way)
        Thread(target=self._wait, args=(attempt, ends), name="smartcar-auth-notebook", daemon=True).start()
        return attempt

    def _wait(self, attempt: Attempt | HandOff, ends: Callable[[], AuthorizationResponse]) -> None:
        end: AuthorizationResponse | SmartcarAuthError
        try:
            end = ends()
        except SmartcarAuthError as error:
            end = error
        except Exception as error:  # of a waiter of the application's own
            end = SmartcarAuthError()
            end.__cause__ = error
        self._end(attempt, end)

    def _end(self, attempt: Attempt | HandOff | None, end: AuthorizationResponse | SmartcarAuthError) -> None:
        with self._lock:
            if self._attempt is not attempt:
                return
            self._attempt = None
            error, response = (end, None) if isinstance(end, SmartcarAuthError) else (None, end)
            self._untold, self.response = error, response
            if error is None:
                self._show(status="granted", outcome="granted", text=WORDS["granted"][0])
            else:  # where our pages have no words for it the reader is a developer
                text = WORDS[error.code][0] if error.code in WORDS else str(error)
                self._show(status="failed", outcome=error.code, text=text)
            self._audience.tell(error, response)
        self.send({"kind": "end"})

    def _handler_failed(self) -> None:
        if self.response is not None:
            self._show(status="failed", outcome="handler_failed", text=WORDS["handler_failed"][0])

    def _choose(self) -> None:
        chosen = self._given or choose(self._smartcar, self._place)
        way = words_for(chosen, self._smartcar.redirect_uri, self._place)
        self._show(transport=chosen, way=way, as_link=chosen == "device" or needs_link(self._place))

    def _show(self, **traits: object) -> None:
        with self._lock, self.hold_sync():
            for name, value in traits.items():
                self.set_trait(name, value)
