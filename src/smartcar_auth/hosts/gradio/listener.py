"""Functions that are given a result, in the form in which Gradio calls functions."""

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import gradio as gr

from smartcar_auth import ConfigurationError


def given(result: Callable[[gr.EventData, gr.Request], Any], fn: Callable[..., Any]) -> Any:
    """A listener in Gradio's eyes, of the same kind as `fn`, which gets the result in the event's place.

    Raises:
        ConfigurationError: There is no place for it.
    """
    call = getattr(fn, "__call__", None)  # noqa: B004 (an object with an async __call__)
    listener: Any
    if inspect.isasyncgenfunction(fn):

        async def listener(told: gr.EventData, request: gr.Request, *args: Any, **named: Any) -> Any:
            async for one in fn(result(told, request), *args, **named):
                yield one

    elif inspect.isgeneratorfunction(fn):

        def listener(told: gr.EventData, request: gr.Request, *args: Any, **named: Any) -> Any:
            yield from fn(result(told, request), *args, **named)

    elif inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(call):

        async def listener(told: gr.EventData, request: gr.Request, *args: Any, **named: Any) -> Any:
            return await fn(result(told, request), *args, **named)

    else:

        def listener(told: gr.EventData, request: gr.Request, *args: Any, **named: Any) -> Any:
            return fn(result(told, request), *args, **named)

    # Gradio looks at names and annotations to know what else to hand over.
    parameters = list(inspect.signature(fn).parameters.values())
    if not parameters or parameters[0].kind in (_NAMED, _REST_NAMED):
        raise ConfigurationError(f"{getattr(fn, '__name__', fn)} must take the result as its first argument.")
    if parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        del parameters[0]
    ours = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in _OURS]
    listener.__signature__ = inspect.Signature([*ours, *parameters])
    listener.__annotations__ = {**_hints(fn), **_OURS}
    listener.__name__ = getattr(fn, "__name__", "listener")
    return listener


_OURS = {"_told": gr.EventData, "_request": gr.Request}
_NAMED, _REST_NAMED = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD


def _hints(fn: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(fn if inspect.isroutine(fn) else fn.__call__)  # type: ignore[operator]
    except (NameError, TypeError):
        return {}  # names that only type checkers see: Gradio goes without, too
