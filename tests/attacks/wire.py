"""HTTP by hand against a real server, and a server of the attacker's.

A `Visitor` is a browser reduced to what it sends: headers of a navigation, and a jar. What no browser would send
goes through `exchange`, byte for byte. A `Stranger` is a site that the application does not know.
"""

import re
import socket
from collections.abc import Callable
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.types import Receive, Scope, Send

NAVIGATION = {
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
}
FETCH = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}


class Answer(NamedTuple):
    """What the server sent on one connection."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes
    whole: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    @property
    def text(self) -> str:
        """The page's words."""
        return unescape(re.sub(r"<[^>]+>", " ", self.body.decode()))

    @property
    def to_connect(self) -> dict[str, str]:
        """The parameters of the redirect."""
        assert self.status == 303, self.whole
        return {name: values[0] for name, values in parse_qs(urlsplit(self.header("Location")).query).items()}

    @property
    def state(self) -> str:
        return self.to_connect["state"]

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that it sets, by name, with their values."""
        pairs = [field.partition(";")[0].partition("=") for field in self.all("Set-Cookie")]
        return {name: value for name, _, value in pairs}


def exchange(port: int, sent: bytes) -> Answer:
    """One connection: send these bytes, read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), 20) as line:
        try:
            line.sendall(sent)
        except ConnectionError:
            pass  # refused before it was all said; the answer, if any, is there to be read
        return read_answer(line)


def read_answer(line: socket.socket) -> Answer:
    pieces = []
    try:
        while piece := line.recv(65_536):
            pieces.append(piece)
    except ConnectionError:
        pass
    whole = b"".join(pieces)
    head, _, body = whole.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Answer(int(first.split(" ")[1]) if whole else 0, fields, body, whole)


class Visitor:
    """One person's browser, as the server sees it.

    Args:
        app: The application, by its port.
        jar: Cookies it carries already.
    """

    def __init__(self, app: Any, **jar: str) -> None:
        self.port = app.server.port
        self.host = f"localhost:{self.port}"
        self.jar = dict(jar)

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    def ask(
        self, target: str, method: str = "GET", *, body: bytes = b"", usual: Any = NAVIGATION, **headers: str
    ) -> Answer:
        """One request with this browser's cookies; `None` takes a usual header away."""
        given = {name.replace("_", "-").title(): value for name, value in headers.items()}
        carried = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        fields = {"Host": self.host, **usual, **({"Cookie": carried} if carried else {}), **given}
        if body or method == "POST":
            fields["Content-Length"] = str(len(body))
        fields["Connection"] = "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        sent = f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
        answer = exchange(self.port, sent)
        for field in answer.all("Set-Cookie"):
            pair, *attributes = field.split("; ")
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return answer

    def launch(self, query: dict[str, str] | str = "", **headers: Any) -> Answer:
        return self.ask(_with_query("/smartcar/launch", query), **headers)

    def callback(self, query: dict[str, str] | str, **headers: Any) -> Answer:
        return self.ask(_with_query("/smartcar/callback", query), **headers)

    def answer(self, state: str, **parameters: str) -> Answer:
        """Connect's answer for a state: a code unless parameters are given."""
        return self.callback({**(parameters or {"code": "the-code"}), "state": state})

    def status(self, attempt: str, **headers: Any) -> Answer:
        return self.ask(f"/smartcar/status/{attempt}", usual=FETCH, **headers)

    def cancel(self, attempt: str, **headers: Any) -> Answer:
        headers.setdefault("origin", self.origin)
        return self.ask(f"/smartcar/cancel/{attempt}", "POST", usual=FETCH, **headers)


def _with_query(path: str, query: dict[str, str] | str) -> str:
    text = query if isinstance(query, str) else urlencode(query)
    return f"{path}?{text}" if text else path


class Asked(NamedTuple):
    """One request that a stranger's server got."""

    method: str
    path: str
    query: str
    headers: dict[str, str]


class Stranger:
    """A site of the attacker's, or a Connect that he controls: any path has a page, every request is noted.

    Args:
        pages: Markup by path; others are empty pages.
        headers: Of every answer.
    """

    def __init__(self, pages: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> None:
        self.pages = pages or {}
        self.headers = headers or {}
        self.asked: list[Asked] = []
        self.answer: Callable[[str], list[tuple[bytes, bytes]]] = lambda path: []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        self.asked.append(Asked(scope["method"], scope["path"], scope["query_string"].decode(), headers))
        page = self.pages.get(scope["path"], "")
        body = f'<!doctype html><link rel="icon" href="data:,"><title>Stranger</title>{page}'.encode()
        fields = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        start = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        fields = [*start, *fields, *self.answer(scope["path"])]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": body})
