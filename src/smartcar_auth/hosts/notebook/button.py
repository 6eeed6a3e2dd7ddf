"""The widget: a "Connect your car" button in a cell, one attempt at a time, and who is told how it ended.

The page shows and asks. What it says is a stranger's word until the kernel has checked it: it begins and cancels
attempts, which are its person's to begin and cancel, and hands over answers, which count if their state does. It sets
nothing here. The address with the state goes to it as a message, for what a widget's traits hold is saved in notebooks.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Bool, Dict, Int, Unicode

from smartcar_auth import ConfigurationError, InvalidResponse, PopupBlocked, Smartcar, SmartcarAuthError
from smartcar_auth.message import read_message
from smartcar_auth.origin import HOSTED_PAGE

from .attempts import begin, outcome_of
from .audience import Audience
from .sayings import SAYINGS, words_for, words_for_end
from .transports import TRANSPORTS, check_that_cells_may_wait, choose, needs_link, surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar, Unpack

    from smartcar_auth import AuthorizationResponse
    from smartcar_auth.hosts.device import Waiter
    from smartcar_auth.request import RequestOptions

    from .attempts import AnyAttempt
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
    sayings = Dict(SAYINGS, read_only=True).tag(sync=True)
    ends = Int(read_only=True).tag(sync=True)  # the page counts them, for itself

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
        self._smartcar = smartcar
        self._given = transport
        self._asked: dict[str, Any] = {"ports": None if ports is None else list(ports), "waiter": waiter}
        self._asked.update(options, timeout_seconds=timeout_seconds)
        self._around = surroundings()
        self._page: str | None = None
        self._lock = threading.RLock()
        self._attempt: AnyAttempt | None = None
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
                ended = self._audience.seat()
            await ended

    def cancel(self) -> None:
        """Give the attempt up, if there is one: it ends as `Cancelled`."""
        with self._lock:
            if self._attempt is not None:
                self._attempt.cancel()

    def close(self) -> None:
        """Remove the widget, which cancels its attempt."""
        if hasattr(self, "_attempt"):  # else it was never made: an option was wrong
            self.cancel()
        super().close()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """What a page says of the traits is ignored: only the kernel knows how an attempt stands."""

    def _hear(self, _: object, content: object, __: object) -> None:
        if not isinstance(content, dict):
            return
        kind, attempt = content.get("kind"), self._attempt
        if kind in ("hello", "open"):
            self._meet(content.get("origin"))
        if kind == "open":
            self._open(content.get("click"), content.get("blocked") is True)
        elif kind == "cancel":
            self.cancel()
        elif kind == "message" and attempt is not None and self.transport == "hosted":
            origin, message = str(content.get("origin")), content.get("message")
            try:
                found = read_message(message, origin=origin, trusted_origins=[HOSTED_PAGE])
            except InvalidResponse:
                self._refused()
            else:
                if found is not None:
                    attempt.receive(found)
        elif kind == "paste" and attempt is not None:
            pasted = content.get("text")
            attempt.receive(pasted.strip()[:_LONG_TEXT] if isinstance(pasted, str) else "")
        self.send({"kind": "heard"})  # or the page says that nobody listens

    def _meet(self, origin: object) -> None:
        """Where a page says it is may change how the answer gets here, while nobody is on the way."""
        if isinstance(origin, str) and len(origin) < 256 and self._attempt is None:
            self._page = origin
            self._choose()

    def _open(self, click: object, blocked: bool) -> None:
        with self._lock:
            attempt = self._attempt
            if attempt is None:
                if blocked and self.transport == "hosted":  # without an opener nobody would be told
                    return self._end(None, PopupBlocked())
                try:
                    attempt = self._begin()
                except SmartcarAuthError as error:
                    return self._end(None, error)
        self._show(text="")
        self.send({"kind": "go", "click": click, "url": attempt.url, **attempt.shown})
        return None

    def _begin(self) -> AnyAttempt:
        transport: Any = self.transport
        smartcar = self._smartcar.replace(on_complete=None)  # it is called here
        self._attempt = attempt = begin(transport, smartcar, self._refused, page=self._page, **self._asked)
        self.response = self._untold = None
        self.redirect_uri = attempt.redirect_uri
        way = words_for(transport, attempt.redirect_uri, around=self._around, page=self._page)
        self._show(status="waiting", outcome="", text="", way=way)

        def wait() -> None:
            self._end(attempt, outcome_of(attempt))

        threading.Thread(target=wait, name="smartcar-auth-notebook", daemon=True).start()
        return attempt

    def _refused(self) -> None:
        self._show(text="")  # or the same words twice would be no change, and read out once
        self._show(text=SAYINGS["refused"])

    def _end(self, attempt: AnyAttempt | None, end: AuthorizationResponse | SmartcarAuthError) -> None:
        with self._lock:
            if self._attempt is not attempt:
                return
            self._attempt = None
            error, response = (end, None) if isinstance(end, SmartcarAuthError) else (None, end)
            self._untold, self.response = error, response
            outcome = "granted" if error is None else error.code
            status = "failed" if error else "granted"
            self._show(status=status, outcome=outcome, text=words_for_end(outcome, error))
            self._audience.tell(error, response)
        self.send({"kind": "end"})

    def _handler_failed(self) -> None:
        if self.response is not None:
            self._show(status="failed", outcome="handler_failed", text=words_for_end("handler_failed", None))

    def _choose(self) -> None:
        known: Any = {"around": self._around, "page": self._page}
        has_waiter = self._asked["waiter"] is not None
        chosen = self._given or choose(self._smartcar, has_waiter=has_waiter, **known)
        way = words_for(chosen, self._smartcar.redirect_uri, **known)
        link = chosen == "device" or needs_link(self._around, self._page)
        self._show(transport=chosen, way=way, as_link=link)

    def _show(self, **traits: object) -> None:
        with self._lock, self.hold_sync():
            for name, value in traits.items():
                self.set_trait(name, value)
