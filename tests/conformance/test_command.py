"""The command: it starts an app beside a sandbox, waits in words, examines it and ends everything."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.application import Server, serving
from conformance import subtle
from conformance.test_applications import SUBTLE, UNSEEN
from redis_server import free_port
from smartcar_auth.conformance import checks

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-m", "smartcar_auth.cli", "conformance"]
SERVE = """
import os, sys
sys.path.insert(0, {tests!r})
import uvicorn
from conformance import {module}
print("serving")
uvicorn.run({module}.create_app(os.environ["SMARTCAR_CONNECT_ORIGIN"]), port={port})
"""


def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SMARTCAR_")}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=110, env={**kept, **variables}
    )


def serving_command(module: str, port: int) -> "list[str]":
    code = SERVE.format(tests=str(ROOT / "tests"), module=module, port=port)
    return [sys.executable, "-c", code]


def is_free(port: int) -> bool:
    import socket

    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with serving() as started:
        yield started


def words(text: str) -> str:
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


def test_help_says_what_is_done_and_what_the_status_means() -> None:
    """Including how the app is started, and that other machines need a word more."""
    said = words(run("--help").stdout)
    for one in (
        "Attack an app that connects cars, in any language",
        "smartcar-auth conformance http://localhost:8000/ -- uvicorn app:app",
        "0 where no check fails, 1 where one does, 2 where they could not run",
        "--authorized",
        "--launch",
        "--cookie",
        "--other-cookie",
        "--sandbox-port",
        "--browser",
        "--json",
        "--list",
    ):
        assert one in said, one


def test_list_names_every_check() -> None:
    """In a line each, or as JSON with why and fix."""
    lines = run("--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [check.name for check in checks(browser=True)]
    found = json.loads(run("--list", "--json").stdout)
    assert [one["name"] for one in found] == [check.name for check in checks(browser=True)]
    assert all(one["why"] and one["fix"] for one in found)


def test_broken_app_is_started_examined_and_ended() -> None:
    """Each failure with why and fix; the count is the last line; exit status 1; nothing is left running."""
    port = free_port()
    done = run(f"http://localhost:{port}", "--browser", "none", "--", *serving_command("subtle", port))
    assert (done.returncode, done.stderr) == (1, "")
    failed = re.findall("^fail  ([a-z-]+):", done.stdout, re.MULTILINE)
    assert set(failed) == SUBTLE
    assert done.stdout.count("\n      Why: ") == done.stdout.count("\n      Fix: ") == len(SUBTLE)
    assert done.stdout.splitlines()[-1] == "4 of 35 checks fail, 30 pass, 1 does not apply."
    assert "Left out: browser-granted" in done.stdout
    assert "\x1b" not in done.stdout
    assert is_free(port)


def test_django_example_passes() -> None:
    """As JSON and nothing else; settings are a process's, so Django's example is started by the command."""
    port = free_port()
    done = run(
        f"http://localhost:{port}/login/ann",
        "--json",
        "--browser",
        "none",
        "--",
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
        *("--chdir", str(ROOT / "examples"), "django_app:application"),
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert [one for one in found if one["verdict"] == "fail"] == []
    assert {one["check"] for one in found if one["verdict"] == "n/a"} == UNSEEN
    assert done.returncode == 0
    assert "Left out: browser-granted" in done.stderr


def test_app_that_runs_already_is_waited_for(serve: Callable[..., Server]) -> None:
    """Without a command it says which variables to set; an app that asks another Connect is examined as it is."""
    url = serve(subtle.create_app("https://connect.smartcar.com")).origin
    done = run(url, "--sandbox-port", "0", "--only", "state-unguessable", "--only", "forwarded-headers")
    assert done.returncode == 1
    assert re.search(r"^  SMARTCAR_CONNECT_ORIGIN=http://127\.0\.0\.1:\d+$", done.stdout, re.MULTILINE)
    assert "leads to Connect at https://connect.smartcar.com, not to the sandbox" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 of 2 checks fails, 1 pass."


def test_command_that_ends_shows_what_it_wrote() -> None:
    """Its last words are what helps; escape sequences don't reach the terminal."""
    code = "print('\\x1b[2JNo module named app'); raise SystemExit(3)"
    done = run(f"http://localhost:{free_port()}", "--", sys.executable, "-c", code)
    assert done.returncode == 2
    assert (
        "The command ended with status 3 before it answered. It wrote:\n\n?[2JNo module named app"
        in done.stderr
    )


def test_command_that_never_answers_is_given_up() -> None:
    """After --wait, in words; it is ended too."""
    code = "import time; print('busy', flush=True); time.sleep(100)"
    done = run(f"http://localhost:{free_port()}", "--wait", "1", "--", sys.executable, "-c", code)
    assert done.returncode == 2
    assert "within 1 seconds. It wrote:\n\nbusy" in done.stderr


def test_what_cannot_run_is_exit_status_2(serve: Callable[..., Server]) -> None:
    """A taken address, a missing program, a page without a way to Connect, nothing that answers."""
    url = serve(subtle.create_app("http://127.0.0.1:9")).origin
    for arguments, said in (
        ([url, "--", "true"], "answers at localhost"),
        ([f"http://localhost:{free_port()}", "--", "no-such-program"], "no-such-program can't be run"),
        ([f"{url}/callback", "--sandbox-port", "0"], "It answers 400"),
        ([f"http://localhost:{free_port()}", "--sandbox-port", "0", "--wait", "0.3"], "Nothing answered at"),
    ):
        done = run(*arguments)
        assert done.returncode == 2, done.stdout
        assert said in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_the_app_too(number: signal.Signals) -> None:
    """While it is waited for or attacked: a word, exit status 130, and its address is free."""
    port = free_port()
    with subprocess.Popen(
        [*COMMAND, f"http://localhost:{port}", "--", *serving_command("subtle", port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert next(line for line in process.stdout if "leads to the sandbox" in line)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip() == "Stopped."
    assert is_free(port)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Give the address"),
        (["localhost:8000"], "Write a whole address"),
        (["https://app.example.com/"], "--authorized"),
        (["http://localhost", "--cookie", "hunter2"], "Write a cookie as NAME=VALUE"),
        (["http://localhost", "--only", "everything"], "There is no check everything"),
        (["http://localhost", "--launch", "https://evil.example/"], "must be a path of the application"),
    ],
)
def test_mistake_on_the_command_line_is_exit_status_2(arguments: "list[str]", said: str) -> None:
    """In words, before anything is visited; nothing secret is repeated."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in words(done.stderr)
    assert "hunter2" not in done.stderr


def test_missing_sandbox_extra_is_said_in_words(tmp_path: Path) -> None:
    """Without the sandbox's parts the command names the extra."""
    (tmp_path / "uvicorn.py").write_text("raise ImportError('No module named uvicorn', name='uvicorn')\n")
    done = run("http://localhost", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert 'pip install "smartcar-auth[cli,sandbox]"' in done.stderr


def test_missing_playwright_leaves_browser_checks_out(tmp_path: Path, serve: Callable[..., Server]) -> None:
    """With words about how to have them; asked for alone, it is exit status 2."""
    (tmp_path / "playwright.py").write_text("raise ImportError('No module named playwright')\n")
    port = free_port()
    done = run(
        f"http://localhost:{port}",
        *("--only", "browser-granted", "--", *serving_command("subtle", port)),
        PYTHONPATH=str(tmp_path),
    )
    assert done.returncode == 2
    assert (
        "Left out: browser-granted; they need Playwright and Chromium: pip install playwright" in done.stdout
    )
