"""Launch and callback on Starlette: time added over bare routes, beside Authlib's Starlette client.

Requests are raw ASGI calls in one event loop, no server and no client library, so that what is left is the
routes. A flow is whole: the callback's state and cookie are those of its own launch. Authlib is given its
metadata, and its callback runs `authorize_access_token` unchanged up to the token request, which isn't ours.

Authlib makes an HTTP client for every launch, and as installed the client reads the machine's certificate
authorities each time. That is milliseconds, and more of the machine's than of Authlib's, so there are two peers:
Authlib as installed, and Authlib given a TLS context once, the best that an application can do for it.
"""

import asyncio
import secrets
import ssl
from functools import partial
from time import process_time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from smartcar_auth import AuthorizationResponse, Smartcar
from smartcar_auth.hosts.starlette import SmartcarConnect

from .asgi import HOST, Answers, Scope, cookie, get, header, receive
from .auth_url import APPLICATION_ID, SCOPE
from .figure import Figure, Say, Target, take_turns
from .taken import Taken

FLOWS = 400
SLOW_FLOWS = 30
AUTHORIZE_URL = "https://connect.smartcar.com/oauth/authorize"
CALLBACK_URL = "http://localhost:8000/smartcar/callback"
PAGE = "<!doctype html><title>Done</title><p>Your car is connected."
SAME_ORIGIN = [HOST, (b"sec-fetch-site", b"same-origin")]
CROSS_SITE = [HOST, (b"sec-fetch-site", b"cross-site")]


def measure(say: Say, quick: bool) -> list[Figure]:
    apps = {
        "bare": bare_app(),
        "ours": our_app(),
        "ours, identify": our_app(identify=_identify),
        "peer": authlib_app(),
        "peer, ready": authlib_app(verify=ssl.create_default_context()),
    }
    taken = Taken(apps)

    def flow(name: str) -> float:
        flows = SLOW_FLOWS if name == "peer" else FLOWS
        return taken.note(name, asyncio.run(run_flows(apps[name], with_answer=name != "bare", flows=flows)))

    take_turns({name: partial(flow, name) for name in apps}, 5 if quick else 24, say)
    added, bare = taken.added, taken.times("bare")
    ready = "Authlib, TLS context given"
    return [
        Figure(
            "launch + callback, Starlette",
            sum(added("ours")),
            sum(added("peer")),
            "us",
            "Authlib as installed",
            Target(0.25),
            f"minima of {taken.batches} batches of {FLOWS} flows ({SLOW_FLOWS} of Authlib as installed); bare "
            f"routes {bare[0]:.1f} + {bare[1]:.1f} us taken off; ratio by medians "
            f"{taken.by_medians('peer'):.3f}",
        ),
        Figure(
            "- against a lighter Authlib",
            sum(added("ours")),
            sum(added("peer, ready")),
            "us",
            ready,
            Target(0.25),
            f"ratio by medians {taken.by_medians('peer, ready'):.3f}",
        ),
        Figure("- launch alone", added("ours")[0], added("peer, ready")[0], "us", ready),
        Figure("- callback alone", added("ours")[1], added("peer, ready")[1], "us", ready),
        Figure(
            "- both, with an async identify",
            sum(added("ours, identify")),
            sum(added("peer, ready")),
            "us",
            ready,
        ),
    ]


async def run_flows(app: Any, *, with_answer: bool, flows: int = FLOWS) -> tuple[float, float]:
    """Microseconds of processor time per launch and per callback, whole batches of each."""
    launches = [get("/smartcar/launch", launch_query(), SAME_ORIGIN) for _ in range(flows)]
    launched, launch_time = await _timed(app, launches)
    if with_answer:
        callbacks = [callback_of(start) for start in launched.starts]
    else:
        callbacks = [get("/smartcar/callback", b"code=c&state=s", CROSS_SITE) for _ in launches]
    answered, callback_time = await _timed(app, callbacks)
    statuses = {start["status"] for start in launched.starts} | {start["status"] for start in answered.starts}
    if not statuses <= {200, 302, 303, 307}:
        raise AssertionError(f"a request failed: {statuses}")
    return launch_time / flows * 1e6, callback_time / flows * 1e6


async def _timed(app: Any, scopes: list[Scope]) -> tuple[Answers, float]:
    answers = Answers()
    send = answers.send
    started = process_time()
    for scope in scopes:
        await app(scope, receive, send)
    return answers, process_time() - started


def launch_query() -> bytes:
    """What the page's module sends."""
    return f"attempt={_attempt_id()}&display=popup&origin=http%3A%2F%2Flocalhost%3A8000".encode()


def _attempt_id() -> str:
    return secrets.token_urlsafe(16)


def callback_of(start: dict[str, Any]) -> Scope:
    """Connect's answer to a launch: its state, a code, and the cookie it set."""
    state = parse_qs(urlsplit(header(start, b"location").decode()).query)["state"][0]
    query = f"code={_attempt_id()}&state={state}&user_id=2dad4eaf-9094-4bff-bb0f-ffbbdde8b562"
    return get("/smartcar/callback", query.encode(), [*CROSS_SITE, cookie(start)])


def bare_app() -> Starlette:
    """The same two routes, with nothing to do: one redirects, the other shows a page."""

    async def launch(request: Request) -> Response:
        return RedirectResponse(AUTHORIZE_URL)

    async def callback(request: Request) -> Response:
        return HTMLResponse(PAGE)

    return _mounted([Route("/launch", launch), Route("/callback", callback)])


def our_app(**options: Any) -> Starlette:
    connect = SmartcarConnect(
        Smartcar(application_id=APPLICATION_ID, scope=SCOPE),
        secret_keys=[secrets.token_urlsafe(48)],
        **options,
    )

    @connect.on_complete
    async def connected(request: Request, response: AuthorizationResponse) -> None:
        return None

    return _mounted(connect.routes)


async def _identify(request: Request) -> str:
    return "b7e8f2aa-6d0c-4b5e-9a57-9d7dd0bd2e0c"


def authlib_app(**client: Any) -> Starlette:
    oauth = _OAuthWithoutTokens()
    oauth.register(
        "smartcar",
        client_id=APPLICATION_ID,
        client_secret="secret",
        authorize_url=AUTHORIZE_URL,
        access_token_url="https://auth.smartcar.com/oauth/token",
        client_kwargs={"scope": " ".join(SCOPE), **client},
    )

    async def launch(request: Request) -> Response:
        answer: Response = await oauth.smartcar.authorize_redirect(request, CALLBACK_URL)
        return answer

    async def callback(request: Request) -> Response:
        await oauth.smartcar.authorize_access_token(request)
        return HTMLResponse(PAGE)

    # Authlib keeps its state in the session; ours brings its own cookie and needs no middleware.
    session = Middleware(SessionMiddleware, secret_key=secrets.token_urlsafe(48))
    return _mounted([Route("/launch", launch), Route("/callback", callback)], [session])


class _WithoutTokens(StarletteOAuth2App):
    async def fetch_access_token(self, **parameters: Any) -> dict[str, str]:
        return {"access_token": "token"}


class _OAuthWithoutTokens(OAuth):
    oauth2_client_cls = _WithoutTokens


def _mounted(routes: list[Route], middleware: list[Middleware] | None = None) -> Starlette:
    return Starlette(routes=[Mount("/smartcar", routes=routes)], middleware=middleware)
