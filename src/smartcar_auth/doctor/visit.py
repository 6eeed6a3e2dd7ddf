"""Asking a running application, one request at a time, as a browser's navigation would.

Nothing is judged here. Redirects are not followed, nothing is cached, no proxy is used; an answer that takes
too long is none, and of a very long one the beginning is read.
"""

import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from smartcar_auth import __version__

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SECONDS = 10
MOST_BYTES = 500_000

# What browsers send with a click on a link; our routes refuse what says that it is something else.
NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-User": "?1",
}


_COOKIE = re.compile("[!-:<>-~]+=[ -~]*")


class Unreachable(Exception):
    """No answer; the message is a sentence that says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of all header fields of this name."""
        return [value for key, value in self.headers if key.lower() == name]

    def header(self, name: str) -> str:
        return ", ".join(self.all(name))

    @property
    def location(self) -> SplitResult | None:
        """Where it redirects to, as far as that can be read."""
        if self.status not in (301, 302, 303, 307, 308) or not self.header("location"):
            return None
        return resolve(self.url, self.header("location"))


class Visitor:
    """Somebody who visits one application.

    Args:
        host: Host and port that may be shown `cookies`; whatever else is asked never sees them.
        cookies: Such as "session=...", of somebody who is logged in.
        seconds: How long one answer may take.
        agent: The command that visits, for the application's log.

    Raises:
        ValueError: One of `cookies` is none.
    """

    def __init__(
        self, host: str, cookies: Iterable[str] = (), seconds: float = SECONDS, *, agent: str = "doctor"
    ) -> None:
        self._host = host
        self._agent = f"smartcar-auth {agent}/{__version__}"
        self.cookies = tuple(cookies)
        self.seconds = seconds
        if not all(map(_COOKIE.fullmatch, self.cookies)):
            raise ValueError("Write a cookie as NAME=VALUE, as browsers send it.")

    def get(self, url: str, headers: dict[str, str], cookies: Iterable[str] = ()) -> Answer:
        """Send a GET.

        Args:
            url: http or https.
            headers: Besides User-Agent and Cookie.
            cookies: More of them.

        Raises:
            Unreachable: Nothing that could be read came back.
        """
        return self.ask("GET", url, headers, cookies)

    def ask(self, method: str, url: str, headers: dict[str, str], cookies: Iterable[str] = ()) -> Answer:
        """Send a request without a body.

        Args:
            method: GET or HEAD.
            url: http or https.
            headers: Besides User-Agent and Cookie.
            cookies: More of them.

        Raises:
            Unreachable: Nothing that could be read came back.
        """
        parts = urlsplit(url)
        where = parts.netloc
        carried = [*(self.cookies if where == self._host else []), *cookies]
        fields = {**headers, "User-Agent": self._agent, "Connection": "close"}
        if carried:
            fields["Cookie"] = "; ".join(carried)
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~") + (
            f"?{parts.query}" if parts.query else ""
        )
        try:
            connection = _connection(parts, self.seconds)
            try:
                connection.request(method, target, headers=fields)
                line = _Impatient(connection.sock, self.seconds)
                answer = http.client.HTTPResponse(line, method=method)  # type: ignore[arg-type]
                answer.begin()
                return Answer(url, answer.status, answer.getheaders(), answer.read(MOST_BYTES))
            finally:
                connection.close()
        except socket.gaierror:
            raise Unreachable(f"The name in {where} is not known here; look for a typing mistake.") from None
        except ConnectionRefusedError:
            raise Unreachable(f"Nothing listens on {where}: start the app, or correct the port.") from None
        except TimeoutError:
            raise Unreachable(
                f"{where} gave no whole answer within {self.seconds:g} seconds: an overloaded app, or a firewall."
            ) from None
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(
                f"The certificate of {where} is not trusted here ({error.verify_message}). If browsers trust it, name "
                "the file of its authority in SSL_CERT_FILE."
            ) from None
        except ssl.SSLError:
            raise Unreachable(f"{where} speaks no TLS that works; is it http:// on this port?") from None
        except ConnectionError:
            raise Unreachable(
                f"{where} hangs up without an answer: is it https:// on this port, or did the app crash?"
            ) from None
        except http.client.HTTPException:
            raise Unreachable(
                f"{where} answers with something that is no HTTP: is it another program's port, or https://?"
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "the address can't be used"
            raise Unreachable(f"{where} can't be reached: {reason}.") from None


class _Impatient(io.RawIOBase):
    """A socket as a file with an end in time; the socket's own timeout begins anew with every byte."""

    def __init__(self, line: socket.socket, seconds: float) -> None:
        self._line = line
        self._until = time.monotonic() + seconds

    def makefile(self, *_: Any) -> io.BufferedReader:
        """Where HTTPResponse takes a socket, this is all that it asks of it."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._line.settimeout(left)
        return self._line.recv_into(buffer)


def _connection(parts: SplitResult, seconds: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        trusted = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=trusted)
    return http.client.HTTPConnection(host, parts.port, timeout=seconds)


def read_address(text: str) -> SplitResult:
    """An address to examine.

    Raises:
        ValueError: It is none; the message is a sentence.
    """
    try:
        parts = urlsplit(text)
        readable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        readable = False
    if not readable or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("Write a whole address in ASCII, such as http://localhost:8000/garage.")
    if "@" in parts.netloc:
        raise ValueError("Leave out of the address what precedes the @.")
    return parts._replace(netloc=netloc_of(parts), fragment="")


def resolve(url: str, reference: str) -> SplitResult | None:
    """Where a reference in an answer of `url` leads, or None where that can't be visited."""
    try:
        return read_address(urljoin(url, reference.strip()))
    except ValueError:
        return None


def netloc_of(parts: SplitResult) -> str:
    """Host and port as browsers write them."""
    return parts.netloc.lower().removesuffix(":443" if parts.scheme == "https" else ":80")


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{netloc_of(parts)}"


def host_of(url: str) -> str:
    """The name alone, or "" where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
