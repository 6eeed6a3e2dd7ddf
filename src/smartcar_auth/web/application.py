"""What every route needs: the application's options, its functions, and how they are called.

No route stands here; `launching` and `answering` hold them, `connect` joins them.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeVar

from smartcar_auth import ConfigurationError, Smartcar

from . import pages
from .cookies import Cookies
from .exchange import Call, Request, Response
from .options import LONGEST_SUBJECT
from .seal import Sealer
from .site import Site
from .store import ProcessStore, Store

Function = TypeVar("Function", bound=Callable[..., Any])

logger = logging.getLogger("smartcar_auth")

NOT_CACHED = ("Cache-Control", "no-store")
NO_REFERRER = ("Referrer-Policy", "no-referrer")
PLAIN_TEXT = ("Content-Type", "text/plain; charset=utf-8")


class Application:
    """One application's options and functions, for the routes that share them."""

    def __init__(
        self,
        smartcar: Smartcar,
        *,
        secret_keys: str | bytes | Iterable[str | bytes],
        identify: Callable[[Any], Any] | None = None,
        public_url: str | None = None,
        allowed_origins: Iterable[str] = (),
        store: Store | None = None,
        attempt_seconds: int = 3600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(smartcar, Smartcar):
            raise ConfigurationError(f"The first argument must be a Smartcar, not {type(smartcar).__name__}.")
        if smartcar.on_complete is not None:
            raise ConfigurationError(
                "Smartcar(on_complete=...) is for hosts that wait in one process. On the web, register the "
                "function with @connect.on_complete instead."
            )
        if not isinstance(attempt_seconds, int) or not 10 <= attempt_seconds <= 86_400:
            raise ConfigurationError("attempt_seconds must be a whole number from 10 to 86400 (a day).")
        if identify is not None and not callable(identify):
            raise ConfigurationError("identify must be a function: identify(request) gives the person's id.")
        self.smartcar = smartcar
        self.attempt_seconds = attempt_seconds
        self._sealer = Sealer(secret_keys, smartcar.application_id)
        self._identify = identify
        self._site = Site(smartcar, public_url, allowed_origins)
        self._store: Store = ProcessStore() if store is None else store
        self._store_blocks = getattr(self._store, "blocking", True)
        self._clock = clock
        self._complete: Callable[..., Any] | None = None
        self._error: Callable[..., Any] | None = None

    # -- what the application registers

    def on_complete(self, function: Function) -> Function:
        """Register the function for a granted attempt, called as `function(request, response)`, once.

        What it returns is JSON for the waiting page, or None, or the framework's own response.
        """
        if self._complete is not None:
            raise ConfigurationError("on_complete is registered already; an attempt is handled once.")
        self._complete = function
        return function

    def on_error(self, function: Function) -> Function:
        """Register the function for every other end, called as `function(request, error)`."""
        if self._error is not None:
            raise ConfigurationError("on_error is registered already; an attempt is handled once.")
        self._error = function
        return function

    def is_native(self, result: Any) -> bool:
        """Whether a function's result is the framework's own response. Hosts override it."""
        return False

    def render(self, page: pages.Page, request: Request) -> bytes:
        """A page as HTML. Hosts override it where the application may have a template of its own."""
        return page.html()

    def _page(self, status: int, page: pages.Page, request: Request) -> Response:
        return Response(status, pages.headers(), self.render(page, request))

    def _subject(self, request: Request) -> Generator[Call, Any, str | int | None]:
        if self._identify is None:
            return None
        return checked_subject((yield Call(self._identify, (request.native,))))

    def _stored(self, method: Callable[..., Any], *args: Any) -> Call:
        return Call(method, args, self._store_blocks)

    def _cookies(self, request: Request) -> Cookies:
        header = request.headers.get("cookie", "")
        return Cookies(header, secure=self._site.is_secure(request), sealer=self._sealer)


def checked_subject(subject: Any) -> str | int | None:
    """What `identify` said, if it can travel in a cookie.

    Raises:
        ConfigurationError: It is neither text of at most 256 bytes, nor an int, nor None.
    """
    if subject is None:
        return None
    if isinstance(subject, bool) or not isinstance(subject, int | str):
        raise ConfigurationError(
            f"identify returned {type(subject).__name__}; return the person's id as text or int, or None."
        )
    # A lone surrogate counts as one byte too; it travels as JSON like everything else.
    length = (
        subject.bit_length() // 8 + 1 if isinstance(subject, int) else len(subject.encode(errors="replace"))
    )
    if not 0 < length <= LONGEST_SUBJECT:
        raise ConfigurationError(
            f"identify returned an id of {length} bytes; an id has 1 to {LONGEST_SUBJECT}. "
            "Return None when nobody is logged in."
        )
    return subject


def not_a_person(request: Request) -> Response | None:
    """The answer to what is no person's navigation, or None. Such a request must change nothing.

    Link previews ask with HEAD; browsers prefetch and prerender addresses they expect to need; frames,
    images and scripts of any page can name our address. Missing headers (older browsers) are accepted.
    """
    if request.method == "HEAD":
        return Response(200, [NOT_CACHED, NO_REFERRER])
    if "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
        return Response(
            503, [PLAIN_TEXT, NOT_CACHED], b"Not prefetched: this address acts when a person opens it.\n"
        )
    if request.headers.get("sec-fetch-dest", "document") != "document":
        return Response(
            403, [PLAIN_TEXT, NOT_CACHED], b"This address opens in a window of its own, nowhere else.\n"
        )
    return None
