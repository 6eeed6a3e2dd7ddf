"""The record of finished attempts in one of Django's caches: shared by all workers that share the cache."""

from typing import Any

from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache

from smartcar_auth import ConfigurationError

_TRIES = 3


class CacheStore:
    """A `Store` on Django's cache framework: `SMARTCAR = {"CACHE": "default"}`.

    An answer counts once wherever `cache.add` is atomic: Redis, Memcached and the database. The
    local-memory cache is one per process, as the default store is. A cache that may drop entries before
    their time, because it is full, forgets attempts with them.

    Args:
        alias: Of the cache, as in `settings.CACHES`.
        prefix: Of every key; what follows is the attempt's id and a digest, neither of them a secret.

    Raises:
        ConfigurationError: There is no such cache, or it keeps nothing.
    """

    blocking = True

    def __init__(self, alias: str = "default", *, prefix: str = "smartcar-auth:") -> None:
        if alias not in caches.settings:
            raise ConfigurationError(f"settings.CACHES has no cache named {alias!r}.")
        self.alias = alias
        self._prefix = prefix
        if isinstance(self.cache, DummyCache):
            raise ConfigurationError(
                f"The cache {alias!r} is a DummyCache, which keeps nothing, so an answer would count any number of "
                "times. Name another one, or leave CACHE out."
            )

    @property
    def cache(self) -> Any:
        """The cache of this thread; Django makes one for each."""
        return caches[self.alias]

    def claim(self, attempt: str, value: str, seconds: int) -> str | None:
        """Record `value` for the attempt if there is none yet; None, or the value that was there before."""
        cache, key = self.cache, self._prefix + attempt
        for _ in range(_TRIES):
            if cache.add(key, value, seconds):
                return None
            found: str | None = cache.get(key)
            if found is not None:
                return found
            # It expired between the two calls, so the attempt may be claimed again.
        # Some backends report a failed write as "there already": then nobody knows, and nothing may happen.
        raise ConnectionError(f"The cache {self.alias!r} neither takes a key nor has it.")

    def settle(self, attempt: str, value: str, seconds: int) -> None:
        """Replace the value of an attempt that this caller has claimed."""
        self.cache.set(self._prefix + attempt, value, seconds)

    def find(self, attempt: str) -> str | None:
        """The recorded value, or None."""
        found: str | None = self.cache.get(self._prefix + attempt)
        return found
