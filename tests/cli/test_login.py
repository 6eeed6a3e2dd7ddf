"""`smartcar-auth login`, `url`: three roads, exit codes, what is printed where, where settings come from."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from smartcar_auth.sandbox import Sandbox
from terminal import Terminal

COMMAND = [sys.executable, "-m", "smartcar_auth.cli"]
API = {"SMARTCAR_API_CLIENT_ID": "client_01ABC", "SMARTCAR_API_CLIENT_SECRET": "an-api-secret"}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as started:
        yield started


@pytest.fixture
def env(sandbox, tmp_path):
    """An application's settings, a home of its own, and neither screen nor browser."""
    gone = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "NO_COLOR", "COLUMNS")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in gone and not name.startswith("SMARTCAR_")
    }
    return {
        **kept,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "TERM": "xterm-256color",
        "SMARTCAR_APPLICATION_ID": "an-application",
        "SMARTCAR_CONNECT_ORIGIN": sandbox.origin,
    }


def run(env, *arguments, text=""):
    return subprocess.run(
        [*COMMAND, *arguments], env=env, input=text, capture_output=True, text=True, timeout=60
    )


@contextlib.contextmanager
def running(env, *arguments):
    """The command without a terminal; its process."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*COMMAND, *arguments], env=env, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def address(stream):
    """The first address on a line of its own."""
    for line in stream:
        if re.fullmatch(r"https?://\S+\n", line):
            return line.strip()
    raise AssertionError("No address was printed.")


def sent(url):
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


class TestHere:
    def test_owner_allows(self, env, sandbox):
        """The result is on standard output, everything else on standard error; no code unless asked for."""
        with running(env, "login") as process:
            answer = sandbox.approve(address(process.stderr))
            with urlopen(answer) as page:
                assert b"Your car is connected" in page.read()
            out, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert out.startswith("Your car is connected.\nuser_id: ")
        assert "--json prints it" in out
        assert sent(answer)["code"] not in out + said

    def test_result_as_json(self, env, sandbox):
        """The code is in it, and nothing else is on standard output."""
        with running(env, "login", "--json", "--external-id", "user-17") as process:
            url = address(process.stderr)
            answer = sandbox.approve(url)
            urlopen(answer).close()
            out, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert json.loads(out) == {
            "outcome": "granted",
            "code": sent(answer)["code"],
            "user_id": sent(answer)["user_id"],
            "external_id": "user-17",
            "vehicle_id": None,
            "virtual_key_url": None,
            "redirect_uri": sent(url)["redirect_uri"],
        }

    def test_owner_denies(self, env, sandbox):
        """Exit status 1, the reason in words; as JSON with Connect's own."""
        for arguments in ([], ["--json"]):
            with running(env, "login", *arguments) as process:
                answer = sandbox.approve(address(process.stderr), outcome="access_denied")
                urlopen(answer).close()
                out, said = process.communicate(timeout=30)
            assert process.returncode == 1
            assert "denied access" in said
            assert "Traceback" not in said
            if arguments:
                assert json.loads(out) == {
                    "outcome": "failed",
                    "error": "access_denied",
                    "description": sent(answer)["error_description"],
                    "message": said.strip().splitlines()[-1],
                }
            else:
                assert out == ""

    def test_time_runs_out(self, env):
        """Exit status 1, in JSON too; the ways to reach this machine were said."""
        done = run(env, "login", "--no-browser", "--timeout", "0.5", "--json")
        assert done.returncode == 1
        assert json.loads(done.stdout)["error"] == "timeout"
        assert "ssh -L" in done.stderr
        assert "did not answer in time" in done.stderr

    def test_ctrl_c_exits_with_130(self, env):
        """Also in a job for which it was ignored; the port is free again, and nothing is on standard output."""
        process = subprocess.Popen(
            [*COMMAND, "login"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
        with process:
            port = urlsplit(sent(address(process.stderr))["redirect_uri"]).port
            process.send_signal(signal.SIGINT)
            out, said = process.communicate(timeout=30)
        assert (process.returncode, out) == (130, "")
        assert "Given up." in said
        assert "Traceback" not in said
        socket.create_server(("127.0.0.1", port)).close()

    def test_terminal_shows_a_spinner_with_the_time_that_is_left(self, env, sandbox):
        """And takes what is pasted; the cursor is there again afterwards, in the end as after a termination."""
        with Terminal(*COMMAND, "login", "--timeout", "90", env=env) as terminal:
            url = terminal.shows(r"\n(http://\S+)\n")[1]
            terminal.shows(r"Waiting for you at Connect\. 1:\d\d left")
            terminal.types("hello\n")
            terminal.shows("isn't the address")
            terminal.types(sandbox.approve(url) + "\n")
            terminal.shows("Your car is connected.")
            assert terminal.ends() == 0
            assert terminal.screen.rindex("\x1b[?25h") > terminal.screen.rindex("\x1b[?25l")
        with Terminal(*COMMAND, "login", env=env) as terminal:
            terminal.shows("left; Ctrl-C gives up")
            terminal.process.terminate()
            assert terminal.ends() == 143
            assert terminal.screen.rindex("\x1b[?25h") > terminal.screen.rindex("\x1b[?25l")

    def test_ctrl_c_in_a_terminal(self, env):
        """The key."""
        with Terminal(*COMMAND, "login", env=env) as terminal:
            terminal.shows("left; Ctrl-C gives up")
            terminal.types("\x03")
            terminal.shows("Given up.")
            assert terminal.ends() == 130

    @pytest.mark.parametrize("columns", ["40", "200"])
    def test_address_stays_whole(self, env, columns):
        """However narrow the terminal is, the address is one line to click or to copy."""
        with Terminal(*COMMAND, "login", env={**env, "COLUMNS": columns}) as terminal:
            url = terminal.shows(r"\n(http://\S+)\n")[1]
            assert sent(url)["state"]

    def test_browser_that_talks_does_not_break_the_json(self, env, sandbox, tmp_path):
        """What it writes on standard output goes to standard error."""
        browser = tmp_path / "browser"
        browser.write_text("#!/bin/sh\necho Opening in existing browser session.\n")
        browser.chmod(0o755)
        with running({**env, "BROWSER": f"{browser} %s"}, "login", "--json") as process:
            url = address(process.stderr)
            for line in process.stderr:
                if "existing browser" in line:
                    break
            urlopen(sandbox.approve(url)).close()
            out, _ = process.communicate(timeout=30)
        assert json.loads(out)["outcome"] == "granted"

    def test_no_browser_opens_none(self, env, tmp_path):
        """--no-browser says the address and how to reach it."""
        browser = tmp_path / "browser"
        browser.write_text(f"#!/bin/sh\ntouch {tmp_path}/opened\n")
        browser.chmod(0o755)
        env = {**env, "BROWSER": f"{browser} %s"}
        done = run(env, "login", "--no-browser", "--timeout", "0.5")
        assert re.search(r"Open this address:\n\nhttp://\S+\n", done.stderr)
        assert not (tmp_path / "opened").exists()
        with running(env, "login"):
            until = time.monotonic() + 20
            while not (tmp_path / "opened").exists():
                assert time.monotonic() < until, "No browser was opened within 20 seconds."
                time.sleep(0.01)

    def test_ports_that_are_taken(self, env):
        """The first free one of those given; with none left, exit status 1 and a sentence."""
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            taken = [str(server.getsockname()[1]) for server in (one, other)]
            done = run(env, "login", "--port", taken[0], "--port", taken[1])
            assert done.returncode == 1
            assert f"{taken[0]} (Address already in use), {taken[1]} (Address already in use)" in done.stderr
            other.close()
            done = run(env, "login", "--port", taken[0], "--port", taken[1], "--timeout", "0.3")
            assert f"http://localhost:{taken[1]}/callback" in done.stderr


class TestElsewhere:
    def test_address_is_pasted(self, env, sandbox):
        """No port is held; the redirect URI may be any that is registered."""
        env = {**env, "SMARTCAR_REDIRECT_URI": "https://app.example.com/callback"}
        with Terminal(*COMMAND, "login", "--paste", env=env) as terminal:
            answer = sandbox.approve(terminal.shows(r"\n(http://\S+)\n")[1])
            assert answer.startswith("https://app.example.com/callback?")
            terminal.shows("Then paste here")
            terminal.types("https://app.example.com/callback?code=c&state=another\n")
            terminal.shows("isn't the address")
            terminal.types(answer + "\n")
            terminal.shows("Your car is connected.")
            assert terminal.ends() == 0

    def test_input_is_a_pipe(self, env, sandbox):
        """For programs; JSON comes back."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(
            [*COMMAND, "login", "--paste", "--json"],
            env={**env, "SMARTCAR_REDIRECT_URI": "http://localhost:1/"},
            text=True,
            **pipes,
        ) as process:
            answer = sandbox.approve(address(process.stderr))
            out, _ = process.communicate(answer, timeout=30)  # without a line end
        assert (process.returncode, json.loads(out)["code"]) == (0, sent(answer)["code"])

    @pytest.mark.parametrize(
        ("text", "error"), [("", "cancelled"), ("hello\n", "cancelled"), ("\n\n", "cancelled")]
    )
    def test_input_ends(self, env, text, error):
        """Exit status 1."""
        done = run(env, "login", "--paste", "--json", text=text)
        assert (done.returncode, json.loads(done.stdout)["error"]) == (1, error)

    def test_denial_is_pasted(self, env, sandbox):
        """It ends the wait."""
        env = {**env, "SMARTCAR_REDIRECT_URI": "http://localhost:1/"}
        with Terminal(*COMMAND, "login", "--paste", env=env) as terminal:
            answer = sandbox.approve(terminal.shows(r"\n(http://\S+)\n")[1], outcome="access_denied")
            terminal.types(answer + "\n")
            terminal.shows("denied access")
            assert terminal.ends() == 1

    def test_answer_without_a_code_is_pasted(self, env):
        """With the right state it was Connect: nothing more will come."""
        with Terminal(*COMMAND, "login", "--paste", env=env) as terminal:
            state = sent(terminal.shows(r"\n(http://\S+)\n")[1])["state"]
            terminal.types(f"http://localhost:1/?state={state}\n")
            terminal.shows("neither an error nor a value for code")
            assert terminal.ends() == 1

    def test_time_runs_out_at_the_prompt(self, env):
        """Exit status 1."""
        with Terminal(*COMMAND, "login", "--paste", "--timeout", "0.7", env=env) as terminal:
            terminal.shows("did not answer in time")
            assert terminal.ends() == 1


class TestAnotherDevice:
    @pytest.fixture
    def env(self, env):
        """With API credentials; the sandbox that plays Connect plays the API as well."""
        return {**env, **API}

    def test_owner_allows_on_a_phone(self, env, sandbox):
        """The code and the link are shown, no port is held, and the end is learnt from the API."""
        with Terminal(*COMMAND, "login", "--qr", env=env) as terminal:
            url = terminal.shows(r"\n(http://\S+)\n")[1]
            assert "redirect_uri" not in sent(url)
            assert "▀▀▀▀▀" in terminal.screen
            terminal.shows("left; Ctrl-C gives up")
            sandbox.next(outcome="granted")
            urlopen(url).close()
            terminal.shows("Your car is connected.")
            terminal.shows(f"external_id: {sent(url)['external_id']}")
            assert terminal.ends() == 0
            assert API["SMARTCAR_API_CLIENT_SECRET"] not in terminal.screen

    def test_result_as_json(self, env, sandbox):
        """Without a code, for none was asked for."""
        with running(env, "login", "--qr", "--json") as process:
            url = address(process.stderr)
            sandbox.next(outcome="granted", user="1-vehicles@smartcar.com")
            urlopen(url).close()
            out, _ = process.communicate(timeout=30)
        result = json.loads(out)
        assert result["outcome"] == "granted"
        assert (result["code"], result["redirect_uri"]) == (None, None)
        assert result["external_id"] == sent(url)["external_id"]
        assert result["vehicle_id"]

    def test_api_is_somewhere_else(self, env, sandbox):
        """The variables say where."""
        env |= {"SMARTCAR_IAM_ORIGIN": sandbox.origin, "SMARTCAR_VEHICLE_API_V3_ORIGIN": "http://127.0.0.1:9"}
        done = run(env, "login", "--qr", "--json", "--timeout", "1")
        assert json.loads(done.stdout)["error"] == "timeout"
        env["SMARTCAR_VEHICLE_API_V3_ORIGIN"] = "http://api.example.com"
        done = run(env, "login", "--qr")
        assert (done.returncode, "api_origin must be https" in done.stderr) == (2, True)

    def test_wrong_credentials(self, env):
        """Exit status 2, in words that hold no secret."""
        with Sandbox(applications={"an-application": "-"}) as strict:
            env = {**env, "SMARTCAR_IAM_ORIGIN": strict.origin}
            done = run(env, "login", "--qr", "--timeout", "20")
        assert done.returncode == 2
        assert "refuses these API credentials" in done.stderr
        assert API["SMARTCAR_API_CLIENT_SECRET"] not in done.stderr

    def test_half_of_the_credentials(self, env):
        """Exit status 2, before anything is shown."""
        del env["SMARTCAR_API_CLIENT_SECRET"]
        done = run(env, "login", "--qr")
        assert done.returncode == 2
        assert "API credentials" in done.stderr

    def test_ctrl_c(self, env):
        """130, as everywhere."""
        with Terminal(*COMMAND, "login", "--qr", env=env) as terminal:
            terminal.shows("left; Ctrl-C gives up")
            terminal.types("\x03")
            assert terminal.ends() == 130

    def test_without_credentials(self, env, sandbox):
        """The code shows the ordinary address, and says what has to be brought back."""
        env = {name: value for name, value in env.items() if name not in API}
        with running(env, "login", "--qr", "--json") as process:
            url = address(process.stderr)
            urlopen(sandbox.approve(url)).close()
            out, _ = process.communicate(timeout=30)
        assert json.loads(out)["code"]
        assert "redirect_uri" in sent(url)


class TestSettings:
    def write(self, env, text, mode=0o600):
        path = os.path.join(env["XDG_CONFIG_HOME"], "smartcar-auth", "config.toml")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def shown(self, env, *arguments):
        done = run(env, "url", *arguments)
        assert done.returncode == 0, done.stderr
        return sent(done.stdout.strip())

    def test_option_beats_variable_beats_file(self, env):
        """In this order; what nobody says is Smartcar's default."""
        self.write(env, 'application_id = "of-the-file"\nmode = "test"\nscope = ["read_vin", "read_fuel"]\n')
        assert self.shown(env)["application_id"] == "an-application"
        assert self.shown(env)["mode"] == "test"
        assert self.shown(env)["scope"] == "read_vin read_fuel"
        env["SMARTCAR_MODE"] = "simulated"
        env["SMARTCAR_SCOPE"] = "read_odometer required:read_vin"
        assert self.shown(env)["mode"] == "simulated"
        assert self.shown(env)["scope"] == "read_odometer required:read_vin"
        assert self.shown(env, "--mode", "live")["mode"] == "live"
        assert self.shown(env, "--scope", "read_vin", "--scope", "read_fuel")["scope"] == "read_vin read_fuel"
        del env["SMARTCAR_APPLICATION_ID"]
        assert self.shown(env)["application_id"] == "of-the-file"
        env["SMARTCAR_CLIENT_ID"] = "by-its-older-name"
        assert self.shown(env)["application_id"] == "by-its-older-name"

    def test_every_option_reaches_connect(self, env):
        """Those of get_auth_url."""
        arguments = [
            "--redirect-uri",
            "http://localhost:1/x",
            "--response-type",
            "none",
            "--external-id",
            "e",
        ]
        arguments += [
            "--make",
            "KIA",
            "--vin",
            "0" * 17,
            "--single-select",
            "--flag",
            "country:DE",
            "--flag",
            "a:b",
        ]
        arguments += ["--user", "u", "--force-prompt", "--state", "s"]
        shown = self.shown(env, *arguments)
        assert shown == {
            "response_type": "none",
            "application_id": "an-application",
            "redirect_uri": "http://localhost:1/x",
            "approval_prompt": "force",
            "mode": "live",
            "single_select_vin": "0" * 17,
            "single_select": "true",
            "state": "s",
            "make": "KIA",
            "flags": "country:DE a:b",
            "user": "u",
            "external_id": "e",
        }

    def test_file_that_is_named(self, env, tmp_path):
        """By option or variable; it must be there."""
        path = tmp_path / "other.toml"
        assert run(env, "url", "--config", str(path)).returncode == 2
        path.write_text('mode = "test"')
        assert self.shown(env, "--config", str(path))["mode"] == "test"
        assert self.shown({**env, "SMARTCAR_CONFIG": str(path)})["mode"] == "test"

    def test_file_in_the_working_directory_is_not_looked_for(self, env, tmp_path):
        """Whoever wrote it could send the person to another place to log in."""
        for name in ("config.toml", "smartcar-auth.toml", ".smartcar-auth.toml", "pyproject.toml"):
            (tmp_path / name).write_text('connect_origin = "https://evil.example"')
        done = subprocess.run([*COMMAND, "url"], env=env, cwd=tmp_path, capture_output=True, text=True)
        assert "evil" not in done.stdout + done.stderr

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("mode = ", "no TOML"),
            ('mod = "test"', "no setting mod"),
            ("mode = 1", "mode must be text"),
            ('application_id = "a"\nmode = "lvie"', "mode must be one of"),
            ("scope = 1", "scope must be text"),
            ('application_id = "client_01"\n', "M2M"),
            ("\x00", "no TOML"),
        ],
    )
    def test_mistakes_in_the_file(self, env, text, words):
        """Exit status 2, in words."""
        self.write(env, text)
        del env["SMARTCAR_APPLICATION_ID"]
        done = run(env, "url")
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert "Traceback" not in done.stderr

    def test_ports_of_the_file(self, env):
        """Numbers, tried in this order."""
        with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            other.close()
            self.write(env, f"ports = [{taken.getsockname()[1]}, {port}]")
            assert f"http://localhost:{port}/callback" in run(env, "login", "--timeout", "0.3").stderr
        self.write(env, "ports = 8000")
        assert run(env, "login").returncode == 2

    def test_file_whose_secret_others_can_read(self, env):
        """Refused until it is closed to them; without a secret it may be open."""
        path = self.write(env, 'api_client_id = "client_01"\napi_client_secret = "s3cret"', 0o644)
        done = run(env, "url")
        assert done.returncode == 2
        assert f"chmod 600 {path}" in done.stderr
        assert "s3cret" not in done.stderr
        self.write(env, 'api_client_id = "client_01"\napi_client_secret = "s3cret"', 0o600)
        assert run(env, "url").returncode == 0
        self.write(env, 'mode = "test"', 0o644)
        assert run(env, "url").returncode == 0

    def test_file_that_cannot_be_read(self, env):
        """Exit status 2."""
        os.makedirs(os.path.join(env["XDG_CONFIG_HOME"], "smartcar-auth", "config.toml"))
        done = run(env, "url")
        assert done.returncode == 2
        assert "can't be read" in done.stderr

    @pytest.mark.parametrize("command", ["login", "url"])
    def test_no_application_id(self, env, command):
        """Exit status 2; the sentence names option and variable."""
        del env["SMARTCAR_APPLICATION_ID"]
        done = run(env, command)
        assert done.returncode == 2
        assert "--application-id" in done.stderr
        assert "SMARTCAR_APPLICATION_ID" in done.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--mode", "lvie"],
            ["--timeout", "0"],
            ["--timeout", "soon"],
            ["--port", "70000"],
            ["--flag", "DE"],
            ["--redirect-uri", "https://app.example.com/"],
            ["--make", ""],
        ],
    )
    def test_mistakes_in_the_options(self, env, arguments):
        """Exit status 2, in words."""
        done = run(env, "login", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr

    def test_redirect_uri_says_the_port(self, env):
        """Without --port its own is held; without either and without a sandbox it is 8000, which is said."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        done = run(env, "login", "--redirect-uri", f"http://localhost:{port}/x", "--timeout", "0.3")
        assert f"localhost%3A{port}%2Fx" in done.stderr
        done = run({**env, "SMARTCAR_CONNECT_ORIGIN": ""}, "login", "--timeout", "0.3", "--no-browser")
        assert (
            "http://localhost:8000/callback, and has to be registered" in done.stderr
            or "8000 (" in done.stderr
        )


class TestUrl:
    def test_address_and_nothing_else(self, env):
        """With a fresh state in it."""
        first, second = run(env, "url"), run(env, "url")
        assert re.fullmatch(r"http://\S+\n", first.stdout)
        assert first.stderr == ""
        assert len(sent(first.stdout.strip())["state"]) == 43
        assert first.stdout != second.stdout

    def test_json_holds_the_state_to_check_the_answer_with(self, env):
        """Address and state."""
        found = json.loads(run(env, "url", "--json").stdout)
        assert sent(found["url"])["state"] == found["state"]
        assert found.keys() == {"url", "state"}

    def test_code_is_beside_the_address(self, env):
        """On standard error, so the address can still be piped."""
        done = run(env, "url", "--qr")
        assert re.fullmatch(r"http://\S+\n", done.stdout)
        assert "▀▀▀▀▀" in done.stderr


@pytest.mark.parametrize("typed", ["lo", "ur", "st"])
def test_completion_knows_the_commands(env, typed):
    """The shell is told how a word goes on."""
    words = {
        "_SMARTCAR_AUTH_COMPLETE": "complete_bash",
        "COMP_WORDS": f"smartcar-auth {typed}",
        "COMP_CWORD": "1",
    }
    done = run({**env, **words})
    assert done.stdout.split() == [{"lo": "login", "ur": "url", "st": "static"}[typed]]


def test_completion_knows_the_modes(env):
    """And options' values."""
    words = {
        "_SMARTCAR_AUTH_COMPLETE": "complete_bash",
        "COMP_WORDS": "smartcar-auth login --mode s",
        "COMP_CWORD": "3",
    }
    assert run({**env, **words}).stdout.split() == ["simulated"]


def test_two_logins_at_once(env, sandbox):
    """Two people at one machine: each gets their own answer."""
    with running(env, "login", "--json") as one, running(env, "login", "--json") as other:
        answers = [sandbox.approve(address(process.stderr)) for process in (one, other)]
        for answer in reversed(answers):
            threading.Thread(target=lambda to: urlopen(to).close(), args=[answer]).start()
        results = [json.loads(process.communicate(timeout=30)[0])["code"] for process in (one, other)]
    assert results == [sent(answer)["code"] for answer in answers]
