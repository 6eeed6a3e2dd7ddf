"""An application whose author has read about state, and whose mistakes look like diligence; kept broken on purpose.

The state is signed, expires and can't be guessed, but it is bound to no browser and counts as often as it comes; the
host is taken from X-Forwarded-Host, whoever sends it. Everything else is done well.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from conformance.exchange import exchange

KEY = secrets.token_bytes(32)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
}


def page(words: str, status: int = 200) -> Response:
    return HTMLResponse(f"<!doctype html><title>My cars</title><p>{words}</p>", status, HEADERS)


def signature(text: str) -> str:
    return hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


def is_ours(state: str) -> bool:
    issued, _, rest = state.partition(".")
    nonce, _, signed = rest.partition(".")
    expected = signature(f"{issued}.{nonce}")
    fresh = issued.isascii() and issued.isdigit() and time.time() - int(issued) < 600
    return hmac.compare_digest(signed.encode("utf-8", "replace"), expected.encode()) and fresh


def automatic(request: Request) -> bool:
    return request.method == "HEAD" or "prefetch" in request.headers.get("sec-purpose", "")


def create_app(connect_origin: str, exchanged: Callable[[str, str], bool] = exchange) -> Starlette:
    async def cars(request: Request) -> Response:
        said = "Connected." if request.query_params.get("connected") else ""
        return page(f'My cars: <a href="/connect">Connect your car</a> {said}')

    async def connect(request: Request) -> Response:
        if automatic(request):
            return Response(status_code=503)
        host = request.headers.get("x-forwarded-host") or request.headers["host"]
        if host != request.headers.get("x-forwarded-host") and not host.startswith("localhost:"):
            return page("This host isn't known here.", 400)
        signed = f"{int(time.time())}.{secrets.token_urlsafe(24)}"
        query = {
            "response_type": "code",
            "application_id": "an-application",
            "redirect_uri": f"http://{host}/callback",
            "scope": "read_odometer",
            "state": f"{signed}.{signature(signed)}",
        }
        return RedirectResponse(f"{connect_origin}/oauth/authorize?{urlencode(query)}", 303, HEADERS)

    async def callback(request: Request) -> Response:
        if automatic(request):
            return Response(status_code=503)
        pairs = parse_qsl(request.url.query, keep_blank_values=True)
        if len(dict(pairs)) < len(pairs) or not is_ours(dict(pairs).get("state", "")):
            return page("That answer can't be trusted. Please try again.", 400)
        if "error" in dict(pairs) or not dict(pairs).get("code"):
            return page("Nothing was connected.")
        code = dict(pairs)["code"]
        if not await anyio.to_thread.run_sync(exchanged, connect_origin, code):
            return page("That did not work. Please try again.", 502)
        return RedirectResponse("/?connected=1", 303, HEADERS)

    return Starlette(routes=[Route("/", cars), Route("/connect", connect), Route("/callback", callback)])
