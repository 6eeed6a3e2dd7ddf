"""Streamlit: a button that is a function of the script, and routes for `st.App`.

    # app.py                                              # main.py
    app = st.App("main.py", routes=routes())              result = smartcar_connect("Connect your car", key="car")

The routes are Starlette's. A callback there knows no session, so the result waits in a mailbox of the process for
the session whose page was clicked (`web/claims.py`). Settings come from secrets.toml, section [smartcar], or from the
environment, and are read when they are first needed: Streamlit finds its files only once `st.App` is made.
"""

import inspect
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

try:
    import streamlit as st
    from starlette.routing import BaseRoute, Match, NoMatchFound
    from starlette.types import Receive, Scope, Send
    from streamlit import config
    from streamlit.components import v1
except ImportError as error:
    raise ImportError(
        'smartcar_auth.hosts.streamlit needs Streamlit: pip install "smartcar-auth[streamlit]"'
    ) from error

from smartcar_auth import AuthorizationResponse, ConfigurationError, Smartcar
from smartcar_auth.hosts.starlette import SmartcarConnect
from smartcar_auth.web.claims import Claims, Result, for_person
from smartcar_auth.web.connect import checked_prefix, checked_subject
from smartcar_auth.web.options import SEALED_SECONDS
from smartcar_auth.web.pages import query_of

from ._settings import logged_in, options_with, smartcar_of_settings

__all__ = ["Result", "routes", "smartcar_connect"]

STATIC = Path(__file__).parent / "static"

_NO_ROUTES = (
    "This button can't work yet: Connect's routes are not served. Write app.py beside this script, "
    'app = st.App("NAME OF THIS SCRIPT", routes=routes()) with routes from smartcar_auth.hosts.streamlit, '
    "and start that instead: streamlit run app.py"
)

logger = logging.getLogger("smartcar_auth")
_claims = Claims()
_served: "_Routes | None" = None


def routes(
    prefix: str = "/smartcar",
    *,
    smartcar: Smartcar | None = None,
    identify: Callable[[Any], Any] | None = None,
    secret_keys: str | bytes | Iterable[str | bytes] | None = None,
    **options: Any,
) -> list[BaseRoute]:
    """Connect's routes, for `st.App("main.py", routes=routes())`. Once per process.

    What isn't given comes from secrets.toml, section [smartcar], else from SMARTCAR_APPLICATION_ID,
    SMARTCAR_SECRET_KEYS and so on. The redirect URI is where they are plus "/callback", after
    `server.baseUrlPath`: http://localhost:8501/smartcar/callback.

    Args:
        prefix: Where the routes are.
        smartcar: Which application asks, for what.
        identify: `identify(request)` gives the person's id, or None. It is given a request of Starlette's at
            launch and `st.context` in the script, and reads `headers` or `cookies` of either. Without one it is
            the `sub` of whom `st.login` logged in, where secrets.toml has a section [auth].
        secret_keys: Seal state and cookies; text or bytes of at least 32 bytes, the newest first.
        options: Others of `smartcar_auth.web.Connect`: public_url, allowed_origins, store, attempt_seconds.

    Raises:
        ConfigurationError: An argument can't be right. What else is wrong says the app, when it is run.
    """
    global _served
    if inspect.iscoroutinefunction(identify):
        raise ConfigurationError("identify must not be async: Streamlit's scripts can't await it.")
    _served = _Routes(prefix, smartcar, {"identify": identify, "secret_keys": secret_keys, **options})
    return [_served]


def smartcar_connect(
    label: str = "Connect your car",
    *,
    key: str = "smartcar_connect",
    make: str | None = None,
    single_select: bool | None = None,
    on_complete: Callable[..., Any] | None = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    **sealed: Any,
) -> Result | None:
    """A button that opens Smartcar Connect, and how the last attempt with it ended.

    The result stays in `st.session_state[key]`, in this session, until the next attempt ends or you
    `del st.session_state[key]`. The script runs again and again, but a code counts once: exchange it in
    `on_complete`.

    Args:
        label: What the button reads.
        key: Its own for each button on the page.
        make: Such as "TESLA", to skip the choice of brand.
        single_select: Whether the person picks a single vehicle.
        on_complete: Called once for each attempt that ended, before the script runs again, as
            `on_complete(result, *args, **kwargs)`.
        args, kwargs: More for `on_complete`.
        sealed: Options that the page can't choose or change: single_select_vin, flags, force_prompt; and, where
            the person is identified, external_id, user and state, which comes back as `result.app_state`.

    Returns:
        None before the first attempt has ended; an `AuthorizationResponse`; or the `SmartcarAuthError` that says
        why there is none.

    Raises:
        ConfigurationError: A setting is missing, or an option can't be right; the message says what to do.
    """
    element = f"{key}.smartcar"
    data: dict[str, Any] = {"key": key, "label": label}
    if _served is None:
        logger.error(_NO_ROUTES)
        data["problem"] = _NO_ROUTES
    else:
        data["launch"] = _served.launch(make=make, single_select=single_select, sealed=sealed)
        if sealed:
            data["refresh_seconds"] = SEALED_SECONDS * 2 // 3

    def ended() -> None:
        told = _value(element).get("ended")
        # In an iframe all values of the element are told anew with each of them.
        if told is None or told == st.session_state.get(f"{element}.told"):
            return
        st.session_state[f"{element}.told"] = told
        result = _claims.collect(told)
        if isinstance(result, AuthorizationResponse) and _served is not None:
            result = _served.checked(result)
        st.session_state[key] = result
        if on_complete is not None:
            on_complete(result, *args, **(kwargs or {}))

    _show(element, data, ended)
    result: Result | None = st.session_state.get(key)
    return result


class _Routes(BaseRoute):
    """Everything below the prefix, answered by Starlette's host; and what the script needs of it."""

    def __init__(self, prefix: str, smartcar: Smartcar | None, options: Mapping[str, Any]) -> None:
        self._prefix = checked_prefix(prefix)
        self._smartcar = smartcar
        self._options = {name: value for name, value in options.items() if value is not None}
        self._lock = threading.Lock()
        self._made: SmartcarConnect | None = None

    @cached_property
    def _base(self) -> str:
        base = str(config.get_option("server.baseUrlPath")).strip("/")
        return f"/{base}{self._prefix}" if base else self._prefix

    @property
    def _connect(self) -> SmartcarConnect:
        with self._lock:
            if self._made is None:
                made = SmartcarConnect(
                    self._smartcar or smartcar_of_settings(), **options_with(self._options)
                )
                _claims.serve(made)
                self._made = made
            return self._made

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        ours = scope["type"] == "http" and path.startswith(f"{self._base}/")
        return (Match.FULL if ours else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._connect(scope, receive, send)

    def launch(self, *, sealed: Mapping[str, Any], **chosen: Any) -> str:
        """The launch address for a button in this session."""
        connect = self._connect
        path = connect._site.path(f"{self._base}/launch")
        if not sealed:
            return path + query_of(chosen)
        return f"{path}?{connect.sealed_query(self._person(), **chosen, **sealed)}"

    def checked(self, response: AuthorizationResponse) -> Result:
        """The response, unless somebody else has logged in behind this page's back."""
        return response if self._connect._identify is None else for_person(response, self._person())

    def _person(self) -> str | int | None:
        """Whose session this is."""
        identify = self._connect._identify
        if identify is None:
            return None
        if identify is logged_in:
            return str(st.user["sub"]) if st.user.get("is_logged_in") and "sub" in st.user else None
        return checked_subject(identify(st.context))


@cache
def _component() -> Callable[..., Any] | None:
    """The component without an iframe, where this Streamlit has such."""
    try:
        from streamlit.components.v2 import component
    except ImportError:
        return None
    js, css = ((STATIC / f"button.{kind}").read_text("utf-8") for kind in ("js", "css"))
    return component("smartcar_auth.connect", js=js, css=css)


@cache
def _framed() -> Callable[..., Any]:
    return v1.declare_component("smartcar_connect", path=STATIC)


def _show(element: str, data: Mapping[str, Any], ended: Callable[[], None]) -> None:
    component = _component()
    if component is not None:
        component(key=element, data=data, on_ended_change=ended)
    else:
        _framed()(key=element, data=data, on_change=ended, default={})


def _value(element: str) -> Mapping[str, Any]:
    """What the page has told of this element, which may be anything."""
    value = st.session_state.get(element)
    return value if isinstance(value, Mapping) else {}
