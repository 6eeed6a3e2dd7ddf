"""The demonstration: the sandbox and a sample FastAPI app, side by side in one process.

`run` is what `smartcar-auth demo` calls. The sample is on `localhost` and the sandbox on `127.0.0.1`, which
to a browser are different sites, so that cookies behave as they do in production.
"""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Iterator

import uvicorn

from smartcar_auth.sandbox import Sandbox
from smartcar_auth.sandbox.server import config_for, listening_socket

SAMPLE_PORT = 8000
SANDBOX_PORT = 8010
_TRIES = 20


class PortTaken(Exception):
    """A port that was asked for by number is not free."""


def run(port: int | None = None, sandbox_port: int | None = None, *, open_browser: bool = True) -> None:
    """Serve the sample app and the sandbox until Ctrl-C.

    Args:
        port: Of the sample app; None takes 8000 or the next free one.
        sandbox_port: Of the sandbox; None takes 8010 or the next free one.
        open_browser: Open the sample's page where there is a browser.

    Raises:
        PortTaken: A port that was asked for is in use.
    """
    sample_sockets, sample_port = _listen(("127.0.0.1", "::1"), port, SAMPLE_PORT)
    try:
        sandbox_sockets, sandbox_port = _listen(("127.0.0.1",), sandbox_port, SANDBOX_PORT)
    except PortTaken:
        _close(sample_sockets)
        raise
    address = f"http://localhost:{sample_port}/"
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    # The official SDK reads these once, when it is imported; so before the sample imports it.
    os.environ.update(
        SMARTCAR_CONNECT_ORIGIN=sandbox,
        SMARTCAR_API_ORIGIN=sandbox,
        SMARTCAR_AUTH_ORIGIN=f"{sandbox}/oauth/token",  # the whole token address, in spite of its name
    )
    from smartcar_auth.demo.app import create_app

    servers = [
        (_server(create_app(sandbox)), sample_sockets),
        (_server(Sandbox(application_name="Sample garage").app), sandbox_sockets),
    ]
    try:
        asyncio.run(_serve(servers, address, sandbox, open_browser))
    except KeyboardInterrupt:
        pass
    finally:
        _close([*sample_sockets, *sandbox_sockets])


class _Server(uvicorn.Server):
    """A server that leaves signals to `_serve`, which has two of them to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: object) -> _Server:
    # A person is longer at Connect than the 5 seconds for which uvicorn usually keeps a connection.
    return _Server(config_for(app, timeout_keep_alive=75))


async def _serve(
    servers: list[tuple[_Server, list[socket.socket]]], address: str, sandbox: str, open_browser: bool
) -> None:
    def stop(*_: object) -> None:
        for server, _sockets in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    running = [asyncio.create_task(server.serve(sockets=sockets)) for server, sockets in servers]
    while not all(server.started for server, _ in servers):
        if any(task.done() for task in running):
            stop()
            break
        await asyncio.sleep(0.02)
    else:
        _say(address, sandbox)
        if open_browser and _has_browser():
            await asyncio.to_thread(webbrowser.open, address)
    await asyncio.gather(*running)
    print("Stopped.", flush=True)


def _say(address: str, sandbox: str) -> None:
    print(
        "The sample app is ready. Open it and press “Connect your car”:\n\n"
        f"{address}\n\n"
        f"Smartcar Connect is played by the sandbox at {sandbox} (any e-mail and password will do).\n"
        "Ctrl-C stops both.",
        flush=True,
    )


def _has_browser() -> bool:
    """Whether opening a browser would show a window; a text browser would take over the terminal."""
    if os.environ.get("BROWSER") or sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _listen(hosts: tuple[str, ...], wanted: int | None, usual: int) -> tuple[list[socket.socket], int]:
    """Sockets on one port of all hosts; a port that another program holds on any of them counts as taken."""
    for port in [wanted] if wanted is not None else range(usual, usual + _TRIES):
        sockets: list[socket.socket] = []
        try:
            for host in hosts:
                bound = _bind(host, sockets[0].getsockname()[1] if sockets else port)
                if bound is not None:
                    sockets.append(bound)
        except OSError as error:
            _close(sockets)
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            continue
        found: int = sockets[0].getsockname()[1]
        if wanted is None and found != usual:
            print(f"Port {usual} is taken; using {found}.", file=sys.stderr, flush=True)
        return sockets, found
    if wanted is not None:
        raise PortTaken(f"Port {wanted} is taken. Choose another, or leave the option out.")
    raise PortTaken(f"The ports {usual} to {usual + _TRIES - 1} are all taken. Choose one with --port.")


def _bind(host: str, port: int) -> socket.socket | None:
    """A listening socket, or None where this machine has no IPv6."""
    try:
        return listening_socket(host, port)
    except OSError as error:
        if ":" in host and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return None
        raise


def _close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()
