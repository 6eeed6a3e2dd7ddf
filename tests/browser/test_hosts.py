"""Every web host, served as its framework is, passes the table of outcomes in Chromium with its blocker on."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from browser.engines import chromium
from browser.outcomes import OUTCOMES, Anybody, Row, check
from browser.sites import HOSTS, Site, served
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=HOSTS)
def site(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Site]:
    """The garage in each host, one after another."""
    with served(request.param, sandbox) as site:
        yield site


@pytest.fixture
def anybody(browser: Browser) -> Iterator[Anybody]:
    with ExitStack() as profiles:
        yield lambda **options: profiles.enter_context(chromium(browser)(**options))


@pytest.mark.parametrize("row", OUTCOMES, ids=lambda row: row.name)
def test_outcome(row: Row, anybody: Anybody, site: Site) -> None:
    """Page, window and functions are told what the row says."""
    check(row, anybody, site)
