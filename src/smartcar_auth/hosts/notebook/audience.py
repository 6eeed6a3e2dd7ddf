"""Who is told how attempts end: handlers, and cells that await. All in the kernel's event loop, whichever thread knows.

Nothing here knows of widgets or of Connect.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smartcar_auth import AuthorizationResponse, SmartcarAuthError


class Audience:
    """Handlers and waiting cells.

    Args:
        failed: Called when a handler raised. What it raised is shown where it prints, for nobody waits to catch it.
    """

    def __init__(self, failed: Callable[[], object]) -> None:
        self._failed = failed
        self._handlers: list[tuple[Callable[..., Any], contextvars.Context]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._running: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:  # no notebook: a test, a plain script
            self._loop = None

    def add(self, handler: Callable[..., Any]) -> None:
        """One more handler; what it prints appears under the cell that runs now."""
        self._handlers.append((handler, contextvars.copy_context()))

    def seat(self) -> asyncio.Future[None]:
        """For somebody who awaits the next end, in the running loop."""
        seat: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(seat)
        return seat

    def tell(self, error: SmartcarAuthError | None, response: AuthorizationResponse | None) -> None:
        """An attempt has ended."""
        waiting, self._waiting = self._waiting, []
        for seat in waiting:
            seat.get_loop().call_soon_threadsafe(_release, seat)
        for handler, context in self._handlers:
            if self._loop is None:
                context.run(self._call, handler, error, response)
            else:
                self._loop.call_soon_threadsafe(self._call, handler, error, response, context=context)

    def _call(self, handler: Callable[..., Any], *said: object) -> None:
        try:
            told = handler(*said)
        except Exception:
            self._fail()
            return
        if not inspect.isawaitable(told):
            return
        if self._loop is None:
            asyncio.run(self._finish(told))
        else:
            task = asyncio.ensure_future(self._finish(told))
            self._running.add(task)  # an event loop may forget a task that nobody else knows
            task.add_done_callback(self._running.discard)

    async def _finish(self, told: Any) -> None:
        try:
            await told
        except Exception:
            self._fail()

    def _fail(self) -> None:
        traceback.print_exc()
        self._failed()


def _release(seat: asyncio.Future[None]) -> None:
    if not seat.done():  # whoever sat there may have been interrupted
        seat.set_result(None)
