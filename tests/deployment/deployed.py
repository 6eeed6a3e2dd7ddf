"""The parts of a deployment, all real: workers in processes of their own, nginx in front, and people's browsers."""

import asyncio
import html
import json
import os
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2 as httpx
import pytest

from redis_server import free_port, wait_for

HERE = Path(__file__).parent
KEY = "an-application's-key-of-32-bytes-or-more"


class Worker:
    """One server process, on a port that stays the same when it is stopped and started again.

    Args:
        folder: For its log.
        name: In the record.
        command: The server and its arguments; `{port}` stands for the port, 0 at first.
        listening: What the server's log says once it listens; its group is the port.
        settings: For worker.py.
    """

    def __init__(self, folder: Path, name: str, command: list[str], listening: str, **settings: Any) -> None:
        self.name = name
        self.port = 0
        self.settings = {"name": name, "keys": [KEY], "record": str(folder / "record"), **settings}
        self._log = folder / f"{name}.log"
        self._command = command
        self._listening = re.compile(listening)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        return self._log.read_text()

    def start(self, **settings: Any) -> None:
        """Begin to start; several may start side by side. Settings given here replace earlier ones."""
        self.settings |= settings
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [part.format(port=self.port) for part in self._command],
                env={**os.environ, "WORKER": json.dumps(self.settings)},
                stdout=log,
                stderr=log,
            )

    def wait(self) -> "Worker":
        """Until it listens."""
        wait_for(f"{self.name} listens", self._is_listening)
        return self

    def _is_listening(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        found = self._listening.search(self.log)
        if found:
            self.port = int(found[1])
        return found is not None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


def uvicorn(folder: Path, name: str, *arguments: str, **settings: Any) -> Worker:
    """A worker under uvicorn, as an operator would start it."""
    command = [sys.executable, "-m", "uvicorn", "worker:app", "--app-dir", str(HERE), "--port", "{port}"]
    arguments = ("--no-access-log", *arguments)
    return Worker(folder, name, [*command, *arguments], r"running on http://127\.0\.0\.1:(\d+)", **settings)


def gunicorn(folder: Path, name: str, **settings: Any) -> Worker:
    """A worker under gunicorn with its own limits."""
    command = [sys.executable, "-m", "gunicorn", "worker:wsgi", "--pythonpath", str(HERE)]
    command += ["--bind", "127.0.0.1:{port}"]
    return Worker(folder, name, command, r"Listening at: http://127\.0\.0\.1:(\d+)", **settings)


class Nginx:
    """nginx in the foreground, as the current user, with everything it writes in one folder.

    Args:
        folder: For its configuration and files.
        http: What stands in its http block; `{port}` stands for the port.
    """

    def __init__(self, folder: Path, http: str) -> None:
        executable = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if executable is None:
            pytest.fail(
                "These tests need nginx: apt-get install nginx-light (make test does it).", pytrace=False
            )
        self.port = free_port()
        kept = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = " ".join(f"{name}_temp_path {folder}/{name};" for name in kept)
        configuration = folder / "nginx.conf"
        # One process without a master: round robin then goes strictly in turn.
        configuration.write_text(
            f"daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;\n"
            f"events {{ worker_connections 1024; }}\n"
            f"http {{ access_log off; {paths}\n{http.replace('{port}', str(self.port))} }}\n"
        )
        self._log = folder / "nginx.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [executable, "-p", str(folder), "-e", "stderr", "-c", str(configuration)],
                stdout=log,
                stderr=log,
            )
        wait_for("nginx listens", self._is_listening)

    def _is_listening(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


class Browser:
    """One person's browser: it keeps cookies, and carries an answer to whichever worker it is told.

    Args:
        origin: Where the application is reached, worker or nginx.
        site: The origin that it has for browsers, if another: then `origin` is where its name leads.
        prefix: Of the routes.
        trust: What its TLS trusts.
        headers: Sent with every request.
    """

    def __init__(
        self,
        origin: str,
        *,
        site: str | None = None,
        prefix: str = "/smartcar",
        trust: ssl.SSLContext | bool = True,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.origin = origin
        self.site = site or origin
        self.prefix = prefix
        self._host = urlsplit(self.site).netloc
        self._headers = headers or {}
        self.client = httpx.Client(verify=trust, trust_env=False, timeout=30)

    def ask(self, path: str, *, method: str = "GET", at: str | None = None, **headers: str) -> httpx.Response:
        """One request, to the worker `at` this origin if given. Redirects aren't followed."""
        host = self._host if at is None else urlsplit(at).netloc
        return self.client.request(
            method,
            (at or self.origin) + self.prefix + path,
            headers={**self._headers, "host": host, **headers},
            extensions={"sni_hostname": self._host},
        )

    def opens(self, attempt: str | None = None, **parameters: str) -> httpx.Response:
        """The launch's answer."""
        asked = {"attempt": attempt or attempt_id(), "display": "popup", "origin": self.site, **parameters}
        return self.ask(f"/launch?{urlencode(asked)}")

    def launch(self, attempt: str | None = None, **parameters: str) -> str:
        """Launch, and the state that went to Connect."""
        answer = self.opens(attempt, **parameters)
        assert answer.status_code == 303, answer.text
        return sent(answer)["state"]

    def answer(self, state: str, code: str, at: str | None = None) -> httpx.Response:
        """The owner allowed; Connect sends the browser back."""
        return self.ask(callback(state, code), at=at)

    def status(self, attempt: str, at: str | None = None) -> httpx.Response:
        return self.ask(f"/status/{attempt}", at=at)

    def cookies(self) -> str:
        """The Cookie header that it would send."""
        return "; ".join(f"{one.name}={one.value}" for one in self.client.cookies.jar)


class Deployment:
    """What runs in one folder. All of it ends with the test, and the workers' logs are read once more then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: list[Worker] = []
        self._running = ExitStack()

    def start(self, *workers: Worker) -> None:
        """Start the workers side by side and wait until all listen."""
        for worker in workers:
            self.workers.append(worker)
            self._running.callback(worker.stop)
            worker.start()
        for worker in workers:
            worker.wait()

    def nginx(self, http: str) -> Nginx:
        nginx = Nginx(self.folder, http)
        self._running.callback(nginx.stop)
        return nginx

    def browser(self, origin: str, **options: Any) -> Browser:
        browser = Browser(origin, **options)
        self._running.callback(browser.client.close)
        return browser

    @property
    def record(self) -> list[list[str]]:
        """What the workers noted: [worker, "complete" or "error", code or cause]."""
        path = self.folder / "record"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def completed(self) -> Counter[str]:
        """How often `on_complete` ran for each code."""
        return Counter(code for _, what, code in self.record if what == "complete")

    def errors(self) -> list[str]:
        return [cause for _, what, cause in self.record if what == "error"]

    def end(self) -> None:
        self._running.close()
        for worker in self.workers:
            assert "code-" not in worker.log, "A code stands in a worker's log."


def attempt_id() -> str:
    """As a page's module makes it."""
    return secrets.token_urlsafe(16)


def callback(state: str, code: str) -> str:
    """The callback's path, below the prefix, with Connect's answer."""
    return f"/callback?{urlencode({'code': code, 'state': state})}"


def sent(launched: httpx.Response) -> dict[str, str]:
    """The parameters that a launch sent to Connect."""
    query = parse_qs(urlsplit(launched.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


def told(page: str) -> dict[str, str]:
    """What a page tells the window that waits: the data attributes of its root, or {}."""
    root = re.search(r"<html([^>]*)>", page)
    return {name: html.unescape(value) for name, value in re.findall(r'data-([a-z-]+)="([^"]*)"', root[1])}


def words(page: str) -> str:
    """The text of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


class Raw:
    """One request as bytes, for sending many at the same instant."""

    def __init__(self, port: int, path: str, cookies: str, *, method: str = "GET") -> None:
        self.port = port
        self.bytes = (
            f"{method} /smartcar{path} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n"
            f"Cookie: {cookies}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ).encode()


def at_once(requests: list[Raw]) -> list[tuple[int, str]]:
    """Send the requests over connections that are all open beforehand; each one's status and body."""

    async def send() -> list[bytes]:
        opened = [await asyncio.open_connection("127.0.0.1", request.port) for request in requests]
        for (_, writer), request in zip(opened, requests, strict=True):
            writer.write(request.bytes)
        answers = await asyncio.gather(*(reader.read() for reader, _ in opened))
        for _, writer in opened:
            writer.close()
            await writer.wait_closed()
        return answers

    return [
        (int(head.split(b" ", 2)[1]), body.decode())
        for head, _, body in (answer.partition(b"\r\n\r\n") for answer in asyncio.run(send()))
    ]
