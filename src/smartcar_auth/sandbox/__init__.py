"""Smartcar Connect on your own machine: consent pages, tokens and simulated vehicles, without an account.

    with Sandbox() as sandbox:
        Smartcar(application_id="any", redirect_uri=..., connect_origin=sandbox.origin)

Imports the core at most; the web layer, hosts and command line are not for it to know.
"""

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, Unpack

import anyio.to_thread
from starlette.applications import Starlette

from .app import make_app
from .flow import Flow
from .journal import Recorded, Requests
from .person import answered
from .plan import Options, plan_of
from .records import Records
from .server import ThreadedServer, listening_socket, origin_of, server_for
from .settings import Clock, Ids, Settings
from .shelves import StorageFile
from .users import UserData, read_users

if TYPE_CHECKING:
    from .certificates import Certificates

__all__ = ["Clock", "Options", "Recorded", "Requests", "Sandbox"]

T = TypeVar("T")


class Sandbox:
    """One sandbox: `with`, `async with`, or `start()` and `stop()`; or just its `app`.

    Everything it learns is in memory and gone with it, unless `data` names a file. A person decides on its
    pages, unless `next` or `approve` says beforehand how an attempt ends.

    Args:
        host, port: where to listen; port 0 takes a free one. Localhost only, unless you say otherwise.
        applications: application id -> secret, and the same for API credentials (M2M), whose ids begin with
            `client_`. None accepts any, with any secret.
        management_token: the application management token (AMT). None accepts any.
        redirect_uris: the registered ones, matched byte for byte, the first being the default. None
            accepts any that Smartcar's dashboard would.
        application_name: as the pages call the application.
        strict: refuse a parameter that Connect doesn't have, for it is most likely a misspelt one.
        users: a JSON or TOML file, or a list, of users and their vehicles, beside those whom everybody has
            (docs/sandbox.md shows one).
        data: a file that keeps users, connections, tokens and vehicles from one start to the next.
        tls: speak TLS, as Smartcar's own hosts, with a certificate made at start: see `certificates`.
        log: is told of each request once it is answered.
        clock: seconds since 1970. `sandbox.clock.move(seconds)` lets time pass, whatever it is.
        seed: makes every id repeatable, for tests only.

    Attributes:
        clock: the time in the sandbox.
        certificates: while it runs with `tls`: the authority's file, the hash of the server's key. Else None.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        applications: Mapping[str, str] | None = None,
        redirect_uris: Sequence[str] | None = None,
        application_name: str = "Sample app",
        strict: bool = True,
        users: str | Path | UserData = (),
        data: str | Path | None = None,
        tls: bool = False,
        management_token: str | None = None,
        log: Callable[[Recorded], None] | None = None,
        clock: Callable[[], float] = time.time,
        seed: int | str | None = None,
    ) -> None:
        if isinstance(redirect_uris, str):
            raise TypeError(f"redirect_uris is a list: [{redirect_uris!r}]")
        if seed is not None and data is not None:
            raise ValueError("seed repeats ids and data keeps them: use one of the two.")
        self._host = host
        self._port = port
        self._origin: str | None = None
        self._server: ThreadedServer | None = None
        self.clock = Clock(clock)
        self._settings = Settings(
            applications=None if applications is None else dict(applications),
            redirect_uris=None if redirect_uris is None else tuple(redirect_uris),
            application_name=application_name,
            management_token=management_token,
            keeps=data is not None,
            strict=strict,
            clock=self.clock,
            ids=Ids(seed),
            users=read_users(users),
        )
        self._speaks_tls = tls
        self.certificates: Certificates | None = None
        self._file = None if data is None else StorageFile(data)
        self._records = Records(self._file)
        self.app: Starlette = make_app(self._settings, self._records, log)

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

    @property
    def requests(self) -> Requests:
        """What was asked of it so far; `requests.one(path, ...)` and `requests.none(...)` assert."""
        return Requests(tuple(self._records.requests))

    def next(self, **options: Unpack[Options]) -> None:
        """Settle how the next attempt goes. Called again, the one after it.

        With an `outcome` Connect shows no page: whoever opens it is sent back at once. Without one a person
        decides, and only the hostile switches are on.

        Args:
            options: those of `Options`.

        Raises:
            TypeError: an option that doesn't exist.
            ValueError: a value that the option can't have.
        """
        self._records.plans.append(plan_of(options))

    def approve(self, auth_url: str, **options: Unpack[Options]) -> str:
        """Go through Connect as a person who says yes, without a browser.

        Returns:
            Where Connect would send the browser: the redirect URI with the answer.

        Args:
            auth_url: where the application sent the person. Only its path and query count.
            options: those of `Options`; with another `outcome` the person doesn't say yes.

        Raises:
            TypeError: an option that doesn't exist.
            ValueError: a value that the option can't have, a request that Connect refuses, a screen that
                lets nobody past, or a request without a redirect URI.
        """
        plan = plan_of({"outcome": "granted", **options})
        return self._safely(lambda: answered(Flow(self._settings, self._records), auth_url, plan))

    def reset(self) -> None:
        """Forget everything that happened and was planned, set the clock right, begin the ids again."""
        self._safely(self._records.clear)
        self._settings.ids.reset()
        self.clock.reset()

    def _safely(self, function: Callable[[], T]) -> T:
        """Call what touches the records where nobody else does: in the loop that owns them."""
        return function() if self._server is None else self._server.call(function)

    def start(self) -> "Sandbox":
        """Listen and answer, in a thread of its own.

        Raises:
            OSError: the port is taken, or the host isn't this machine's.
            RuntimeError: it is running already, or has let go of its file.
            ImportError: the package for TLS is missing.
        """
        listener = self._listener()
        self._server = ThreadedServer(self.app, listener, self._tls)
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening, and let go of the file; a second call does nothing."""
        server, self._server, self._origin = self._server, None, None
        if server is not None:
            server.stop()
        if self._file is not None:
            self._file.close()
        if self.certificates is not None:
            self.certificates.remove()
            self.certificates = None

    async def serve(self) -> None:
        """Listen and answer in this event loop, until cancelled or interrupted; for a program of its own.

        Raises:
            OSError: the port is taken, or the host isn't this machine's.
            RuntimeError: it is running already, or has let go of its file.
        """
        listener = self._listener()
        try:
            await server_for(self.app, self._tls).serve([listener])
        finally:
            self.stop()
            listener.close()

    @property
    def _tls(self) -> ssl.SSLContext | None:
        return None if self.certificates is None else self.certificates.context

    def _listener(self) -> socket.socket:
        """Take the port, which makes the origin known."""
        if self._origin is not None:
            raise RuntimeError(f"The sandbox is running already, at {self._origin}.")
        if self._file is not None and self._file.closed:
            raise RuntimeError("The sandbox has let go of its data file. Make another one.")
        if self._speaks_tls:
            from .certificates import Certificates  # only for those who want TLS: it needs another package

            self.certificates = Certificates(self._host)
        listener = listening_socket(self._host, self._port)
        self._origin = origin_of(listener, self._host, "https" if self._speaks_tls else "http")
        return listener

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
