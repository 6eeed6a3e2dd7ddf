"""`smartcar-auth sandbox`: what each option does, what it prints, and what it says when it can't."""

import json
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from sandbox.command import Command

ROOT = Path(__file__).parents[2]
APPLICATION_ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
CALLBACK = "https://app.example.com/callback"
AUTHORIZE = f"/oauth/authorize?response_type=code&scope=read_vin&application_id={APPLICATION_ID}"


def status(address: str, context: ssl.SSLContext | None = None, form: bytes | None = None) -> int:
    """What a GET, or a POST of a form, is answered with, in the end."""
    try:
        with urllib.request.urlopen(address, form, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def refused(*options: str) -> "subprocess.CompletedProcess[str]":
    """Run the command with options that it can't start with."""
    command = [sys.executable, "-m", "smartcar_auth.cli", "sandbox", "--port", "0", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_json_lines() -> None:
    """First where it listens, then a line per request, as it is answered."""
    with Command() as command:
        assert command.started.keys() == {"listening"}
        assert status(f"{command.origin}{AUTHORIZE}&redirect_uri={CALLBACK}&state=a-secret-state") == 200
        lines = [command.line() for _ in range(2)]
    assert [(line["path"], line["status"]) for line in lines] == [
        ("/oauth/authorize", 303),
        ("/connect/***/welcome", 200),
    ]
    assert lines[0]["came"]["parameters"]["state"] == "***"


def test_words() -> None:
    """Without --json the address is the first line, and each request is one."""
    command = [sys.executable, "-m", "smartcar_auth.cli", "sandbox", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        origin = process.stdout.readline().strip()
        status(f"{origin}/v2.0/user")
        process.terminate()
        text = process.stdout.read()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.stdout.close()
    assert f"{origin}/inspector" in text
    assert "GET    401 /v2.0/user  Send the access token" in text
    assert text.endswith("Stopped.\n")


def test_options(tmp_path: Path) -> None:
    """Applications, redirect URIs, management token, users and leniency are as the options say."""
    users = tmp_path / "users.json"
    users.write_text(json.dumps([{"email": "ada@example.com", "password": "secret"}]))
    options = ["--application", f"{APPLICATION_ID}=a=b", "--application", "client_01=m2m"]
    options += ["--redirect-uri", CALLBACK, "--redirect-uri", "http://localhost:1/b"]
    options += ["--management-token", "right", "--users", str(users), "--lenient"]
    with Command(*options) as command:
        origin = command.origin
        assert status(f"{origin}{AUTHORIZE}&scopes=x") == 200  # the first redirect URI is the default
        assert status(f"{origin}{AUTHORIZE}&redirect_uri=http://localhost:1/b") == 200
        assert status(f"{origin}{AUTHORIZE}&redirect_uri=http://localhost:1/c") == 400
        assert status(f"{origin}{AUTHORIZE.replace('8229', '9229')}") == 400
        form = b"grant_type=client_credentials&client_id=client_01&client_secret="
        assert status(f"{origin}/oauth2/token", form=form + b"m2m") == 200
        assert status(f"{origin}/oauth2/token", form=form + b"other") == 401


def test_strict_unless_told() -> None:
    """An unknown parameter is refused, unless --lenient is given."""
    with Command() as command:
        assert status(f"{command.origin}{AUTHORIZE}&redirect_uri={CALLBACK}&scopes=x") == 400


def test_tls() -> None:
    """With --tls it is Smartcar's own hosts to whoever believes the authority, whose file ends with it."""
    with Command("--tls") as command:
        ca_file = Path(command.started["ca_file"])
        assert command.origin.startswith("https://127.0.0.1:")
        assert command.started["spki"] in command.started["chromium_arguments"][1]
        context = ssl.create_default_context(cafile=str(ca_file))
        assert status(f"{command.origin}/health", context) == 200
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            status(f"{command.origin}/health", ssl.create_default_context())
        assert "PRIVATE" not in ca_file.read_text()
    assert not ca_file.parent.exists()


def test_tls_missing_package(tmp_path: Path) -> None:
    """Without trustme the command names the extra and exits with 2."""
    (tmp_path / "trustme.py").write_text("raise ImportError('No module named trustme', name='trustme')\n")
    command = [sys.executable, "-m", "smartcar_auth.cli", "sandbox", "--port", "0", "--tls"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}, timeout=30, check=False
    )
    assert done.returncode == 2
    assert 'pip install "smartcar-auth[tls]"' in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--application", "no-secret"], 2, "ID=SECRET"),
        (["--application", "=secret"], 2, "ID=SECRET"),
        (["--users", "nowhere.json"], 1, "nowhere.json"),
        (["--data", "nowhere/data"], 1, "nowhere/data"),
        (["--data", "data", "--seed", "1"], 2, "one of the two"),
        (["--host", "256.0.0.1"], 1, "Choose another"),
    ],
)
def test_refused(options: list[str], code: int, words: str) -> None:
    """What can't be is said in a sentence, with the documented exit status."""
    done = refused(*options)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_container_recipe(tmp_path: Path) -> None:
    """The recipe's files exist; its command starts, with another port and folder, and its probe finds it healthy.

    The image itself is not built here: there is no engine for it.
    """
    recipe = (ROOT / "examples" / "Containerfile").read_text()
    for copied in re.findall(r"^COPY (.*) \S+$", recipe, re.MULTILINE):
        assert all((ROOT / name).exists() for name in copied.split())
    probe = json.loads(re.findall(r"^HEALTHCHECK CMD (.*)$", recipe, re.MULTILINE)[0])
    _, _, *options = json.loads(re.findall(r"^CMD (.*)$", recipe, re.MULTILINE)[0])
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert given.keys() == {"--host", "--port", "--data"}
    with Command("--data", str(tmp_path / "data"), "--host", given["--host"]) as command:
        script = probe[2].replace(f"127.0.0.1:{given['--port']}", command.origin.removeprefix("http://"))
        assert subprocess.run([sys.executable, "-c", script], timeout=30, check=False).returncode == 0


def test_without_httptools(tmp_path: Path) -> None:
    """Where the parser in C isn't installed, uvicorn's own in Python serves."""
    (tmp_path / "httptools.py").write_text(
        "raise ImportError('No module named httptools', name='httptools')\n"
    )
    with Command(environment={"PYTHONPATH": str(tmp_path)}) as command:
        assert status(f"{command.origin}/health") == 200
        assert status(f"{command.origin}{AUTHORIZE}&redirect_uri={CALLBACK}") == 200
