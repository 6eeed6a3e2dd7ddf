"""Where in an application's pages and redirects a way to Connect is."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from urllib.parse import SplitResult, unquote_plus, urlsplit

from smartcar_auth.doctor.visit import Answer, netloc_of, resolve

from .values import is_html, read_markup

_AUTHORIZE = ("/oauth/authorize", "/oauth/reauthenticate")
_ADDRESS = re.compile(r"""https?:(?://|\\/\\/)[^\s"'<>`]+?(?:/|\\/)oauth(?:/|\\/)authorize\?[^\s"'<>`]+""")
_LEADS = re.compile("launch|smartcar|connect|authori|oauth|link|login|car|vehicle", re.IGNORECASE)
_LEADS_ELSEWHERE = re.compile("logout|sign-?out|disconnect|delete|remove|revoke|unlink", re.IGNORECASE)


def is_authorize(there: SplitResult) -> bool:
    return there.path.endswith(_AUTHORIZE)


def authorize_of(trail: Sequence[Answer]) -> str | None:
    """The address of Connect to which these answers lead."""
    last = trail[-1]
    if last.location is not None:
        return last.location.geturl() if is_authorize(last.location) else None
    return authorize_in(last)


def authorize_in(answer: Answer) -> str | None:
    """The address of Connect in a page, whether in a link, an attribute or a script."""
    if not is_html(answer):
        return None
    found = _ADDRESS.search(answer.body.decode("utf-8", "replace"))
    if found is None:
        return None
    text = unescape(found[0]).replace("\\/", "/").replace("\\u0026", "&")
    return text.rstrip("\\")


def links_of(page: Answer) -> Iterator[str]:
    """Addresses here that may lead to Connect, the likeliest first."""
    found = []
    for tag, attributes in read_markup(page).elements:
        reference = {
            "smartcar-connect": attributes.get("launch"),
            "a": attributes.get("href"),
            "form": attributes.get("action") if attributes.get("method", "get").lower() == "get" else None,
        }.get(tag)
        there = resolve(page.url, reference) if reference else None
        if there is None or netloc_of(there) != netloc_of(urlsplit(page.url)):
            continue
        named = " ".join([there.path, attributes.get("id", ""), attributes.get("class", "")])
        if _LEADS.search(named) and not _LEADS_ELSEWHERE.search(unquote_plus(named)):
            rank = 0 if tag == "smartcar-connect" else 1 if "launch" in named or "smartcar" in named else 2
            found.append((rank, there.geturl()))
    yield from (link for _, link in sorted(found, key=lambda pair: pair[0]))
