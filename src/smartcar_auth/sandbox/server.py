"""Running the sandbox: a socket that is held from the start, and uvicorn in a thread of its own."""

import asyncio
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import uvicorn

try:  # the parser in C: a request costs a third
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as HttpProtocol
except ImportError:
    from uvicorn.protocols.http.h11_impl import H11Protocol as HttpProtocol  # type: ignore[assignment]

_START_SECONDS = 30
_STOP_SECONDS = 10
_URL_LIMIT = 60_000  # httptools reads up to 65,535; ours is refused long before

T = TypeVar("T")


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound, listening socket: its port is ours from here on, so nobody can take it in between.

    Raises:
        OSError: The port is taken, or the machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only for sockets that name it:
    # head and body of an answer are two writes, and would wait 40 ms for each other.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there the option would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        listener.set_inheritable(True)
    except BaseException:
        listener.close()
        raise
    return listener


def origin_of(listener: socket.socket, host: str, scheme: str = "http") -> str:
    """The address that a browser on this machine uses."""
    port = listener.getsockname()[1]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (told apart, not bound)
    return f"{scheme}://[{shown}]:{port}" if ":" in shown else f"{scheme}://{shown}:{port}"


class _Server(uvicorn.Server):
    """A uvicorn server that says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then let the waiting thread go on."""
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.answering.set()


class _Protocol(HttpProtocol):
    """HTTP on one connection, which the application may end without an answer: `scope["state"]["drop"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let the application end this connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "drop": transport.abort}

    def on_url(self, url: bytes) -> None:
        """Keep the beginning of a monstrous URL, so that it meets our own words instead of the parser's."""
        super().on_url(url)
        self.url = self.url[:_URL_LIMIT]


def config_for(app: Any, **more: Any) -> uvicorn.Config:
    """A quiet server's configuration: codes and states are in the URLs, so requests are never logged."""
    return uvicorn.Config(
        app,
        http=_Protocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,  # nobody stands between
        h11_max_incomplete_event_size=262_144,  # for monstrous URLs, without httptools
        timeout_graceful_shutdown=2,
        **more,
    )


def server_for(app: Any, tls: ssl.SSLContext | None = None) -> _Server:
    """A server that `ThreadedServer` and `Sandbox.serve` run."""
    config = config_for(app)
    config.load()
    config.ssl = tls  # made in memory; what uvicorn can be told otherwise is files
    return _Server(config)


class ThreadedServer:
    """A server in its own thread and event loop."""

    def __init__(self, app: Any, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        self._server = server_for(app, tls)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="smartcar-sandbox", daemon=True
        )

    def start(self) -> None:
        """Return once requests are answered."""
        self._thread.start()
        if not self._server.answering.wait(_START_SECONDS):
            raise RuntimeError("the sandbox's server did not start within 30 seconds")

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the server's loop, so that it sees nothing half done."""
        if threading.current_thread() is self._thread:
            return function()
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(function())
            except BaseException as error:
                done.set_exception(error)

        self._server.loop.call_soon_threadsafe(run)
        return done.result()

    def stop(self) -> None:
        """Return once the thread has ended."""
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)
