"""Python in the page, in Chromium on loopback: until the button works, what we add to Pyodide, and the way back.

The way back runs from the redirect page's response leaving to `on_complete`, beside the unmodified official SDK with
a stand-in for Smartcar's hosted page (`pages/redirect.html`, `pages/redirect.js`), on another origin as that is. Ours
is the page that `smartcar-auth static` writes, where it belongs, on the origin of the page that waits; and for
comparison on another one, too.

Each round is a new browser with an empty profile, without a debugger, in which the kinds follow each other, in another
order each time: browsers differ more from one start to the next than the kinds do. The pages open the pop-ups by
themselves, with the blocker off, and report. How soon a button works is told by the first page of a browser alone.
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
from queue import Empty, Queue
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
KINDS = ("official", "micropython", "pyodide", "micropython-elsewhere")
KEPT = {"cache-control": "public, max-age=31536000, immutable"}


@dataclass
class Sample:
    """One page.

    Args:
        ready: From navigation to the working button, in milliseconds.
        added: What our package took of that, in milliseconds, where the page measured it.
        sent: Bytes that the server sent until then.
        ways: From each redirect page's response to the page knowing, in milliseconds.
        fresh: Whether it was its browser's first.
    """

    ready: float
    added: float
    sent: int
    ways: list[float]
    fresh: bool = False


def measure(say: Say, quick: bool) -> list[Figure]:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("Chromium is not installed; scripts/setup bench sees to it")
    taken: dict[str, list[Sample]] = {kind: [] for kind in KINDS}
    rounds = 4 if quick else 12
    with World().served() as world:
        for turn in range(rounds):
            for kind, sample in _round(chromium, world, _turned(turn)):
                taken[kind].append(sample)
            say(f"browser {turn + 1} of {rounds}")
    fresh = {kind: [sample for sample in taken[kind] if sample.fresh] for kind in KINDS}
    ready = [sample.ready for sample in fresh["micropython"]]
    added = [sample.added for sample in fresh["pyodide"]]
    spread = f"medians of {len(ready)} browser starts"
    return [
        Figure(
            "PyScript on MicroPython, to a working button",
            median(ready),
            median(sample.ready for sample in fresh["pyodide"]),
            "ms",
            "plain Pyodide, with our package",
            Target(1500, of="ours"),
            f"{spread}; {min(ready):.0f} to {max(ready):.0f} ms",
        ),
        Figure(
            "- bytes",
            max(sample.sent for sample in fresh["micropython"]),
            max(sample.sent for sample in fresh["pyodide"]),
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
        *_ways(taken, "micropython-elsewhere", None),
    ]


def _turned(turn: int) -> tuple[str, ...]:
    """The kinds, another one first each time."""
    begin = turn % len(KINDS)
    return KINDS[begin:] + KINDS[:begin]


def _ways(taken: dict[str, list[Sample]], kind: str, limit: float | None) -> Iterator[Figure]:
    """The first attempt of a page, and the later ones, when scripts are cached."""
    target = None if limit is None else Target(limit)
    for name, which in (
        (f"redirect page to on_complete, {kind}", slice(0, 1)),
        ("- later attempts", slice(1, None)),
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
    samples: "Queue[Sample]" = field(default_factory=Queue)

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
            told = await request.json()
            left, self.left = self.left, []
            if not all(isinstance(one, int | float) for one in told["known"]):
                raise RuntimeError(f"attempts ended in {told['known']}")
            ways = [(end - start) * 1000 for start, end in zip(left, told["known"], strict=True)]
            self.samples.put(Sample(told["ready"], told["added"], self.sent_when_ready, ways))
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


def _round(chromium: str, world: World, kinds: tuple[str, ...]) -> Iterator[tuple[str, Sample]]:
    """One browser start, and each kind's page in it."""
    world.sent = 0
    world.left = []
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        address = f"{world.origin}/begin.html#{','.join(kinds)}"
        # A session of its own, so that the browser's processes can be ended and nobody else's.
        browser = subprocess.Popen(
            [chromium, *FLAGS, f"--user-data-dir={profile}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            for kind in kinds:
                try:
                    sample = world.samples.get(timeout=90)
                except Empty:
                    raise RuntimeError(f"the page with {kind} did not report") from None
                sample.fresh = kind == kinds[0]
                yield kind, sample
        finally:
            os.killpg(browser.pid, signal.SIGTERM)
            try:
                browser.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(browser.pid, signal.SIGKILL)
                browser.wait()
