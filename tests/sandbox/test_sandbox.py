"""The sandbox as a whole: starting, stopping, options, and the pages beside Connect."""

import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.lowlevel
import httpx2 as httpx
import pytest

from smartcar_auth.sandbox import Sandbox

from .conftest import APPLICATION_ID, REDIRECT_URI, Person


def in_own_loop(use: Callable[[], Awaitable[int]]) -> int:
    """Run asynchronous code in a thread without an event loop, whatever runs in the test's own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, use).result()


def test_sandbox_with_statement() -> None:
    """It answers inside the with statement, on its own origin, and not afterwards."""
    with Sandbox() as sandbox:
        origin = sandbox.origin
        assert sandbox.token_url == f"{origin}/oauth/token"
        assert httpx.get(f"{origin}/health").json() == {"status": "ok"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{origin}/health")


def test_sandbox_started_and_stopped() -> None:
    """It can be started by hand, restarted, and stopped more than once; its thread ends."""
    before = set(threading.enumerate())
    sandbox = Sandbox()
    assert sandbox.start() is sandbox
    with pytest.raises(RuntimeError, match="running already"):
        sandbox.start()
    sandbox.stop()
    sandbox.stop()
    with sandbox:
        assert httpx.get(f"{sandbox.origin}/health").status_code == 200
    assert set(threading.enumerate()) <= before


def test_sandbox_async_with() -> None:
    """It works in asynchronous code without stopping the event loop."""

    async def use() -> int:
        async with Sandbox() as sandbox, httpx.AsyncClient() as client:
            return (await client.get(f"{sandbox.origin}/health")).status_code

    assert in_own_loop(use) == 200


def test_sandbox_serve_in_own_loop() -> None:
    """serve() answers in the caller's event loop until it is cancelled."""

    async def use() -> int:
        sandbox = Sandbox()
        async with anyio.create_task_group() as group, httpx.AsyncClient() as client:
            group.start_soon(sandbox.serve)
            while True:
                await anyio.lowlevel.checkpoint()
                try:
                    status = (await client.get(f"{sandbox.origin}/health")).status_code
                except RuntimeError:
                    continue  # not listening yet
                break
            group.cancel_scope.cancel()
        return status

    assert in_own_loop(use) == 200


def test_sandbox_not_running() -> None:
    """Without a running server there is no origin, and the error says what to do."""
    with pytest.raises(RuntimeError, match="with Sandbox"):
        _ = Sandbox().origin


def test_sandbox_port_taken() -> None:
    """A taken port is an OSError at start, and nothing is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sandbox = Sandbox(port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            sandbox.start()
    with pytest.raises(RuntimeError):
        _ = sandbox.origin


def test_sandbox_on_a_given_port_twice() -> None:
    """The same port can be taken again at once."""
    with Sandbox() as first:
        port = int(first.origin.rsplit(":", 1)[1])
        httpx.get(f"{first.origin}/health")
    with Sandbox(port=port) as second:
        assert second.origin == first_origin(port)


def first_origin(port: int) -> str:
    """The origin on localhost."""
    return f"http://127.0.0.1:{port}"


def test_sandbox_answers_without_delay_of_nagle() -> None:
    """Connections have Nagle's algorithm off: the listening socket names its protocol."""
    from smartcar_auth.sandbox.server import listening_socket

    with listening_socket("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_sandbox_redirect_uris_as_text() -> None:
    """A single text instead of a list is a mistake that is said at once."""
    with pytest.raises(TypeError, match="is a list"):
        Sandbox(redirect_uris=REDIRECT_URI)


def test_sandbox_seeded(make_person) -> None:
    """The same seed gives the same ids, another one others."""
    codes = [make_person(seed=seed).connects()["code"] for seed in (1, 1, 2)]
    assert codes[0] == codes[1] != codes[2]


def test_sandbox_monstrous_url() -> None:
    """A URL of 100 kB gets an answer in words from a real server."""
    with Sandbox() as sandbox:
        host, port = sandbox.origin.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(
                b"GET /oauth/authorize?state=" + b"x" * 100_000 + b" HTTP/1.0\r\nHost: x\r\n\r\n"
            )
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 414")
    assert b"Send a shorter state" in answer


def test_landing_page(make_person) -> None:
    """The page at / says what this is, where everything is, and what is accepted."""
    for person in (
        make_person(),
        make_person(applications={APPLICATION_ID: "s"}, redirect_uris=[REDIRECT_URI]),
    ):
        page = person.client.get("/")
        assert "http://127.0.0.1:9000/oauth/token" in page.text
        assert "smartcar@no-vehicles.com" in page.text
    assert REDIRECT_URI in page.text
    assert APPLICATION_ID in page.text


def test_static_files(person: Person) -> None:
    """Style sheet, script and icon are served under their addresses and may be kept for ever."""
    page = person.client.get("/").text
    for name, media_type in [
        ("sandbox.css", "text/css"),
        ("sandbox.js", "text/javascript"),
        ("icon.svg", "image/svg"),
    ]:
        assert f"/static/{name}?v=" in page
        response = person.client.get(f"/static/{name}")
        assert response.headers["content-type"].startswith(media_type)
        assert "immutable" in response.headers["cache-control"]
    assert person.client.get("/favicon.ico").status_code == 200


@pytest.mark.parametrize("path", ["/nowhere", "/static/nothing.css", "/static/..%2fapp.py", "/connect/x"])
def test_address_unknown(person: Person, path: str) -> None:
    """Other addresses are a 404."""
    assert person.client.get(path).status_code == 404


def test_method_not_allowed(person: Person) -> None:
    """A wrong method is said in words, with the right ones in Allow."""
    response = person.client.put("/oauth/authorize")
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]


def test_application_name_shown_as_text(make_person) -> None:
    """The application's name is on the pages, as text."""
    assert "Tom &amp; &lt;Jerry&gt;" in make_person(application_name="Tom & <Jerry>").opens().text


def test_requests_leave_no_log(person: Person, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of a whole flow reaches a log."""
    caplog.set_level(0)
    answer = person.connects()
    person.exchanges(answer["code"])
    mine = [
        record for record in caplog.records if not record.name.startswith(("httpx", "httpcore", "asyncio"))
    ]
    assert mine == []


def test_sandbox_over_tls_twice() -> None:
    """Each start over TLS has an authority of its own, whose file ends with it; Smartcar's names are believed."""
    sandbox = Sandbox(tls=True)
    assert sandbox.certificates is None
    keys = set()
    for _ in range(2):
        with sandbox:
            assert sandbox.certificates is not None
            keys.add(sandbox.certificates.spki)
            ca_file = sandbox.certificates.ca_file
            verify = sandbox.certificates.client_context()
            with httpx.Client(verify=verify) as client:
                name = {"sni_hostname": "connect.smartcar.com"}
                assert client.get(f"{sandbox.origin}/health", extensions=name).status_code == 200
        assert not ca_file.exists()
    assert len(keys) == 2
