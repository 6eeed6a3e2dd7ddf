"""A sandbox for the data apps, and people who come with a browser of their own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, Playwright

from browser.engines import SECONDS, executable
from dataapps.outcomes import Anybody, Somebody
from smartcar_auth.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """Debian's, with its pop-up blocker on."""
    started = playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=executable("firefox-esr", "firefox-esr"),
        firefox_user_prefs={"dom.disable_open_during_load": True},
    )
    yield started
    started.close()


@pytest.fixture
def anybody(browser: Browser) -> Iterator[Anybody]:
    """People with Chromium."""
    with ExitStack() as profiles:
        yield lambda: _somebody(browser, profiles)


@pytest.fixture
def anybody_with_firefox(firefox: Browser) -> Iterator[Anybody]:
    with ExitStack() as profiles:
        yield lambda: _somebody(firefox, profiles)


def _somebody(browser: Browser, profiles: ExitStack) -> Somebody:
    context = profiles.enter_context(browser.new_context())
    context.set_default_timeout(SECONDS * 1000)
    return Somebody(context)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of somebody's, for what isn't in the table."""
    with browser.new_context() as context:
        context.set_default_timeout(SECONDS * 1000)
        yield context.new_page()
