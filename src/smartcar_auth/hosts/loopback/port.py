"""A port of this machine, held on both loopback addresses, and the requests that arrive there.

Sockets and HTTP, nothing of Connect. By hand, because `http.server` takes longer to import than everything else
here together, and serves one connection at a time: browsers open spare ones in advance, and such a silent
connection would hold up the redirect.
"""

from __future__ import annotations

import errno
import selectors
import socket
import sys
from time import monotonic, sleep

from smartcar_auth import PortUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Never another interface. Browsers look "localhost" up to either, so a program that holds the same port on the
# other one could take the answer.
_ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_NO_SUCH_ADDRESS = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
_MANY_CONNECTIONS = 32
_LONG_HEAD = 32_768
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
}


class Request:
    """One request, and the connection that waits for its answer.

    Args:
        method: Such as "GET".
        path: As it stands in the request, without the query.
        query: As it stands in the request, without "?".
        host: The Host field in lower case.
    """

    __slots__ = ("_connection", "host", "method", "path", "query")

    def __init__(self, connection: socket.socket, method: str, target: str, host: str) -> None:
        self._connection = connection
        self.method = method
        self.path, _, self.query = target.partition("?")
        self.host = host

    def answer(self, status: int, fields: str = "", body: bytes | None = None) -> None:
        """Send the answer and close the connection. Whether anybody still listens changes nothing.

        Args:
            status: Of `_REASONS`.
            fields: Header fields, each with its line end.
            body: None says the status in words.
        """
        _answer(self._connection, status, fields, body)


class Port:
    """One port, held on 127.0.0.1 and ::1 from the beginning to `close`; on 127.0.0.1 alone where there is no IPv6.

    Args:
        number: 0 takes any free one.

    Raises:
        OSError: Another program holds it on either address, or this one may not.
    """

    def __init__(self, number: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._listeners: list[socket.socket] = []
        #: What has come so far on connections that haven't sent a whole head; the one heard of last is last.
        self._heads: dict[socket.socket, bytes] = {}
        try:
            for family, address in _ADDRESSES:
                try:
                    listener = _listener(family, address, number)
                except OSError as error:
                    if family == socket.AF_INET6 and error.errno in _NO_SUCH_ADDRESS:
                        continue
                    raise
                self._listeners.append(listener)
                self._selector.register(listener, selectors.EVENT_READ, listener)
                number = listener.getsockname()[1]
        except BaseException:
            self.close()
            raise
        self.number = number

    def receive(self, seconds: float) -> Request | None:
        """The next request that arrives within `seconds`, or None. Its connection is the caller's to answer."""
        until = monotonic() + seconds
        while True:
            for key, _ in self._selector.select(max(0.0, until - monotonic())):
                connection = self._accept(key.data) if key.data in self._listeners else key.data
                request = None if connection is None else self._read(connection)
                if request is not None:
                    return request
            if monotonic() >= until:
                return None

    def close(self) -> None:
        """Let the port go; a second call does nothing."""
        for one in (*self._listeners, *self._heads):
            one.close()
        self._listeners.clear()
        self._heads.clear()
        self._selector.close()

    def _accept(self, listener: socket.socket) -> socket.socket | None:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return None
        except OSError:  # out of descriptors: the connection stays in the queue, so don't ask again at once
            sleep(0.01)
            return None
        connection.setblocking(False)
        return connection

    def _read(self, connection: socket.socket) -> Request | None:
        """The request, once its head is complete. A body is not read: nothing here takes one."""
        try:
            piece = connection.recv(_LONG_HEAD)
        except BlockingIOError:
            self._wait_for_more(connection, b"")
            return None
        except OSError:
            piece = b""
        head = self._heads.get(connection, b"") + piece
        end = head.find(b"\r\n\r\n")
        if piece and end < 0 and len(head) <= _LONG_HEAD:
            self._wait_for_more(connection, piece)
            return None
        self._forget(connection)
        if not piece:
            connection.close()
        elif end < 0:
            _answer(connection, 431)
        else:
            parsed = _parse(head[:end].decode("latin-1"))
            if parsed is not None:
                return Request(connection, *parsed)
            _answer(connection, 400)
        return None

    def _wait_for_more(self, connection: socket.socket, piece: bytes) -> None:
        head = self._heads.pop(connection, None)
        if head is None:
            if len(self._heads) == _MANY_CONNECTIONS:
                # The first has been silent the longest. A browser whose spare connection it was opens another.
                silent = next(iter(self._heads))
                self._forget(silent)
                silent.close()
            self._selector.register(connection, selectors.EVENT_READ, connection)
        self._heads[connection] = (head or b"") + piece

    def _forget(self, connection: socket.socket) -> None:
        if self._heads.pop(connection, None) is not None:
            self._selector.unregister(connection)


def hold(candidates: Iterable[int]) -> Port:
    """The first of these ports that is free on both addresses, held.

    Raises:
        PortUnavailable: None is.
    """
    reasons = []
    for number in candidates:
        # Of any free port only the first address is chosen by the system; on the second it may be taken.
        for _ in range(1 if number else 32):
            try:
                return Port(number)
            except OSError as error:
                reason = f"{number} ({error.strerror})"
        reasons.append(reason)
    raise PortUnavailable(
        f"No port for the redirect URI could be held: {', '.join(reasons)}. Stop the other program, or register "
        "another redirect URI and add its port."
    )


def _listener(family: socket.AddressFamily, address: str, number: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # or connections of the last attempt, which linger for a minute, would keep the port from this one
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform != "linux" and number and _answers(family, address, number):
            # Elsewhere a program that listens on every interface does not keep us from listening on one of them.
            raise OSError(errno.EADDRINUSE, "Address already in use")
        listener.bind((address, number))
        listener.listen(_MANY_CONNECTIONS)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _answers(family: socket.AddressFamily, address: str, number: int) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.1)
        return probe.connect_ex((address, number)) == 0


def _parse(head: str) -> tuple[str, str, str] | None:
    """Method, target and host; None if a browser would never have sent this."""
    line, *fields = head.split("\r\n")
    pieces = line.split(" ")
    if len(pieces) != 3 or not pieces[2].startswith("HTTP/1."):
        return None
    host = None
    for field in fields:
        name, _, value = field.partition(":")
        if name.lower() == "host":
            if host is not None:  # RFC 9112, 3.2: 400 for "more than one Host header field line"
                return None
            host = value.strip().lower()
    return None if host is None else (pieces[0], pieces[1], host)


def _answer(connection: socket.socket, status: int, fields: str = "", body: bytes | None = None) -> None:
    if body is None:
        body = _REASONS[status].encode()
        fields += "Content-Type: text/plain\r\nX-Content-Type-Options: nosniff\r\n"
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\n{fields}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    try:
        # Without waiting for the client: it is the first that is sent, so there is room for all of it.
        connection.sendall(head.encode("latin-1") + body)
    except OSError:  # the browser has gone
        pass
    finally:
        connection.close()
