"""The two loops that run a route."""

import anyio
import pytest

from smartcar_auth.web import Call, Response, perform, perform_async


def steps():
    """A route that survives a failing call and reports what it got."""
    first = yield Call(int, ("7",))
    try:
        yield Call(int, ("x",))
    except ValueError as error:
        second = type(error).__name__
    third = yield Call(str, (first,))
    return Response(200, body=f"{first} {second} {third}".encode())


def failing():
    """A route that lets a call's failure pass."""
    yield Call(int, ("x",))
    return Response(200)


async def invoke(call):
    """The smallest event loop's way to call."""
    return call.function(*call.args)


def test_perform_feeds_results_and_errors_back():
    """A route gets each call's result, or its exception where it stands."""
    assert perform(steps()).body == b"7 ValueError 7"
    with pytest.raises(ValueError, match="invalid literal"):
        perform(failing())


def test_perform_async_feeds_results_and_errors_back():
    """The same in an event loop."""
    assert anyio.run(perform_async, steps(), invoke).body == b"7 ValueError 7"
    with pytest.raises(ValueError, match="invalid literal"):
        anyio.run(perform_async, failing(), invoke)
