"""A site whose pages run Python, with the redirect page beside them; and Connect, which is the sandbox."""

import json
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

import smartcar_auth
from browser.application import KEYS, Server
from core.test_imports import CORE
from smartcar_auth import Smartcar
from smartcar_auth.hosts.starlette import SmartcarConnect
from smartcar_auth.sandbox import Sandbox

HERE = Path(__file__).parent
NPM = HERE.parent / "js" / "node_modules"
SOURCES = Path(smartcar_auth.__file__).parent

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A garage</title>
<link rel="icon" href="data:,"><script src="/held.js"></script>
<script src="/js/@smartcar/auth/dist/npm/sdk.js"></script><script src="/original.js"></script>
<script type="module" src="/boot.js"></script></head>
<body><h1 id="title">A garage</h1><button id="connect" class="connect">Connect your car</button>
<form action="/elsewhere"><button id="in-form" class="connect">In a form</button></form>
<a href="/elsewhere"><button id="in-link" class="connect">In a link</button></a>
<button id="act">Act</button><a id="link" href="/elsewhere">A link</a></body></html>"""

PYSCRIPT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A garage</title>
<link rel="icon" href="data:,"><script type="module" src="/js/@pyscript/core/dist/core.js"></script></head>
<body><button id="connect" data-at="{connect}" data-redirect="{redirect}">Connect your car</button>
<button id="await">Connect and wait</button><p id="said"></p><p id="heard"></p>
<script type="{type}" src="/garage.py" config='{config}'{worker}></script></body></html>"""
INTERPRETERS = {
    "mpy": "/js/@micropython/micropython-webassembly-pyscript/micropython.mjs",
    "py": "/js/pyodide/pyodide.mjs",
}

# For a thousand times: Connect and redirect page in one, which answers at once.
AT_ONCE = """<!doctype html><link rel="icon" href="data:,"><script>
const state = new URLSearchParams(location.search).get("state");
opener.postMessage({ name: "SmartcarAuthMessage", code: "a-code", state }, location.origin);
</script>"""

BLANK = "<!doctype html><title>Nothing here</title><link rel='icon' href='data:,'>"

# A page that no other page can reach: what workers and shared memory need.
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}

# The least that an interpreter needs; nothing of it for us.
STRICT = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
}


def package() -> dict[str, str]:
    """What a page needs of the package: the core and this host."""
    paths = [
        *(SOURCES / f"{name}.py" for name in CORE),
        SOURCES / "hosts" / "__init__.py",
        *(SOURCES / "hosts" / "browser").glob("*.py"),
    ]
    return {f"/package/smartcar_auth/{path.relative_to(SOURCES)}": path.read_text() for path in paths}


def configuration(python: str) -> str:
    """PyScript's, for the same files."""
    files = {path: f"./{path.removeprefix('/package/')}" for path in package()}
    return json.dumps({"interpreter": INTERPRETERS[python], "files": files})


class Connect:
    """The sandbox, and what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self._app = Sandbox().app
        self.server = Server(self, host="127.0.0.1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/oauth/authorize":
            self.asked.append(dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)))
        await self._app(scope, receive, send)


class Site:
    """Pages at `/micropython` and `/pyodide`, the same isolated, and `redirect_uri` beside them; PyScript's too."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        smartcar = SmartcarConnect(Smartcar(application_id="an-application"), secret_keys=KEYS)
        smartcar.on_complete(lambda request, response: None)
        routes = [
            Mount("/js", StaticFiles(directory=NPM)),
            Mount("/smartcar", routes=smartcar.routes),
            Route("/package.json", lambda request: JSONResponse(package())),
            Route(
                "/own-redirect", lambda request: HTMLResponse(f"{BLANK}{smartcar.callback_script(request)}")
            ),
            Route("/oauth/authorize", lambda request: HTMLResponse(AT_ONCE)),
            Route("/isolated/{python}", lambda request: HTMLResponse(PAGE, headers=ISOLATED)),
            Route("/strict/{python}", lambda request: HTMLResponse(PAGE, headers=STRICT)),
            Route("/package/{path:path}", lambda request: Response(package()[request.url.path])),
            Route("/pyscript/{type}", lambda request: self._pyscript(request)),
            Route("/pyscript/worker/{type}", lambda request: self._pyscript(request, " worker", ISOLATED)),
            Route("/{file:path}", self._file),
        ]
        self.server = Server(Starlette(routes=routes))

    def _file(self, request: Request) -> Response:
        path = HERE / request.path_params["file"]
        if path.suffix in (".js", ".py"):
            return FileResponse(path)
        return HTMLResponse(PAGE if path.name in ("micropython", "pyodide") else BLANK)

    def _pyscript(
        self, request: Request, worker: str = "", headers: dict[str, str] | None = None
    ) -> Response:
        python = request.path_params["type"]
        page = PYSCRIPT.format(
            connect=self._connect.server.origin,
            redirect=self.redirect_uri,
            type=python,
            config=configuration(python),
            worker=worker,
        )
        return HTMLResponse(page, headers=headers)

    @property
    def origin(self) -> str:
        return self.server.origin

    @property
    def redirect_uri(self) -> str:
        return f"{self.origin}/smartcar/redirect"
