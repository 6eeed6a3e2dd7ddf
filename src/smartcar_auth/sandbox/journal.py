"""What was asked of a running sandbox and what it answered, for a test to look at afterwards.

Values that are nobody's business stay out of every text; a test that needs one reads it from `parameters`.
People look at the same records through `inspector`.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import overload

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .request import read_pairs

_KEPT = 2_000
_BODY_LIMIT = 65_536
_ANSWER_LIMIT = 4_096
_UNSEEN = ("/static/", "/favicon.ico", "/health", "/inspector")
_OF_APPLICATIONS = ("state", "code", "token", "client_secret", "refresh_token", "access_token")
_OF_PEOPLE = ("username", "password", "verification-code", "single_select_vin", "vin")
SECRETS = frozenset((*_OF_APPLICATIONS, *_OF_PEOPLE))


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request and how it was answered. Only what a test looks at is ever decoded.

    Attributes:
        at: when, by the sandbox's clock.
        method, path: as they came.
        status: of the answer; 0 if the connection ended without one.
        answer: the answer's body, if it is JSON and not long.
        seconds: how long it took.
    """

    at: float
    method: str
    path: str
    status: int
    query: bytes = field(default=b"", repr=False)
    body: bytes = field(default=b"", repr=False)
    raw_headers: Sequence[tuple[bytes, bytes]] = field(default=(), repr=False)
    raw_answer_headers: Sequence[tuple[bytes, bytes]] = field(default=(), repr=False)
    answer: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    number: int = field(default_factory=count(1).__next__, compare=False, repr=False)  # tells them apart

    @property
    def headers(self) -> dict[str, str]:
        """The headers, with names in lower case."""
        return _decoded(self.raw_headers)

    @property
    def answer_headers(self) -> dict[str, str]:
        """The answer's headers, with names in lower case."""
        return _decoded(self.raw_answer_headers)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the query and of the form; of a repeated one the first."""
        is_form = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return _parameters(self.query) | (_parameters(self.body) if is_form else {})

    def __str__(self) -> str:
        shown = " ".join(f"{name}={_shown(name, value)}" for name, value in self.parameters.items())
        return f"{self.method} {self.path} -> {self.status or 'no answer'}  {shown}".rstrip()


class Requests(Sequence[Recorded]):
    """The requests so far, oldest first."""

    def __init__(self, recorded: Sequence[Recorded]) -> None:
        self._recorded = tuple(recorded)

    def __len__(self) -> int:
        return len(self._recorded)

    @overload
    def __getitem__(self, index: int) -> Recorded: ...

    @overload
    def __getitem__(self, index: slice) -> "Requests": ...

    def __getitem__(self, index: int | slice) -> "Recorded | Requests":
        return Requests(self._recorded[index]) if isinstance(index, slice) else self._recorded[index]

    def __iter__(self) -> Iterator[Recorded]:
        return iter(self._recorded)

    def to(self, path: str, **parameters: str | None) -> "Requests":
        """Those to a path, with these parameters. None stands for a parameter that didn't come."""
        return Requests([one for one in self if one.path == path and not _differences(one, parameters)])

    def one(self, path: str, **parameters: str | None) -> Recorded:
        """The only one to a path with these parameters.

        Raises:
            AssertionError: there is none, or more than one; with all that there are, and what differs.
        """
        __tracebackhide__ = True
        found = self.to(path, **parameters)
        if len(found) != 1:
            raise AssertionError(self._explanation("one request", len(found), path, parameters))
        return found[0]

    def none(self, path: str, **parameters: str | None) -> None:
        """Make sure that nobody asked.

        Raises:
            AssertionError: somebody did; with all requests that there are.
        """
        __tracebackhide__ = True
        found = self.to(path, **parameters)
        if found:
            raise AssertionError(self._explanation("no request", len(found), path, parameters))

    def _explanation(self, wanted: str, count: int, path: str, parameters: Mapping[str, str | None]) -> str:
        asked = ", ".join(f"{name}={_shown(name, value)}" for name, value in parameters.items())
        lines = [f"Expected {wanted} to {path}{' with ' + asked if asked else ''}, found {count}."]
        lines.append(
            "Recorded:" if self else "Nothing was recorded. Is this sandbox the application's connect_origin?"
        )
        for one in self:
            lines.append(f"  {one}")
            if one.path == path:
                lines += [f"      {difference}" for difference in _differences(one, parameters)]
        return "\n".join(lines)


def _differences(one: Recorded, parameters: Mapping[str, str | None]) -> list[str]:
    """What about a request isn't as wanted, in words."""
    found = []
    for name, wanted in parameters.items():
        value = one.parameters.get(name)
        if value == wanted:
            continue
        if name in SECRETS and value is not None and wanted is not None:
            found.append(f"{name} is another one")
        else:
            found.append(f"{name} is {_shown(name, value)}, not {_shown(name, wanted)}")
    return found


def _shown(name: str, value: str | None) -> str:
    if value is None:
        return "missing"
    return "***" if name in SECRETS else repr(value)


class Journal:
    """An ASGI application that writes down what another one is asked and answers."""

    def __init__(
        self,
        app: ASGIApp,
        recorded: deque[Recorded],
        clock: Callable[[], float],
        log: Callable[[Recorded], None] | None = None,
    ) -> None:
        self._app = app
        self._recorded = recorded
        self._clock = clock
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on unchanged."""
        if scope["type"] != "http" or scope["path"].startswith(_UNSEEN):
            await self._app(scope, receive, send)
            return
        body, answer = bytearray(), bytearray()
        status, answer_headers = 0, ()
        is_written = False
        start: Message | None = None
        at, began = self._clock(), perf_counter()

        async def receiving() -> Message:
            message = await receive()
            if len(body) < _BODY_LIMIT:
                body.extend(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            nonlocal status, answer_headers, start
            if message["type"] == "http.response.start":
                status, answer_headers = message["status"], message["headers"]
                start = message
                return
            if len(answer) <= _ANSWER_LIMIT:
                answer.extend(message.get("body", b""))
            if not message.get("more_body", False):
                write()
            # Not before: whoever has the answer may look here, and one without a body is whole with its head.
            if start is not None:
                await send(start)
                start = None
            await send(message)

        def write() -> None:
            nonlocal is_written
            if is_written:
                return
            is_written = True
            is_json = answer.startswith((b"{", b"[")) and len(answer) <= _ANSWER_LIMIT
            one = Recorded(
                at,
                scope["method"],
                scope["path"],
                status,
                scope["query_string"],
                bytes(body),
                scope["headers"],
                answer_headers,
                bytes(answer) if is_json else b"",
                perf_counter() - began,
            )
            self._recorded.append(one)
            if self._log is not None:
                self._log(one)

        try:
            await self._app(scope, receiving, sending)
        finally:
            write()  # also of what got no answer


def _decoded(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def empty_journal() -> deque[Recorded]:
    """One that forgets the oldest rather than grow without end."""
    return deque(maxlen=_KEPT)


def _parameters(encoded: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        for name, value in read_pairs(encoded):
            found.setdefault(name, value)
    except ValueError:  # more of them than anybody sends
        return {}
    return found
