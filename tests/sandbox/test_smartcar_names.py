"""The official front-end SDK in Chromium, unmodified: it finds Smartcar's own host names at `sandbox --tls`."""

import functools
import http.server
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, Playwright

from browser.flow import connect_as
from chromium import start_chromium

from .conftest import APPLICATION_ID

pytestmark = pytest.mark.browser

SDK = Path(__file__).parents[1] / "js" / "node_modules" / "@smartcar" / "auth" / "dist" / "npm" / "sdk.js"
HOSTED = "https://javascript-sdk.smartcar.com"

PAGE = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>A garage</title>
<button id="connect">Connect your car</button>
<script src="sdk.js"></script>
<script>
const options = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const smartcar = new Smartcar({
  ...options,
  onComplete(error, code, state, virtualKeyUrl, userId, externalId) {
    const {name = null, message = null} = error ?? {};
    window.told = {error: name, message, code, state, virtualKeyUrl, userId, externalId};
  },
});
smartcar.addClickHandler({id: "connect", state: options.state, externalId: options.externalId});
</script></html>"""


@pytest.fixture(scope="module")
def started() -> Iterator[dict[str, Any]]:
    """The command, as a person starts it; what it says of itself."""
    command = [sys.executable, "-m", "smartcar_auth.cli", "sandbox", "--port", "0", "--tls", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def browser(playwright: Playwright, started: dict[str, Any]) -> Iterator[Browser]:
    """Chromium with the arguments that the command printed."""
    opened = start_chromium(playwright, *started["chromium_arguments"])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of an application that is a page and the SDK, and no server of its own."""
    folder = tmp_path_factory.mktemp("application")
    (folder / "index.html").write_text(PAGE)
    (folder / "sdk.js").write_bytes(SDK.read_bytes())

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture
def connect(browser: Browser, application: str) -> Iterator[Callable[..., dict[str, Any]]]:
    """Clicks the application's button, goes through Connect and returns what `onComplete` was told."""
    with browser.new_context() as context:
        page = context.new_page()

        def connected(decision: str, **options: Any) -> dict[str, Any]:
            options = {"applicationId": APPLICATION_ID, "scope": ["read_vin"], "mode": "simulated", **options}
            page.goto("about:blank")
            page.goto(f"{application}/index.html#{json.dumps(options)}")
            with page.expect_popup() as popup:
                page.click("#connect")
            popup.value.wait_for_selector("#continue-button")
            assert popup.value.url.startswith("https://connect.smartcar.com/connect/")
            with popup.value.expect_event("close"):
                connect_as(popup.value, brand="TESLA", decision=decision)
            told: dict[str, Any] = page.wait_for_function("window.told").json_value()
            return told

        yield connected


def hosted(application: str) -> str:
    """The redirect URI at Smartcar's hosted page."""
    return f"{HOSTED}/v2/redirect?app_origin={application}"


def test_granted(connect: Callable[..., dict[str, Any]], application: str, started: dict[str, Any]) -> None:
    """A click, Connect, the hosted page: onComplete has a code that the application's server can exchange."""
    told = connect(
        "#approval-button", redirectUri=hosted(application), state="garage 7", externalId="owner-7"
    )
    assert told["error"] is None
    assert told["state"] == "garage 7"
    assert told["externalId"] == "owner-7"
    data = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": hosted(application)}
    with httpx.Client(
        base_url=started["listening"], verify=ssl.create_default_context(cafile=started["ca_file"])
    ) as client:
        tokens = client.post("/oauth/token", data=data, auth=(APPLICATION_ID, "secret")).json()
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        assert client.get("/v2.0/user", headers=headers).json()["id"] == told["userId"]


def test_denied(connect: Callable[..., dict[str, Any]], application: str) -> None:
    """The owner says no, and the SDK makes its own error of it."""
    told = connect("#deny-button", redirectUri=hosted(application))
    assert told["error"] == "AccessDenied"
    assert told["message"] == "User denied access to application"


def test_without_redirect(connect: Callable[..., dict[str, Any]], application: str) -> None:
    """Without a redirect URI Connect itself tells the page: no code, but whose cars they are."""
    told = connect("#approval-button", responseType="none", state="garage 7")
    assert told["error"] is None
    assert told["code"] is None
    assert told["userId"]
    assert told["state"] == "garage 7"
