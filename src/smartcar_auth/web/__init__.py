"""The server side of Connect, without I/O: a `Request` value in, a `Response` value out.

Everything that a web framework's host needs is here: the routes as generators (`Connect`), the two
loops that run them (`perform`, `perform_async`) and the default store. No framework, no socket and
no clock of its own; the hosts in `smartcar_auth.hosts` translate.
"""

from typing import TYPE_CHECKING, Any

from ._needs import require_itsdangerous

require_itsdangerous()

from .connect import Connect  # noqa: E402 (the check above speaks in words first)
from .exchange import Call, Request, Response, Steps, perform, perform_async  # noqa: E402
from .store import ProcessStore, Store  # noqa: E402

if TYPE_CHECKING:
    from .redis import RedisStore as RedisStore

__all__ = [
    "Call",
    "Connect",
    "ProcessStore",
    "Request",
    "Response",
    "Steps",
    "Store",
    "perform",
    "perform_async",
]


def __getattr__(name: str) -> Any:
    if name == "RedisStore":  # redis-py is imported only where it is asked for
        from .redis import RedisStore

        return RedisStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
