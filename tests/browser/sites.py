"""The same site in every web framework that has a host, each served as its framework is.

A host says only how an application is made and served; pages, functions and what they were given are the `Site`'s.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.cookies import SimpleCookie
from typing import Any

import flask
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path
from fastapi import FastAPI, Request
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from werkzeug.serving import make_server

from browser.application import KEYS, RECORD, SAME_ORIGIN, Server
from hosts.django_project import WORLDS
from smartcar_auth import Smartcar
from smartcar_auth.hosts import asgi, django, fastapi, starlette, wsgi
from smartcar_auth.hosts import flask as flask_host
from smartcar_auth.sandbox import Sandbox

ADDED = {"message": "Added to the garage."}
BUTTON = {"make": "TESLA", "return_to": "/garage"}
STRICT = "default-src 'none'; script-src 'self'; img-src data:; base-uri 'none'; require-trusted-types-for 'script'"

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A garage</title>
<link rel="icon" href="data:,"><script src="/record.js"></script></head>
<body><h1>A garage</h1>{button}{more}</body></html>"""

# What a page of this name comes with.
HEADERS: dict[str, dict[str, str]] = {
    "severed": SAME_ORIGIN,
    "strict": {"Content-Security-Policy": f"{STRICT}; connect-src 'self'"},
    "unasked": {"Content-Security-Policy": STRICT},
    "as-ann": {"Set-Cookie": "person=ann; HttpOnly; SameSite=Lax"},
    "as-ben": {"Set-Cookie": "person=ben; HttpOnly; SameSite=Lax"},
    "as-ann-strictly": {"Set-Cookie": "person=ann; HttpOnly; SameSite=Strict"},
}
# Opened with no click behind it, while the page loads or 8 seconds after one, the window is blocked.
SCRIPTS = {
    "record.js": RECORD,
    "at-load.js": """
        await customElements.whenDefined("smartcar-connect");
        document.querySelector("smartcar-connect").click();
    """,
    "late.js": """
        document.querySelector("h1").onclick = () =>
          setTimeout(() => document.querySelector("smartcar-connect").click(), 8000);
    """,
}


class Site:
    """A garage in some framework, and what its functions were given.

    `native` makes the framework's own response of a body and headers, `origin` is where it is served; a host
    sets the first. `result` is what `on_complete` returns, or raises.
    """

    native: Callable[[str, Mapping[str, str]], Any]
    origin: str

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.smartcar = Smartcar(
            application_id="an-application", scope=["read_odometer"], connect_origin=sandbox.origin
        )
        self.granted: list[Any] = []  # the person to whom each car was given
        self.errors: list[str] = []  # codes, or a mismatch's cause
        self.result: Any = ADDED

    def anew(self) -> None:
        """Nothing has happened yet, here and at Connect."""
        self.sandbox.reset()
        self.granted.clear()
        self.errors.clear()
        self.result = ADDED

    def make(self, host: Callable[..., Any], identify: Callable[[Any], str | None]) -> Any:
        """A host's Connect with its functions; `identify` reads the cookie `person`."""
        connect = host(self.smartcar, secret_keys=KEYS, identify=identify)

        @connect.on_complete
        def complete(request: Any, response: Any) -> Any:
            self.granted.append(response.subject)
            if isinstance(self.result, Exception):
                raise self.result
            return self.result

        @connect.on_error
        def failed(request: Any, error: Any) -> None:
            self.errors.append(getattr(error, "cause", None) or error.code)

        return connect

    def page(self, name: str, button: str) -> Any:
        """The answer to `/NAME`: a script, or a page with the button."""
        if name in SCRIPTS:
            return self.native(SCRIPTS[name], {"Content-Type": "text/javascript"})
        script = f"{name}.js"
        more = f'<script type="module" src="/{script}"></script>' if script in SCRIPTS else ""
        headers = {"Content-Type": "text/html; charset=utf-8", **HEADERS.get(name, {})}
        return self.native(PAGE.format(button=button, more=more), headers)


@contextmanager
def under_uvicorn(app: Any) -> Iterator[str]:
    server = Server(app)
    yield server.origin
    server.stop()


@contextmanager
def under_werkzeug(app: Any) -> Iterator[str]:
    """Each request in a thread."""
    server = make_server("localhost", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="werkzeug")
    thread.start()
    yield f"http://localhost:{server.port}"
    server.shutdown()
    thread.join(10)
    assert not thread.is_alive(), "The server did not stop within 10 seconds."
    server.server_close()


def in_starlette(site: Site) -> AbstractContextManager[str]:
    connect = site.make(starlette.SmartcarConnect, lambda request: request.cookies.get("person"))
    site.native = lambda body, headers: HTMLResponse(body, headers=headers)

    def page(request: Any) -> Any:
        return site.page(request.path_params["name"], connect.button(request, **BUTTON))

    return under_uvicorn(
        Starlette(routes=[Mount("/smartcar", routes=connect.routes), Route("/{name}", page)])
    )


def in_fastapi(site: Site) -> AbstractContextManager[str]:
    connect = site.make(fastapi.SmartcarConnect, lambda request: request.cookies.get("person"))
    site.native = lambda body, headers: HTMLResponse(body, headers=headers)
    app = FastAPI(openapi_url=None)
    app.include_router(connect.router, prefix="/smartcar")

    @app.get("/{name}")
    def page(request: Request, name: str) -> Any:
        return site.page(name, connect.button(request, **BUTTON))

    return under_uvicorn(app)


def in_flask(site: Site) -> AbstractContextManager[str]:
    connect = site.make(flask_host.SmartcarConnect, lambda request: request.cookies.get("person"))
    site.native = lambda body, headers: flask.Response(body, headers=headers)
    app = flask.Flask(__name__)
    connect.init_app(app)

    @app.get("/<name>")
    def page(name: str) -> Any:
        return site.page(name, connect.button(**BUTTON))

    return under_werkzeug(app)


@contextmanager
def in_django(site: Site, world: str) -> Iterator[str]:
    """With Django's defaults, COOP among them, but without sessions."""
    connect = site.make(django.SmartcarConnect, lambda request: request.COOKIES.get("person"))
    site.native = lambda body, headers: HttpResponse(body, headers=headers)

    def page(request: HttpRequest, name: str) -> Any:
        return site.page(name, connect.button(request, **BUTTON))

    urls = connect.urls if world == "sync" else connect.async_urls
    settings = {
        "ROOT_URLCONF": (path("smartcar/", include(urls)), path("<str:name>", page)),
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
    }
    with override_settings(**settings):
        served = under_werkzeug(WSGIHandler()) if world == "sync" else under_uvicorn(ASGIHandler())
        with served as origin:
            yield origin


def in_plain_asgi(site: Site) -> AbstractContextManager[str]:
    def person(scope: Any) -> str | None:
        return read_person(dict(scope["headers"]).get(b"cookie", b"").decode())

    connect = site.make(asgi.SmartcarConnect, person)

    def native(body: str, headers: Mapping[str, str]) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": 200, "headers": fields})
            await send({"type": "http.response.body", "body": body.encode()})

        return answer

    async def page(scope: Any, receive: Any, send: Any) -> None:
        answer = site.page(scope["path"][1:], connect.button(scope, **BUTTON))
        await answer(scope, receive, send)

    site.native = native
    return under_uvicorn(connect.wrap(page))


def in_plain_wsgi(site: Site) -> AbstractContextManager[str]:
    def person(environ: Any) -> str | None:
        return read_person(environ.get("HTTP_COOKIE", ""))

    connect = site.make(wsgi.SmartcarConnect, person)

    def native(body: str, headers: Mapping[str, str]) -> Any:
        def answer(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", list(headers.items()))
            return [body.encode()]

        return answer

    def page(environ: Any, start_response: Any) -> Any:
        answer = site.page(environ["PATH_INFO"][1:], connect.button(environ, **BUTTON))
        return answer(environ, start_response)

    site.native = native
    return under_werkzeug(connect.wrap(page))


def read_person(cookies: str) -> str | None:
    found = SimpleCookie(cookies).get("person")
    return found.value if found else None


# The name of each host, and how a site is made in it: a context in which it is served, at the origin.
HOSTS: dict[str, Callable[[Site], AbstractContextManager[str]]] = {
    "starlette": in_starlette,
    "fastapi": in_fastapi,
    "flask": in_flask,
    **{f"django-{world}": lambda site, world=world: in_django(site, world) for world in WORLDS},
    "asgi": in_plain_asgi,
    "wsgi": in_plain_wsgi,
}


@contextmanager
def served(name: str, sandbox: Sandbox) -> Iterator[Site]:
    """The site in this host."""
    site = Site(sandbox)
    with HOSTS[name](site) as site.origin:
        yield site
