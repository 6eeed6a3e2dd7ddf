"""The command line: its help, its exit codes, and what it says when something is missing."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import smartcar_auth


def run(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "smartcar_auth.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def test_version_is_the_packages() -> None:
    """--version prints the name and version and exits with 0."""
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"smartcar-auth {smartcar_auth.__version__}\n")


@pytest.mark.parametrize("command", [[], ["demo"], ["sandbox"]])
def test_help_describes_every_command(command: "list[str]") -> None:
    """--help works everywhere and names its options."""
    done = run(*command, "--help")
    assert done.returncode == 0
    assert "--help" in done.stdout
    if not command:
        assert "demo" in done.stdout
        assert "sandbox" in done.stdout


def test_unknown_option_exits_with_2() -> None:
    """A mistake on the command line is exit code 2, with a sentence."""
    done = run("demo", "--prot", "1")
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_missing_cli_extra_is_said_in_words(tmp_path: Path) -> None:
    """Without Typer the command names the extra to install and exits with 2."""
    (tmp_path / "typer.py").write_text("raise ImportError('No module named typer', name='typer')\n")
    done = run("--help", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert 'pip install "smartcar-auth[cli]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_sandbox_extra_is_said_in_words(tmp_path: Path) -> None:
    """Without the sandbox's parts the command names that extra and exits with 2."""
    (tmp_path / "uvicorn.py").write_text("raise ImportError('No module named uvicorn', name='uvicorn')\n")
    done = run("sandbox", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert 'pip install "smartcar-auth[sandbox]"' in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_sandbox_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    """The sandbox prints its address, answers, and ends on Ctrl-C or a termination with exit code 0."""
    # A job in the background inherits an ignored Ctrl-C; the command listens all the same.
    process = subprocess.Popen(
        [sys.executable, "-m", "smartcar_auth.cli", "sandbox", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        assert process.stdout is not None
        origin = process.stdout.readline().strip()
        with urllib.request.urlopen(origin + "/health") as answer:
            assert answer.status == 200
        process.send_signal(number)
        assert process.wait(8) == 0
    finally:
        process.kill()
        process.communicate()


def test_sandbox_says_that_a_port_is_taken() -> None:
    """A taken port is a sentence and exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("sandbox", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "Choose another --port" in done.stderr
