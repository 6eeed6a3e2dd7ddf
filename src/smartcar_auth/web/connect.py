"""The server side of Connect in one object: the way out, the way back, the files that pages load, and the
table of routes that every host serves."""

from collections.abc import Callable
from typing import Any, NamedTuple

from smartcar_auth import ConfigurationError

from . import assets, pages
from .answering import Answering
from .application import NOT_CACHED, PLAIN_TEXT, checked_subject
from .doctor import Finding, examine
from .exchange import Request, Response, Steps
from .launching import Launching
from .options import is_local_path
from .redirecting import Redirecting, callback_script

__all__ = ["ROUTES", "Connect", "Route", "checked_prefix", "checked_subject", "split_path"]


class Route(NamedTuple):
    """One of the routes under the application's prefix.

    Args:
        name: Unique, for frameworks that name their routes.
        path: Below the prefix; "status" and its kin are followed by one more segment, the name.
        named: Whether that segment follows.
        method: "GET" (HEAD with it) or "POST".
        answer: `answer(connect, request, name)`.
    """

    name: str
    path: str
    named: bool
    method: str
    answer: Callable[["Connect", Request, str], Steps | Response]


def split_path(path: str) -> tuple[str, str]:
    """Where the routes are, and which one is meant: "/shop/cars/status/ID" is "/shop/cars" and "status/ID".

    Told from the end, because frameworks differ in what they leave of a prefix in front.
    """
    base, _, last = path.rpartition("/")
    if last in _UNNAMED:
        return base, last
    base, _, first = base.rpartition("/")
    return base, f"{first}/{last}"


def checked_prefix(prefix: str) -> str:
    """A path under which the routes are mounted, such as "/smartcar"; "" is the site's root.

    Raises:
        ConfigurationError: It is no such path.
    """
    if not isinstance(prefix, str) or (prefix and not is_local_path(prefix)) or prefix.endswith("/"):
        raise ConfigurationError(
            "prefix must be a path that begins with / and does not end with it, such as /smartcar."
        )
    return prefix


class Connect(Launching, Answering, Redirecting):
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

    def respond(self, request: Request, path: str) -> Steps | Response:
        """Answer a request for a path below the prefix, for hosts that have no router of their own.

        Args:
            request: What came.
            path: Such as "launch" or "status/ID".
        """
        first, _, name = path.partition("/")
        route = _BY_PATH.get(first)
        if route is None or route.named != bool(name) or "/" in name:
            return Response(404, [PLAIN_TEXT, NOT_CACHED], b"Not found.\n")
        if request.method != route.method and (request.method, route.method) != ("HEAD", "GET"):
            fields = [PLAIN_TEXT, NOT_CACHED, ("Allow", route.method)]
            return Response(405, fields, f"This address takes {route.method} only.\n".encode())
        return route.answer(self, request, name)

    def markup(
        self,
        launch_path: Callable[[], str],
        label: Any,
        *,
        launch: str | None = None,
        make: str | None = None,
        single_select: bool | None = None,
        return_to: str | None = None,
        **attributes: Any,
    ) -> str:
        """The button's markup, for a template: the element, and the link that it is without JavaScript.

        Args:
            launch_path: Gives the launch route's path as pages see it; asked where `launch` is None.
            label: What the button reads; markup where it has `__html__`.
            launch: From `launch_url`, for options that the page may not choose; then no other option goes.
            make: Such as "TESLA", to skip the choice of brand.
            single_select: Whether the person picks a single vehicle.
            return_to: Path on this site where a flow without pop-up ends.
            attributes: Of the element; `window_options="width=500,height=800"`, `id`, `class_`.

        Raises:
            ConfigurationError: An option stands beside `launch`, or an attribute's name can't be one.
        """
        if launch is None:
            chosen = {"make": make, "single_select": single_select}
            launch = launch_path() + pages.query_of(chosen)
        elif make is not None or single_select is not None:
            raise ConfigurationError("Seal make and single_select with launch_url(), or leave launch= out.")
        return pages.button(
            launch, label, return_to=return_to, attempt_seconds=self.attempt_seconds, attributes=attributes
        )

    def callback_markup(self, launch_path: str, *, text: str | None = None) -> str:
        """The script for a page of the application's own at the end of the pop-up; see `callback_script`."""
        return callback_script(launch_path.removesuffix("launch"), self._site.allowed_origins, text=text)

    def doctor(self, *urls: str) -> list[Finding]:
        """What the settings alone say about whether Connect can work here; `smartcar-auth doctor` asks the app.

        Args:
            urls: Addresses of the routes as browsers know them, such as "https://app.example.com/smartcar".
        """
        return examine(self, *urls)

    def asset(self, request: Request, name: str) -> Response:
        """The scripts and the stylesheet: public, the same for everybody, loadable from allowed origins."""
        immutable = assets.BY_NAME.get(name)
        found = immutable or _BY_STABLE_NAME.get(name)
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


def _file(name: str) -> Callable[[Connect, Request, str], Response]:
    return lambda connect, request, _: connect.asset(request, name)


ROUTES = (
    Route("launch", "launch", False, "GET", lambda connect, request, _: connect.launch(request)),
    Route("callback", "callback", False, "GET", lambda connect, request, _: connect.callback(request)),
    Route("redirect", "redirect", False, "GET", lambda connect, request, _: connect.redirect(request)),
    Route("status", "status", True, "GET", lambda connect, request, name: connect.status(request, name)),
    Route("cancel", "cancel", True, "POST", lambda connect, request, name: connect.cancel(request, name)),
    Route("module", "connect.js", False, "GET", _file("connect.js")),
    Route("keep", "keep.js", False, "GET", _file("keep.js")),
    Route("script", "redirect.js", False, "GET", _file("redirect.js")),
    Route("asset", "assets", True, "GET", lambda connect, request, name: connect.asset(request, name)),
)
_BY_STABLE_NAME = {asset.stable_name: asset for asset in (assets.SCRIPT, assets.KEEP, assets.REDIRECT)}
_BY_PATH = {route.path: route for route in ROUTES}
_UNNAMED = frozenset(route.path for route in ROUTES if not route.named)
