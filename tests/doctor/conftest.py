"""Real applications to examine, healthy and ill, on real ports; a real nginx to stand in front of them."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from starlette.types import ASGIApp, Receive, Scope, Send

from browser.application import Application, Server, serving
from deployment.deployed import Deployment
from doctor.patients import CONNECT, Altered, address_of


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Serve an ASGI application until the test ends."""
    with serving() as started:
        yield started


@pytest.fixture
def patient(serve: Callable[..., Server]) -> Callable[..., Application]:
    """A healthy application, but for its options and for what `change` does to its answers.

    `at` gives more options, those that can't be known before the port is.
    """

    def made(
        change: Callable[..., Any] | None = None,
        *,
        connect_origin: str = CONNECT,
        at: Callable[[int], dict[str, Any]] = lambda port: {},
        **knobs: Any,
    ) -> Application:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await served(scope, receive, send)

        server = serve(answer)
        app = Application(connect_origin, **{"identify": True, **knobs, **at(server.port)})
        app.server = server
        served: ASGIApp = app if change is None else Altered(app, change)
        return app

    return made


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Workers in processes of their own, and nginx; all of it ends with the test."""
    deployment = Deployment(tmp_path)
    yield deployment
    deployment.end()


@pytest.fixture
def proxy(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """nginx in front of servers, in turn; its origin. With `host` it speaks TLS there, trusted by this process."""

    def started(*ports: int, directives: str = "", http: str = "", host: str | None = None) -> str:
        upstream = "".join(f"server 127.0.0.1:{port}; " for port in ports)
        listen = "listen 127.0.0.1:{port};"
        if host is not None:
            authority, folder = trustme.CA(), deployment.folder
            authority.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(str(folder / "site.pem"))
            authority.cert_pem.write_to_path(str(folder / "authority.pem"))
            monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
            listen = f"ssl_certificate {folder}/site.pem; ssl_certificate_key {folder}/site.pem;"
            listen += "".join(
                f"listen {one}:{{port}} ssl;" for one in sorted({"127.0.0.1", address_of(host)})
            )
        nginx = deployment.nginx(
            f"upstream workers {{ {upstream} }} {http}\n"
            f"server {{ {listen} location / {{ proxy_pass http://workers; {directives} }} }}"
        )
        return f"https://{host}:{nginx.port}" if host else f"http://localhost:{nginx.port}"

    return started


@pytest.fixture
def speak() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """A server that says to each visitor what a function says, byte for byte; its port."""
    listeners: list[socket.socket] = []
    lines: list[socket.socket] = []

    def started(say: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def answer(line: socket.socket) -> None:
            try:
                say(line)
            except OSError:
                pass  # the visitor had enough

        def accept() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                lines.append(line)
                threading.Thread(target=answer, args=[line], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield started
    for one in listeners:
        one.shutdown(socket.SHUT_RDWR)
    for one in [*listeners, *lines]:
        one.close()
