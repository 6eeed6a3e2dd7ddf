"""Chromium as the tests start it: Debian's, offline but for this machine, with its pop-up blocker on."""

import shutil
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Playwright

from smartcar_auth.sandbox import Sandbox

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def start_chromium(playwright: Playwright, *arguments: str) -> Browser:
    """Without `ignore_default_args` every `window.open` succeeds, and a test of blocking proves nothing."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("These tests need Chromium: apt-get install chromium (make test does it).", pytrace=False)
    return playwright.chromium.launch(
        executable_path=executable,
        args=[*FLAGS, *arguments],
        ignore_default_args=["--disable-popup-blocking"],
    )


def start_chromium_with_smartcar(playwright: Playwright, sandbox: Sandbox) -> Browser:
    """One that finds smartcar.com in a sandbox that speaks TLS: the official SDK can't be told where Connect is."""
    assert sandbox.certificates is not None
    here = urlsplit(sandbox.origin)
    return start_chromium(playwright, *sandbox.certificates.chromium_arguments(here.hostname, here.port))
