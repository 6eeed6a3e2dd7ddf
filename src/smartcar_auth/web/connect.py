"""The server side of Connect in one object: the way out, the way back, and the files that pages load."""

from . import assets
from .answering import Answering
from .application import NOT_CACHED, PLAIN_TEXT, checked_subject
from .exchange import Request, Response
from .launching import Launching

__all__ = ["Connect", "checked_subject"]


class Connect(Launching, Answering):
    """Connect's server side for one application: give it a `Smartcar` and the functions to call.

    Hosts subclass it and add what their framework wants; on its own it answers `Request` values.

    Args:
        smartcar: Which application asks, for what. Its `redirect_uri` may be None: then it is
            `public_url`, or the request's own origin, plus the callback route.
        secret_keys: Seal state and cookies; text or bytes of at least 32 bytes, the newest first.
        identify: `identify(request)` gives the application's own id for the person (text or int), or
            None. Settled at launch; a callback under another person's name is refused.
        public_url: Where browsers reach the application, such as "https://app.example.com", when the
            server can't tell from the request.
        allowed_origins: Other origins of the same site whose pages may launch.
        store: Remembers finished attempts; `ProcessStore()` unless given.
        attempt_seconds: How long a person may take.
        clock: Seconds since 1970.

    Raises:
        ConfigurationError: An option can't be right; the message says what to do.
    """

    def asset(self, request: Request, name: str) -> Response:
        """The module and the stylesheet: public, the same for everybody, loadable from allowed origins."""
        immutable = assets.BY_NAME.get(name)
        found = immutable or (assets.SCRIPT if name == assets.SCRIPT.stable_name else None)
        if found is None:
            return Response(404, [PLAIN_TEXT, NOT_CACHED], b"Not found.\n")
        fresh = "max-age=31536000, immutable" if immutable else "max-age=600, stale-while-revalidate=86400"
        fields = [
            ("Content-Type", found.content_type),
            ("Cache-Control", f"public, {fresh}"),
            ("ETag", found.etag),
            ("Access-Control-Allow-Origin", "*"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if found.etag in request.headers.get("if-none-match", ""):
            return Response(304, fields)
        return Response(200, fields, found.content)
