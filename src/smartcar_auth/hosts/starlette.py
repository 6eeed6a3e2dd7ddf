"""Starlette: Connect's routes as a list of `Route`, and the button for its templates.

Nothing is decided here. A request is translated to a value, a route of `smartcar_auth.web` runs over it,
and its answer is sent. The endpoints are plain ASGI applications: no middleware is needed around them.
"""

import inspect
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

try:
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request as NativeRequest
    from starlette.responses import Response as NativeResponse
    from starlette.routing import NoMatchFound, Route
except ImportError as error:
    raise ImportError(
        'smartcar_auth.hosts.starlette needs Starlette: pip install "smartcar-auth[starlette]"'
    ) from error

from smartcar_auth import ConfigurationError
from smartcar_auth.web import Call, Connect, Request, Response, Steps, pages, perform_async
from smartcar_auth.web.connect import checked_subject
from smartcar_auth.web.exchange import HEADERS

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.types import Message, Receive, Scope, Send

__all__ = ["SmartcarConnect"]


class SmartcarConnect(Connect):
    """Connect for a Starlette application: `Mount("/smartcar", routes=connect.routes)`.

    Arguments and handlers are those of `smartcar_auth.web.Connect`. `identify`, `on_complete` and
    `on_error` receive Starlette's `Request`; a plain `def` runs in a thread, `async def` in the loop.
    """

    @property
    def routes(self) -> list[Route]:
        """The routes, for a `Mount`, a `Router` or `Starlette(routes=...)`."""

        def route(path: str, name: str, run: "_Run", *methods: str) -> Route:
            return Route(path, _Endpoint(self, path, run), name=f"smartcar_{name}", methods=list(methods))

        return [
            route("/launch", "launch", lambda request, _: self.launch(request), "GET"),
            route("/callback", "callback", lambda request, _: self.callback(request), "GET"),
            route("/status/{name}", "status", self.status, "GET"),
            route("/cancel/{name}", "cancel", self.cancel, "POST"),
            route("/connect.js", "module", lambda request, _: self.asset(request, "connect.js"), "GET"),
            route("/assets/{name}", "asset", self.asset, "GET"),
        ]

    def install(self, env: "Environment") -> None:
        """Add `smartcar_button(request, label, ...)` to a Jinja2 environment.

        Starlette's `Jinja2Templates` has it as `templates.env`.
        """
        env.globals["smartcar_button"] = self.button

    def button(
        self,
        request: NativeRequest,
        label: str = "Connect your car",
        *,
        launch: str | None = None,
        make: str | None = None,
        single_select: bool | None = None,
        return_to: str | None = None,
        **attributes: str,
    ) -> Any:
        """The button's markup, for a template: the element, and the link that it is without JavaScript.

        Args:
            request: The request that the page answers.
            label: What the button reads.
            launch: From `launch_url`, for options that the page may not choose; then no other option goes.
            make: Such as "TESLA", to skip the choice of brand.
            single_select: Whether the person picks a single vehicle.
            return_to: Path on this site where a flow without pop-up ends.
            attributes: Of the element; `window_options="width=500,height=800"`, `id`, `class_`.
        """
        from markupsafe import Markup

        if launch is None:
            chosen = {"make": make, "single_select": single_select}
            launch = self._launch_path(request) + pages.query_of(chosen)
        elif make is not None or single_select is not None:
            raise ConfigurationError("Seal make and single_select with launch_url(), or leave launch= out.")
        return Markup(  # noqa: S704 (pages.button escapes every value)
            pages.button(
                launch,
                label,
                return_to=return_to,
                attempt_seconds=self.attempt_seconds,
                attributes=attributes,
            )
        )

    def launch_url(self, request: NativeRequest, **options: Any) -> "LaunchURL":
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

    def is_native(self, result: Any) -> bool:
        return isinstance(result, NativeResponse)

    def _launch_path(self, request: NativeRequest) -> str:
        try:
            return str(request.url_for("smartcar_launch").path)
        except NoMatchFound:
            raise ConfigurationError(
                "Connect's routes are not in this application, or in a Mount with a name. Add "
                'Mount("/smartcar", routes=connect.routes), or give launch="/path/to/launch".'
            ) from None


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


_Run = Callable[[Request, str], Steps | Response]


class _Endpoint:
    """One route as an ASGI application."""

    def __init__(self, connect: SmartcarConnect, path: str, run: _Run) -> None:
        self._connect = connect
        self._segments = path.count("/")
        self._run = run

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        native = NativeRequest(scope, receive)
        answer = self._run(self._read(scope, native), scope["path_params"].get("name", ""))
        if not isinstance(answer, Response):
            answer = await perform_async(answer, _invoke)
        if answer.native is not None:
            await answer.native(scope, receive, partial(_send_with, answer.headers, send))
        else:
            headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
            headers.append((b"content-length", b"%d" % len(answer.body)))
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send(
                {"type": "http.response.body", "body": b"" if native.method == "HEAD" else answer.body}
            )
        if answer.error is not None:
            # The person has read a page; the developer gets the traceback, as with any server error.
            raise answer.error

    def _read(self, scope: "Scope", native: NativeRequest) -> Request:
        # Under a server's root path, `path` may or may not begin with it (FastAPI's own does not add it).
        path: str = scope["path"]
        root: str = scope.get("root_path", "").rstrip("/")
        if not path.startswith(f"{root}/"):
            path = root + path
        headers = _headers(scope["headers"])
        host = headers.get("host") or "{}:{}".format(*scope.get("server") or ("localhost", 80))
        scheme = scope["scheme"]
        default_port = ":443" if scheme == "https" else ":80"
        return Request(
            method=scope["method"],
            origin=f"{scheme}://{host.lower().removesuffix(default_port)}",
            # Quoted, for it becomes part of the redirect URI; a Mount's path parameter is a visitor's choice.
            base=quote(path.rsplit("/", self._segments)[0], safe="/:@!$&'()*+,;=-._~"),
            query=scope["query_string"],
            headers=headers,
            native=native,
        )


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


async def _invoke(call: Call) -> Any:
    function = call.function
    if not call.blocking:
        result = function(*call.args)
    elif inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 (an object with an async __call__)
    ):
        return await function(*call.args)
    else:
        result = await run_in_threadpool(function, *call.args)
    return await result if inspect.isawaitable(result) else result


async def _send_with(fields: list[tuple[str, str]], send: "Send", message: "Message") -> None:
    """Send the application's own response with our cookies in it."""
    if message["type"] == "http.response.start":
        ours = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields]
        message = {**message, "headers": [*message.get("headers", []), *ours]}
    await send(message)
