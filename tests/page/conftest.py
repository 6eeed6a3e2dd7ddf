"""Pages with Python in them. Tests that leave a page as it was share one for each Python: Pyodide is slow to load."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from browser.engines import PlaywrightWindow
from page.lab import Lab
from page.site import Connect, Site
from smartcar_auth import sandbox
from smartcar_auth.origin import HOSTED_PAGE

HOSTED_SCRIPT = Path(sandbox.__file__).with_name("static") / "hosted-redirect.js"
PYTHONS = ["micropython", "pyodide"]


@pytest.fixture(scope="session")
def connect() -> Iterator[Connect]:
    started = Connect()
    yield started
    started.server.stop()


@pytest.fixture(scope="session")
def site(connect: Connect) -> Iterator[Site]:
    started = Site(connect)
    yield started
    started.server.stop()


def hosted(context: BrowserContext) -> None:
    """Smartcar's redirect page, which only its origin tells from others."""
    page = f"<!doctype html><title>Smartcar Redirect</title><script>{HOSTED_SCRIPT.read_text()}</script>"
    context.route(f"{HOSTED_PAGE}/**", lambda route: route.fulfill(body=page, content_type="text/html"))


@pytest.fixture(scope="session")
def open_lab(browser: Browser, site: Site, connect: Connect) -> Iterator[Callable[[str], Lab]]:
    """Open a page in a profile of its own."""
    contexts = []

    def opened(path: str) -> Lab:
        context = browser.new_context()
        contexts.append(context)
        context.set_default_timeout(10_000)
        hosted(context)
        page = context.new_page()
        noise: list[str] = []
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        lab = Lab(PlaywrightWindow(page, True), site, connect, path)
        lab.noise = noise
        return lab

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def shared_labs() -> dict[str, Lab]:
    return {}


@pytest.fixture(params=PYTHONS)
def lab(
    request: pytest.FixtureRequest, open_lab: Callable[[str], Lab], shared_labs: dict[str, Lab]
) -> Iterator[Lab]:
    """A page with this Python, shared by many tests, with a Smartcar."""
    if request.param not in shared_labs:
        shared_labs[request.param] = open_lab(request.param)
    found = shared_labs[request.param]
    found.smartcar()
    yield found
    noise = list(found.noise)
    found.reset()
    assert noise == []


@pytest.fixture(params=PYTHONS)
def own_lab(request: pytest.FixtureRequest, open_lab: Callable[[str], Lab]) -> Lab:
    """A page with this Python for one test, which may leave it."""
    opened = open_lab(request.param)
    opened.smartcar()
    return opened
