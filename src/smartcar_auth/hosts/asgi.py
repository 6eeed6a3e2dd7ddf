"""Plain ASGI: Connect as an application for every framework that can mount one, or for none.

Nothing is decided here. A request is translated to a value, a route of `smartcar_auth.web` runs over it,
and its answer is sent. Starlette's host builds on this one.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import quote

from smartcar_auth import ConfigurationError
from smartcar_auth.web import Call, Connect, Request, Response, perform_async
from smartcar_auth.web.connect import checked_prefix, checked_subject, split_path
from smartcar_auth.web.exchange import HEADERS

__all__ = ["ASGIConnect", "LaunchURL", "SmartcarConnect"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class ASGIConnect(Connect):
    """The translation between ASGI and the routes; frameworks' hosts say where links lead and what is native."""

    def launch_url(self, request: Any, **options: Any) -> "LaunchURL":
        """An address of the launch route whose options nobody but the application chose.

        Good for 15 minutes and for the person whom `identify` names now. With an `async def identify`,
        await it.

        Args:
            request: The request in whose name the link is made.
            options: make, single_select, single_select_vin, flags, force_prompt, return_to; and, with
                `identify`, external_id, user and state (a JSON object of at most 512 bytes, which comes
                back as `response.app_state`).

        Raises:
            ConfigurationError: An option can't be right, or needs `identify`.
        """

        def address(subject: Any) -> str:
            query = self.sealed_query(checked_subject(subject), **options)
            return f"{self._launch_path(request)}?{query}"

        if self._identify is None:
            return LaunchURL(address(None))
        subject = self._identify(request)
        if inspect.isawaitable(subject):
            return _Unawaited.later(subject, address)
        return LaunchURL(address(subject))

    def _launch_path(self, request: Any) -> str:
        """The launch route's path as pages see it."""
        raise NotImplementedError

    def _native(self, scope: Scope, receive: Receive) -> Any:
        """What the application's functions are given."""
        return scope

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(function, *args)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"Connect's routes answer http, not {scope['type']}.")
        base, below = split_path(whole_path(scope))
        answer = self.respond(self._read(scope, receive, base), below)
        if not isinstance(answer, Response):
            answer = await perform_async(answer, self._invoke)
        if answer.native is not None:
            await answer.native(scope, receive, partial(_send_with, answer.headers, send))
        else:
            headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
            headers.append((b"content-length", b"%d" % len(answer.body)))
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send(
                {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body}
            )
        if answer.error is not None:
            # The person has read a page; the developer gets the traceback, as with any server error.
            raise answer.error

    def _read(self, scope: Scope, receive: Receive, base: str) -> Request:
        headers = _headers(scope["headers"])
        host = headers.get("host") or "{}:{}".format(*scope.get("server") or ("localhost", 80))
        scheme = scope["scheme"]
        default_port = ":443" if scheme == "https" else ":80"
        return Request(
            method=scope["method"],
            origin=f"{scheme}://{host.lower().removesuffix(default_port)}",
            # Quoted, for it becomes part of the redirect URI; a mount's path parameter is a visitor's choice.
            base=quote(base, safe="/:@!$&'()*+,;=-._~"),
            query=scope["query_string"],
            headers=headers,
            native=self._native(scope, receive),
        )

    async def _invoke(self, call: Call) -> Any:
        function = call.function
        if not call.blocking:
            result = function(*call.args)
        elif inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 (an object with an async __call__)
        ):
            return await function(*call.args)
        else:
            result = await self._in_thread(function, *call.args)
        return await result if inspect.isawaitable(result) else result


class SmartcarConnect(ASGIConnect):
    """Connect as an ASGI application: mount it under a prefix, or put it in front with `wrap`.

    Arguments and handlers are those of `smartcar_auth.web.Connect`. `identify`, `on_complete` and
    `on_error` receive the ASGI scope, a dict; a plain `def` runs in a thread, `async def` in the loop.
    A function's own response is an ASGI application.

    Args:
        prefix: Where the application is mounted, for the links that `button` and `launch_url` make.
    """

    def __init__(self, *args: Any, prefix: str = "/smartcar", **options: Any) -> None:
        super().__init__(*args, **options)
        self.prefix = checked_prefix(prefix)

    def wrap(self, app: Application) -> Application:
        """An application that answers everything below `prefix` itself and leaves the rest to `app`."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            ours = False
            if scope["type"] == "http":
                path = whole_path(scope).removeprefix(scope.get("root_path", "").rstrip("/"))
                ours = path.startswith(f"{self.prefix}/")
            await (self if ours else app)(scope, receive, send)

        return application

    def button(self, request: Scope, label: Any = "Connect your car", **options: Any) -> str:
        """The button's markup; options as in `Connect.markup`. Mark it as safe for your templates."""
        return self.markup(lambda: self._launch_path(request), label, **options)

    def callback_script(self, request: Scope, *, text: str | None = None) -> str:
        """The script for a page of your own at the end of the pop-up. Mark it as safe for your templates."""
        return self.callback_markup(self._launch_path(request), text=text)

    def is_native(self, result: Any) -> bool:
        return callable(result)

    def _launch_path(self, request: Scope) -> str:
        return self._site.path(f"{request.get('root_path', '').rstrip('/')}{self.prefix}/launch")


class LaunchURL(str):
    """A launch address: text, and awaitable, so that it reads alike with a sync and an async `identify`."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, str]:
        return self
        yield  # never: what has nothing to wait for is a generator all the same


class _Unawaited(LaunchURL):
    """What `launch_url` gives before an async `identify` has answered; as text it would be no address."""

    __slots__ = ("_address", "_subject")
    _subject: Awaitable[Any]
    _address: Callable[[Any], str]

    @classmethod
    def later(cls, subject: Awaitable[Any], address: Callable[[Any], str]) -> "LaunchURL":
        url = cls()
        url._subject = subject
        url._address = address
        return url

    def __await__(self) -> Generator[Any, Any, str]:
        subject = yield from self._subject.__await__()
        return self._address(subject)

    def __str__(self) -> str:
        raise ConfigurationError("identify is async, so write: url = await connect.launch_url(request, ...)")

    def __format__(self, specification: str) -> str:
        return str(self)

    __html__ = __str__

    def __repr__(self) -> str:
        return "<launch address, not awaited yet>"


def whole_path(scope: Scope) -> str:
    """The path as browsers see it: under a server's root path, `path` may or may not begin with it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    return path if path.startswith(f"{root}/") else root + path


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """What the routes read of an ASGI scope's headers; HTTP/2 may split Cookie into several fields."""
    values: dict[str, str] = {}
    for name, value in raw:
        key = _READ.get(name)
        if key is not None:
            text = value.decode("latin-1")
            values[key] = f"{values[key]}; {text}" if key in values else text
    return values


_READ = {name.encode(): name for name in HEADERS}


async def _send_with(fields: list[tuple[str, str]], send: Send, message: Message) -> None:
    """Send the application's own response with our cookies in it."""
    if message["type"] == "http.response.start":
        ours = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields]
        message = {**message, "headers": [*message.get("headers", []), *ours]}
    await send(message)
