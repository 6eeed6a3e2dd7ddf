"""The record of finished attempts in Redis: strict single use over all workers on all machines.

One key per finished attempt, gone when its state would have expired anyway. Nothing is decided here and no
failure is hidden: what Redis, or the way to it, raises goes to the routes, which then refuse to go on.
"""

import secrets
from collections.abc import Awaitable, Callable, Generator
from typing import Any

try:
    from redis import Redis, RedisCluster
    from redis.asyncio import Redis as AsyncRedis
    from redis.asyncio import RedisCluster as AsyncRedisCluster
    from redis.asyncio.retry import Retry as AsyncRetry
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as NotConnected
    from redis.exceptions import TimeoutError as TookTooLong
    from redis.retry import Retry
except ImportError as error:
    raise ImportError('RedisStore needs redis-py: pip install "smartcar-auth[redis]"') from error

from smartcar_auth import ConfigurationError

_SECONDS = 2.0


class RedisStore:
    """A `Store` for any number of workers: `SmartcarConnect(..., store=RedisStore.from_url(url))`.

    With a client for asyncio its methods return awaitables, for hosts that run in an event loop and for no
    others, because its connections belong to one loop; with any other client they return values, which
    suits every host. The client may decode responses or not.

    Args:
        client: A `redis.Redis` or `redis.asyncio.Redis`, or one for a cluster. Give it timeouts.
        prefix: Of every key; what follows is the attempt's id and a digest, neither of them a secret.

    Raises:
        ConfigurationError: The client is none.
    """

    def __init__(
        self,
        client: Redis | RedisCluster | AsyncRedis | AsyncRedisCluster,
        *,
        prefix: str = "smartcar-auth:",
    ) -> None:
        if not isinstance(client, Redis | RedisCluster | AsyncRedis | AsyncRedisCluster):
            raise ConfigurationError(
                f"RedisStore needs a redis.Redis or redis.asyncio.Redis, not {type(client).__name__}. "
                "For an address write RedisStore.from_url(url)."
            )
        asynchronous = isinstance(client, AsyncRedis | AsyncRedisCluster)
        self._client: Any = client
        self._prefix = prefix
        self._run: Callable[[_Commands], Any] = _run_async if asynchronous else _run
        self.blocking = not asynchronous

    @classmethod
    def from_url(cls, url: str, *, asyncio: bool = False, prefix: str = "smartcar-auth:") -> "RedisStore":
        """A store with a client of its own, for "redis://...", "rediss://..." (TLS) or "unix://...".

        Args:
            url: As redis-py reads it, password included.
            asyncio: For a client that runs in the event loop; the plain one runs in a thread there.
            prefix: Of every key.

        Raises:
            ConfigurationError: The address can't be right. It isn't repeated, for it may hold a password.
        """
        # A person waits in front of a blank window. Redis answers in under a millisecond; what takes 2 s
        # will not come. The second try is for a connection that died while it was idle.
        patience = {
            "socket_connect_timeout": _SECONDS,
            "socket_timeout": _SECONDS,
            "retry": (AsyncRetry if asyncio else Retry)(NoBackoff(), 1),
            "retry_on_error": [NotConnected, TookTooLong],
        }
        client: Any = AsyncRedis if asyncio else Redis
        try:
            made = client.from_url(url, **patience)
        except (ValueError, TypeError, AttributeError):
            raise ConfigurationError(
                "The address of Redis can't be read; write it like redis://:PASSWORD@HOST:6379/0, the password "
                "percent-encoded."
            ) from None
        return cls(made, prefix=prefix)

    def claim(self, attempt: str, value: str, seconds: int) -> Any:
        """Record `value` for the attempt if there is none yet; None, or the value that was there before."""
        return self._run(self._claim(self._prefix + attempt, value, seconds))

    def settle(self, attempt: str, value: str, seconds: int) -> Any:
        """Replace the value of an attempt that this caller has claimed."""
        return self._run(self._settle(self._prefix + attempt, value, seconds))

    def find(self, attempt: str) -> Any:
        """The recorded value, or None."""
        return self._run(self._find(self._prefix + attempt))

    # Each yields what the client returned, and receives what came of it: one text for both kinds of client.

    def _claim(self, key: str, value: str, seconds: int) -> "_Commands":
        # Clients send a command again when its answer is lost. The mark tells our own first try, which Redis
        # had carried out, from somebody else's claim.
        marked = f"{secrets.token_urlsafe(6)} {value}"
        while True:
            # Not SET with NX and GET in one, which Redis 6 refuses.
            if (yield self._client.set(key, marked, nx=True, ex=seconds)):
                return None
            found = _text((yield self._client.get(key)))
            if found == marked:
                return None
            if found is not None:
                return _unmarked(found)
            # It expired between the two commands, so the attempt may be claimed again.

    def _settle(self, key: str, value: str, seconds: int) -> "_Commands":
        yield self._client.set(key, f" {value}", ex=seconds)
        return None

    def _find(self, key: str) -> "_Commands":
        found = _text((yield self._client.get(key)))
        return None if found is None else _unmarked(found)


_Commands = Generator[Any, Any, str | None]


def _run(commands: _Commands) -> str | None:
    try:
        answer = next(commands)
        while True:
            answer = commands.send(answer)
    except StopIteration as stop:
        result: str | None = stop.value
        return result


async def _run_async(commands: _Commands) -> str | None:
    try:
        command: Awaitable[Any] = next(commands)
        while True:
            command = commands.send(await command)
    except StopIteration as stop:
        result: str | None = stop.value
        return result


def _text(found: bytes | str | None) -> str | None:
    return found.decode() if isinstance(found, bytes) else found


def _unmarked(found: str) -> str:
    return found.partition(" ")[2]
