"""The button: the module's element inside a `gr.HTML`, and its two events.

What an event carries to Python is a claim, so a listener is given the response of the attempt that its own page
opened; the code stays on the server.
"""

from abc import ABCMeta
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.events import EventListener

from smartcar_auth import AuthorizationResponse, ConfigurationError, SmartcarAuthError
from smartcar_auth.web.claims import Result
from smartcar_auth.web.options import SEALED_SECONDS
from smartcar_auth.web.pages import query_of

from .connect import SmartcarConnect, last_made
from .listener import given

JS, CSS = (Path(__file__).with_name(f"button.{kind}").read_text("utf-8") for kind in ("js", "css"))


class _Meta(ComponentMeta):
    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> "_Meta":
        # ComponentMeta's own would write a .pyi beside this file, which type checkers would read instead of it.
        return ABCMeta.__new__(cls, name, bases, attrs)


class SmartcarButton(gr.HTML, metaclass=_Meta):
    """A button that opens Connect in a pop-up, with the events `connected` and `failed`.

    Args:
        text: What it reads.
        connect: Whose button it is, where an application has several.
        make: Such as "TESLA", to skip the choice of brand.
        single_select: Whether the person picks a single vehicle.
        sealed: Options that the page can't choose or change: single_select_vin, flags, force_prompt; and, with
            `identify`, external_id, user and state (a JSON object of at most 512 bytes, which comes back as
            `response.app_state`). For those of a person a function: `sealed(request)` is called with the
            `gr.Request` of each page that loads, and every five minutes.
        variant: "primary" or "secondary", as of `gr.Button`.
        component: More of any Gradio component: visible, elem_id, elem_classes, scale, min_width, render, key.

    Raises:
        ConfigurationError: There is no SmartcarConnect, or an option can't be right.
    """

    def __init__(
        self,
        text: str = "Connect your car",
        *,
        connect: SmartcarConnect | None = None,
        make: str | None = None,
        single_select: bool | None = None,
        sealed: Mapping[str, Any] | Callable[[gr.Request], Mapping[str, Any]] | None = None,
        variant: str = "primary",
        **component: Any,
    ) -> None:
        self._connect = last_made() if connect is None else connect
        chosen = {"make": make, "single_select": single_select}
        launch = "" if sealed is not None else f"{self._connect.prefix}/launch{query_of(chosen)}"

        async def is_granted(detail: Any, request: gr.Request) -> bool:
            """Which of the two events it is: the server's word, not the page's."""
            return await self._connect.is_granted(detail, request)

        super().__init__(
            html_template="",
            css_template=CSS,
            js_on_load=JS,
            apply_default_css=False,
            server_functions=[is_granted],
            text=text,
            launch=launch,
            module=f"{self._connect.prefix}/keep.js",
            attempt_seconds=self._connect.attempt_seconds,
            variant=variant,
            **component,
        )
        self._heard: set[str] = set()
        self.props["name"] = self.elem_id or self._id
        if sealed is not None:
            self._seal(sealed, chosen)

    def connected(self, fn: Callable[..., Any] | None = None, *args: Any, **listener: Any) -> Any:
        """Listen for a granted attempt: `fn(response, *inputs)` gets an `AuthorizationResponse` first.

        Otherwise it is a Gradio listener like any other, with `inputs`, `outputs`, what annotations inject,
        `.then(...)`; without `fn` it decorates one. The endpoint is private, for its argument is the page's.
        """
        return self._listen("connected", AuthorizationResponse, fn, args, listener)

    def failed(self, fn: Callable[..., Any] | None = None, *args: Any, **listener: Any) -> Any:
        """Listen for every other end: `fn(error, *inputs)` gets a `SmartcarAuthError` first."""
        return self._listen("failed", SmartcarAuthError, fn, args, listener)

    def _listen(
        self,
        event: str,
        kind: type[Result],
        fn: Callable[..., Any] | None,
        args: tuple[Any, ...],
        options: dict[str, Any],
    ) -> Any:
        if event in self._heard:
            raise ConfigurationError(
                f"There is a listener for {event} already, and a result is given to one: chain with .then()."
            )
        if fn is None:

            def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
                self._listen(event, kind, function, args, options)
                return function

            return decorate

        def result(told: gr.EventData, request: gr.Request) -> Any:
            found = self._connect.collect(told._data, request)
            if not isinstance(found, kind):
                raise gr.Error(str(found), print_exception=False)
            return found

        listener = given(result, fn)
        self._heard.add(event)
        options = {"api_visibility": "private", "trigger_mode": "multiple", **options}
        return EventListener(event).listener(self, listener, *args, **options)

    def _seal(
        self,
        sealed: Mapping[str, Any] | Callable[[gr.Request], Mapping[str, Any]],
        chosen: Mapping[str, Any],
    ) -> None:
        """Give each page that loads an address of its own, and a new one before it ends."""

        async def address(request: gr.Request) -> str:
            options = sealed(request) if callable(sealed) else sealed
            return await self._connect.launch_url(request, **chosen, **options)

        if not callable(sealed):
            self._connect.sealed_query(None, **chosen, **sealed)  # refuses bad options now, not at each page
        quiet: Any = {"outputs": self, "show_progress": "hidden", "api_visibility": "private"}
        gr.on(None, address, **quiet)
        gr.Timer(SEALED_SECONDS / 3).tick(address, **quiet)
