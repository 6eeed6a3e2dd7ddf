"""The main outcomes in Firefox and WebKitGTK with their pop-up blockers on, also under a page's strict policies.

Chromium passes the whole table in every host (test_hosts.py), and the policies in test_isolation.py.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Playwright

from browser.engines import Engine, firefox, webkit
from browser.outcomes import BLOCKED_LATE, OUTCOMES, POLICIES, Anybody, Row, check
from browser.sites import Site, served
from smartcar_auth.sandbox import Sandbox

pytestmark = [
    pytest.mark.browser,
    # Selenium's own driver of WebKitGTK does what Selenium has deprecated.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]

# What is a matter of the engine alone, one host shows.
ROWS = {
    "fastapi": [*POLICIES, BLOCKED_LATE, *(row for row in OUTCOMES if row.everywhere)],
    "django-sync": [row for row in OUTCOMES if row.everywhere],
}


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def engine(request: pytest.FixtureRequest, playwright: Playwright) -> Iterator[Engine]:
    with firefox(playwright) if request.param == "firefox" else webkit() as started:
        yield started


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Site]:
    with served(request.param, sandbox) as site:
        yield site


@pytest.fixture
def anybody(engine: Engine) -> Iterator[Anybody]:
    with ExitStack() as profiles:
        yield lambda **options: profiles.enter_context(engine(**options))


@pytest.mark.parametrize(
    ("site", "row"),
    [pytest.param(host, row, id=f"{host}-{row.name}") for host, rows in ROWS.items() for row in rows],
    indirect=["site"],
)
def test_outcome(row: Row, anybody: Anybody, site: Site) -> None:
    """Page, window and functions are told what the row says."""
    check(row, anybody, site)
