"""Front-end mode: the page that Connect comes back to when a page's own JavaScript wants the answer.

The counterpart of Smartcar's hosted redirect page and of its `redirect.js`. Nothing is verified or kept
here: the page that opened the pop-up made the state and checks it. What the server decides is whose page
may be told; the answer itself never enters the markup, because the script reads it from the address.
"""

from collections.abc import Iterable
from html import escape
from urllib.parse import parse_qsl

from smartcar_auth import ConnectError, InvalidResponse
from smartcar_auth.response import read_checked, read_parameters

from . import assets, pages
from .application import Application, not_a_person
from .exchange import Request, Response
from .options import is_origin

_SHEET = f"assets/{assets.STYLE.name}"


class Redirecting(Application):
    """The route of front-end mode."""

    def redirect(self, request: Request) -> Response:
        """Connect comes back: a page whose script tells the opener, if it is of an allowed origin."""
        automatic = not_a_person(request)
        if automatic is not None:
            return automatic
        own = self._site.origin(request)
        query = request.query.decode("latin-1")
        targets = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "app_origin"]
        target = targets[0] if targets else own
        if len(targets) > 1 or (target != own and target not in self._site.allowed_origins):
            return self._page(403, pages.Page("refused", after=_refusal(target, own)), request)
        kind, status = _kind(request.query)
        script = callback_script("", [target] if targets else [], sheet=_SHEET)
        page = pages.Page(
            kind,
            target if target != own else "/",
            tone="question" if kind == "returned" else "",
            # The stylesheet is fetched only when the window stays open.
            head=f'<noscript><link rel="stylesheet" href="{_SHEET}"></noscript>{script}',
        )
        response = self._page(status, page, request)
        # Django sends same-origin with every response that says nothing, and that would cut the opener off.
        response.headers += [
            ("Cross-Origin-Opener-Policy", "unsafe-none"),
            preload(f"assets/{assets.REDIRECT.name}", assets.REDIRECT),
        ]
        return response


def callback_script(
    base: str, allowed_origins: Iterable[str], *, text: str | None = None, sheet: str | None = None
) -> str:
    """The script's markup, for a page that the application itself shows at the end of the pop-up.

    The page must be at the address that Connect redirected to, query included. The script tells the opener
    and closes the window; where it can't, it adds a sentence to the page.

    Args:
        base: Path of the routes as browsers know it, such as "/smartcar/"; "" is relative to the page.
        allowed_origins: Whose pages may be told, besides the page's own origin, when `app_origin` names them.
        text: The sentence, when it isn't to be the English one.
        sheet: Address of a stylesheet to load instead, for a page that has its words already.
    """
    given = {"origins": " ".join(sorted(allowed_origins)), "text": text, "sheet": sheet}
    attributes = "".join(
        f' data-smartcar-{name}="{escape(value)}"' for name, value in given.items() if value is not None
    )
    # Our own page has nothing to show while the answer waits; browsers fetch a deferred script with less haste.
    defer = sheet is None
    return script_element(f"{base}assets/{assets.REDIRECT.name}", assets.REDIRECT, attributes, defer=defer)


def script_element(address: str, script: assets.Asset, attributes: str = "", *, defer: bool = False) -> str:
    """Markup that loads the script from any address."""
    # Classic, so that it finds its attributes as those of its own element, wherever else the page has some.
    # The page's address holds the code, which has no business in the log of requests for a script.
    return (
        f'<script {"defer " * defer}src="{escape(address)}" integrity="{script.integrity}" '
        f'referrerpolicy="no-referrer"{attributes}></script>'
    )


def preload(address: str, script: assets.Asset) -> tuple[str, str]:
    """A header field of our redirect page: its script is on its way before the browser has read the page.

    Browsers take the file once only if this names the same integrity as the element.
    """
    return "Link", f'<{address}>; rel=preload; as=script; integrity="{script.integrity}"'


def _kind(query: bytes) -> tuple[str, int]:
    """What the page says, and its status. Only words: nobody believes an answer whose state isn't checked."""
    try:
        parameters = read_parameters(query)
        if parameters.state is None:
            return "missing", 400
        read_checked(parameters, requires=None)
        if not any(map(parameters.get, ("code", "user_id", "vehicle_id"))):
            return "unreadable", 400
    except ConnectError as error:
        return error.code, 200
    except InvalidResponse:
        return "unreadable", 400
    return "returned", 200


def _refusal(target: str, own: str) -> str:
    # Whatever is no origin stays out of the page: the query is a visitor's to choose.
    if not is_origin(target):
        return "app_origin must be one origin alone, such as https://app.example.com."
    return (
        f"The page's origin {target} is not this app's ({own}). If it belongs to this app, add it to "
        "allowed_origins."
    )
