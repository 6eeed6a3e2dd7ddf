"""Requests to an ASGI application in this process, without a client in between: a scope in, messages out."""

from collections.abc import Iterable
from typing import Any

Scope = dict[str, Any]
Message = dict[str, Any]

# What Chromium sends with a top-level navigation. A list of pairs, as a server hands it over.
NAVIGATION = [
    (b"sec-ch-ua", b'"Chromium";v="156", "Not)A;Brand";v="24"'),
    (b"sec-ch-ua-mobile", b"?0"),
    (b"sec-ch-ua-platform", b'"Linux"'),
    (b"upgrade-insecure-requests", b"1"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    (b"sec-fetch-mode", b"navigate"),
    (b"sec-fetch-user", b"?1"),
    (b"sec-fetch-dest", b"document"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"accept-language", b"en-US,en;q=0.9"),
]
HOST = (b"host", b"localhost:8000")


def get(path: str, query: bytes = b"", headers: Iterable[tuple[bytes, bytes]] = ()) -> Scope:
    """The scope of a GET as uvicorn makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("localhost", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [*NAVIGATION, *headers],
        "state": {},
    }


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


class Answers:
    """Collects what applications send; `send` is what they are given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def starts(self) -> list[Message]:
        return [message for message in self.messages if message["type"] == "http.response.start"]


def header(start: Message, name: bytes) -> bytes:
    """The first header of that name.

    Raises:
        KeyError: The response has none; the message is the response.
    """
    for key, value in start["headers"]:
        if key.lower() == name:
            return bytes(value)
    raise KeyError(start)


def cookie(start: Message) -> tuple[bytes, bytes]:
    """The Cookie header with which a browser answers this response's Set-Cookie."""
    return b"cookie", header(start, b"set-cookie").partition(b";")[0]
