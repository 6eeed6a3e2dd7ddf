"""A data app, run as its framework runs it: in a process of its own, on a free port, with the sandbox as Connect."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple
from urllib.request import urlopen

from smartcar_auth.sandbox import Sandbox

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SECONDS = 60


class App(NamedTuple):
    """A data app that is being served.

    Args:
        origin: Where.
        sandbox: Its Connect.
    """

    origin: str
    sandbox: Sandbox


@contextmanager
def serving(
    command: Callable[[int], Sequence[str | Path]], sandbox: Sandbox, *, path: str = "/", **environment: str
) -> Iterator[App]:
    """Run a data app until it is left.

    Args:
        command: What to run, for a port: it listens there on localhost until SIGTERM. Settings are in SMARTCAR_*.
        sandbox: Plays Connect.
        path: Answers 200 once the app is ready.
        environment: More of it.
    """
    with socket.create_server(("localhost", 0)) as listener:
        port = listener.getsockname()[1]
    settings = {
        "SMARTCAR_APPLICATION_ID": "an-application",
        "SMARTCAR_CONNECT_ORIGIN": sandbox.origin,
        "SMARTCAR_SECRET_KEYS": "a-key-of-the-data-app-of-32-bytes-or-more",
        "PYTHONUNBUFFERED": "1",
    }
    # As a person would run it: some frameworks behave otherwise where they see that pytest runs.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "SMARTCAR"))
    }
    origin = f"http://localhost:{port}"
    with TemporaryFile() as said:
        process = subprocess.Popen(
            [str(part) for part in command(port)],
            env={**inherited, **settings, **environment},
            cwd=HERE,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # what it starts ends with it
        )
        try:
            _wait(process, origin + path, said)
            yield App(origin, sandbox)
            assert process.poll() is None, f"The app has ended.\n{_read(said)}"
        finally:
            try:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(10)
            except ProcessLookupError:
                pass
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


def _wait(process: "subprocess.Popen[bytes]", address: str, said: IO[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while True:
        assert process.poll() is None, f"The app did not start.\n{_read(said)}"
        assert time.monotonic() < until, f"{address} did not answer within {SECONDS} seconds.\n{_read(said)}"
        try:
            with urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:  # URLError is one
            time.sleep(0.05)


def _read(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace")
