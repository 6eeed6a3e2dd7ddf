"""Programs without a web server: from their start to Connect in a browser, and from the redirect to the result.

Each sample is a process of its own that does what the package's guide shows and nothing else. The browser is a shell
script that says which address it was given; so is everybody's. The exchange of the code, which ours leaves to others,
is left out for the peers as well.
"""

import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic_ns, sleep
from urllib.parse import parse_qs, urlsplit

from .figure import Figure, Say, Target, take_turns

OURS = """
from smartcar_auth import Smartcar
from smartcar_auth.hosts.loopback import connect
response = connect(Smartcar(application_id="an-application", redirect_uri="http://localhost:PORT/"))
DONE
assert response.code == "c"
"""

# The exchange needs Google, so it is left out, and with it the credentials that it would bring.
GOOGLE = """
from google_auth_oauthlib.flow import InstalledAppFlow
class Flow(InstalledAppFlow):
    credentials = None
    def fetch_token(self, authorization_response, **_):
        self.response = authorization_response
flow = Flow.from_client_config({"installed": {
    "client_id": "an-application", "client_secret": "s",
    "auth_uri": "https://connect.smartcar.com/oauth/authorize", "token_uri": "https://auth.smartcar.com/oauth/token",
}}, scopes=["read_odometer"])
flow.run_local_server(port=PORT)
DONE
assert "code=c" in flow.response
"""

# What `acquire_token_interactive` waits with; the rest of it asks Microsoft first.
MSAL = """
import msal
from msal.oauth2cli import AuthCodeReceiver
with AuthCodeReceiver(port=PORT) as receiver:
    uri = "https://connect.smartcar.com/oauth/authorize?state=s&redirect_uri=http://localhost:PORT&response_mode=form_post"
    response = receiver.get_auth_response(auth_uri=uri, state="s")
DONE
assert response["code"] == "c"
"""


def measure(say: Say, quick: bool) -> list[Figure]:
    names = {"ours": OURS, "google": GOOGLE, "msal": MSAL}
    starts: dict[str, list[float]] = {name: [] for name in names}
    ends: dict[str, list[float]] = {name: [] for name in names}
    with TemporaryDirectory() as folder:

        def sample(name: str) -> float:
            start, end = _once(names[name], Path(folder), form=name == "msal")
            starts[name].append(start)
            ends[name].append(end)
            return start

        rounds = 5 if quick else 30
        take_turns({name: partial(sample, name) for name in names}, rounds, say)
    for taken in (*starts.values(), *ends.values()):
        del taken[0]  # take_turns throws its first round away, too
    return [
        _figure("loopback, start to browser opened", starts, "google", Target(0.4)),
        _figure("- MSAL's receiver", starts, "msal", None),
        _figure("loopback, redirect to result", ends, "google", Target(0.5)),
        _figure("- MSAL's receiver", ends, "msal", None),
    ]


def _figure(name: str, times: dict[str, list[float]], peer: str, target: Target | None) -> Figure:
    ours, theirs = times["ours"], times[peer]
    # Noise only ever adds to a process's time, so the minimum is nearest to the truth.
    remark = (
        f"minima of {len(ours)}; medians {median(ours):.2f} and {median(theirs):.2f} ms, "
        f"ratio {median(ours) / median(theirs):.3f}"
    )
    peer_name = {"google": "google-auth-oauthlib", "msal": "MSAL"}[peer]
    return Figure(name, min(ours), min(theirs), "ms", peer_name, target, remark)


def _once(program: str, folder: Path, *, form: bool) -> tuple[float, float]:
    """One process: milliseconds from its start to the browser's address, and from the redirect to the result."""
    port = _free_port()
    reading, writing = os.pipe()
    done = f"import os, time; os.write({writing}, b'%d\\n' % time.monotonic_ns())"
    program = program.replace("DONE", done).replace("PORT", str(port))
    opened = folder / "opened"
    os.mkfifo(opened)
    browser = folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    started = monotonic_ns()
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", program],  # -I: nothing but the installed packages
        env={**os.environ, "BROWSER": f"{browser} %s &"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[writing],
    )
    os.close(writing)
    try:
        with opened.open() as address:
            url = address.readline()
        shown = monotonic_ns()
        sleep(0.2)  # the owner is at Connect; what goes on after opening has settled
        with os.fdopen(reading) as result:
            sent = _redirect(url, port, form=form)
            ended = int(result.readline())
    finally:
        process.kill()
        process.wait()
        opened.unlink()
    return (shown - started) / 1e6, (ended - sent) / 1e6


def _redirect(url: str, port: int, *, form: bool) -> int:
    """The browser comes back; when it sent its request."""
    content = f"code=c&state={parse_qs(urlsplit(url.strip()).query)['state'][0]}"
    line, body = ("POST / HTTP/1.1", content) if form else (f"GET /?{content} HTTP/1.1", "")
    fields = (
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n" if form else ""
    )
    with socket.create_connection(("localhost", port)) as browser:
        sent = monotonic_ns()
        browser.sendall(f"{line}\r\nHost: localhost:{port}\r\n{fields}\r\n{body}".encode())
        browser.recv(65536)
    return sent


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
