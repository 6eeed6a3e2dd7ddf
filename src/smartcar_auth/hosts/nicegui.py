"""NiceGUI: Connect's routes on NiceGUI's own FastAPI app, and the button as one of its elements.

The page's part is the module's element with its two events, which NiceGUI carries to Python over its socket. What
they carry is a claim, so the response appears in the handlers of this button on this page, and nowhere else.
"""

import asyncio
import inspect
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Self, cast
from weakref import WeakSet

try:
    from nicegui import Client, app, core, ui
    from nicegui.elements.mixins.cancelable_wait_element import CancelableWaitElement
    from nicegui.elements.mixins.text_element import TextElement
    from nicegui.events import GenericEventArguments, handle_event
    from nicegui.helpers import expects_arguments
except ImportError as error:
    raise ImportError(
        'smartcar_auth.hosts.nicegui needs NiceGUI: pip install "smartcar-auth[nicegui]"'
    ) from error

from smartcar_auth import (
    AuthorizationResponse,
    ConfigurationError,
    Smartcar,
    SmartcarAuthError,
)
from smartcar_auth.web.claims import Claims, Result, for_person, keys_or_own
from smartcar_auth.web.connect import checked_prefix, checked_subject
from smartcar_auth.web.options import SEALED_SECONDS
from smartcar_auth.web.pages import query_of

from .fastapi import SmartcarConnect as FastAPIConnect

__all__ = ["SmartcarButton", "SmartcarConnect"]

Connected = Callable[[AuthorizationResponse], Any] | Callable[[], Any]
Failed = Callable[[SmartcarAuthError], Any] | Callable[[], Any]


class SmartcarConnect(FastAPIConnect):
    """Connect for a NiceGUI application: make one before `ui.run`, and its routes are there.

    Results go to the buttons' handlers, so there is no `on_complete` to register.

    Args:
        smartcar: Which application asks, for what; from SMARTCAR_* unless given.
        secret_keys: As in `smartcar_auth.web.Connect`; else SMARTCAR_SECRET_KEYS, separated by spaces; else a key
            that lasts as long as the process, as pending results do.
        prefix: Where the routes are.
        identify: `identify(request)` gives the person's id, or None, such as
            `lambda request: app.storage.user.get("username")`. Not an `async def`.
        options: The others of `smartcar_auth.web.Connect`.

    Raises:
        ConfigurationError: An option can't be right; the message says what to do.
    """

    claims: Claims

    def __init__(
        self,
        smartcar: Smartcar | None = None,
        *,
        secret_keys: str | bytes | Iterable[str | bytes] | None = None,
        prefix: str = "/smartcar",
        identify: Callable[[Any], Any] | None = None,
        **options: Any,
    ) -> None:
        before = _made.get(checked_prefix(prefix))
        if before is not None and core.is_script_mode_re_execution():
            # NiceGUI runs a script without pages again for each visitor; the routes are there.
            self.__dict__ = before.__dict__
            return
        if inspect.iscoroutinefunction(identify):
            raise ConfigurationError(
                "identify must be a plain function here: elements are made without await."
            )
        super().__init__(
            Smartcar.from_environment() if smartcar is None else smartcar,
            secret_keys=keys_or_own(secret_keys),
            identify=identify,
            **options,
        )
        self.claims = Claims()
        self.claims.serve(self)
        self._loading: WeakSet[Client] = WeakSet()
        app.include_router(self.router, prefix=prefix)
        _made.pop(prefix, None)
        _made[prefix] = self

    def load(self, client: Client, launch_path: str) -> None:
        """Have a page load the module, once."""
        if client in self._loading:
            return
        self._loading.add(client)
        address = f"{launch_path.removesuffix('launch')}keep.js"
        if not client.has_socket_connection:
            ui.add_head_html(f'<script type="module" src="{address}"></script>')
        client.run_javascript(f"import({json.dumps(address)})")  # where the head is written already


class SmartcarButton(
    TextElement,
    CancelableWaitElement,
    default_style="font-family: inherit; --smartcar-connect-background: var(--q-primary)",
):
    """A button that opens Connect in a pop-up: `SmartcarButton("Connect your car").on_connected(handler)`.

    Handlers run where handlers of other elements do, so that they may notify, navigate or add elements.

    Args:
        text: What it reads.
        on_connected: Called with the `AuthorizationResponse`; may be async.
        on_failed: Called with the `SmartcarAuthError`; may be async.
        connect: Whose button it is, where an application has several.
        make: Such as "TESLA", to skip the choice of brand.
        single_select: Whether the person picks a single vehicle.
        options: single_select_vin, flags, force_prompt; and, with `identify`, external_id, user and state (a JSON
            object of at most 512 bytes, which comes back as `response.app_state`). The page can't change them.

    Raises:
        ConfigurationError: There is no SmartcarConnect, or an option can't be right.
    """

    def __init__(
        self,
        text: str = "Connect your car",
        *,
        on_connected: Connected | None = None,
        on_failed: Failed | None = None,
        connect: SmartcarConnect | None = None,
        make: str | None = None,
        single_select: bool | None = None,
        **options: Any,
    ) -> None:
        super().__init__(tag="smartcar-connect", text=text)
        self._connect = _last_made() if connect is None else connect
        self._connected: list[Connected] = [on_connected] if on_connected else []
        self._failed: list[Failed] = [on_failed] if on_failed else []
        self._end: Result | None = None
        self._ended: set[asyncio.Event] = set()
        if core.is_script_mode_preflight():
            return  # seen by nobody: NiceGUI runs the script again for each visitor
        request = self.client.request
        self._launch_path = self._connect._launch_path(request)
        self._props["attempt-seconds"] = str(self._connect.attempt_seconds)
        self._props["keep"] = f"{request.url.path} {self.html_id}"  # the same when the page is built again
        if options:
            # Whose options they are is settled now; a sealed address ends sooner than a page may stay open.
            identify = self._connect._identify
            subject = None if identify is None else checked_subject(identify(request))
            self._options = {"make": make, "single_select": single_select, **options}
            self._seal(subject)
            ui.timer(SEALED_SECONDS / 3, lambda: self._seal(subject), immediate=False)
        else:
            self._props["launch"] = self._launch_path + query_of(
                {"make": make, "single_select": single_select}
            )
        self._connect.load(self.client, self._launch_path)
        for event in ("smartcar-granted", "smartcar-failed"):
            self.on(event, self._told, args=["detail"])

    def _seal(self, subject: str | int | None) -> None:
        query = self._connect.sealed_query(subject, **self._options)
        self._props["launch"] = f"{self._launch_path}?{query}"

    def on_connected(self, handler: Connected) -> Self:
        """Add a function for a granted attempt: `handler(response)`."""
        self._connected.append(handler)
        return self

    def on_failed(self, handler: Failed) -> Self:
        """Add a function for every other end: `handler(error)`."""
        self._failed.append(handler)
        return self

    async def connected(self) -> AuthorizationResponse:
        """Wait for the next attempt's end.

        Raises:
            SmartcarAuthError: It failed; which error says why.
        """
        ended = asyncio.Event()
        self._ended.add(ended)
        try:
            await self._wait_for(ended)
        finally:
            self._ended.discard(ended)
        if isinstance(self._end, SmartcarAuthError):
            raise self._end
        return cast(AuthorizationResponse, self._end)

    def _told(self, event: GenericEventArguments) -> None:
        detail = event.args.get("detail") if isinstance(event.args, dict) else None
        result = self._connect.claims.collect(detail)
        if self._connect._identify is not None:
            result = for_person(result, self._connect._identify(self.client.request))
        self._end = result
        for ended in self._ended:
            ended.set()
        handlers: list[Any] = self._connected if isinstance(result, AuthorizationResponse) else self._failed
        for handler in handlers:
            # NiceGUI calls it in the slot of this element, then, and awaits what is to be awaited there.
            takes = expects_arguments(handler)
            handle_event(partial(handler, result) if takes else handler, event, expect_args=False)


_made: dict[str, SmartcarConnect] = {}  # by prefix, the last made last


def _last_made() -> SmartcarConnect:
    if not _made:
        raise ConfigurationError(
            "Write SmartcarConnect() before ui.run(), so that the button's routes are there."
        )
    return list(_made.values())[-1]
