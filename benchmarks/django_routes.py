"""Launch and callback on Django: time added over bare views, beside Authlib's Django client.

Requests are raw environs given to one WSGI handler, whose settings are those that `startproject` writes, so that every
candidate takes the same path. A flow is whole: the callback's state and cookies are those of its own launch. Authlib is
given its metadata, and its callback runs `authorize_access_token` unchanged up to the token request, which isn't ours.

Authlib keeps its state in Django's session, and where that is kept decides the time. So there are two peers: sessions
in the database, as `startproject` has it (SQLite, a file), and sessions in the browser's signed cookie, the quickest
of Django's that works for several processes.
"""

import gc
import secrets
from collections.abc import Iterable, Iterator
from functools import partial
from io import BytesIO
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from authlib.integrations.django_client import DjangoOAuth2App, OAuth
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, include, path

from smartcar_auth import AuthorizationResponse, Smartcar
from smartcar_auth.hosts.django import SmartcarConnect

from .auth_url import APPLICATION_ID, SCOPE
from .figure import Figure, Say, Target, take_turns
from .taken import Taken

FLOWS = 300
SLOW_FLOWS = 30
AUTHORIZE_URL = "https://connect.smartcar.com/oauth/authorize"
CALLBACK_URL = "http://localhost:8000/ours/callback"
PAGE = "<!doctype html><title>Done</title><p>Your car is connected."

Environ = dict[str, Any]
Answer = tuple[str, list[tuple[str, str]]]

# What Chromium sends with a top-level navigation, as a server puts it into an environ.
NAVIGATION = {
    "HTTP_HOST": "localhost:8000",
    "HTTP_SEC_CH_UA": '"Chromium";v="156", "Not)A;Brand";v="24"',
    "HTTP_SEC_CH_UA_MOBILE": "?0",
    "HTTP_SEC_CH_UA_PLATFORM": '"Linux"',
    "HTTP_UPGRADE_INSECURE_REQUESTS": "1",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "HTTP_SEC_FETCH_MODE": "navigate",
    "HTTP_SEC_FETCH_USER": "?1",
    "HTTP_SEC_FETCH_DEST": "document",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_ACCEPT_LANGUAGE": "en-US,en;q=0.9",
}


def measure(say: Say, quick: bool) -> list[Figure]:
    with TemporaryDirectory() as folder:
        handlers = set_up(f"{folder}/db.sqlite3")
        taken = Taken(handlers)

        def flow(name: str) -> float:
            flows = SLOW_FLOWS if name == "peer" else FLOWS
            return taken.note(name, run_flows(handlers[name], name.partition(",")[0], flows))

        take_turns({name: partial(flow, name) for name in handlers}, 5 if quick else 24, say)
        connections.close_all()
    added, bare = taken.added, taken.times("bare")
    ready = "Authlib, signed cookies"
    return [
        Figure(
            "launch + callback, Django",
            sum(added("ours")),
            sum(added("peer")),
            "us",
            "Authlib as installed",
            Target(0.25),
            f"minima of {taken.batches} batches of {FLOWS} flows ({SLOW_FLOWS} of Authlib as installed, with "
            f"sessions in SQLite); bare views {bare[0]:.1f} + {bare[1]:.1f} us taken off, default "
            f"middleware included; ratio by medians {taken.by_medians('peer'):.3f}",
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
    ]


def set_up(database: str) -> dict[str, WSGIHandler]:
    """A project with the three candidates, and the handler for each; settings are a process's, so this runs once."""
    settings.configure(
        SECRET_KEY=secrets.token_urlsafe(48),
        ALLOWED_HOSTS=["localhost"],
        INSTALLED_APPS=["django.contrib.sessions", "smartcar_auth.hosts.django"],
        SMARTCAR={"application_id": APPLICATION_ID},
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
    )
    django.setup()
    call_command("migrate", verbosity=0)
    settings.ROOT_URLCONF = (
        path("bare/", include(bare_urls())),
        path("ours/", include(our_connect().urls)),
        path("peer/", include(authlib_urls())),
    )
    in_database = WSGIHandler()
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    in_cookies = WSGIHandler()
    return {"bare": in_cookies, "ours": in_cookies, "peer": in_database, "peer, ready": in_cookies}


def run_flows(handler: WSGIHandler, name: str, flows: int = FLOWS) -> tuple[float, float]:
    """Microseconds of processor time per launch and per callback, whole batches of each."""
    launches = [environ(f"/{name}/launch", launch_query()) for _ in range(flows)]
    launched, launch_time = _timed(handler, launches)
    callbacks = [callback_of(name, answer) for answer in launched]
    answered, callback_time = _timed(handler, callbacks)
    statuses = {status.partition(" ")[0] for status, _ in [*launched, *answered]}
    if not statuses <= {"200", "302", "303"}:
        raise AssertionError(f"a request failed: {statuses}")
    return launch_time / flows * 1e6, callback_time / flows * 1e6


def _timed(handler: WSGIHandler, environs: list[Environ]) -> tuple[list[Answer], float]:
    answers: list[Answer] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        answers.append((status, headers))

    gc.collect()
    started = process_time()
    for one in environs:
        response = handler(one, start_response)
        for _ in response:
            pass
        response.close()
    return answers, process_time() - started


def environ(path: str, query: str, site: str = "same-origin", cookie: str = "") -> Environ:
    """A GET as a server hands it over."""
    more = {"HTTP_COOKIE": cookie} if cookie else {}
    return {
        **NAVIGATION,
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_SEC_FETCH_SITE": site,
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        **more,
    }


def launch_query() -> str:
    """What the page's module sends."""
    return f"attempt={_attempt_id()}&display=popup&origin=http%3A%2F%2Flocalhost%3A8000"


def _attempt_id() -> str:
    return secrets.token_urlsafe(16)


def callback_of(name: str, answer: Answer) -> Environ:
    """Connect's answer to a launch: its state, a code, and the cookies it set."""
    headers = answer[1]
    location = next(value for key, value in headers if key.lower() == "location")
    state = parse_qs(urlsplit(location).query).get("state", ["s"])[0]
    cookie = "; ".join(_cookies(headers))
    query = f"code={_attempt_id()}&state={state}&user_id=2dad4eaf-9094-4bff-bb0f-ffbbdde8b562"
    return environ(f"/{name}/callback", query, "cross-site", cookie)


def _cookies(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    for key, value in headers:
        if key == "Set-Cookie":
            yield value.partition(";")[0].strip()


def bare_urls() -> list[URLPattern]:
    """The same two routes, with nothing to do: one redirects, the other shows a page."""

    def launch(request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(AUTHORIZE_URL)

    def callback(request: HttpRequest) -> HttpResponse:
        return HttpResponse(PAGE)

    return [path("launch", launch), path("callback", callback)]


def our_connect() -> SmartcarConnect:
    connect = SmartcarConnect(
        Smartcar(application_id=APPLICATION_ID, scope=SCOPE), secret_keys=[secrets.token_urlsafe(48)]
    )

    @connect.on_complete
    def connected(request: HttpRequest, response: AuthorizationResponse) -> None:
        return None

    return connect


class _WithoutTokens(DjangoOAuth2App):
    def fetch_access_token(self, **parameters: Any) -> dict[str, str]:
        return {"access_token": "token"}


class _OAuthWithoutTokens(OAuth):
    oauth2_client_cls = _WithoutTokens


def authlib_urls() -> list[URLPattern]:
    oauth = _OAuthWithoutTokens()
    oauth.register(
        "smartcar",
        client_id=APPLICATION_ID,
        client_secret="secret",
        authorize_url=AUTHORIZE_URL,
        access_token_url="https://auth.smartcar.com/oauth/token",
        client_kwargs={"scope": " ".join(SCOPE)},
    )

    def launch(request: HttpRequest) -> HttpResponse:
        answer: HttpResponse = oauth.smartcar.authorize_redirect(request, CALLBACK_URL)
        return answer

    def callback(request: HttpRequest) -> HttpResponse:
        oauth.smartcar.authorize_access_token(request)
        return HttpResponse(PAGE)

    return [path("launch", launch), path("callback", callback)]
