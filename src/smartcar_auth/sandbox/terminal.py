"""The sandbox in a terminal: where everything is, then a line per request, until somebody stops it."""

import json
import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import Sandbox
from .inspector import json_line, line
from .journal import Recorded

if TYPE_CHECKING:
    from .certificates import Certificates


def run(*, host: str, port: int, as_json: bool, **options: Any) -> None:
    """Run a sandbox with these options until Ctrl-C or a termination.

    Args:
        host, port, options: those of `Sandbox`.
        as_json: print JSON, an object per line: first where it listens, then each request.

    Raises:
        ImportError: TLS is wanted and its package is missing.
        OSError: the port is taken, or a file can't be read or written.
        ValueError: an option says something that can't be.
    """
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())

    def log(one: Recorded) -> None:
        _print(json_line(one) if as_json else line(one))

    sandbox = Sandbox(host=host, port=port, log=log, **options)
    try:
        sandbox.start()
    except OSError as error:
        reason = f"Can't listen on {host}:{port}: {error.strerror}. Choose another --port."
        raise OSError(reason) from None
    try:
        _print(_listening(sandbox) if as_json else "\n".join(_introduction(sandbox)))
        while not stopped.wait(0.5):  # in slices, for Windows delivers Ctrl-C only between two waits
            pass
    finally:
        sandbox.stop()
    if not as_json:
        _print("Stopped.")


def _listening(sandbox: Sandbox) -> str:
    found: dict[str, Any] = {"listening": sandbox.origin}
    if sandbox.certificates is not None:
        found |= {
            "ca_file": str(sandbox.certificates.ca_file),
            "spki": sandbox.certificates.spki,
            "chromium_arguments": _chromium(sandbox.origin, sandbox.certificates),
        }
    return json.dumps(found)


def _introduction(sandbox: Sandbox) -> list[str]:
    origin, certificates = sandbox.origin, sandbox.certificates
    lines = [
        origin,
        "",
        f"Set SMARTCAR_CONNECT_ORIGIN={origin}; {origin}/ lists the rest.",
        f"Requests, in full: {origin}/inspector",
    ]
    if certificates is not None:
        chromium = f"--user-data-dir={certificates.ca_file.with_name('chromium')}"
        lines += [
            "",
            "Smartcar's own host names are answered over TLS, with a certificate for this run:",
            f"Authority, for SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS: {certificates.ca_file}",
            f"Hash of the server's key: {certificates.spki}",
            f"Chromium: {shlex.join(['chromium', chromium, *_chromium(origin, certificates)])}",
        ]
    return [*lines, "", "Ctrl-C stops the sandbox."]


def _chromium(origin: str, certificates: "Certificates") -> list[str]:
    address = urlsplit(origin)
    return certificates.chromium_arguments(address.hostname or "", address.port or 443)


def _print(text: str) -> None:
    # What came may hold letters that the terminal's encoding lacks.
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)
