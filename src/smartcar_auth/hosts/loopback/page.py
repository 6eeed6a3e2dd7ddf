"""What the browser shows at the end: the words and the looks of our other pages, in a single answer.

The port is let go as soon as the page is sent, so the page has to come whole: the stylesheet that the server side's
pages load travels in it as a `data:` address. Nothing from outside stands in a page, and our own words need no
escaping (`html` would double what there is to import).
"""

from __future__ import annotations

import os
from binascii import b2a_base64

from smartcar_auth import InvalidResponse, SmartcarAuthError, StateMismatch
from smartcar_auth.words import WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from smartcar_auth import AuthorizationResponse

HEADERS = (
    "Content-Type: text/html; charset=utf-8\r\n"
    "Cache-Control: no-store\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Content-Security-Policy: default-src 'none'; style-src data:; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
)

_SHEET = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "web", "static", "page.css")
with open(_SHEET, "rb") as _file:
    _STYLE = "data:text/css;base64," + b2a_base64(_file.read(), newline=False).decode()


def page(answer: AuthorizationResponse | SmartcarAuthError) -> bytes:
    """The page for an answer: what it means, or why it is not believed."""
    kind = answer.code if isinstance(answer, SmartcarAuthError) else "granted"
    if isinstance(answer, InvalidResponse):
        kind = answer.cause if isinstance(answer, StateMismatch) else "unreadable"
    heading, text = WORDS.get(kind) or WORDS["unknown_error"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        # An empty icon keeps the browser from asking for /favicon.ico when nobody is there to answer.
        f'<link rel="icon" href="data:,"><link rel="stylesheet" href="{_STYLE}">'
        f"<title>{heading}</title></head>"
        f'<body><main class="{"granted" if kind == "granted" else ""}">'
        f"<h1>{heading}</h1><p>{text}</p></main></body></html>"
    ).encode()
