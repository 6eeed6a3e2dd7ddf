"""Data apps: from Connect's redirect leaving to the Python code having the result, in Chromium on loopback.

Each host is run as its framework runs it, in a process of its own; a function here says how, and where its button is.
The peer is streamlit-oauth, whose page looks at its pop-up's address once a second. So how long a person stays at
Connect is spread evenly over a second, the same for all; else the figure would depend on where in that second the
redirect falls.

Each first attempt is a new profile's. Playwright clicks, with the blocker on, which costs all of them the same.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode

import uvicorn
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .figure import Figure, Say, Target
from .over_http import free_port, wait_until_listening
from .way_back import FLAGS, PAGES

APPS = PAGES / "data_apps"
SHORTEST_STAY = 700  # milliseconds; what opening the window set off is over then
PEER = "streamlit-oauth"


class Host(NamedTuple):
    """How a data app is run and clicked.

    Args:
        command: For a port; it listens there on localhost until SIGTERM. It finds REPORT, ORIGIN and SMARTCAR_* in the
            environment, and calls `known()` (`pages/data_apps/known.py`) when Python has the result.
        button: Where it is on the page.
    """

    command: Callable[[int], list[str | Path]]
    button: Callable[[Page], Locator]


def streamlit(script: str) -> Callable[[int], list[str | Path]]:
    options = ["--server.headless=true", "--browser.gatherUsageStats=false", "--server.fileWatcherType=none"]
    command = [sys.executable, "-m", "streamlit", "run", APPS / script, *options]
    return lambda port: [*command, f"--server.port={port}"]


def script(name: str) -> Callable[[int], list[str | Path]]:
    """An app that is a program of its own; its argument is the port."""
    return lambda port: [sys.executable, APPS / name, str(port)]


def marimo(name: str) -> Callable[[int], list[str | Path]]:
    command = [
        sys.executable,
        "-m",
        "marimo",
        "run",
        APPS / name,
        "--headless",
        "--no-token",
        "--host=localhost",
    ]
    return lambda port: [*command, f"--port={port}"]


def our_button(page: Page) -> Locator:
    return page.locator("smartcar-connect [part~=button]")


HOSTS = {
    "streamlit": Host(streamlit("streamlit_app.py"), our_button),
    "nicegui": Host(script("nicegui_app.py"), our_button),
    "gradio": Host(script("gradio_app.py"), our_button),
    "dash": Host(script("dash_app.py"), our_button),
    "marimo": Host(marimo("marimo_app.py"), lambda page: page.get_by_role("button", name="Connect your car")),
    PEER: Host(
        streamlit("streamlit_oauth_main.py"), lambda page: page.frame_locator("iframe").locator("button")
    ),
}
# Of the peer. The others are there to be seen beside it.
TARGETS = {"streamlit": Target(0.5)}


def measure(say: Say, quick: bool) -> list[Figure]:
    """Every host's first attempt in a browser and its second, beside the peer's."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in HOSTS}
    rounds = 3 if quick else 12
    with ExitStack() as stack:
        provider = stack.enter_context(Provider().served())
        origins = {name: stack.enter_context(served(host, provider)) for name, host in HOSTS.items()}
        browser = stack.enter_context(started())
        names = list(HOSTS)
        for turn in range(rounds + 1):
            provider.stay = SHORTEST_STAY + 1000 * (turn % rounds) / rounds
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                with browser.new_context() as context:
                    ways = [way_back(context, provider, origins[name], HOSTS[name]) for _ in range(2)]
                if turn:  # the first round is thrown away
                    taken[name].append((ways[0], ways[1]))
            if turn:
                say(f"round {turn} of {rounds}")
    return [figure for name in HOSTS if name != PEER for figure in _figures(name, taken)]


def _figures(name: str, taken: Mapping[str, list[tuple[float, float]]]) -> Iterator[Figure]:
    for attempt, (title, target) in enumerate(
        ((f"redirect to Python, {name}", TARGETS.get(name)), ("- second attempt", None))
    ):
        ours, theirs = ([ways[attempt] for ways in taken[one]] for one in (name, PEER))
        yield Figure(
            title,
            median(ours),
            median(theirs),
            "ms",
            PEER,
            target,
            f"medians of {len(ours)}; ours {min(ours):.0f} to {max(ours):.0f}, {PEER} {min(theirs):.0f} to "
            f"{max(theirs):.0f} ms",
        )


def way_back(context: BrowserContext, provider: "Provider", origin: str, host: Host) -> float:
    """One attempt, in a tab of its own, in milliseconds."""
    page = context.new_page()
    page.goto(origin)
    button = host.button(page)
    button.wait_for()
    page.wait_for_timeout(500)  # what loading the page set off is over
    provider.forget()
    button.click()
    if not provider.reported.wait(30):
        raise RuntimeError(f"{origin} did not report; {provider.left} left")
    page.close()
    return (provider.known - provider.left) * 1000


@dataclass
class Provider:
    """Connect as a page that goes on by itself, and where the apps say that they have the result."""

    origin: str = ""
    stay: float = SHORTEST_STAY
    left: float = 0.0
    known: float = 0.0
    reported: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        self.left = self.known = 0.0
        self.reported.clear()

    def authorize(self, request: Request) -> Response:
        script = f'setTimeout(() => location.assign("/leave" + location.search), {self.stay})'
        return HTMLResponse(f'<link rel="icon" href="data:,"><script>{script}</script>')

    def leave(self, request: Request) -> Response:
        asked = parse_qs(request.url.query)
        query = urlencode({"code": "a-code", "state": asked["state"][0]})
        self.left = time.time()
        return RedirectResponse(f"{asked['redirect_uri'][0]}?{query}", 302)

    async def report(self, request: Request) -> Response:
        if not self.reported.is_set():  # a script may run more than once
            self.known = float(await request.body())
            self.reported.set()
        return Response(status_code=204)

    @contextmanager
    def served(self) -> Iterator["Provider"]:
        """On another site than the apps: 127.0.0.1."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = Starlette(
            routes=[
                Route("/oauth/authorize", self.authorize),
                Route("/leave", self.leave),
                Route("/report", self.report, methods=["POST"]),
            ]
        )
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        running = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        running.start()
        try:
            yield self
        finally:
            server.should_exit = True
            running.join()


@contextmanager
def served(host: Host, provider: Provider) -> Iterator[str]:
    """A data app; its origin."""
    port = free_port()
    origin = f"http://localhost:{port}"
    environment = {
        "ORIGIN": origin,
        "REPORT": f"{provider.origin}/report",
        "SMARTCAR_APPLICATION_ID": "an-application",
        "SMARTCAR_CONNECT_ORIGIN": provider.origin,
        "SMARTCAR_SECRET_KEYS": "a-key-of-the-benchmark-of-32-bytes",
    }
    process = subprocess.Popen(
        [str(part) for part in host.command(port)],
        cwd=APPS,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what it starts ends with it
    )
    try:
        wait_until_listening(process, port)
        yield origin
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


@contextmanager
def started() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("Chromium is not installed; scripts/setup bench sees to it")
    with sync_playwright() as playwright:
        flags = [flag for flag in FLAGS if flag not in ("--headless=new", "--disable-popup-blocking")]
        browser = playwright.chromium.launch(
            executable_path=chromium, args=flags, ignore_default_args=["--disable-popup-blocking"]
        )
        yield browser
        browser.close()
