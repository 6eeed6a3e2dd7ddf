"""Chromium as the tests start it: Debian's, offline but for this machine, with its pop-up blocker on."""

import shutil

import pytest
from playwright.sync_api import Browser, Playwright


def start_chromium(playwright: Playwright, *arguments: str) -> Browser:
    """Without `ignore_default_args` every `window.open` succeeds, and a test of blocking proves nothing."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("These tests need Chromium: apt-get install chromium (make test does it).", pytrace=False)
    return playwright.chromium.launch(
        executable_path=executable,
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            *arguments,
        ],
        ignore_default_args=["--disable-popup-blocking"],
    )
