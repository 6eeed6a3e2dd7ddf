"""Gradio: the button as a component with two events, and Connect's routes inside Gradio's own app.

    connect = SmartcarConnect()
    with gr.Blocks() as demo:
        button = SmartcarButton("Connect your car")
        button.connected(save, outputs=garage)
    demo.launch(app_kwargs=connect.app_kwargs)

The page's part is the module's element inside a `gr.HTML`. What its events carry to Python is a claim, so a
listener is given the response of the attempt that its own page opened; the code stays on the server.
"""

import inspect
import os
import secrets
from abc import ABCMeta
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, get_type_hints
from urllib.parse import urlsplit

try:
    import gradio as gr
    from gradio.component_meta import ComponentMeta
    from gradio.events import EventListener
    from gradio.route_utils import API_PREFIX
    from gradio.routes import App
    from starlette.routing import Mount
except ImportError as error:
    raise ImportError(
        'smartcar_auth.hosts.gradio needs Gradio: pip install "smartcar-auth[gradio]"'
    ) from error

from smartcar_auth import AuthorizationResponse, ConfigurationError, Smartcar, SmartcarAuthError
from smartcar_auth.web import assets
from smartcar_auth.web.claims import Claims, Result
from smartcar_auth.web.connect import checked_prefix
from smartcar_auth.web.options import SEALED_SECONDS
from smartcar_auth.web.pages import query_of

from .fastapi import SmartcarConnect as FastAPIConnect

__all__ = ["SmartcarButton", "SmartcarConnect"]

# One mailbox for the process: when `gradio app.py` runs a changed script again, the routes of before stay.
_claims = Claims()
_made: list["SmartcarConnect"] = []


class SmartcarConnect(FastAPIConnect):
    """Connect for a Gradio application. Its routes go where Gradio makes its app:

        demo.launch(app_kwargs=connect.app_kwargs)
        gr.mount_gradio_app(app, demo, path="/garage", app_kwargs=connect.app_kwargs)

    Results go to the buttons' listeners, so there is no `on_complete` to register.

    Args:
        smartcar: Which application asks, for what; from SMARTCAR_* unless given.
        secret_keys: As in `smartcar_auth.web.Connect`; else SMARTCAR_SECRET_KEYS, separated by spaces; else a key
            that lasts as long as the process, as pending results do.
        prefix: Where the routes are, below Gradio's own address.
        identify: `identify(request)` gives the person's id, or None; the request is a `gr.Request`, so
            `lambda request: request.username` is whom `auth=` or `auth_dependency=` let in.
        options: The others of `smartcar_auth.web.Connect`.

    Raises:
        ConfigurationError: An option can't be right; the message says what to do.
    """

    def __init__(
        self,
        smartcar: Smartcar | None = None,
        *,
        secret_keys: str | bytes | Iterable[str | bytes] | None = None,
        prefix: str = "/smartcar",
        identify: Callable[[Any], Any] | None = None,
        **options: Any,
    ) -> None:
        if secret_keys is None:
            secret_keys = os.environ.get("SMARTCAR_SECRET_KEYS", "").split() or secrets.token_bytes(32)
        super().__init__(
            Smartcar.from_environment() if smartcar is None else smartcar,
            secret_keys=secret_keys,
            identify=identify,
            **options,
        )
        self.prefix = checked_prefix(prefix)
        self.claims = _claims
        self.claims.serve(self)
        if identify is not None:
            self._identify = partial(_identified, identify)
        _made.append(self)

    @property
    def app_kwargs(self) -> dict[str, Any]:
        """What `demo.launch` and `gr.mount_gradio_app` take: they give it to the FastAPI app that they make."""
        return {"routes": [Mount(self.prefix, routes=self.routes)]}

    def _launch_path(self, request: Any) -> str:
        root = urlsplit(request.request.scope.get("root_path", "")).path.rstrip("/")
        return self._site.path(f"{root}{self.prefix}/launch")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Gradio's root_path may be a whole URL; a path's place in it is all that counts here.
        root = urlsplit(scope.get("root_path", "")).path
        await super().__call__({**scope, "root_path": root}, receive, send)


def _identified(identify: Callable[[Any], Any], request: Any) -> Any:
    """Ask the application, with Gradio's kind of request on the routes as in listeners."""
    if isinstance(request, gr.Request):
        return identify(request)
    return _identified_on_a_route(identify, request)


async def _identified_on_a_route(identify: Callable[[Any], Any], request: Any) -> Any:
    username = None
    routes: list[Any] = request.app.routes if isinstance(request.app, App) else []
    for route in routes:
        if getattr(route, "path", None) == f"{API_PREFIX}/user":
            username = await route.endpoint(request)
            break
    person = identify(gr.Request(request, username=username))
    return await person if inspect.isawaitable(person) else person


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
        self._connect = _last_made() if connect is None else connect
        chosen = {"make": make, "single_select": single_select}
        launch = "" if sealed is not None else f"{self._connect.prefix}/launch{query_of(chosen)}"

        def tell(detail: Any) -> dict[str, Any]:
            """Which event an outcome is: the server's word, not the page's. The claim is changed for a new one."""
            result = self._connect.claims.collect(detail)
            outcome, code = "granted", None
            if isinstance(result, SmartcarAuthError):
                outcome, code = "failed", result.code
            return {"outcome": outcome, "code": code, "data": self._connect.claims.leave(result)}

        super().__init__(
            html_template="",
            css_template=CSS,
            js_on_load=JS,
            apply_default_css=False,
            server_functions=[tell],
            text=text,
            launch=launch,
            module=f"{self._connect.prefix}/assets/{assets.SCRIPT.name}",
            attempt_seconds=self._connect.attempt_seconds,
            variant=variant,
            **component,
        )
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
        if fn is None:

            def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
                self._listen(event, kind, function, args, options)
                return function

            return decorate

        def result(told: gr.EventData) -> Any:
            found = self._connect.claims.collect(told._data)
            if not isinstance(found, kind):
                raise gr.Error(str(found), print_exception=False)
            return found

        options = {"api_visibility": "private", "trigger_mode": "multiple", **options}
        return EventListener(event).listener(self, _given(result, fn), *args, **options)

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


def _last_made() -> SmartcarConnect:
    if not _made:
        raise ConfigurationError(
            "Write connect = SmartcarConnect() before the button, and start with "
            "demo.launch(app_kwargs=connect.app_kwargs), so that the button's routes are there."
        )
    return _made[-1]


def _given(result: Callable[[gr.EventData], Any], fn: Callable[..., Any]) -> Any:
    """A listener in Gradio's eyes, of the same kind as `fn`, which gets the result in the event's place.

    Raises:
        ConfigurationError: There is no place for it.
    """
    call = getattr(fn, "__call__", None)  # noqa: B004 (an object with an async __call__)
    listener: Any
    if inspect.isasyncgenfunction(fn):

        async def listener(told: gr.EventData, *args: Any, **named: Any) -> Any:
            async for one in fn(result(told), *args, **named):
                yield one

    elif inspect.isgeneratorfunction(fn):

        def listener(told: gr.EventData, *args: Any, **named: Any) -> Any:
            yield from fn(result(told), *args, **named)

    elif inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(call):

        async def listener(told: gr.EventData, *args: Any, **named: Any) -> Any:
            return await fn(result(told), *args, **named)

    else:

        def listener(told: gr.EventData, *args: Any, **named: Any) -> Any:
            return fn(result(told), *args, **named)

    # Gradio looks at names and annotations to know what else to hand over.
    parameters = list(inspect.signature(fn).parameters.values())
    if not parameters or parameters[0].kind in (_NAMED, _REST_NAMED):
        raise ConfigurationError(f"{getattr(fn, '__name__', fn)} must take the result as its first argument.")
    if parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        del parameters[0]
    told = inspect.Parameter("told", inspect.Parameter.POSITIONAL_ONLY, annotation=gr.EventData)
    listener.__signature__ = inspect.Signature([told, *parameters])
    listener.__annotations__ = {**_hints(fn), "told": gr.EventData}
    listener.__name__ = getattr(fn, "__name__", "listener")
    return listener


_NAMED, _REST_NAMED = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD


def _hints(fn: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(fn if inspect.isroutine(fn) else fn.__call__)  # type: ignore[operator]
    except (NameError, TypeError):
        return {}  # names that only type checkers see: Gradio goes without, too


# What Gradio itself renders is nothing, so it never takes the element away.
JS = """
const button = document.createElement("smartcar-connect");
const root = new URL(window.gradio_config?.root ?? ".", document.baseURI).pathname.replace(/\\/$/, "");
button.textContent = props.text;
button.className = props.variant;
button.setAttribute("attempt-seconds", props.attempt_seconds);
button.setAttribute("keep", `${location.pathname} ${props.name}`);
button.addEventListener("smartcar-failed", ({ detail }) => trigger("failed", detail));
button.addEventListener("smartcar-granted", async ({ detail }) => {
  const told = await server.tell(detail).catch(() => detail);
  trigger(told.outcome === "granted" ? "connected" : "failed", told);
});
const lead = () => {
  const launch = props.value || (props.launch && root + props.launch);
  if (!launch) return;
  button.setAttribute("launch", launch);
  element.append(button);
};
lead();
watch("value", lead);
import(root + props.module).catch(() => {
  button.textContent = "This button can't work yet: start with demo.launch(app_kwargs=connect.app_kwargs).";
  element.append(button);
  trigger("failed", { outcome: "failed", code: "invalid_configuration", data: null });
});
"""

CSS = """
smartcar-connect {
  display: block;
  font: var(--button-large-text-weight) var(--button-large-text-size)/1.3 var(--font);
  --smartcar-connect-background: var(--button-primary-background-fill);
  --smartcar-connect-color: var(--button-primary-text-color);
}
smartcar-connect.secondary {
  --smartcar-connect-background: var(--button-secondary-background-fill);
  --smartcar-connect-color: var(--button-secondary-text-color);
}
smartcar-connect::part(button) {
  width: 100%;
  padding: var(--button-large-padding);
  border-radius: var(--button-large-radius);
}
"""
