"""A network with round trips, on one machine: TLS servers behind a proxy that makes every byte wait.

The proxy holds what passes for half a round trip in each direction, and the first bytes of a connection for a
whole one more, which is what the TCP handshake would have cost. TLS then costs its own round trip by itself, as
do requests. That is nearer to a real network than the browser's own throttling, which delays answers only,
and needs no debugger on the pop-up. Name look-ups cost nothing here, on either side.
"""

import asyncio
import base64
import hashlib
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROUND_TRIP_SECONDS = 0.1
CHUNK = 65536

ASGIApp = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Network:
    """Where a browser reaches the servers.

    Args:
        port: Behind it everything is a round trip away.
        spki: Digest of the servers' key.
        close_idle: Closes the connections on which nothing happens; to be called in the servers' loop.
    """

    port: int
    spki: str
    close_idle: Callable[[], None]


@contextmanager
def slow_network(app: ASGIApp, hosts: Sequence[str]) -> Iterator[Network]:
    """Serve `app` under all of `hosts`, a round trip away, until the block ends."""
    with TemporaryDirectory() as folder:
        certificate, spki = _certificate(Path(folder), hosts)
        started = threading.Event()
        ports: list[int] = []
        loop = asyncio.new_event_loop()
        proxy = _Proxy()
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host="127.0.0.1",
                port=0,
                ssl_certfile=certificate,
                log_level="error",
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )

        async def serve() -> None:
            serving = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 (uvicorn says it by a flag alone)
                await asyncio.sleep(0.01)
            upstream = server.servers[0].sockets[0].getsockname()[1]
            proxy.upstream = upstream
            listening = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
            ports.append(listening.sockets[0].getsockname()[1])
            started.set()
            await serving
            listening.close()

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
        thread.start()
        if not started.wait(20):
            raise RuntimeError("the benchmark's own server did not start")
        try:
            yield Network(ports[0], spki, proxy.close_idle)
        finally:
            server.should_exit = True
            thread.join(10)


class _Proxy:
    def __init__(self) -> None:
        self.upstream = 0
        self._connections: list[_Connection] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(reader, writer)
        self._connections.append(connection)
        try:
            await connection.run(self.upstream)
        finally:
            self._connections.remove(connection)

    def close_idle(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in self._connections:
            if now - connection.active > ROUND_TRIP_SECONDS * 2:
                connection.close()


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = reader
        self._writer = writer
        self._handshake_done = self._loop.time() + ROUND_TRIP_SECONDS
        self.active = self._handshake_done

    async def run(self, upstream: int) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", upstream)
        await asyncio.gather(self._pass(self._reader, back), self._pass(there, self._writer))

    def close(self) -> None:
        self._writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on, in order, each half a round trip after it came or could have come."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            chunk = b"-"
            while chunk:
                try:
                    chunk = await reader.read(CHUNK)
                except OSError:
                    chunk = b""
                self.active = max(self._loop.time(), self._handshake_done)
                waiting.put_nowait((self.active + ROUND_TRIP_SECONDS / 2, chunk))

        reading = asyncio.create_task(read())
        try:
            while True:
                due, chunk = await waiting.get()
                await asyncio.sleep(due - self._loop.time())
                if not chunk:
                    return
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            reading.cancel()
            writer.close()


def _certificate(folder: Path, hosts: Sequence[str]) -> tuple[Path, str]:
    """A certificate and its key in one file, and the digest by which Chromium is told to accept it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmarks")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
        path
    )  # fails here, not in the browser
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return path, base64.b64encode(hashlib.sha256(public).digest()).decode()
