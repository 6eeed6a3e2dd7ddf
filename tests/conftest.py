"""One Chromium for the whole run, with its pop-up blocker on. A test that needs it fails where it is missing."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last.

    The quick ones report first; and Playwright's synchronous API keeps an event loop running in this
    thread, beside which `anyio.run` refuses to start.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Without `ignore_default_args` every `window.open` succeeds, and a test of blocking proves nothing."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("These tests need Chromium: apt-get install chromium (make test does it).", pytrace=False)
    started = playwright.chromium.launch(
        executable_path=executable,
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
        ignore_default_args=["--disable-popup-blocking"],
    )
    yield started
    started.close()
