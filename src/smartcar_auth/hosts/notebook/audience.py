"""Who is told how attempts end: handlers, and cells that await. In the kernel's event loop, whichever thread knows.

Nothing here knows of widgets or of Connect.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Audience:
    """Handlers and waiting cells.

    Args:
        failed: Called when a handler raised. What it raised is shown where it prints, for nobody waits to catch it.
    """

    def __init__(self, failed: Callable[[], object]) -> None:
        self._failed = failed
        self._handlers: list[tuple[Callable[..., Any], contextvars.Context]] = []
        self._running: set[Future[None]] = set()
        self._next: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:  # no notebook: a test, a plain script
            self._loop = None

    def add(self, handler: Callable[..., Any]) -> None:
        """One more handler; what it prints appears under the cell that runs now."""
        self._handlers.append((handler, contextvars.copy_context()))

    def next_end(self) -> asyncio.Future[None]:
        """What to await for the next end, in the running loop. Whoever gives up waiting keeps nobody else from it."""
        return asyncio.shield(asyncio.wrap_future(self._next))

    def tell(self, *said: object) -> None:
        """An attempt has ended: this is what handlers are called with."""
        ended, self._next = self._next, Future()
        ended.set_result(None)
        for handler, context in self._handlers:
            telling = self._call(handler, said)
            if self._loop is None:
                threading.Thread(target=context.run, args=(asyncio.run, telling)).start()
            else:
                running = context.run(asyncio.run_coroutine_threadsafe, telling, self._loop)
                self._running.add(running)  # an event loop may forget a task that nobody else knows
                running.add_done_callback(self._running.discard)

    async def _call(self, handler: Callable[..., Any], said: tuple[object, ...]) -> None:
        try:
            told = handler(*said)
            if inspect.isawaitable(told):
                await told
        except Exception:
            traceback.print_exc()
            self._failed()
