"""The doctor's command: in a pipe, on a terminal, and interrupted."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

from browser.application import Application, Server
from doctor.patients import CONNECT, Altered, on
from redis_server import free_port, wait_for

COMMAND = [sys.executable, "-m", "smartcar_auth.cli", "doctor"]


@pytest.fixture
def patient():
    """Serves a healthy application, or one whose launch answers as `change` says."""
    servers = []

    def made(change=None):
        app = Application(CONNECT, identify=True)
        servers.append(Server(app if change is None else Altered(app, on("/smartcar/launch", change))))
        return f"{servers[-1].origin}/garage"

    yield made
    for server in servers:
        server.stop()


def run(*arguments, encoding="utf-8", **variables):
    """The command in a pipe, without variables of Smartcar's but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SMARTCAR_")}
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        encoding=encoding,
        timeout=60,
        env={**kept, **variables},
    )


def on_terminal(*arguments, columns=60, encoding="utf-8", **variables):
    """The command on a terminal of this width: what it writes there, and its status."""
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment = {**kept, "TERM": "xterm-256color", "COLUMNS": str(columns), **variables}
    process = subprocess.Popen([*COMMAND, *arguments], stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65_536):
            written += piece
    except OSError:
        pass  # EIO: the other side is closed
    finally:
        os.close(ours)
    return written.decode(encoding).replace("\r\n", "\n"), process.wait(30)


def fail(answer):
    """The launch route isn't there."""
    answer.status, answer.headers = 404, [("content-type", "text/html")]


def test_help_says_what_is_done_and_what_the_status_means():
    """Including what it changes, and how to visit as somebody."""
    done = run("--help")
    assert done.returncode == 0
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stdout).split())
    for said in (
        "what to register with Smartcar",
        "one launch that nobody finishes",
        "of which your on_error is told",
        "0 where Connect can work, 1 where a problem was found, 2 for a mistake",
        "--cookie NAME=VALUE Visit as somebody who is logged in",
        "--prefix",
        "--json",
    ):
        assert said in text


def test_healthy_application_in_a_pipe(patient):
    """One plain line for each finding, whatever its length; the redirect URI ends its line; exit code 0."""
    url = patient()
    done = run(url, "--cookie", "session=hunter2")
    assert (done.returncode, done.stderr) == (0, "")
    first, *lines = done.stdout.splitlines()
    assert first == f"Visiting {url} as a browser does; each answer has 10 seconds."
    found = [line for line in lines if re.match("(ok|warning|problem) ", line)]
    assert len(found) == 15
    origin = url.removesuffix("/garage")
    assert f"ok       redirect_uri: Register exactly this with Smartcar: {origin}/smartcar/callback" in found
    assert lines[-1] == "1 warning."
    assert "\x1b" not in done.stdout
    assert "hunter2" not in done.stdout


def test_problem_is_exit_code_1(patient):
    """And the count is the last line."""
    done = run(patient(fail))
    assert done.returncode == 1
    assert "problem  launch: " in done.stdout
    assert done.stdout.splitlines()[-1] == "1 problem."


def test_json_is_one_array_and_nothing_else(patient):
    """For programs: check, level and message of each."""
    done = run(patient(fail), "--json")
    assert (done.returncode, done.stderr) == (1, "")
    findings = json.loads(done.stdout)
    assert [set(finding) for finding in findings] == [{"check", "level", "message"}] * len(findings)
    assert [finding["check"] for finding in findings if finding["level"] == "problem"] == ["launch"]
    healthy = run(patient(), "--json")
    assert healthy.returncode == 0
    assert len(json.loads(healthy.stdout)) == 15


def test_prefix_is_passed_on(patient):
    """Where nothing is, nothing is found."""
    url = patient()
    done = run(url, "--prefix", "/cars")
    assert done.returncode == 1
    assert url.removesuffix("/garage") + "/cars/launch answers 404" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["localhost:8000"], "Write a whole address"),
        (["http://ann:hunter2@localhost"], "Leave out of the address"),
        (["http://localhost", "--cookie", "hunter2"], "Write a cookie as NAME=VALUE"),
        (["http://localhost", "--prefix", "cars"], "prefix must be a path"),
        (["http://localhost", "http://localhost"], "unexpected extra argument"),
        (["--prefx", "/cars"], "No such option"),
    ],
)
def test_mistake_on_the_command_line_is_exit_code_2(arguments, said):
    """In words, before anything is visited; nothing secret is repeated."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(re.sub("[│╭╮╰╯─]", " ", done.stderr).split())
    assert "hunter2" not in done.stderr


# -- without an address


def test_environment_is_examined_without_an_address():
    """What the variables say, and what an address would do."""
    done = run(
        SMARTCAR_APPLICATION_ID="8229df9f-91a0-4ff0-a1ae-a1f38ee24d07",
        SMARTCAR_REDIRECT_URI="http://localhost:8000/smartcar/callback",
    )
    assert done.returncode == 0
    assert "Register exactly this with Smartcar: http://localhost:8000/smartcar/callback\n" in done.stdout
    assert "No problem found." in done.stdout
    assert "smartcar-auth doctor http://localhost:8000\n" in done.stdout
    assert "launches an attempt that nobody finishes" in done.stdout


def test_environment_that_cannot_work_is_exit_code_1():
    """The usual first mistake; the id isn't repeated."""
    done = run(SMARTCAR_CLIENT_ID="client_01HXHUNTER2")
    assert done.returncode == 1
    assert "problem  environment: " in done.stdout
    assert "HUNTER2" not in done.stdout


def test_environment_without_variables_is_exit_code_0():
    """The application may have its settings elsewhere."""
    done = run()
    assert done.returncode == 0
    assert "No SMARTCAR_... variable is set here" in done.stdout


# -- on a terminal


def test_terminal_gets_colours_and_wrapped_words(patient):
    """The level is coloured, lines are indented below it, and an address that is longer than that stays whole."""
    url = patient()
    written, status = on_terminal(url)
    assert status == 0
    assert "\x1b[32mok\x1b[0m       \x1b[1mredirect_uri\x1b[0m: Register" in written
    assert "\x1b[33mwarning\x1b[0m  \x1b[1mapplication_id\x1b[0m:" in written
    plain = re.sub(r"\x1b\[[0-9;]*m", "", written)
    findings = [line for line in plain.splitlines() if re.match("(ok|warning|problem|  )", line)]
    assert all(len(line) <= 60 or " " not in line[9:].strip() for line in findings)
    assert f"\n         {url.removesuffix('/garage')}/smartcar/callback\n" in plain
    narrow, _ = on_terminal(url, columns=20)
    assert url.removesuffix("/garage") + "/smartcar/callback\n" in narrow


def test_terminal_without_colours_gets_none(patient):
    """NO_COLOR is what people set who want none (https://no-color.org)."""
    written, _ = on_terminal(patient(), NO_COLOR="1")
    assert "redirect_uri" in written
    assert "\x1b[3" not in written


def test_terminal_is_not_at_an_applications_mercy(patient):
    """Escape sequences and Rich's own markup in an answer are text, and no line of them looks like ours."""

    def hostile(answer):
        answer.status, answer.headers = 400, [("content-type", "text/html")]
        evil = "\x1b[2J\x1b]0;owned\x07[bold green]fine[/]\nok       launch: fine :smile:"
        answer.body = f'<h1>{evil}</h1><a class="action" href="/">back</a>'.encode()

    written, status = on_terminal(patient(hostile), columns=500)
    assert status == 1
    assert "?[2J?]0;owned?[bold green]fine[/] ok launch: fine :smile:" in written
    assert "\x1b[2J" not in written
    assert "\x1b]" not in written


def test_words_that_the_output_cannot_hold_are_question_marks(patient):
    """An application's words may be in any language, and an output's encoding is what it is."""

    def japanese(answer):
        answer.status, answer.headers = 400, [("content-type", "text/html")]
        answer.body = '<h1>Größe 車</h1><a class="action" href="/">back</a>'.encode()

    url = patient(japanese)
    done = run(url, PYTHONIOENCODING="latin-1", encoding="latin-1")
    assert "Größe ?" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
    written, status = on_terminal(url, PYTHONIOENCODING="latin-1", encoding="latin-1")
    assert "Größe ?" in " ".join(written.split())
    assert status == 1


# -- interrupted


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_interrupt_ends_it_at_once(tmp_path, arguments, patient):
    """Ctrl-C while an application hangs: what was found stands there, a word, and exit code 130."""
    reached = tmp_path / "reached"

    def hang(answer):
        reached.touch()
        time.sleep(3)

    process = subprocess.Popen(
        [*COMMAND, patient(hang), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for("the launch is asked for", reached.exists)
    process.send_signal(signal.SIGINT)
    written, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.strip() == "Stopped."
    assert ("ok       page: " in written) == (arguments == [])


def test_missing_dependency_is_said_in_words(tmp_path):
    """Without what the server side needs the command names an extra that brings it, and exits with 2."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'itsdangerous' else found(name, *more)\n"
    )
    done = run(f"http://localhost:{free_port()}", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "pip install" in done.stderr
    assert "Traceback" not in done.stderr
