"""An application made without smartcar-auth that is sound, or has one flaw on purpose: the one that a check looks for.

It has a cookie for each attempt, exchanges the code on the server, and answers with redirects and pages of words.
"""

import hashlib
import secrets
import time
from html import escape
from urllib.parse import parse_qsl, urlencode

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from conformance.exchange import exchange

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}
EXITS = ("user_manually_returned_to_application", "user_cancelled", "oem_cancelled_login")
POPUP = """<a href="/connect" target="_blank" rel="opener" id="connect">Connect your car</a><p id="said"></p>
<script>addEventListener("message", () => document.getElementById("said").textContent = "Done.")</script>"""


def page(words: str, status: int = 200) -> Response:
    return HTMLResponse(f"<!doctype html><title>My cars</title><p>{words}</p>", status, HEADERS)


def name_of(state: str) -> str:
    return "connect-" + hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()[:16]


def create_app(connect_origin: str, flaw: str = "") -> Starlette:
    """The application; `flaw` is the name of the check that it fails."""

    def cookie_of(state: str) -> str:
        return "connect" if flaw in ("two-at-once", "forged-changes-nothing") else name_of(state)

    def automatic(request: Request) -> bool:
        return request.method == "HEAD" or "prefetch" in request.headers.get("sec-purpose", "")

    async def cars(request: Request) -> Response:
        if flaw in ("browser-granted", "browser-denied", "browser-opener-cut"):
            return page(POPUP)
        said = "Connected." if request.query_params.get("connected") else ""
        return page(f'<a href="/connect" id="connect">Connect your car</a> {said}')

    async def connect(request: Request) -> Response:
        if automatic(request):
            return Response(status_code=503)
        make = request.query_params.get("make", "TESLA")
        if not make.isalpha():
            return page(f"There is no {make if flaw == 'markup-in-launch' else escape(make)}.", 400)
        state = secrets.token_urlsafe(32)
        if flaw == "state-unguessable":
            state = str(time.time_ns())
        if flaw == "state-chosen":
            state = request.query_params.get("state", state)
        host = "http://app.example.com" if flaw == "redirect-uri" else f"http://localhost:{request.url.port}"
        query = {
            "response_type": "code",
            "application_id": "client_01HX" if flaw == "request" else "an-application",
            "redirect_uri": f"{host}/callback",
            "scope": "read_odometer",
            "state": state,
        }
        answer = RedirectResponse(f"{connect_origin}/oauth/authorize?{urlencode(query)}", 303, HEADERS)
        same_site = "strict" if flaw == "granted" else "lax"
        answer.set_cookie(cookie_of(state), state, 3600, httponly=True, samesite=same_site)
        there = request.query_params.get("next", "/")
        if flaw == "open-redirect" or (there.isascii() and there.isalpha()):
            answer.set_cookie("next", there.encode().hex(), 3600, httponly=True, samesite="lax")
        return answer

    def is_proven(request: Request, state: str) -> bool:
        if flaw == "state-missing" and not state:
            return True
        kept = request.cookies.get(cookie_of(state), "")
        if flaw == "state-forged":
            kept = next((value for name, value in request.cookies.items() if name.startswith("connect-")), "")
            return bool(state) and kept[:8] == state[:8]
        return bool(kept) and secrets.compare_digest(kept.encode(), state.encode("utf-8", "replace"))

    async def callback(request: Request) -> Response:
        if automatic(request) and flaw != "prefetch-callback":
            return Response(status_code=503)
        answer = await answered(request)
        state = dict(parse_qsl(request.url.query)).get("state", "")
        if answer.status_code != 400 or flaw == "forged-changes-nothing":
            answer.delete_cookie(cookie_of(state))
        return answer

    async def answered(request: Request) -> Response:
        pairs = parse_qsl(request.url.query, keep_blank_values=True)
        found = dict(reversed(pairs))
        if flaw == "junk":
            found.get("state", "").encode("ascii")
        if len(found) < len(pairs) and flaw != "doubled":
            return page("That answer can't be trusted. Please try again.", 400)
        if not is_proven(request, found.get("state", "")):
            return page("That answer can't be trusted. Please try again.", 400)
        error, code = found.get("error"), found.get("code", "")
        if error is not None and not (flaw == "code-and-error" and code):
            if flaw == "denied" or (flaw == "errors" and error not in (*EXITS, "access_denied")):
                raise KeyError("code")
            if flaw == "exits" and error in EXITS:
                raise KeyError(error)
            return page("Nothing was connected." if flaw != "browser-denied" else "")
        if not code and flaw != "code-empty":
            return page("That answer can't be trusted. Please try again.", 400)
        if not await anyio.to_thread.run_sync(exchange, connect_origin, code) and flaw != "exchange-fails":
            return page("That did not work. Please try again.", 502)
        return finished(request)

    def finished(request: Request) -> Response:
        if flaw in ("browser-denied", "browser-opener-cut"):
            return page("<script>opener.postMessage('done', origin); close()</script>")
        if flaw == "browser-granted":
            return page("")
        there = bytes.fromhex(request.cookies.get("next", "")).decode() or "/"
        separator = "&" if "?" in there else "?"
        return RedirectResponse(f"{there}{separator}connected=1", 303, HEADERS)

    return Starlette(routes=[Route("/", cars), Route("/connect", connect), Route("/callback", callback)])
