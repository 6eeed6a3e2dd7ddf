"""The sandbox beside npm's oauth2-mock-server and PyPI's oidc-provider-mock: processor time, start, memory.

A flow is what a test of somebody's application needs of such a server: an authorization that is approved at once, which
answers with a redirect and a code, and the exchange of that code for tokens. Sixteen connections are kept alive and
each runs one flow after the other. All three are started as their users start them, and each is measured from outside:
its processor time and memory by what the kernel says of its process.

Ours is told beforehand, by `Sandbox.next`, that the coming attempts are granted; oauth2-mock-server always grants;
oidc-provider-mock grants to whoever posts a name to the address of its page. What they give differs: ours gives opaque
tokens, as Smartcar does, the other two sign theirs.
"""

import asyncio
import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, quote, urlsplit

from smartcar_auth.sandbox import Sandbox

from .auth_url import APPLICATION_ID
from .figure import Figure, Say, Target, take_turns
from .over_http import free_port, wait_until_listening

CONNECTIONS = 16
CALLBACK = "http://localhost:8000/callback"
NODE_PEER = Path(__file__).parent / "js/node_modules/oauth2-mock-server/dist/oauth2-mock-server.mjs"
QUERY = (
    f"response_type=code&client_id={APPLICATION_ID}&redirect_uri={quote(CALLBACK, safe='')}"
    "&state=K7dP3wQz9sLx2mNv&scope=openid"
)
CREDENTIALS = base64.b64encode(f"{APPLICATION_ID}:secret".encode()).decode()
FORM = f"grant_type=authorization_code&redirect_uri={quote(CALLBACK, safe='')}&code="
OURS, NODE, OIDC = "smartcar-auth sandbox", "oauth2-mock-server", "oidc-provider-mock"

# Each one's command; how it is asked for a code; where for tokens.
AUTHORIZE = {
    OURS: ("GET", f"/oauth/authorize?{QUERY}", b""),
    NODE: ("GET", f"/authorize?{QUERY}", b""),
    OIDC: ("POST", f"/oauth2/authorize?{QUERY}", b"sub=owner%40example.com"),
}
TOKEN = {OURS: "/oauth/token", NODE: "/token", OIDC: "/oauth2/token"}


def measure(say: Say, quick: bool) -> list[Figure]:
    if not NODE_PEER.exists():
        raise SystemExit("This needs oauth2-mock-server: run `make bench`, or npm ci in benchmarks/js.")
    return [*_cost(say, quick), *_start(say, quick), *_growth(say, quick)]


def _cost(say: Say, quick: bool) -> list[Figure]:
    flows = {OURS: 1_600, NODE: 800, OIDC: 48} if quick else {OURS: 8_000, NODE: 3_200, OIDC: 160}
    with _running(_served(OURS)) as ours, _running(_served(NODE)) as node, _running(_served(OIDC)) as oidc:
        servers = {OURS: ours, NODE: node, OIDC: oidc}
        candidates = {name: partial(server.flows, name, flows[name]) for name, server in servers.items()}
        taken = take_turns(candidates, 2 if quick else 8, say)
        speeds = {name: median(server.speeds) for name, server in servers.items()}
    best = {name: min(each) for name, each in taken.items()}
    middle = {name: median(each) for name, each in taken.items()}
    return [
        Figure(
            f"sandbox, processor time of a flow, beside {peer}",
            best[OURS],
            best[peer],
            "us",
            peer,
            Target(limit),
            f"minima of {len(taken[OURS])} rounds; ratio by medians {middle[OURS] / middle[peer]:.4f}; "
            f"{speeds[OURS]:,.0f} and {speeds[peer]:,.0f} flows a second, all on the same cores",
        )
        for peer, limit in ((NODE, 0.2), (OIDC, 0.015))
    ]


def _start(say: Say, quick: bool) -> list[Figure]:
    found: dict[str, list[float]] = {name: [] for name in (OURS, NODE, OIDC)}

    def started(name: str) -> float:
        began = time.perf_counter()
        with _running(_command(name), _probe(name)) as server:
            seconds = time.perf_counter() - began
            time.sleep(0.3)  # whatever it still does after its first answer
            found[name].append(server.memory())
        return seconds * 1000

    taken = take_turns({name: partial(started, name) for name in found}, 3 if quick else 12, say)
    best = {name: min(each) for name, each in taken.items()}
    memory = {name: median(each) for name, each in found.items()}
    rounds = f"minima of {len(taken[OURS])} starts, command to first answer"
    ratio = median(taken[OURS]) / median(taken[NODE])
    return [
        Figure(
            "sandbox, start",
            best[OURS],
            best[NODE],
            "ms",
            NODE,
            Target(1.5),
            f"{rounds}; by medians {ratio:.2f}",
        ),
        Figure("- beside the other", best[OURS], best[OIDC], "ms", OIDC),
        Figure(
            "sandbox, memory at rest",
            memory[OURS],
            memory[NODE],
            "MB",
            NODE,
            Target(1.0),
            "resident, medians",
        ),
        Figure("- beside the other", memory[OURS], memory[OIDC], "MB", OIDC),
    ]


def _growth(say: Say, quick: bool) -> list[Figure]:
    first, last = (10_000, 30_000) if quick else (10_000, 100_000)
    with _running(_served(OURS)) as server:
        memory = {}
        for done in range(first, last + 1, first):
            server.flows(OURS, first)
            memory[done] = server.memory()
            say(f"{done:,} flows, {memory[done]:.1f} MB")
    name = f"sandbox, memory after {last:,} flows"
    peer = f"itself after {first:,}"
    return [Figure(name, memory[last], memory[first], "MB", peer, Target(1.1))]


def _command(name: str) -> list[str]:
    """As its user starts it; the port is added."""
    python = os.path.dirname(sys.executable)
    return {
        OURS: [os.path.join(python, "smartcar-auth"), "sandbox", "--port"],
        NODE: [shutil.which("node") or "node", str(NODE_PEER), "-p"],
        OIDC: [sys.executable, "-m", "oidc_provider_mock", "-p"],
    }[name]


def _served(name: str) -> list[str]:
    """As it is measured: ours with somebody who queues approvals, as a test would."""
    return [sys.executable, "-m", "benchmarks.sandbox"] if name == OURS else _command(name)


def _probe(name: str) -> str:
    return {OURS: "/health", NODE: "/jwks", OIDC: "/jwks"}[name]


class Server:
    """A running server, seen from outside."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.port = port
        self.speeds: list[float] = []  # flows per second

    def flows(self, name: str, count: int) -> float:
        """Run so many flows; processor time of one, in microseconds."""
        if name == OURS:
            self._queue(count)
        before, began = self._processor_seconds(), time.perf_counter()
        asyncio.run(self._flows(name, count // CONNECTIONS))
        done = count // CONNECTIONS * CONNECTIONS
        self.speeds.append(done / (time.perf_counter() - began))
        return (self._processor_seconds() - before) / done * 1e6

    def memory(self) -> float:
        """Resident, in megabytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            (line,) = [line for line in status if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024

    def _queue(self, count: int) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"%d\n" % count)
        self.process.stdin.flush()
        self.process.stdout.readline()

    def _processor_seconds(self) -> float:
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def _flows(self, name: str, each: int) -> None:
        await asyncio.gather(*(self._connection(name, each) for _ in range(CONNECTIONS)))

    async def _connection(self, name: str, flows: int) -> None:
        client = _Client(self.port)
        for _ in range(flows):
            status, headers = await client.ask(*AUTHORIZE[name])
            if status not in (302, 303):
                raise AssertionError(f"{name} answered {status} instead of a code")
            (code,) = parse_qs(urlsplit(headers["location"]).query)["code"]
            status, _ = await client.ask("POST", TOKEN[name], f"{FORM}{quote(code, safe='')}".encode())
            if status != 200:
                raise AssertionError(f"{name} answered {status} instead of tokens")
        client.close()


class _Client:
    """One connection, kept alive where the server allows it: light, so that the server is what is measured."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def ask(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str]]:
        """Status and headers; the body is read and dropped."""
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            head += f"Authorization: Basic {CREDENTIALS}\r\n"
        self._writer.write(head.encode() + b"\r\n" + body)
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if "content-length" in headers:
            await self._reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            while size := int(await self._reader.readline(), 16):
                await self._reader.readexactly(size + 2)
            await self._reader.readline()
        if headers.get("connection") == "close":
            self.close()
        return int(status.split()[1]), headers


@contextmanager
def _running(command: list[str], probe: str = "") -> Iterator[Server]:
    """The command on a free port, once it listens or, with a path to ask for, has answered."""
    port = free_port()
    process = subprocess.Popen(
        [*command, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_listening(process, port)
        if probe:
            asyncio.run(_Client(port).ask("GET", probe, b""))
        yield Server(process, port)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _serve(port: int) -> None:
    """The sandbox with somebody who queues as many approvals as a line of standard input says."""
    with Sandbox(port=port) as sandbox:
        for line in sys.stdin:
            for _ in range(int(line)):
                sandbox.next(outcome="granted")
            print("queued", flush=True)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
