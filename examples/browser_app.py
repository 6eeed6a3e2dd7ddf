"""Python in the page: a garage in PyScript (MicroPython) and the same in Pyodide, with one small back end.

    make demo-browser      # Connect is played by the sandbox; the address to open is printed first

The page asks for the code in Python, `pyscript/garage.py` or `pyodide/garage.py`, and sends it here, because only
a server may know the application's secret. Here it is exchanged, and the cars are read. What `smartcar-auth static`
would write is served from memory: the redirect page, and the zip with the package for the page.
"""

import json
import secrets
import sys
from base64 import b64encode
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request as Ask
from urllib.request import urlopen

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from smartcar_auth.static_site import files

HERE = Path(__file__).parent
# Where PyScript, MicroPython and Pyodide are; yours come from their own addresses, or from your site.
PYTHONS = HERE.parent / "tests" / "js" / "node_modules"
APPLICATION_ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
APPLICATION_SECRET = "sandbox-secret"  # the sandbox takes any
# Pyodide is WebAssembly and nothing more; PyScript evaluates text, and unpacks a zip in a worker that it makes.
PAGES = {
    "pyscript": "script-src 'self' 'unsafe-eval'; worker-src blob:",
    "pyodide": "script-src 'self' 'wasm-unsafe-eval'",
}
POLICY = (
    "default-src 'none'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def create_app(connect_origin: str) -> Starlette:
    """The application, with Connect and Smartcar's API at this origin: a sandbox's."""
    templates = Jinja2Templates(HERE)
    site = files.files()
    garage: dict[str, dict[str, dict[str, Any]]] = {}  # cars by person and vehicle id

    def page(request: Request) -> Response:
        settings = {"connect_origin": connect_origin, "application_id": APPLICATION_ID}
        name = request.url.path.strip("/")
        answer = templates.TemplateResponse(request, f"{name}/index.html", settings)
        answer.headers["Content-Security-Policy"] = f"{POLICY}; {PAGES[name]}"
        if "person" not in request.cookies:  # the stand-in for your login
            answer.set_cookie("person", secrets.token_urlsafe(16), httponly=True, samesite="strict")
        return answer

    def connecting(request: Request) -> Response:
        """The redirect page and what pages load, as `smartcar-auth static` writes them."""
        name = request.path_params["name"]
        if name not in site:
            return Response(status_code=404)
        headers = dict(files.page_headers()) if name == files.PAGE else {}
        return Response(site[name], media_type=guess_type(name)[0], headers=headers)

    async def cars(request: Request) -> Response:
        """The person's cars; a POST with a code adds those that it stands for."""
        person = request.cookies.get("person")
        if person is None:
            return JSONResponse({"error": "Load the page first."}, 403)
        if request.method == "POST":
            # Other sites can send neither the Strict cookie nor, without asking first, this type.
            if request.headers.get("content-type") != "application/json":
                return JSONResponse({"error": "Send JSON."}, 415)
            try:
                code = (await request.json())["code"]
                redirect_uri = f"{request.url.scheme}://{request.url.netloc}/connect/{files.PAGE}"
                found = await run_in_threadpool(read_cars, connect_origin, code, redirect_uri)
            except (KeyError, TypeError, ValueError):
                return JSONResponse({"error": "The car could not be added. Please try again."}, 400)
            garage.setdefault(person, {}).update(found)
        return JSONResponse(list(garage.get(person, {}).values()))

    return Starlette(
        routes=[
            Route("/", lambda request: RedirectResponse("/pyscript/")),
            Route("/cars", cars, methods=["GET", "POST"]),
            Route("/connect/{name}", connecting),
            Mount("/js", StaticFiles(directory=PYTHONS)),
            *(Route(f"/{one}/", page) for one in PAGES),
            *(Mount(f"/{one}", StaticFiles(directory=HERE / one)) for one in PAGES),
        ]
    )


def read_cars(smartcar: str, code: str, redirect_uri: str) -> dict[str, dict[str, Any]]:
    """Exchange the code; then make, model and odometer of every car that it stands for, by id."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    secret = b64encode(f"{APPLICATION_ID}:{APPLICATION_SECRET}".encode()).decode()
    ask = Ask(f"{smartcar}/oauth/token", urlencode(form).encode(), {"Authorization": f"Basic {secret}"})
    token = _answer(ask)["access_token"]

    def read(path: str) -> Any:
        return _answer(Ask(f"{smartcar}/v2.0/vehicles{path}", headers={"Authorization": f"Bearer {token}"}))

    found = {}
    for one in read("")["vehicles"]:
        attributes = read(f"/{one}")
        found[one] = {
            "name": f"{attributes['make']} {attributes['model']}",
            "year": str(attributes["year"]),
            "odometer": f"{read(f'/{one}/odometer')['distance']:,.0f} km",
        }
    return found


def _answer(ask: Ask) -> Any:
    try:
        with urlopen(ask, timeout=10) as answer:
            return json.load(answer)
    except HTTPError as error:
        with error:
            raise ValueError(f"Smartcar answered {error.status}.") from None


if __name__ == "__main__":
    import contextlib
    import os
    import socket

    import uvicorn

    from smartcar_auth.sandbox import Sandbox

    try:
        listener = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "8000"))))
    except OSError as error:
        sys.exit(f"{error}. Choose another port: PORT=8001 make demo-browser")
    with Sandbox(application_name="Sample garage") as sandbox, contextlib.suppress(KeyboardInterrupt):
        for one in PAGES:
            print(f"http://localhost:{listener.getsockname()[1]}/{one}/")
        print(
            "\nA garage in PyScript on MicroPython, and the same in Pyodide. Smartcar Connect is played by the "
            f"sandbox at {sandbox.origin} (any e-mail and password will do).\nCtrl-C stops both.",
            flush=True,
        )
        config = uvicorn.Config(create_app(sandbox.origin), log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])
