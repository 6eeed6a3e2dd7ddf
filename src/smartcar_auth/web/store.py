"""Which attempts are finished: the record that makes an attempt good for one outcome only.

Pending attempts are not recorded anywhere on the server. What is kept is the id of each *finished* one
until its state would have expired anyway, so that a copied cookie cannot finish it again.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol


class Store(Protocol):
    """What a store must provide. Methods may be `async def` for hosts that run in an event loop."""

    def claim(self, attempt: str, value: str, seconds: int) -> Any:
        """Record `value` for the attempt if there is none yet, atomically.

        Returns None when this call recorded it, else the value that was there before.
        """

    def settle(self, attempt: str, value: str, seconds: int) -> Any:
        """Replace the value of an attempt that this caller has claimed."""

    def find(self, attempt: str) -> Any:
        """The recorded value, or None."""


class ProcessStore:
    """The default store: one process, bounded memory, nothing to set up.

    Workers do not see each other's record: two of them, given the same callback at the same instant,
    may both run `on_complete`. Where that matters, use one store for all of them.

    Args:
        capacity: How many finished attempts are remembered; the oldest is forgotten first.
        clock: Seconds, monotonic.
    """

    blocking = False

    def __init__(self, capacity: int = 10_000, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        self._values: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def claim(self, attempt: str, value: str, seconds: int) -> str | None:
        now = self._clock()
        with self._lock:
            found = self._values.get(attempt)
            if found is not None and found[0] > now:
                return found[1]
            self._keep(attempt, value, now + seconds, now)
        return None

    def settle(self, attempt: str, value: str, seconds: int) -> None:
        now = self._clock()
        with self._lock:
            self._keep(attempt, value, now + seconds, now)

    def find(self, attempt: str) -> str | None:
        found = self._values.get(attempt)
        return found[1] if found is not None and found[0] > self._clock() else None

    def _keep(self, attempt: str, value: str, until: float, now: float) -> None:
        values = self._values
        values[attempt] = (until, value)
        values.move_to_end(attempt)
        # All entries live equally long, so the oldest are at the front, expired or one too many.
        while len(values) > self._capacity or values[next(iter(values))][0] <= now:
            values.popitem(last=False)

    def __len__(self) -> int:
        return len(self._values)
