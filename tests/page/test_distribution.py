"""How the package comes into a page: each way that PyScript and Pyodide have, with no network but the site's own."""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.responses import FileResponse, HTMLResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from browser.application import Server
from page.site import INTERPRETERS, NPM
from smartcar_auth import __version__
from static_site import served
from wheel import build_wheel

pytestmark = pytest.mark.browser

ARCHIVE = "/smartcar_auth.zip"
WHEEL = f"/smartcar_auth-{__version__}-py3-none-any.whl"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A garage</title>
<link rel="icon" href="data:,">{head}</head>
<body><button id="connect" data-at="{connect}">Connect your car</button><p id="said"></p>{body}</body></html>"""
PYSCRIPT_HEAD = '<script type="module" src="/js/@pyscript/core/dist/core.js"></script>'
PYSCRIPT = """<script type="{python}" config='{config}'>{code}</script>"""
PYODIDE = """<script type="module">
import {{ loadPyodide }} from "/js/pyodide/pyodide.mjs";
const pyodide = await loadPyodide();
const unpack = async (address) =>
  pyodide.unpackArchive(await (await fetch(address)).arrayBuffer(), "zip");
{load}
pyodide.runPython({code});
</script>"""
CODE = """
from js import document, location
from smartcar_auth.hosts.browser import Smartcar

def say(text):
    document.querySelector("#said").textContent = text

def on_complete(error, response):
    say(response.code if response else error.code)

smartcar = Smartcar(
    application_id="an-application",
    redirect_uri=location.origin + "/redirect.html",
    connect_origin=document.querySelector("#connect").dataset.at,
    on_complete=on_complete,
)
smartcar.add_click_handler(id="connect")
say("ready")
"""

IN_PYSCRIPT = {
    "micropython-files-archive": ("mpy", {"files": {ARCHIVE: "./*"}}),
    "micropython-files-wheel": ("mpy", {"files": {WHEEL: "./*"}}),
    "micropython-packages": ("mpy", {"packages": [WHEEL]}),
    "pyodide-files-archive": ("py", {"files": {ARCHIVE: "./*"}}),
    "pyodide-files-wheel": ("py", {"files": {WHEEL: "./*"}}),
    "pyodide-packages": ("py", {"packages": [WHEEL], "packages_cache": "passthrough"}),
    "pyodide-packages-by-micropip": ("py", {"packages": [WHEEL]}),
}
IN_PYODIDE = {
    "unpack-archive": f'await unpack("{ARCHIVE}");',
    "unpack-wheel": f'await unpack("{WHEEL}");',
    "load-package": f'await pyodide.loadPackage("{WHEEL}");',
    "micropip": 'await pyodide.loadPackage("micropip");'
    f'await pyodide.pyimport("micropip").install(location.origin + "{WHEEL}");',
}
# Pyodide's full distribution has micropip beside it, npm's hasn't: scripts/setup fetches the same version.
LOCK = json.loads((NPM / "pyodide" / "pyodide-lock.json").read_text())
MICROPIP = Path(sys.prefix) / "page" / LOCK["packages"]["micropip"]["file_name"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site's folder: what `smartcar-auth static` writes, and the wheel."""
    made = served.write(tmp_path_factory.mktemp("site"))
    wheel = build_wheel(tmp_path_factory.mktemp("wheel"))
    shutil.copy(wheel, made / WHEEL[1:])
    return made


@pytest.fixture(scope="module")
def origin(folder, connect):
    """The site, with a page for each way."""
    # Pyodide builds that wheel itself; this is PyPI's.
    theirs = LOCK["packages"]["micropip"] | {"sha256": hashlib.sha256(MICROPIP.read_bytes()).hexdigest()}
    lock = LOCK | {"packages": LOCK["packages"] | {"micropip": theirs}}

    def page(request):
        way = request.path_params["way"]
        if way in IN_PYSCRIPT:
            python, more = IN_PYSCRIPT[way]
            config = json.dumps({"interpreter": INTERPRETERS[python], **more})
            head, body = PYSCRIPT_HEAD, PYSCRIPT.format(python=python, config=config, code=CODE)
        else:
            head, body = "", PYODIDE.format(load=IN_PYODIDE[way], code=json.dumps(CODE))
        return HTMLResponse(PAGE.format(head=head, body=body, connect=connect.server.origin))

    routes = [
        Route("/by/{way}", page),
        Route(f"/js/pyodide/{MICROPIP.name}", lambda request: FileResponse(MICROPIP)),
        Route("/js/pyodide/pyodide-lock.json", lambda request: JSONResponse(lock)),
        Mount("/js", StaticFiles(directory=NPM)),
        Mount("/", StaticFiles(directory=folder)),
    ]
    server = Server(Starlette(routes=routes))
    yield server.origin
    server.stop()


@pytest.mark.parametrize("way", [*IN_PYSCRIPT, *IN_PYODIDE])
def test_package_comes_into_the_page(browser, origin, connect, way):
    """It does so offline, and an attempt goes all the way."""
    with browser.new_context() as context:
        elsewhere = []
        context.on("request", lambda request: elsewhere.append(request.url))
        page = context.new_page()
        page.goto(f"{origin}/by/{way}")
        expect(page.locator("#said")).to_have_text("ready", timeout=60_000)
        with page.expect_popup() as opened:
            page.click("#connect")
        opened.value.wait_for_selector("#continue-button")
        query = urlencode({"code": "a-code", "state": connect.asked[-1]["state"]})
        opened.value.evaluate(f"void setTimeout(() => location.assign('{origin}/redirect.html?{query}'))")
        expect(page.locator("#said")).to_have_text("a-code")
        own = (origin, connect.server.origin, "data:", "blob:")
        assert [one for one in elsewhere if not one.startswith(own)] == []
