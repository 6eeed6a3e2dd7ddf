"""Each cause of a mismatch says what helps, in one text wherever it is said."""

from pathlib import Path

import pytest

from smartcar_auth import StateMismatch
from smartcar_auth.web.causes import REMEDIES
from web.browser import KEY, OTHER_KEY, Browser, Site

ERRORS = Path(__file__).parent.parent.parent / "docs" / "errors.md"


def missing(browser, site):
    browser.callback("code=x")


def altered(browser, site):
    """By another worker, whose key is another."""
    state = browser.popup()
    browser.site = Site(secret_keys=[OTHER_KEY], clock=site.clock, on_error=site.fail)
    browser.answer(state)


def expired(browser, site):
    state = browser.popup()
    site.clock.now += 3601
    browser.answer(state)


def other_browser(browser, site):
    Browser(site).answer(browser.popup())


def other_person(browser, site):
    state = browser.popup()
    browser.native = "ben"
    browser.answer(state)


def replayed(browser, site):
    state = browser.popup()
    copied = dict(browser.jar)
    browser.answer(state)
    browser.jar = copied
    browser.answer(state)


WAYS = [missing, altered, expired, other_browser, other_person, replayed]


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_error_says_what_helps(way):
    """Whatever the cause, the error's text ends with its remedy, and the docs have the same one beside it."""
    cause = way.__name__
    site = Site(secret_keys=[KEY], identify=lambda native: native)
    way(Browser(site, native="ann"), site)
    [error] = site.failed
    assert (type(error), error.cause) == (StateMismatch, cause)
    assert str(error).endswith(REMEDIES[cause])
    [row] = [line for line in ERRORS.read_text().splitlines() if line.startswith(f"| `{cause}` |")]
    assert row.endswith(f"| {REMEDIES[cause]} |")


def test_every_cause_has_its_remedy():
    """None is forgotten."""
    assert tuple(REMEDIES) == StateMismatch.CAUSES == tuple(way.__name__ for way in WAYS)
