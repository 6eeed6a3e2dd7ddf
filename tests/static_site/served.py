"""A folder that `smartcar-auth static` wrote, served as plain files, or with the headers that it asks for."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def write(folder: Path, *app_origins: str) -> Path:
    """The command writes there."""
    allowed = [part for one in app_origins for part in ("--app-origin", one)]
    command = [sys.executable, "-m", "smartcar_auth.cli", "static", str(folder), *allowed]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder


@contextmanager
def plainly(folder: Path) -> Iterator[str]:
    """Served by Python's own command, which can't set a header; the origin."""
    options = ["--bind", "127.0.0.1", "--directory", str(folder)]
    command = [sys.executable, "-u", "-m", "http.server", "0", *options]
    served = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert served.stdout is not None
        yield f"http://localhost:{served.stdout.readline().split(' port ')[1].split()[0]}"
    finally:
        served.terminate()
        served.communicate(timeout=10)


@contextmanager
def with_headers(folder: Path) -> Iterator[str]:
    """Served with what `_headers` says, as Netlify and Cloudflare Pages do; the origin."""
    rules = read_headers((folder / "_headers").read_text())

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            for name, value in rules.get(self.path.partition("?")[0], []):
                if name != "Content-Type":
                    self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def read_headers(text: str) -> dict[str, list[tuple[str, str]]]:
    """The rules of such a file."""
    rules: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        if line.startswith("/"):
            fields = rules.setdefault(line, [])
        else:
            name, _, value = line.strip().partition(": ")
            fields.append((name, value))
    return rules
