"""Python in the page, in Chromium on loopback: until the button works, what we add to Pyodide, and the way back.

The way back runs from the redirect page's response leaving to `on_complete`, beside the unmodified official SDK with
a stand-in for Smartcar's hosted page (`pages/redirect.html`, `pages/redirect.js`). Ours is the page that
`smartcar-auth static` writes. All redirect pages are on another origin than the pages that wait.

Each sample is a new browser with an empty profile, without a debugger; the kinds take turns. The page opens the
pop-ups itself, with the blocker off, and reports.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from smartcar_auth.static_site import files
from smartcar_auth.static_site.archive import ARCHIVE, browser_archive

from .asset_size import OFFICIAL
from .figure import Figure, Say, Target
from .way_back import FLAGS, PAGES

HERE = PAGES / "python"
NPM = OFFICIAL.parents[4]
KINDS = ("official", "micropython", "pyodide")
KEPT = {"cache-control": "public, max-age=31536000, immutable"}


@dataclass
class Sample:
    """One browser's page.

    Args:
        ready: From navigation to the working button, in milliseconds.
        added: What our package took of that, in milliseconds, where the page measured it.
        sent: Bytes that the server sent until then.
        ways: From each redirect page's response to the page knowing, in milliseconds.
    """

    ready: float
    added: float
    sent: int
    ways: list[float]


def measure(say: Say, quick: bool) -> list[Figure]:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("Chromium is not installed; scripts/setup bench sees to it")
    taken: dict[str, list[Sample]] = {kind: [] for kind in KINDS}
    rounds = 2 if quick else 10
    with World().served() as world:
        for turn in range(rounds):
            for kind in KINDS[turn % 3 :] + KINDS[: turn % 3]:
                taken[kind].append(_sample(chromium, world, kind))
            say(f"browser starts of {turn + 1} rounds, of {rounds}")
    ready = [sample.ready for sample in taken["micropython"]]
    added = [sample.added for sample in taken["pyodide"]]
    spread = f"medians of {rounds} browser starts"
    return [
        Figure(
            "PyScript on MicroPython, to a working button",
            median(ready),
            median(sample.ready for sample in taken["pyodide"]),
            "ms",
            "plain Pyodide, with our package",
            Target(1500, of="ours"),
            f"{spread}; {min(ready):.0f} to {max(ready):.0f} ms",
        ),
        Figure(
            "- bytes",
            max(sample.sent for sample in taken["micropython"]),
            max(sample.sent for sample in taken["pyodide"]),
            "bytes",
            "plain Pyodide, with our package",
            Target(1_000_000, of="ours"),
            "bodies as sent, nothing compressed",
        ),
        Figure(
            "what our package adds to Pyodide",
            median(added),
            None,
            "ms",
            target=Target(100, of="ours"),
            remark=f"{spread}; fetched, unpacked and imported; {min(added):.0f} to {max(added):.0f} ms",
        ),
        Figure("- bytes", len(browser_archive()), None, "bytes", target=Target(60_000, of="ours")),
        *_ways(taken, "micropython", 1.0),
        *_ways(taken, "pyodide", 1.2),
    ]


def _ways(taken: dict[str, list[Sample]], kind: str, limit: float) -> Iterator[Figure]:
    """The first attempt in a browser, and the later ones, when scripts are cached."""
    for name, which, target in (
        (f"redirect page to on_complete, {kind}", slice(0, 1), Target(limit)),
        ("- later attempts", slice(1, None), Target(limit)),
    ):
        ours = [way for sample in taken[kind] for way in sample.ways[which]]
        theirs = [way for sample in taken["official"] for way in sample.ways[which]]
        yield Figure(
            name,
            median(ours),
            median(theirs),
            "ms",
            "official, cold" if which.start == 0 else "official, warm",
            target,
            f"medians of {len(ours)}; ours {min(ours):.0f} to {max(ours):.0f}, official {min(theirs):.0f} to "
            f"{max(theirs):.0f} ms; ratio by minima {min(ours) / min(theirs):.3f}",
        )


@dataclass
class World:
    """Page, Connect and redirect pages on one port, told apart by their names for this machine."""

    origin: str = ""
    sent: int = 0
    sent_when_ready: int = 0
    left: list[float] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    reported: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        self.sent = 0
        self.left.clear()
        self.reported.clear()

    @contextmanager
    def served(self) -> Iterator["World"]:
        listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://localhost:{listener.getsockname()[1]}"
        site = files.files([self.origin])
        headers = dict(files.page_headers([self.origin]))

        def ours(request: Request) -> Response:
            name = request.url.path[1:]
            if name != files.PAGE:
                kind = "text/css" if name.endswith(".css") else "text/javascript"
                return Response(site[name], media_type=kind, headers=KEPT)
            self.left.append(time.time())
            return Response(site[name], headers=headers)

        def hosted(request: Request) -> Response:
            self.left.append(time.time())
            return FileResponse(PAGES / "redirect.html", headers={"cache-control": "no-cache"})

        def leave(request: Request) -> Response:
            given = parse_qs(request.url.query)
            query = urlencode({"code": "a-code", "state": given["state"][0], "user_id": "1"})
            return RedirectResponse(f"{given['redirect_uri'][0]}&{query}", 302)

        def ready(request: Request) -> Response:
            self.sent_when_ready = self.sent
            return Response(status_code=204)

        async def report(request: Request) -> Response:
            self.report = await request.json()
            self.reported.set()
            return Response(status_code=204)

        script = {"cache-control": "public, max-age=600"}
        app = Starlette(
            routes=[
                Route("/oauth/authorize", lambda request: FileResponse(PAGES / "connect.html")),
                Route("/leave", leave),
                Route("/ready", ready, methods=["POST"]),
                Route("/report", report, methods=["POST"]),
                Route("/v2/redirect", hosted),
                Route("/v2/redirect.js", lambda request: FileResponse(PAGES / "redirect.js", headers=script)),
                Route(f"/{ARCHIVE}", lambda request: Response(site[ARCHIVE])),
                *(Route(f"/{name}", ours) for name in site if name != ARCHIVE),
                Mount("/js", StaticFiles(directory=NPM)),
                Mount("/", StaticFiles(directory=HERE, html=True)),
            ]
        )

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            async def counted(message: Any) -> None:
                self.sent += len(message.get("body", b""))
                await send(message)

            await app(scope, receive, counted)

        config = uvicorn.Config(counting, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        running = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        running.start()
        try:
            yield self
        finally:
            server.should_exit = True
            running.join()


def _sample(chromium: str, world: World, kind: str) -> Sample:
    """One browser start."""
    world.forget()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        address = f"{world.origin}/begin.html#/{kind}.html"
        # A session of its own, so that the browser's processes can be ended and nobody else's.
        browser = subprocess.Popen(
            [chromium, *FLAGS, f"--user-data-dir={profile}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            if not world.reported.wait(90):
                raise RuntimeError(f"the page with {kind} did not report; {len(world.left)} answers left")
        finally:
            os.killpg(browser.pid, signal.SIGTERM)
            try:
                browser.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(browser.pid, signal.SIGKILL)
                browser.wait()
    known = world.report["known"]
    if not all(isinstance(one, int | float) for one in known):
        raise RuntimeError(f"attempts with {kind} ended in {known}")
    ways = [(end - start) * 1000 for start, end in zip(world.left, known, strict=True)]
    return Sample(world.report["ready"], world.report["added"], world.sent_when_ready, ways)
