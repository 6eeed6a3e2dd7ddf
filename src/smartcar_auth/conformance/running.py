"""Starting the application under test beside a sandbox, and waiting until it answers."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO
from urllib.parse import urlsplit

from smartcar_auth.doctor.visit import NAVIGATION, Unreachable, Visitor

_STOP_SECONDS = 8
_TAIL = 2_000  # characters of the application's output that are shown where it doesn't start
_LOOK_SECONDS = 0.2
_SAY_SECONDS = 5


class NotStarted(Exception):
    """The application isn't there; the message says what is known about why."""


def variables(sandbox_origin: str) -> dict[str, str]:
    """The environment in which an application takes a sandbox for Smartcar, whatever SDK it uses."""
    origins = (
        *("SMARTCAR_CONNECT_ORIGIN", "SMARTCAR_AUTH_ORIGIN", "SMARTCAR_API_ORIGIN"),
        *("SMARTCAR_MANAGEMENT_API_ORIGIN", "SMARTCAR_VEHICLE_API_V3_ORIGIN", "SMARTCAR_API_V3_ORIGIN"),
    )
    application = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
    named = os.environ.get("SMARTCAR_APPLICATION_ID") or os.environ.get("SMARTCAR_CLIENT_ID") or application
    needed = {
        "SMARTCAR_APPLICATION_ID": named,
        "SMARTCAR_CLIENT_ID": named,
        "SMARTCAR_CLIENT_SECRET": "any",
    }
    return dict.fromkeys(origins, sandbox_origin) | {
        name: os.environ.get(name) or value for name, value in needed.items()
    }


def answers(url: str, seconds: float = 2) -> bool:
    """Whether something answers at an address at all, be it with an error."""
    try:
        Visitor("", (), seconds, agent="conformance").get(url, NAVIGATION)
    except Unreachable:
        return False
    return True


def wait(
    url: str,
    seconds: float,
    say: Callable[[str], object],
    ended: Callable[[], str | None] = lambda: None,
) -> None:
    """Wait until the application answers.

    Args:
        url: Of a page.
        seconds: How long.
        say: Is told now and then how it stands.
        ended: Why it never will, once that is known.

    Raises:
        NotStarted: It didn't.
    """
    begun = said = time.monotonic()
    while not answers(url):
        reason = ended()
        if reason is not None:
            raise NotStarted(reason)
        now = time.monotonic()
        if now - begun > seconds:
            host = urlsplit(url).netloc
            raise NotStarted(f"Nothing answered at {host} within {seconds:g} seconds.")
        if now - said > _SAY_SECONDS:
            say(f"Still waiting for {url} ...")
            said = now
        time.sleep(_LOOK_SECONDS)


@contextmanager
def started(
    command: Sequence[str], url: str, sandbox_origin: str, seconds: float, say: Callable[[str], object]
) -> Iterator[None]:
    """Run an application that takes a sandbox for Smartcar, once it answers, until the block ends.

    Raises:
        NotStarted: Something answers there already, the command can't be run, ended, or never answered; with
            the end of what it wrote.
    """
    if answers(url):
        raise NotStarted(
            f"Something answers at {urlsplit(url).netloc} already. Stop it, or leave the command out."
        )
    with tempfile.TemporaryFile() as written:
        try:
            process = subprocess.Popen(  # noqa: S603 (it is what the person asked for)
                command,
                env={**os.environ, **variables(sandbox_origin)},
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise NotStarted(f"{command[0]} can't be run: {error.strerror}.") from None

        def ended() -> str | None:
            status = process.poll()
            return None if status is None else f"The command ended with status {status} before it answered."

        try:
            try:
                wait(url, seconds, say, ended)
            except NotStarted as error:
                raise NotStarted(f"{error}{_tail(written)}") from None
            yield
        finally:
            _end(process)


def _tail(written: IO[bytes]) -> str:
    written.seek(0, os.SEEK_END)
    written.seek(max(0, written.tell() - _TAIL))
    text = written.read().decode("utf-8", "replace").strip()
    return f" It wrote:\n\n{text}" if text else " It wrote nothing."


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it and what it started."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    if sys.platform != "win32":
        _signal(process, signal.SIGKILL)  # and whoever of the group is left
    process.kill()
    process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    if sys.platform == "win32":
        process.terminate()
        return
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
