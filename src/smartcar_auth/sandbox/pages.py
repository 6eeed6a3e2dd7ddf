"""Writing answers: pages by one Jinja environment with one set of headers, redirects, JSON, static files."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .languages import ENGLISH

_HERE = Path(__file__).parent

# No form-action directive: Chrome applies it to the redirects that follow a form, so Connect could
# not send anybody back to an application on another origin.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "content-security-policy": _POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",  # the attempt's id is in the path
    "x-content-type-options": "nosniff",
}

HINT = "sandbox-hint"  # a header: what to fix, beside an error in Smartcar's own words

_UNPRINTABLE = re.compile(r"[^ -~]")

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
STATIC = {
    path.name: (path.read_bytes(), _MEDIA_TYPES[path.suffix])
    for path in sorted((_HERE / "static").iterdir())
    if path.suffix in _MEDIA_TYPES
}


def _address(name: str) -> str:
    """A static file's address; it changes with the content, so browsers may keep it for ever."""
    return f"/static/{name}?v={sha256(STATIC[name][0]).hexdigest()[:12]}"


environment = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    auto_reload=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals["language"] = ENGLISH
environment.globals["static"] = {name: _address(name) for name in STATIC}
environment.filters["pretty"] = lambda value: json.dumps(value, indent=2)


def page(template: str, status: int = 200, **context: Any) -> Response:
    """A page. Bytes that were never UTF-8 (kept as surrogates) are shown as question marks."""
    html = environment.get_template(template).render(context)
    headers = PAGE_HEADERS
    if "hint" in context:
        # What the application sent may stand in it, and must not split the header.
        headers = headers | {HINT: _UNPRINTABLE.sub("?", context["hint"][:300])}
    return Response(html.encode("utf-8", "replace"), status, headers, "text/html; charset=utf-8")


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON in ASCII: Starlette's own writes UTF-8, which fails on the bytes we keep as surrogates."""
    body = json.dumps(content, separators=(",", ":")).encode("ascii")
    return Response(body, status, headers, "application/json")


def redirect(address: str, status: int = 303) -> Response:
    """A redirect whose address is already percent-encoded ASCII."""
    return Response(b"", status, {**PAGE_HEADERS, "location": address})


class Dropped(Response):
    """No answer: the connection ends, as it does when a network goes away.

    Under a server that isn't ours it can't, and the answer is a 503.
    """

    def __init__(self) -> None:
        super().__init__(b"The sandbox was told to be offline.", 503, PAGE_HEADERS, "text/plain")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the connection, and wait until it has ended."""
        drop = scope.get("state", {}).get("drop")
        if drop is None:
            await super().__call__(scope, receive, send)
            return
        drop()
        while (await receive())["type"] != "http.disconnect":
            pass


def static_file(name: str) -> Response | None:
    """A style sheet, script or picture; None if there is no such file."""
    found = STATIC.get(name)
    if found is None:
        return None
    headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
    return Response(found[0], 200, headers, found[1])
