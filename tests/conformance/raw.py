"""An application on no framework, which would have refused a line break in a header field; broken there on purpose."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit


@contextmanager
def serving(connect_origin: str) -> Iterator[str]:
    """Its origin, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            found = {name: values[0] for name, values in parse_qs(parts.query).items()}
            location, body = "", b""
            if parts.path == "/connect":
                query = {"response_type": "code", "application_id": "an-application"}
                query |= {"redirect_uri": f"{origin}/callback", "state": secrets.token_urlsafe(32)}
                location = f"{connect_origin}/oauth/authorize?{urlencode(query)}"
            elif parts.path == "/callback":
                location = f"/?said={found.get('error_description', 'connected')}"
            else:
                body = b'<a href="/connect">Connect your car</a>'
            head = f"HTTP/1.0 {303 if location else 200} Fine\r\n"
            head += f"Location: {location}\r\n" if location else "Content-Type: text/html\r\n"
            self.wfile.write(head.encode() + b"\r\n" + body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        origin = f"http://localhost:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield origin
        server.shutdown()
        thread.join()
