"""Servers in processes of their own and a client for them, light enough that the servers are what is measured."""

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from .asgi import NAVIGATION

BROWSER = b"".join(b"%s: %s\r\n" % pair for pair in NAVIGATION)


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis of this run's own; its URL."""
    executable = shutil.which("redis-server")
    if executable is None:
        raise SystemExit("This needs redis-server: apt-get install redis-server.")
    port = free_port()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([executable, *arguments], stdout=subprocess.DEVNULL)
    try:
        wait_until_listening(process, port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


class Worker:
    """A uvicorn process on a port of its own; each start is another generation.

    Args:
        factory: What makes its application, such as "package.module:function".
        environment: What it is told.
    """

    def __init__(self, factory: str, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        self.killed: set[int] = set()
        self.asked = self.answered = 0  # bytes, headers included
        self.generation = 0
        self._seconds = 0.0  # of processor time, in generations that are over
        self._factory = factory
        self._environment = environment
        self.start()

    def start(self) -> None:
        self.generation += 1
        command = [sys.executable, "-m", "uvicorn", self._factory, "--factory", "--port", str(self.port)]
        command += ["--log-level", "warning", "--timeout-keep-alive", "60"]
        # Named, for uvicorn takes quicker ones where it finds them, and figures are to compare.
        command += ["--http", "h11", "--loop", "asyncio"]
        self._process = subprocess.Popen(command, env={**os.environ, **self._environment})

    def wait(self) -> None:
        wait_until_listening(self._process, self.port)

    def kill(self) -> None:
        """As the kernel does when memory is short: no word, no farewell."""
        self._seconds = self.processor_seconds()
        self.killed.add(self.generation)
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def processor_seconds(self) -> float:
        """User and system time of all generations; Linux only."""
        with open(f"/proc/{self._process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return self._seconds + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    while True:
        port = random.randrange(12_000, 32_000)  # below those that outgoing connections take
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"The process on port {port} did not start.")


class Broken(Exception):
    """The connection ended before the answer did."""


class Connection:
    """One kept-alive connection to a worker, and the generation it was made to."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.generation = 0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def ask(self, path: str, cookies: str, *, fresh: bool = False) -> tuple[int, dict[str, str], str]:
        """Status, headers and body. A connection that is known to have ended is made anew, as browsers do."""
        if fresh or self._reader is None or self._reader.at_eof():
            self.close()
        self.generation = self.generation if self._reader else self.worker.generation
        try:
            if self._reader is None or self._writer is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.worker.port)
            host = b"Host: localhost:%d\r\n" % self.worker.port
            cookie = f"Cookie: {cookies}\r\n".encode() if cookies else b""
            asked = b"GET /smartcar/%s HTTP/1.1\r\n" % path.encode() + host + BROWSER + cookie + b"\r\n"
            self._writer.write(asked)
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self._reader.readexactly(int(headers["content-length"]))
        except (OSError, EOFError) as error:
            self.close()
            raise Broken from error
        self.worker.asked += len(asked)
        self.worker.answered += len(head) + len(body)
        return int(status.split()[1]), headers, body.decode()
