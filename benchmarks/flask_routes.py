"""Launch and callback on Flask: time added over bare routes, beside Authlib's Flask client.

Requests are raw WSGI calls in one thread, no server and no test client, so that what is left is the routes. A
flow is whole: the callback's state and cookie are those of its own launch. Authlib is given its metadata, and
its callback runs `authorize_access_token` unchanged up to the token request, which isn't ours.
"""

import io
import secrets
import sys
from functools import partial
from time import process_time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from flask import Flask, Request, Response, redirect

from smartcar_auth import AuthorizationResponse, Smartcar
from smartcar_auth.hosts.flask import SmartcarConnect

from .asgi import NAVIGATION
from .auth_url import APPLICATION_ID, SCOPE
from .figure import Figure, Say, Target, take_turns
from .taken import Taken

FLOWS = 200
AUTHORIZE_URL = "https://connect.smartcar.com/oauth/authorize"
CALLBACK_URL = "http://localhost:8000/smartcar/callback"
PAGE = "<!doctype html><title>Done</title><p>Your car is connected."

Environ = dict[str, Any]
Answer = tuple[str, list[tuple[str, str]]]


def measure(say: Say, quick: bool) -> list[Figure]:
    apps = {
        "bare": bare_app(),
        "ours": our_app(),
        "ours, identify": our_app(identify=_identify),
        "peer": authlib_app(),
    }
    taken = Taken(apps)

    def flow(name: str) -> float:
        return taken.note(name, run_flows(apps[name], with_answer=name != "bare"))

    take_turns({name: partial(flow, name) for name in apps}, 5 if quick else 24, say)
    added, bare = taken.added, taken.times("bare")
    peer = "Authlib's Flask client"
    return [
        Figure(
            "launch + callback, Flask",
            sum(added("ours")),
            sum(added("peer")),
            "us",
            peer,
            Target(0.25),
            f"minima of {taken.batches} batches of {FLOWS} flows; bare routes {bare[0]:.1f} + "
            f"{bare[1]:.1f} us taken off; ratio by medians "
            f"{taken.by_medians('peer'):.3f}",
        ),
        Figure("- launch alone", added("ours")[0], added("peer")[0], "us", peer),
        Figure("- callback alone", added("ours")[1], added("peer")[1], "us", peer),
        Figure("- both, with an identify", sum(added("ours, identify")), sum(added("peer")), "us", peer),
    ]


def run_flows(app: Flask, *, with_answer: bool, flows: int = FLOWS) -> tuple[float, float]:
    """Microseconds of processor time per launch and per callback, whole batches of each."""
    launches = [get("/smartcar/launch", _launch_query(), "same-origin") for _ in range(flows)]
    launched, launch_time = _timed(app, launches)
    if with_answer:
        callbacks = [_callback_of(answer) for answer in launched]
    else:
        callbacks = [get("/smartcar/callback", "code=c&state=s", "cross-site") for _ in launches]
    answered, callback_time = _timed(app, callbacks)
    statuses = {status[:3] for status, _ in [*launched, *answered]}
    if not statuses <= {"200", "302", "303"}:
        raise AssertionError(f"a request failed: {statuses}")
    return launch_time / flows * 1e6, callback_time / flows * 1e6


def _timed(app: Flask, environs: list[Environ]) -> tuple[list[Answer], float]:
    answers: list[Answer] = []

    def start_response(status: str, fields: list[tuple[str, str]], *_: Any) -> Any:
        answers.append((status, fields))

    started = process_time()
    for environ in environs:
        body = app(environ, start_response)
        b"".join(body)
        if hasattr(body, "close"):  # as a server does (PEP 3333)
            body.close()
    return answers, process_time() - started


def get(path: str, query: str, site: str, **more: str) -> Environ:
    """The environ of a GET as a server makes it, with what Chromium sends."""
    fields = [*NAVIGATION, (b"host", b"localhost:8000"), (b"sec-fetch-site", site.encode())]
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in fields},
        **more,
    }


def _launch_query() -> str:
    """What the page's module sends."""
    return f"attempt={secrets.token_urlsafe(16)}&display=popup&origin=http%3A%2F%2Flocalhost%3A8000"


def _callback_of(answer: Answer) -> Environ:
    """Connect's answer to a launch: its state, a code, and the cookie it set."""
    fields = dict(answer[1])
    state = parse_qs(urlsplit(fields["Location"]).query)["state"][0]
    query = f"code={secrets.token_urlsafe(16)}&state={state}&user_id=2dad4eaf-9094-4bff-bb0f-ffbbdde8b562"
    return get("/smartcar/callback", query, "cross-site", HTTP_COOKIE=fields["Set-Cookie"].partition(";")[0])


def bare_app() -> Flask:
    """The same two routes, with nothing to do: one redirects, the other shows a page."""
    app = _app()
    app.add_url_rule("/smartcar/launch", "launch", lambda: redirect(AUTHORIZE_URL))
    app.add_url_rule("/smartcar/callback", "callback", lambda: PAGE)
    return app


def our_app(**options: Any) -> Flask:
    app = _app()
    connect = SmartcarConnect(Smartcar(application_id=APPLICATION_ID, scope=SCOPE), app, **options)

    @connect.on_complete
    def connected(request: Request, response: AuthorizationResponse) -> None:
        return None

    return app


def _identify(request: Request) -> str:
    return "b7e8f2aa-6d0c-4b5e-9a57-9d7dd0bd2e0c"


def authlib_app() -> Flask:
    app = _app()
    oauth = _OAuthWithoutTokens(app)
    oauth.register(
        "smartcar",
        client_id=APPLICATION_ID,
        client_secret="secret",
        authorize_url=AUTHORIZE_URL,
        access_token_url="https://auth.smartcar.com/oauth/token",
        client_kwargs={"scope": " ".join(SCOPE)},
    )

    def launch() -> Response:
        answer: Response = oauth.smartcar.authorize_redirect(CALLBACK_URL)
        return answer

    def callback() -> str:
        oauth.smartcar.authorize_access_token()
        return PAGE

    app.add_url_rule("/smartcar/launch", "launch", launch)
    app.add_url_rule("/smartcar/callback", "callback", callback)
    return app


class _WithoutTokens(FlaskOAuth2App):
    def fetch_access_token(self, **parameters: Any) -> dict[str, str]:
        return {"access_token": "token"}


class _OAuthWithoutTokens(OAuth):
    oauth2_client_cls = _WithoutTokens


def _app() -> Flask:
    app = Flask("garage")
    app.secret_key = secrets.token_urlsafe(48)
    return app
