"""Where browsers know this application: its origin, its redirect URI, and whose pages may launch.

Forwarded headers are not read here. What the server believes of the request's scheme and host comes in
`Request.origin`; `public_url` or the redirect URI overrule it.
"""

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.origin import parse_origin

from .exchange import Request
from .options import Refused, is_origin

_MOST_CLIENTS = 16


class Site:
    """The application's addresses.

    Args:
        smartcar: Its `redirect_uri`, if given, must end in the callback route.
        public_url: Such as "https://app.example.com"; a path is what a proxy cuts off in front of us.
        allowed_origins: Of pages on the same site that may launch and ask.

    Raises:
        ConfigurationError: An address can't be right.
    """

    def __init__(self, smartcar: Smartcar, public_url: str | None, allowed_origins: Iterable[str]) -> None:
        if isinstance(allowed_origins, str):
            raise ConfigurationError("allowed_origins must be a list of origins, not one text.")
        self.allowed_origins = frozenset(parse_origin(one, what="allowed_origins") for one in allowed_origins)
        self._smartcar = smartcar
        self._public_origin, self._public_path = _split_public_url(public_url)
        self._origin = self._public_origin
        if smartcar.redirect_uri is not None:
            self._origin = _origin_of(smartcar.redirect_uri)
            if self._public_origin is not None and self._public_origin != self._origin:
                raise ConfigurationError(
                    f"public_url {public_url} and redirect_uri {smartcar.redirect_uri} are on different origins; "
                    "leave one of them out."
                )
        self._clients: dict[str, Smartcar] = {}

    def origin(self, request: Request) -> str:
        """The origin under which browsers know this application."""
        return self._origin or request.origin

    def is_secure(self, request: Request) -> bool:
        return self.origin(request).startswith("https:")

    def trusts(self, request: Request) -> bool:
        """Whether the request's Origin header names a page of ours; a missing one does not."""
        origin = request.headers.get("origin")
        return origin is not None and (
            origin in (self.origin(request), request.origin) or origin in self.allowed_origins
        )

    def path(self, path: str) -> str:
        """A path of ours as browsers write it: with what `public_url` says that a proxy cuts off."""
        return path if f"{path}/".startswith(f"{self._public_path}/") else self._public_path + path

    def client(self, request: Request) -> Smartcar:
        """The Smartcar with its redirect URI in place.

        Raises:
            ConfigurationError: The given redirect URI does not end in the callback route.
            Refused: The request came to an address where Connect can't answer.
        """
        callback = self.path(request.base) + "/callback"
        given = self._smartcar.redirect_uri
        if given is not None:
            if not unquote(urlsplit(given).path).endswith(unquote(request.base) + "/callback"):
                raise ConfigurationError(
                    f"redirect_uri {given} must end in the callback route, {callback}. Register that address "
                    "with Smartcar and give it here, or leave redirect_uri out."
                )
            return self._smartcar
        origin = self.origin(request)
        known = self._clients.get(origin + callback)
        if known is None:
            if not _can_be_answered(origin):
                # Whatever is no name stays out of the page: the Host header is a visitor's to choose.
                shown = origin if is_origin(origin) else "an address that no browser asks for"
                raise Refused(
                    400,
                    f"This app was reached over {shown}, where Connect can't answer: it needs https, or http on "
                    "localhost. Behind a TLS proxy, let the server trust X-Forwarded-Proto, or set public_url.",
                )
            known = self._smartcar.replace(redirect_uri=origin + callback)
            if len(self._clients) >= _MOST_CLIENTS:  # a visitor can send as many Host headers as he likes
                self._clients.clear()
            self._clients[origin + callback] = known
        return known

    def check_page(self, page: str | None, request: Request, redirect_uri: str) -> None:
        """The page that waits is ours or allowed, and the callback will reach the host that sets the cookie.

        Args:
            page: The origin that the waiting page says it has, or None.
            request: The launch.
            redirect_uri: Where Connect will send the browser.

        Raises:
            Refused: In words, naming both hosts or the origin.
        """
        own = self.origin(request)
        if page == own:
            return  # the browser itself says so, whatever Host header a proxy passes on
        there = _host(redirect_uri)
        here = _host(request.origin)
        if page is not None and page not in self.allowed_origins and _host(page) != there:
            here = _host(page)
        if here != there:
            raise Refused(
                400,
                f"This page is on {here}, but Connect answers to {there} ({redirect_uri}). Browsers keep their "
                f"cookies apart, so the answer would be lost. Open the app on {there}; behind a proxy, let it "
                "pass the Host header on.",
            )
        if page is not None and page not in self.allowed_origins:
            raise Refused(
                403,
                f"The page's origin {page} is not this app's ({own}). If it belongs to this app, add it to "
                "allowed_origins.",
            )

    def check_other_site(self, page: str | None, request: Request) -> None:
        """A page of another site can't wait for an attempt, allowed or not.

        Raises:
            Refused: With the reason.
        """
        if page is not None and page != self.origin(request):
            raise Refused(
                403,
                f"{page} is another site than this app ({self.origin(request)}), so browsers keep this app's "
                "cookies from its pages. Serve the page from this app's site, or link here without a pop-up.",
            )


def _split_public_url(public_url: str | None) -> tuple[str | None, str]:
    if public_url is None:
        return None, ""
    if not isinstance(public_url, str):
        raise ConfigurationError("public_url must be text, such as 'https://app.example.com'.")
    try:
        parts = urlsplit(public_url)
    except ValueError:
        raise ConfigurationError(
            "public_url can't be read; write it like 'https://app.example.com'."
        ) from None
    if parts.query or parts.fragment:
        raise ConfigurationError("public_url must have no query and no fragment.")
    return parse_origin(f"{parts.scheme}://{parts.netloc}", what="public_url"), parts.path.rstrip("/")


def _origin_of(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        raise ConfigurationError(
            f"redirect_uri {uri} is for mobile apps; a web app's is https, or http on localhost."
        )
    return parse_origin(f"{parts.scheme}://{parts.netloc}", what="redirect_uri")


def _can_be_answered(origin: str) -> bool:
    try:
        return is_origin(parse_origin(origin, what="the request's address"))
    except ConfigurationError:
        return False


def _host(address: str) -> str:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    # A Host header is a visitor's: no more of it than a name gets into a page.
    return host if is_origin(f"https://{host}") else "an unreadable host"
