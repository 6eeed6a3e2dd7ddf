"""What attacks need: the browser tests' fixtures, one application for raw requests, and sites of strangers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from attacks.wire import Stranger
from browser.application import Application, Server

# Here under their own names, so that a test asks for them as in tests/browser.
from browser.conftest import application, context, garage, page, sandbox, serve  # noqa: F401


def serving(connect_origin: str, **options: Any) -> Iterator[Application]:
    app = Application(connect_origin, **options)
    app.server = Server(app)
    yield app
    app.server.stop()


def anew(app: Application) -> Application:
    for record in (app.granted, app.errors, app.requests):
        record.clear()
    return app


@pytest.fixture(scope="session")
def _connect() -> Iterator[tuple[Stranger, str]]:
    site = Stranger()
    server = Server(site, host="127.0.0.1")
    yield site, server.origin
    server.stop()


@pytest.fixture(scope="session")
def _site(_connect: tuple[Stranger, str]) -> Iterator[Application]:
    yield from serving(_connect[1], identify=True)


@pytest.fixture(scope="session")
def _public_site() -> Iterator[Application]:
    yield from serving("http://127.0.0.1:9", public_url="https://app.example.com")


@pytest.fixture
def site(_site: Application) -> Application:
    """One application for most attacks; its record begins anew with each."""
    return anew(_site)


@pytest.fixture
def public_site(_public_site: Application) -> Application:
    """Another, as browsers know it over https: a proxy in front speaks it, the application hears plain http."""
    return anew(_public_site)


@pytest.fixture
def stranger(serve: Callable[..., Server]) -> Callable[..., tuple[Stranger, str]]:  # noqa: F811
    """A stranger's site and its origin: of another site (127.0.0.1) unless `host` says localhost."""

    def opened(
        pages: dict[str, str] | None = None, host: str = "127.0.0.1", **options: Any
    ) -> tuple[Stranger, str]:
        site = Stranger(pages, **options)
        return site, serve(site, host=host).origin

    return opened


@pytest.fixture
def connect(_connect: tuple[Stranger, str]) -> tuple[Stranger, str]:
    """A Connect that shows nothing, so that a test reads the state from the address and answers by itself."""
    _connect[0].asked.clear()
    return _connect
