"""The way back: from Connect's redirect leaving to the outcome in the page, in Chromium, 100 ms round trips.

Ours answers on the app's own origin, with a module that the app's page loaded before; the official SDK, unmodified,
goes by a hosted page and script on an origin of their own, for which stand-ins of the same form and size are
served (`pages/redirect.html`, `pages/redirect.js`). Connect is a page
that goes on by itself to a redirect.

Each browser start is a new profile, so that the first attempt in it finds nothing in the caches but what the
app's page loaded. No debugger is attached: the page opens the pop-ups itself, with the blocker off, and
reports when it knew.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, quote

from .asset_size import OFFICIAL
from .figure import Figure, Say, Target
from .slow_network import Network, slow_network
from .starlette_routes import our_app

PAGES = Path(__file__).parent / "pages"
APP, CONNECT, HOSTED = "app.example.com", "connect.smartcar.com", "javascript-sdk.smartcar.com"
HTML = (b"content-type", b"text/html")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-popup-blocking",
]


@dataclass
class Leg:
    """One attempt's way back.

    Args:
        seconds: From Connect's redirect leaving to the outcome in the page.
        requests: What the browser asked for in between.
    """

    seconds: float
    requests: list[str]


def measure(say: Say, quick: bool) -> list[Figure]:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("Chromium is not installed; scripts/setup bench sees to it")
    world = World()
    legs: dict[str, list[list[Leg]]] = {"ours": [], "official": [], "closed": []}
    with slow_network(world, [APP, CONNECT, HOSTED]) as network:
        starts = 3 if quick else 15
        for start in range(starts):
            for kind in legs if start < max(3, starts // 3) else ("ours", "official"):
                legs[kind].append(_attempts(chromium, network, world, kind))
            say(f"browser start {start + 1} of {starts}")
    first = {kind: [attempts[0] for attempts in taken] for kind, taken in legs.items()}
    second = {kind: [attempts[1] for attempts in taken] for kind, taken in legs.items()}
    ours, official = first["ours"], first["official"]
    return [
        Figure(
            "way back, first attempt",
            _middle(ours),
            _middle(official),
            "ms",
            "official, cold",
            Target(0.4),
            f"medians of {len(ours)} browser starts; ours {_spread(ours)}, official {_spread(official)}; "
            f"ratio by minima {_least(ours) / _least(official):.3f}",
        ),
        Figure(
            "- requests",
            max(len(leg.requests) for leg in ours),
            max(len(leg.requests) for leg in official),
            "",
            "official, cold",
            Target(1, of="ours"),
            f"the most of any start; ours {_asked(ours)}; official {_asked(official)}",
        ),
        Figure(
            "- second attempt", _middle(second["ours"]), _middle(second["official"]), "ms", "official, warm"
        ),
        Figure(
            "- connection closed meanwhile",
            _middle(first["closed"]),
            _middle(official),
            "ms",
            "official, cold",
            remark="as after a server's keep-alive time: one TCP and one TLS handshake more",
        ),
    ]


def _middle(legs: list[Leg]) -> float:
    return median(leg.seconds for leg in legs) * 1000


def _least(legs: list[Leg]) -> float:
    return min(leg.seconds for leg in legs)


def _spread(legs: list[Leg]) -> str:
    times = [leg.seconds * 1000 for leg in legs]
    return f"{min(times):.0f} to {max(times):.0f} ms"


def _asked(legs: list[Leg]) -> str:
    return " or ".join(sorted({" + ".join(leg.requests) or "nothing" for leg in legs}))


@dataclass
class World:
    """The three hosts as one ASGI application, and the log of what was asked when.

    `while_away` is called when the person is at Connect.
    """

    while_away: Callable[[], None] | None = None
    log: list[tuple[float, str]] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    reported: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._app = our_app()
        script = ("text/javascript", b"public, max-age=600")
        self._files = {
            (APP, "/ours"): ("text/html", b"no-store", (PAGES / "ours.html").read_bytes()),
            (APP, "/official"): ("text/html", b"no-store", (PAGES / "official.html").read_bytes()),
            (APP, "/run.js"): (*script, (PAGES / "run.js").read_bytes()),
            (APP, "/sdk.js"): (*script, OFFICIAL.read_bytes()),
            (HOSTED, "/v2/redirect"): ("text/html", b"no-cache", (PAGES / "redirect.html").read_bytes()),
            (HOSTED, "/v2/redirect.js"): (*script, (PAGES / "redirect.js").read_bytes()),
        }

    def forget(self) -> None:
        self.log.clear()
        self.left.clear()
        self.known.clear()
        self.reported.clear()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        host = dict(scope["headers"])[b"host"].decode()
        path = scope["path"]
        self.log.append((time.time(), f"{host}{path}"))
        if host == CONNECT:
            await self._connect(scope, send)
        elif path == "/report":
            self.known = json.loads((await receive())["body"])
            await _answer(send, 204)
            self.reported.set()
        elif (host, path) in self._files:
            content_type, freshness, body = self._files[host, path]
            fields = [(b"content-type", content_type.encode()), (b"cache-control", freshness)]
            await _answer(send, 200, fields, body)
        elif host == APP:
            await self._app(scope, receive, send)
        else:
            await _answer(send, 404)

    async def _connect(self, scope: dict[str, Any], send: Any) -> None:
        if scope["path"] == "/oauth/authorize":  # a person would see pages here; this one goes on by itself
            if self.while_away is not None:
                self.while_away()
            return await _answer(send, 200, [HTML], (PAGES / "connect.html").read_bytes())
        if scope["path"] != "/leave":
            return await _answer(send, 404)
        given = parse_qs(scope["query_string"].decode())
        back = given["redirect_uri"][0]
        query = f"code={secrets.token_hex(16)}&state={quote(given['state'][0], safe='')}&user_id=1"
        location = f"{back}{'&' if '?' in back else '?'}{query}"
        self.left.append(time.time())
        return await _answer(send, 302, [(b"location", location.encode())])

    def legs(self) -> list[Leg]:
        return [
            Leg(known - left, [what for when, what in self.log if left < when < known])
            for left, known in zip(self.left, self.known, strict=True)
        ]


async def _answer(
    send: Any, status: int, fields: list[tuple[bytes, bytes]] | None = None, body: bytes = b""
) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*(fields or []), length]})
    await send({"type": "http.response.body", "body": body})


def _attempts(chromium: str, network: Network, world: World, kind: str) -> list[Leg]:
    """The attempts of one browser start."""
    world.forget()
    world.while_away = network.close_idle if kind == "closed" else None
    page = "official" if kind == "official" else "ours"
    with _browser(chromium, network, f"https://{APP}/{page}"):
        if not world.reported.wait(40):
            raise RuntimeError(f"the page did not report; it asked for {[what for _, what in world.log]}")
    return world.legs()


@contextmanager
def _browser(chromium: str, network: Network, url: str) -> Iterator[None]:
    hosts = ",".join(f"MAP {host}:443 127.0.0.1:{network.port}" for host in (APP, CONNECT, HOSTED))
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            chromium,
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--host-resolver-rules={hosts},MAP * ~NOTFOUND,EXCLUDE 127.0.0.1",
            f"--ignore-certificate-errors-spki-list={network.spki}",
            url,
        ]
        silence = subprocess.DEVNULL
        # A session of its own, so that the browser's processes can be ended and nobody else's.
        browser = subprocess.Popen(command, stdout=silence, stderr=silence, start_new_session=True)
        try:
            yield
        finally:
            os.killpg(browser.pid, signal.SIGTERM)
            try:
                browser.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(browser.pid, signal.SIGKILL)
                browser.wait()
