"""The application under test: a FastAPI site with Connect and a button, on a real port, and its knobs.

It records what its handlers were given and which requests came, so that a test can ask the server what
happened while a browser shows what a person saw.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import DictLoader, Environment
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.fastapi import SmartcarConnect

KEYS = ("an-application's-key-of-32-bytes-or-more",)
SAME_ORIGIN = {"Cross-Origin-Opener-Policy": "same-origin"}

# `record.js` keeps all that the page is told, for the tests that ask what it was told.
RECORD = """
window.events = [];
window.messages = [];
window.violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  violations.push([violatedDirective, blockedURI]));
for (const name of ["opened", "granted", "failed"]) {
  addEventListener(`smartcar-${name}`, ({ detail, bubbles, composed, target }) =>
    events.push({ name, detail, bubbles, composed, target: target.id }));
}
addEventListener("message", (event) => messages.push(event.data));
"""

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A garage</title>
<link rel="icon" href="data:,"><meta name="color-scheme" content="light dark">
<script src="/record.js"></script></head>
<body><h1>A garage</h1>{{ smartcar_button(request, "Connect your car", **button) }}<p id="after">After</p>
{% for address in modules %}<script type="module" src="{{ address }}"></script>{% endfor %}</body></html>"""


class Server:
    """uvicorn in a thread on a port that stays the same when it is stopped and started again.

    Args:
        app: What it serves.
        host: Its name for browsers.
        options: More of uvicorn's, such as a certificate.
    """

    def __init__(self, app: ASGIApp, host: str = "localhost", **options: Any) -> None:
        self.app = app
        self._host = host
        self._options = options
        self.port = 0
        self.start()

    @property
    def origin(self) -> str:
        return f"http://{self._host}:{self.port}"

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self.app,
            log_config=None,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
            **self._options,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, daemon=True, name="application"
        )
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < until, "The server did not start within 20 seconds."
            time.sleep(0.005)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive(), "The server did not stop within 10 seconds."


@contextmanager
def serving() -> Iterator[Callable[..., Server]]:
    """Serve ASGI applications; all of them stop with it."""
    servers: list[Server] = []

    def started(app: ASGIApp, **options: Any) -> Server:
        servers.append(Server(app, **options))
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


class Application:
    """One application and its record.

    Args:
        connect_origin: The sandbox.
        page_headers: Of the page with the button.
        identify: Whether people are told apart, by the cookie `person` that `/login/NAME` sets.
        button: Options of the template's button.
        modules: Addresses of more modules for the page.
        outcome, failure: What `on_complete` and `on_error` do after recording.
        sealed: Options of `launch_url`, for a button with a sealed link.
        page: The page's template.
        connect: More options of SmartcarConnect.
    """

    def __init__(
        self,
        connect_origin: str,
        *,
        page_headers: Mapping[str, str] | None = None,
        identify: bool = False,
        button: Mapping[str, Any] | None = None,
        modules: tuple[str, ...] = (),
        outcome: Callable[[Request, AuthorizationResponse], Any] | None = None,
        failure: Callable[[Request, SmartcarAuthError], Any] | None = None,
        sealed: Mapping[str, Any] | None = None,
        page: str = PAGE,
        **connect: Any,
    ) -> None:
        self.granted: list[AuthorizationResponse] = []
        self.errors: list[SmartcarAuthError] = []
        self.requests: list[tuple[str, str, str]] = []  # method, path, query
        self.scripts: dict[str, str] = {"record.js": RECORD}
        self.button = dict({"make": "TESLA"} if button is None and sealed is None else button or {})
        connect.setdefault("secret_keys", KEYS)
        self.connect = SmartcarConnect(
            Smartcar(application_id="an-application", scope=["read_odometer"], connect_origin=connect_origin),
            identify=(lambda request: request.cookies.get("person")) if identify else None,
            **connect,
        )
        templates = Jinja2Templates(env=Environment(loader=DictLoader({"page": page}), autoescape=True))
        self.connect.install(templates.env)
        app = FastAPI(openapi_url=None)
        app.include_router(self.connect.router, prefix="/smartcar")

        @self.connect.on_complete
        def complete(request: Request, response: AuthorizationResponse) -> Any:
            self.granted.append(response)
            return outcome(request, response) if outcome is not None else {"message": "Added to the garage."}

        @self.connect.on_error
        def failed(request: Request, error: SmartcarAuthError) -> Any:
            self.errors.append(error)
            return failure(request, error) if failure is not None else None

        @app.get("/")
        @app.get("/garage")
        def garage(request: Request) -> HTMLResponse:
            button = dict(self.button)
            if sealed is not None:
                button["launch"] = self.connect.launch_url(request, **sealed)
            context = {"button": button, "modules": modules}
            return templates.TemplateResponse(request, "page", context, headers=dict(page_headers or {}))

        @app.get("/login/{person}")
        def login(person: str, samesite: Literal["lax", "strict"] = "lax") -> RedirectResponse:
            answer = RedirectResponse("/", 303)
            answer.set_cookie("person", person, httponly=True, samesite=samesite)
            return answer

        @app.get("/{name}.js")
        def script(name: str) -> HTMLResponse:
            return HTMLResponse(self.scripts[f"{name}.js"], media_type="text/javascript")

        self.app = app
        self.server: Server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests.append((scope["method"], scope["path"], scope["query_string"].decode()))
        await self.app(scope, receive, send)

    @property
    def origin(self) -> str:
        return self.server.origin

    @property
    def url(self) -> str:
        return f"{self.origin}/"

    @property
    def codes(self) -> list[str]:
        """Of the errors that `on_error` was given."""
        return [error.code for error in self.errors]

    def paths(self, start: str = "/") -> list[str]:
        """Of the requests so far, in order."""
        return [path for _, path, _ in self.requests if path.startswith(start)]


class WithHeaders:
    """An ASGI application whose every answer carries some more headers."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *self._headers]}
            await send(message)

        await self._app(scope, receive, sending)


def static_page(body: str, scripts: Mapping[str, str], headers: Mapping[str, str] | None = None) -> ASGIApp:
    """A front end of its own, on another port than the application: one page and its modules."""
    app = FastAPI(openapi_url=None)

    @app.get("/{name}.js")
    def script(name: str) -> HTMLResponse:
        return HTMLResponse({"record": RECORD, **scripts}[name], media_type="text/javascript")

    @app.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse(body, headers=dict(headers or {}))

    return app
