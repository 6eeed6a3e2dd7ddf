"""Asking a running application, one request at a time, as a browser's navigation would.

Nothing is judged here. Redirects are not followed, nothing is cached, no proxy is used, and an answer that
never ends, or is very long, is cut off.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from smartcar_auth import __version__

SECONDS = 10
MOST_BYTES = 1_000_000

# What browsers send with a click on a link; our routes refuse what says that it is something else.
NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-User": "?1",
}


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
        try:
            return read_address(urljoin(self.url, self.header("location")))
        except ValueError:
            return None


class Visitor:
    """Somebody who visits one application.

    Args:
        host: Host and port that may be shown `cookies`; whatever else is asked never sees them.
        cookies: Such as "session=...", of somebody who is logged in.
    """

    def __init__(self, host: str, cookies: Iterable[str] = ()) -> None:
        self._host = host
        self.cookies = tuple(cookies)

    def get(self, url: str, headers: dict[str, str], cookies: Iterable[str] = ()) -> Answer:
        """Send a GET.

        Args:
            url: http or https.
            headers: Besides Host, User-Agent and Cookie.
            cookies: More of them.

        Raises:
            Unreachable: Nothing that could be read came back.
        """
        parts = urlsplit(url)
        where = parts.netloc
        carried = [*(self.cookies if where == self._host else []), *cookies]
        fields = {**headers, "User-Agent": f"smartcar-auth doctor/{__version__}", "Connection": "close"}
        if carried:
            fields["Cookie"] = "; ".join(carried)
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~") + (
            f"?{parts.query}" if parts.query else ""
        )
        try:
            connection = _connection(parts.scheme, parts.hostname or "", parts.port)
            try:
                connection.request("GET", target, headers=fields)
                answer = connection.getresponse()
                return Answer(url, answer.status, answer.getheaders(), _body(answer))
            finally:
                connection.close()
        except socket.gaierror:
            raise Unreachable(f"The name in {where} is not known here; look for a typing mistake.") from None
        except ConnectionRefusedError:
            raise Unreachable(f"Nothing listens on {where}: start the app, or correct the port.") from None
        except TimeoutError:
            raise Unreachable(
                f"{where} did not answer within {SECONDS} seconds; a firewall or an overloaded app does that."
            ) from None
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(
                f"The certificate of {where} is not trusted ({error.verify_message}), by browsers neither. For a "
                "certificate authority of your own set SSL_CERT_FILE."
            ) from None
        except ssl.SSLError:
            raise Unreachable(f"{where} speaks no TLS that works; is it http:// on this port?") from None
        except (http.client.HTTPException, ConnectionResetError):
            raise Unreachable(
                f"{where} answers with something else than HTTP; is it https:// on this port?"
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "the address can't be used"
            raise Unreachable(f"{where} can't be reached: {reason}.") from None


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=SECONDS)


def _body(answer: http.client.HTTPResponse) -> bytes:
    until = time.monotonic() + SECONDS  # the socket's timeout starts anew with every byte
    content = b""
    while len(content) < MOST_BYTES:
        piece = answer.read1(65_536)
        if not piece:
            break
        content += piece
        if time.monotonic() > until:
            raise TimeoutError
    return content


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
