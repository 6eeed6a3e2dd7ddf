"""Plain WSGI: Connect as an application for every framework that can mount one, or for none.

Nothing is decided here. An environ is translated to a value, a route of `smartcar_auth.web` runs over it,
and its answer is sent. Flask's host builds on this one.
"""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from smartcar_auth.web import Call, Connect, Request, Response, perform
from smartcar_auth.web.connect import checked_prefix, checked_subject, split_path
from smartcar_auth.web.exchange import HEADERS

__all__ = ["SmartcarConnect", "WSGIConnect"]

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class WSGIConnect(Connect):
    """The translation between WSGI and the routes; frameworks' hosts say where links lead and what is native."""

    def launch_url(self, request: Any, **options: Any) -> str:
        """An address of the launch route whose options nobody but the application chose.

        Good for 15 minutes and for the person whom `identify` names now.

        Args:
            request: The request in whose name the link is made.
            options: make, single_select, single_select_vin, flags, force_prompt, return_to; and, with
                `identify`, external_id, user and state (a JSON object of at most 512 bytes, which comes
                back as `response.app_state`).

        Raises:
            ConfigurationError: An option can't be right, or needs `identify`.
        """
        subject = None
        if self._identify is not None:
            subject = checked_subject(self._invoke(Call(self._identify, (request,))))
        return f"{self._launch_path(request)}?{self.sealed_query(subject, **options)}"

    def _launch_path(self, request: Any) -> str:
        """The launch route's path as pages see it."""
        raise NotImplementedError

    def _answer(self, environ: Environ, native: Any) -> Response:
        """Run the route that an environ asks for.

        Args:
            environ: PEP 3333's.
            native: What the application's functions are given.
        """
        base, below = split_path(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
        answer = self.respond(self._read(environ, base, native), below)
        return answer if isinstance(answer, Response) else perform(answer, self._invoke)

    def _read(self, environ: Environ, base: str, native: Any) -> Request:
        headers = {}
        for name, key in _READ:
            value = environ.get(key)
            if value is not None:
                headers[name] = value
        scheme = environ["wsgi.url_scheme"]
        host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return Request(
            method=environ["REQUEST_METHOD"],
            origin=f"{scheme}://{host.lower().removesuffix(':443' if scheme == 'https' else ':80')}",
            base=_quoted(base),
            query=environ.get("QUERY_STRING", "").encode("latin-1"),
            headers=headers,
            native=native,
        )

    def _invoke(self, call: Call) -> Any:
        result = call.function(*call.args)
        if result is None or not inspect.isawaitable(result):
            return result
        return asyncio.run(_awaited(result))


class SmartcarConnect(WSGIConnect):
    """Connect as a WSGI application: mount it under a prefix, or put it in front with `wrap`.

    Arguments and handlers are those of `smartcar_auth.web.Connect`. `identify`, `on_complete` and
    `on_error` receive the WSGI environ, a dict; an `async def` runs in a loop of its own. A function's own
    response is a WSGI application.

    Args:
        prefix: Where the application is mounted, for the links that `button` and `launch_url` make.
    """

    def __init__(self, *args: Any, prefix: str = "/smartcar", **options: Any) -> None:
        super().__init__(*args, **options)
        self.prefix = checked_prefix(prefix)

    def wrap(self, app: Application) -> Application:
        """An application that answers everything below `prefix` itself and leaves the rest to `app`."""

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            ours = environ.get("PATH_INFO", "").startswith(f"{self.prefix}/")
            return (self if ours else app)(environ, start_response)

        return application

    def button(self, request: Environ, label: Any = "Connect your car", **options: Any) -> str:
        """The button's markup; options as in `Connect.markup`. Mark it as safe for your templates."""
        return self.markup(lambda: self._launch_path(request), label, **options)

    def callback_script(self, request: Environ, *, text: str | None = None) -> str:
        """The script for a page of your own at the end of the pop-up. Mark it as safe for your templates."""
        return self.callback_markup(self._launch_path(request), text=text)

    def is_native(self, result: Any) -> bool:
        return callable(result)

    def _launch_path(self, request: Environ) -> str:
        return self._site.path(f"{_quoted(request.get('SCRIPT_NAME', ''))}{self.prefix}/launch")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answer(environ, environ)
        if answer.native is not None:
            own: Iterable[bytes] = answer.native(environ, _start_with(answer.headers, start_response))
            return own
        body = send(answer, environ, start_response)
        return body if answer.error is None else _then_raise(body, answer.error)


def send(answer: Response, environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Send an answer of ours as it is written."""
    fields = answer.headers
    if answer.status != 304:  # there it would have to be the length of what isn't sent
        fields = [*fields, ("Content-Length", str(len(answer.body)))]
    start_response(_STATUS[answer.status], fields)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_READ = [(name, "HTTP_" + name.upper().replace("-", "_")) for name in HEADERS]


@lru_cache(64)
def _quoted(path: str) -> str:
    """A path of an environ (bytes read as Latin-1, PEP 3333) as it stands in an address."""
    # "replace", for Bottle hands on paths that it has decoded; such a one leads nowhere, but it is no failure.
    return quote(path.encode("latin-1", "replace"), safe="/:@!$&'()*+,;=-._~")


async def _awaited(result: Any) -> Any:
    return await result


def _start_with(fields: list[tuple[str, str]], start_response: StartResponse) -> StartResponse:
    """Start the application's own response with our cookies in it."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, *fields], *more)

    return start


def _then_raise(body: Iterable[bytes], error: Exception) -> Iterator[bytes]:
    """The person has read a page; the developer gets the traceback, as with any server error."""
    yield from body
    raise error
