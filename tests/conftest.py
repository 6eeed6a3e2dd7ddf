"""One Chromium for the whole run, with its pop-up blocker on. A test that needs it fails where it is missing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from chromium import start_chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last.

    The quick ones report first; and Playwright's synchronous API keeps an event loop running in this
    thread, beside which `anyio.run` refuses to start. With pytest-xdist that holds in each process: a file's tests
    stay together, but for those two kinds.
    """
    items.sort(key=_needs_browser)
    for item in items:
        group = f"{item.path.stem}-browser" if _needs_browser(item) else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))


def _needs_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = start_chromium(playwright)
    yield started
    started.close()
