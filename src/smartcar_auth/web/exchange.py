"""The values that cross the border between a framework and the server side, and nothing else.

A route is a generator: it receives a `Request`, yields a `Call` for everything that is not its own
business (the application's functions, the store) and returns a `Response`. So one text of each route
serves synchronous and asynchronous frameworks; `perform` and `perform_async` are the two ways to run it.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# What the routes read; a browser sends three times as many, so hosts need not translate the rest.
HEADERS = frozenset(
    {
        "cookie",
        "host",
        "if-none-match",
        "origin",
        "purpose",
        "sec-fetch-dest",
        "sec-fetch-site",
        "sec-purpose",
    }
)


@dataclass(slots=True)
class Request:
    """What a route reads of an HTTP request.

    Args:
        method: "GET", "HEAD" or "POST".
        origin: Scheme, host and port as the server believes them, such as "https://app.example.com".
            Trusting forwarded headers is the server's decision; they are not read here.
        base: Path under which the routes are mounted, such as "/smartcar" or "".
        query: The query string as it arrived, undecoded, without "?".
        headers: At least those in `HEADERS`, by lower-case name; several Cookie fields joined by "; ".
        native: The framework's own request, handed to the application's functions.
    """

    method: str
    origin: str
    base: str
    query: bytes
    headers: Mapping[str, str]
    native: Any = None


@dataclass(slots=True)
class Response:
    """What a route answers.

    `native` is set when the application's function returned the framework's own response: send that,
    with `headers` added. `error` is set when the application is configured wrongly: send the response,
    then raise the error, so that the person reads a page and the developer a traceback.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    native: Any = None
    error: Exception | None = None


class Call(NamedTuple):
    """Something a route wants done: `function(*args)`, whose result may be awaitable."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    blocking: bool = True
    """False for what never waits (memory); True for what may, which an event loop runs in a thread."""


Steps = Generator[Call, Any, Response]


def perform(steps: Steps, invoke: Callable[[Call], Any] = lambda call: call.function(*call.args)) -> Response:
    """Run a route in a synchronous framework; `invoke` calls the application's functions, in place."""
    try:
        call = next(steps)
        while True:
            try:
                result = invoke(call)
            except Exception as error:
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as stop:
        response: Response = stop.value
        return response


async def perform_async(steps: Steps, invoke: Callable[[Call], Awaitable[Any]]) -> Response:
    """Run a route in an event loop; `invoke` awaits coroutines and moves blocking calls to a thread."""
    try:
        call = next(steps)
        while True:
            try:
                result = await invoke(call)
            except Exception as error:
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as stop:
        response: Response = stop.value
        return response
