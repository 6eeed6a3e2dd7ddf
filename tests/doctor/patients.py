"""Applications with one thing wrong each, and the doctor's words about them."""

from collections.abc import Callable, Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smartcar_auth.doctor import examine_address
from smartcar_auth.web.doctor import Finding

CONNECT = (
    "http://127.0.0.1:9"  # where nobody goes: the doctor reads the address of Connect, and doesn't open it
)

# A site that is public by its name, http being refused there, and yet on this machine.
PUBLIC = "127.0.0.2"

# What an operator writes, so that an application knows how it is reached.
FORWARDING = "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;"


class Answer:
    """What an application answers, for a test to change on its way out."""

    def __init__(self, path: str, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.path = path
        self.status = status
        self.headers = list(headers)
        self.body = body

    def drop(self, name: str) -> None:
        self.headers = [pair for pair in self.headers if pair[0] != name]

    def put(self, name: str, value: str) -> None:
        self.drop(name)
        self.headers.append((name, value))

    def get(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key == name)


class Altered:
    """An application whose every answer passes through a function."""

    def __init__(self, app: ASGIApp, change: Callable[[Answer], Any]) -> None:
        self._app = app
        self._change = change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        start, *rest = messages
        answer = Answer(
            scope["path"],
            start["status"],
            [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]],
            b"".join(message.get("body", b"") for message in rest),
        )
        self._change(answer)
        answer.put("content-length", str(len(answer.body)))
        fields = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        await send({**start, "status": answer.status, "headers": fields})
        await send({"type": "http.response.body", "body": answer.body})


def on(path: str, change: Callable[[Answer], Any]) -> Callable[[Answer], Any]:
    """The change for one path alone, or for those that begin with it if it ends with a star."""

    def changed(answer: Answer) -> None:
        if answer.path == path or (path.endswith("*") and answer.path.startswith(path[:-1])):
            change(answer)

    return changed


def login(answer: Answer) -> None:
    """What a login in front of an application does to a visitor."""
    answer.status, answer.body = 302, b""
    answer.headers = [("location", "/login?next=/somewhere%3Ftoken%3Dhunter2")]


def address_of(host: str) -> str:
    return "127.0.0.1" if host == "localhost" else host


def examined(url: str, **options: Any) -> list[Finding]:
    return list(examine_address(url, **options))


def of(findings: Iterable[Finding], check: str) -> list[tuple[str, str]]:
    """The findings of one check, as (level, message)."""
    return [(finding.level, finding.message) for finding in findings if finding.check == check]


def one(findings: Iterable[Finding], check: str) -> tuple[str, str]:
    """The only finding of a check."""
    found = list(findings)
    assert len(of(found, check)) == 1, "\n".join(map(str, found))
    return of(found, check)[0]


def complaints(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """What isn't fine, as (level, check)."""
    return [(finding.level, finding.check) for finding in findings if finding.level != "ok"]
