"""The pages that the server side shows: outcome, refusal, question; and the button for templates.

Everything that came from outside passes `escape`. No page holds an inline script or style; what the
module must know stands in data attributes of the root element, where injected markup can't put it.
"""

import json
import re
from html import escape
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from smartcar_auth import ConfigurationError
from smartcar_auth.words import WORDS

from . import assets
from .attempt import Outcome

_SECURITY = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'",
    ),
]


def headers() -> list[tuple[str, str]]:
    """The header fields of every page here; each may carry an answer, so none is kept or passed on."""
    return list(_SECURITY)


_SHEET = f"assets/{assets.STYLE.name}"
_STYLED = f'<link rel="stylesheet" href="{_SHEET}">'


class Page(NamedTuple):
    """One page in words, before it is written: a host may render it with the application's own template.

    Args:
        kind: A key of `WORDS`.
        link: Where the one link leads; "" is this address again.
        link_text: What it says.
        tone: "granted", "question", or "" for everything else.
        before: The application's own sentence for the person, or "".
        after: Our reason, where a link was refused, or "".
        attributes: Markup of the root element, for the module; "" where nothing waits.
        head: Markup: our scripts and stylesheets.
    """

    kind: str
    link: str = "/"
    link_text: str = "Back to the app"
    tone: str = ""
    before: str = ""
    after: str = ""
    attributes: str = ""
    head: str = _STYLED

    @property
    def heading(self) -> str:
        return WORDS[self.kind][0]

    @property
    def paragraphs(self) -> list[str]:
        return [one for one in (self.before, WORDS[self.kind][1], self.after) if one]

    def html(self) -> bytes:
        heading, text = _ESCAPED[self.kind]
        paragraphs = [f"<p>{one}</p>" for one in (escape(self.before), text, escape(self.after)) if one]
        return (
            f'<!doctype html><html lang="en"{self.attributes}><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
            # An empty icon keeps the browser from asking for /favicon.ico, a request the way back doesn't need.
            f'<link rel="icon" href="data:,">'
            f"<title>{heading}</title>{self.head}</head>"
            f'<body><main class="{self.tone}"><h1>{heading}</h1>{"".join(paragraphs)}'
            f'<a class="action" href="{escape(self.link)}">{self.link_text}</a></main></body></html>'
        ).encode(errors="replace")  # an application's message may hold a lone surrogate


def question(query: str) -> Page:
    """Asks a visitor from another site: one button, which leads to the launch again, from here.

    Without the question, any site could open attempts in a visitor's name and push out his own.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name not in _OF_THE_PAGE]
    link = "launch?" + urlencode(kept, quote_via=quote)
    return Page("question", link, "Continue", "question")


def unavailable() -> Page:
    """The store can't be reached: nothing was handled, and the same address can be opened again."""
    return Page("unavailable", "", "Try again")


_OF_THE_PAGE = frozenset({"attempt", "display", "origin", "module"})


def refusal(outcome: Outcome, waiting: tuple[str, str] | None, *, kind: str = "refused") -> Page:
    """A launch refused: in words for the person, and told to the page that waits for the attempt, if any."""
    page = Page(kind, after=outcome.data["message"] if outcome.data else "")
    if waiting is None:
        return page
    return page._replace(
        attributes=_attributes(waiting[0], outcome, waiting[1]), head=_STYLED + _script(False)
    )


def outcome_page(
    attempt: str, outcome: Outcome, *, page_origin: str | None, stable_asset: bool, link: str
) -> Page:
    """The callback page: tells the waiting page how the attempt ended, closes itself, else says it in words.

    The module comes under the address the waiting page loaded it from, so it is in the cache and the
    way back costs one request. The stylesheet is fetched only when the window stays open.
    """
    kind = outcome.code or "granted"
    if kind not in WORDS:
        kind = "unknown_error"
    head = (_STYLED if page_origin is None else f"<noscript>{_STYLED}</noscript>") + _script(stable_asset)
    message = outcome.data.get("message") if isinstance(outcome.data, dict) else None
    said = message if isinstance(message, str) else ""
    return Page(
        kind,
        link,
        tone="granted" if outcome.code is None else "",
        before=said,
        attributes=_attributes(attempt, outcome, page_origin),
        head=head,
    )


def _attributes(attempt: str, outcome: Outcome, page_origin: str | None) -> str:
    # The attempt's id is base64url and the outcome's words are our own; the rest came from outside.
    data = "null" if outcome.data is None else escape(json.dumps(outcome.data))
    return (
        f' data-smartcar-attempt="{attempt}" data-outcome="{outcome.outcome}" data-code="{outcome.code or ""}"'
        f' data-data="{data}" data-origin="{escape(page_origin or "")}" data-sheet="{_SHEET}"'
    )


def _script(stable: bool) -> str:
    # Addresses are relative to the routes: behind a proxy only the browser knows the whole path.
    return f'<script type="module" src="{assets.SCRIPT.stable_name if stable else _HASHED}"></script>'


_HASHED = f"assets/{assets.SCRIPT.name}"


_ESCAPED = {kind: (escape(heading), escape(text)) for kind, (heading, text) in WORDS.items()}


def query_of(options: dict[str, str | bool | None]) -> str:
    """The options that are not None as a query with its "?", or nothing."""
    given = {
        name: value if isinstance(value, str) else str(value).lower()
        for name, value in options.items()
        if value is not None
    }
    return "?" + urlencode(given, quote_via=quote) if given else ""


def button(
    launch: str,
    label: Any,
    *,
    return_to: str | None,
    attempt_seconds: int,
    attributes: dict[str, Any],
) -> str:
    """The button's markup: the module, and an element that without JavaScript is the link inside it."""
    given = {"launch": launch, **attributes, "attempt-seconds": str(attempt_seconds)}
    for name in given:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{name!r} can't be the name of an attribute; write id, class_ or data_x."
            )
    link = launch
    base = launch.partition("?")[0].removesuffix("/launch")
    if return_to is not None:
        given["return-to"] = return_to
        link += ("&" if "?" in launch else "?") + f"return_to={quote(return_to, safe='/')}"
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_markup(value)}"' for name, value in given.items()
    )
    return (
        f'<script type="module" src="{escape(base)}/{_HASHED}" '
        f'integrity="{assets.SCRIPT.integrity}"></script>'
        f'<smartcar-connect{written}><a href="{escape(link)}">{_markup(label)}</a></smartcar-connect>'
    )


_NAME = re.compile("[A-Za-z][A-Za-z0-9_-]*")


def _markup(text: Any) -> str:
    """Text as markup, fit for an attribute too. What a translation gives is markup already (Jinja2's i18n)."""
    if hasattr(text, "__html__"):
        return str.__str__(text.__html__()).replace('"', "&quot;").replace("'", "&#x27;")
    return escape(str(text))
