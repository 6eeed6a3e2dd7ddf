"""Connect's routes in the app that Gradio makes, and whose result it is that a page tells of.

A claim alone finds a result (`web/claims.py`). As events of Gradio's are requests with cookies, it counts only in the
browser that made the attempt, and for the person who did.
"""

import inspect
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from gradio.route_utils import API_PREFIX
from gradio.routes import App
from starlette.routing import Route

from smartcar_auth import AuthorizationResponse, ConfigurationError, Smartcar
from smartcar_auth.web.claims import Claims, Result, for_person, keys_or_own, not_this_browser
from smartcar_auth.web.connect import checked_prefix

from ..fastapi import SmartcarConnect as FastAPIConnect

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
            `lambda request: request.username` is whom `auth=` or `auth_dependency=` let in. Not an `async def`.
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
        if inspect.iscoroutinefunction(identify):
            raise ConfigurationError(
                "identify must be a plain function here: a gr.Request waits for nothing."
            )
        super().__init__(
            Smartcar.from_environment() if smartcar is None else smartcar,
            secret_keys=keys_or_own(secret_keys),
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
        # Not in a Mount: under a root_path that a proxy cuts off, Starlette finds nothing in one.
        return {
            "routes": [
                Route(self.prefix + one.path, self, name=one.name, methods=list(one.methods or ()))
                for one in self.routes
            ]
        }

    def collect(self, detail: Any, request: gr.Request) -> Result:
        """What became of the attempt that a page tells of, once, for the browser and the person who began it.

        Args:
            detail: As in `Claims.collect`; nothing in it is believed.
            request: With which it came.
        """
        person = None if self._identify is None else self._identify(request)
        return self._refusal(detail, request.request, person) or self.claims.collect(detail)

    async def is_granted(self, detail: Any, request: Any) -> bool:
        """Whether `collect` would give a response; `request` is FastAPI's."""
        person = None if self._identify is None else await self._identify(request)
        granted = isinstance(self.claims.look(detail), AuthorizationResponse)
        return granted and self._refusal(detail, request, person) is None

    def _refusal(self, detail: Any, request: Any, person: Any) -> Result | None:
        """Why a claim is not this browser's or this person's, before it is collected: it may be somebody else's."""
        refused = not_this_browser(detail, self._cookies(self._read(request.scope, request.receive, "")))
        found = self.claims.look(detail)
        if refused or found is None or self._identify is None:
            return refused
        checked = for_person(found, person)
        return None if checked is found else checked

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
    return identify(gr.Request(request, username=await _username(request)))


async def _username(request: Any) -> str | None:
    """Whom Gradio has let in: asked of its own route, which knows all its ways of telling."""
    if not isinstance(request.app, App):
        return None
    here = request.scope
    root = here.get("root_path", "")
    said: dict[str, Any] = {"status": 0, "body": b""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said["status"] = message.get("status", said["status"])
        said["body"] += message.get("body", b"")

    kept = ("type", "asgi", "http_version", "scheme", "server", "client")
    scope = {name: here[name] for name in kept if name in here}
    scope |= {
        "method": "GET",
        "root_path": root,
        "path": f"{root}{API_PREFIX}/user",
        "raw_path": f"{root}{API_PREFIX}/user".encode(),
        "query_string": b"",
        "headers": [field for field in here["headers"] if field[0] != b"accept-encoding"],
    }
    await request.app(scope, receive, send)
    user = json.loads(said["body"]) if said["status"] == 200 else None
    return user if isinstance(user, str) else None


def last_made() -> SmartcarConnect:
    if not _made:
        raise ConfigurationError(
            "Write connect = SmartcarConnect() before the button, and start with "
            "demo.launch(app_kwargs=connect.app_kwargs), so that the button's routes are there."
        )
    return _made[-1]
