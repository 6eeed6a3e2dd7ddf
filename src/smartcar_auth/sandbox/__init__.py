"""Smartcar Connect on your own machine: consent pages, tokens and simulated vehicles, without an account.

    with Sandbox() as sandbox:
        Smartcar(application_id="any", redirect_uri=..., connect_origin=sandbox.origin)

Imports the core at most; the web layer, hosts and command line are not for it to know.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import anyio.to_thread
from starlette.applications import Starlette

from .app import make_app
from .records import Records
from .server import ThreadedServer, listening_socket, origin_of, server_for
from .settings import Ids, Settings

__all__ = ["Sandbox"]


class Sandbox:
    """One sandbox: `with`, `async with`, or `start()` and `stop()`; or just its `app`.

    Everything it learns is in memory and gone with it.

    Args:
        host, port: where to listen; port 0 takes a free one. Localhost only, unless you say otherwise.
        applications: application id -> secret. None accepts any application id that is not an M2M
            one (`client_...`), with any secret.
        redirect_uris: the registered ones, matched byte for byte, the first being the default. None
            accepts any that Smartcar's dashboard would.
        application_name: as the pages call the application.
        clock: seconds since 1970; a test hands in one that it can move.
        seed: makes every id repeatable, for tests only.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        applications: Mapping[str, str] | None = None,
        redirect_uris: Sequence[str] | None = None,
        application_name: str = "Sample app",
        clock: Callable[[], float] = time.time,
        seed: int | str | None = None,
    ) -> None:
        if isinstance(redirect_uris, str):
            raise TypeError(f"redirect_uris is a list: [{redirect_uris!r}]")
        self._host = host
        self._port = port
        self._origin: str | None = None
        self._server: ThreadedServer | None = None
        settings = Settings(
            applications=None if applications is None else dict(applications),
            redirect_uris=None if redirect_uris is None else tuple(redirect_uris),
            application_name=application_name,
            clock=clock,
            ids=Ids(seed),
        )
        self.app: Starlette = make_app(settings, Records())

    @property
    def origin(self) -> str:
        """Where it listens, for `connect_origin` and the official SDKs' environment variables.

        Raises:
            RuntimeError: it isn't running.
        """
        if self._origin is None:
            raise RuntimeError("The sandbox isn't running: use `with Sandbox() as sandbox:` or call start().")
        return self._origin

    @property
    def token_url(self) -> str:
        """The token endpoint, whole, as SMARTCAR_AUTH_ORIGIN wants it.

        Raises:
            RuntimeError: it isn't running.
        """
        return f"{self.origin}/oauth/token"

    def start(self) -> "Sandbox":
        """Listen and answer, in a thread of its own.

        Raises:
            OSError: the port is taken, or the host isn't this machine's.
            RuntimeError: it is running already.
        """
        if self._origin is not None:
            raise RuntimeError(f"The sandbox is running already, at {self._origin}.")
        listener = listening_socket(self._host, self._port)
        self._server = ThreadedServer(self.app, listener)
        self._server.start()
        self._origin = origin_of(listener, self._host)
        return self

    def stop(self) -> None:
        """Stop listening; a second call does nothing."""
        server, self._server, self._origin = self._server, None, None
        if server is not None:
            server.stop()

    async def serve(self) -> None:
        """Listen and answer in this event loop, until cancelled or interrupted; for a program of its own.

        Raises:
            OSError: the port is taken, or the host isn't this machine's.
        """
        listener = listening_socket(self._host, self._port)
        self._origin = origin_of(listener, self._host)
        try:
            await server_for(self.app).serve([listener])
        finally:
            self._origin = None
            listener.close()

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> "Sandbox":
        return await anyio.to_thread.run_sync(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await anyio.to_thread.run_sync(self.stop)
