"""A real Redis of the tests' own, which they may stop and start again. Where it is missing, they fail."""

import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable

import pytest
import redis


def wait_for(what: str, happened: Callable[[], object], seconds: float = 20) -> None:
    """Wait until a condition holds, and say which one did not."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"Not within {seconds:g} seconds: {what}."
        time.sleep(0.005)


def free_port() -> int:
    """A port for a server that can't be handed a socket: below those that outgoing connections take."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class RedisServer:
    """redis-server on a port that stays the same when it is stopped and started again; it keeps nothing on disk."""

    def __init__(self) -> None:
        found = shutil.which("redis-server")
        if found is None:
            pytest.fail(
                "These tests need Redis: apt-get install redis-server (make test does it).", pytrace=False
            )
        self._executable = found
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options: object) -> redis.Redis:
        """A client of the test's own, beside those under test."""
        return redis.Redis(port=self.port, **options)

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for("redis-server answers", self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "redis-server ended at once; is its port taken?"
        with self.client(retry=None) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False
