"""The cookies of attempts: names, attributes, and how many a browser may carry.

One cookie per attempt, so that two tabs never overwrite each other. Its scheme decides its name:
over https `__Host-smartcar-ATTEMPT`, which no sibling subdomain can plant (RFC 6265bis, section
4.1.3.2); over http, for localhost only, `smartcar-ATTEMPT`.
"""

from .attempt import ID_LENGTH, OUTCOME_SECONDS, Attempt, is_id, seal, unseal
from .seal import Sealer

MOST = 10
MOST_BYTES = 4096  # a browser's limit for one cookie and, in gunicorn, half of that for all header fields


class Cookies:
    """The attempts that one browser carries, as read from its Cookie header.

    Args:
        header: The Cookie header, hostile like every header.
        secure: Whether the redirect URI is https.
        sealer: Opens and makes the values.
    """

    def __init__(self, header: str, *, secure: bool, sealer: Sealer) -> None:
        self._secure = secure
        self._sealer = sealer
        self._prefix = "__Host-smartcar-" if secure else "smartcar-"
        self._values: dict[str, str] = {}
        for pair in header.split(";"):
            # Spaces only: a sibling may plant a cookie whose name is "\xa0__Host-...", for browsers no prefix.
            name, found, value = pair.strip(" ").partition("=")
            if found and name.startswith(self._prefix):
                attempt = name[len(self._prefix) :]
                if is_id(attempt):
                    self._values.setdefault(attempt, value)

    def __contains__(self, attempt: str) -> bool:
        return attempt in self._values

    def get(self, attempt: str) -> Attempt | None:
        """The attempt, or None when this browser doesn't carry it or its seal is broken."""
        value = self._values.get(attempt)
        return None if value is None else unseal(self._sealer, attempt, value)

    def put(self, attempt: Attempt, seconds: int) -> list[tuple[str, str]]:
        """The Set-Cookie fields that keep this attempt, and drop the oldest where there are too many."""
        value = seal(self._sealer, attempt)
        sizes = {name: self._size(text) for name, text in self._values.items() if name != attempt.id}
        dropped = self._too_many(sizes, self._size(value)) if sizes else []
        return [*(self._field(name, "", 0) for name in dropped), self._field(attempt.id, value, seconds)]

    def end(self, attempt: Attempt) -> list[tuple[str, str]]:
        """The Set-Cookie fields by which the attempt's outcome replaces the attempt."""
        return self.put(attempt, OUTCOME_SECONDS)

    def _too_many(self, sizes: dict[str, int], more: int) -> list[str]:
        """The oldest, which have to go before another one of so many bytes comes."""
        together = sum(sizes.values()) + more
        oldest_last = sorted(sizes, key=self._issued)[::-1]
        dropped = []
        while oldest_last and (len(oldest_last) >= MOST or together >= MOST_BYTES):
            dropped.append(oldest_last.pop())
            together -= sizes[dropped[-1]]
        return dropped

    def _issued(self, attempt: str) -> int:
        found = self.get(attempt)
        return found.issued if found is not None else 0  # what we can't read goes first

    def _size(self, value: str) -> int:
        """Bytes in a Cookie header, name and separators included."""
        return len(self._prefix) + ID_LENGTH + len("=; ") + len(value)

    def _field(self, attempt: str, value: str, seconds: int) -> tuple[str, str]:
        secure = "; Secure" if self._secure else ""
        return (
            "Set-Cookie",
            f"{self._prefix}{attempt}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}",
        )
