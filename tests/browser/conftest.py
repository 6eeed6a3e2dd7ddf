"""Chromium with its pop-up blocker on, a sandbox, and applications on ports of their own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from browser.application import SAME_ORIGIN, Application, Server, WithHeaders, serving
from browser.flow import Garage
from smartcar_auth.sandbox import Sandbox


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own: one person."""
    opened = browser.new_context()
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


@pytest.fixture(scope="session")
def severing_sandbox() -> Iterator[Server]:
    """Connect with `Cross-Origin-Opener-Policy: same-origin`, as many brands' login pages are."""
    started = Server(WithHeaders(Sandbox().app, SAME_ORIGIN), host="127.0.0.1")
    yield started
    started.stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Serve an ASGI application until the test ends."""
    with serving() as started:
        yield started


@pytest.fixture
def application(sandbox: Sandbox, serve: Callable[..., Server]) -> Callable[..., Application]:
    """An application with the knobs of `Application`, served."""

    def made(*, connect_origin: str | None = None, **knobs: Any) -> Application:
        app = Application(connect_origin or sandbox.origin, **knobs)
        app.server = serve(app)
        return app

    return made


@pytest.fixture
def garage(page: Page) -> Callable[..., Garage]:
    """The application's page, opened in the browser."""

    def opened(app: Application, path: str = "") -> Garage:
        return Garage(page, app.url + path)

    return opened
