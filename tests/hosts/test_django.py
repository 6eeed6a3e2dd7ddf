"""The Django host: the table of outcomes in sync and in async views, and what is Django's own."""

import asyncio
import contextlib
import logging
from io import BytesIO

import pytest
from django.apps import apps
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import got_request_exception
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client, override_settings
from django.urls import include, path

from hosts.django_project import WORLDS, browser, launched, mounted, project
from hosts.outcomes import ATTEMPT, CODE, ORIGIN, EveryHost, Host, options, told
from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.hosts.django import SmartcarConnect, smartcar_connected, smartcar_failed
from smartcar_auth.hosts.django.exchange import read
from smartcar_auth.hosts.django.host import under_way
from smartcar_auth.web import assets

Group = apps.get_model("auth", "Group")
both_worlds = pytest.mark.parametrize("world", WORLDS)


def plain(**more):
    """A `SmartcarConnect` with an on_complete that does nothing."""
    arguments = options(**more)
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    connect.on_complete(lambda request, response: None)
    return connect


def make(world="sync", settings=None, **more):
    """A project with the routes under /smartcar, and a browser in front of it."""
    host = Host(None, None)
    arguments = options(identify=lambda request: host.person[0], **more)
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    host.clock = arguments["clock"]

    @connect.on_complete
    def connected(request, response):
        host.completed.append((request, response))
        if isinstance(host.result, Exception):
            raise host.result
        return host.result

    @connect.on_error
    async def failed(request, error):
        host.failed.append((request, error))

    host.connect = connect
    host.client = browser(project(mounted(connect, world), world=world, **settings or {}))
    return host


class TestDjango(EveryHost):
    """Sync views pass the table."""

    make = staticmethod(make)


class TestDjangoAsync(EveryHost):
    """Async views pass the table."""

    @staticmethod
    def make():
        return make("async")


# -- the project's functions


def in_loop():
    """Whether this code runs in an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@both_worlds
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_functions_may_be_async_or_plain(world, kind):
    """Each kind runs where it may; all get Django's request, and what they return travels."""
    seen = []

    def function(request, given=None):
        seen.append((request, in_loop()))
        return {"message": "hello"}

    async def async_function(request, given=None):
        await asyncio.sleep(0)
        return function(request)

    async def identify(request):
        await asyncio.sleep(0)
        return "user-1"

    arguments = options(identify=identify if kind == "async def" else lambda request: "user-1")
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    connect.on_complete(async_function if kind == "async def" else function)
    connect.on_error(async_function if kind == "async def" else function)
    client = browser(project(mounted(connect, world), world=world))
    answer = client.get(f"/smartcar/callback?code={CODE}&state={launched(client)['state']}")
    assert told(answer)["data"] == '{"message": "hello"}'
    client.get("/smartcar/callback?code=x")
    assert [looped for _, looped in seen] == [kind == "async def"] * 2
    assert all(isinstance(request, HttpRequest) for request, _ in seen)


OWN = {
    "redirect": lambda request: HttpResponseRedirect("/garage"),
    "text": lambda request: HttpResponse("hello", status=201),
    "stream": lambda request: StreamingHttpResponse(iter([b"a", b"b"])),
    "template": lambda request: TemplateResponse(
        request, engines["django"].from_string("hello {{ request.path }}")
    ),
}


@both_worlds
@pytest.mark.parametrize("kind", list(OWN))
def test_own_response_is_sent_with_our_cookie(world, kind):
    """The project's response goes out as it is, with the outcome's cookie in it."""
    if (world, kind) == ("async", "stream"):
        return  # Django itself warns of sync streams there
    host = make(world)
    state = host.state()
    host.result = OWN[kind](HttpRequest())
    answer = host.callback(f"code={CODE}&state={state}")
    assert answer.status_code == host.result.status_code
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert told(host.callback(f"code={CODE}&state={state}"))["outcome"] == "granted"


@both_worlds
def test_permission_denied_by_identify(world):
    """At launch it is Django's 403; on the way back, without the session cookie, it means nobody."""
    host = make(world)
    state = host.state()

    def identify(request):
        raise PermissionDenied

    host.connect._identify = identify
    assert host.launch().status_code == 403
    assert told(host.callback(f"code={CODE}&state={state}"))["outcome"] == "granted"
    assert host.completed[0][1].subject == "user-1"


@both_worlds
def test_failing_function_is_logged_without_the_code(world, caplog):
    """The attempt's id is in the log; code and state are in no record, Django's own included."""
    caplog.set_level(logging.DEBUG)
    host = make(world)
    state = host.state()
    host.result = ValueError(f"{CODE} {state}")
    assert host.callback(f"code={CODE}&state={state}").status_code == 500
    ours = [record for record in caplog.records if record.name.startswith(("smartcar_auth", "django"))]
    assert any(ATTEMPT in record.getMessage() for record in ours)
    logged = "".join(record.getMessage() + str(record.exc_info) for record in ours)
    assert CODE not in logged
    assert state not in logged


def test_disconnected_visitor_does_not_cancel_the_function():
    """Django cancels the view of a visitor who has gone; what on_complete had begun comes to its end."""
    connect = plain()
    client = browser(project(mounted(connect, "async"), world="async"))
    state = launched(client)["state"]
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    ended = []

    async def flow():
        begun, gone, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def slow(request, response):
            begun.set()
            await gone.wait()
            ended.append(response.code)
            finished.set()

        connect._complete = slow
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            await begun.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            raise AssertionError("nobody is there any more")

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/smartcar/callback",
            "query_string": f"code={CODE}&state={state}".encode(),
            "headers": [(b"host", b"localhost:8000"), (b"cookie", cookies.encode())],
        }
        with override_settings(ROOT_URLCONF=(mounted(connect, "async"),)):
            await ASGIHandler()(scope, receive, send)
            gone.set()
            await asyncio.wait_for(finished.wait(), 10)
            await asyncio.gather(*under_way)

    asyncio.run(flow())
    assert ended == [CODE]
    assert client.get(f"/smartcar/status/{ATTEMPT}").json()["outcome"] == "granted"


@both_worlds
@pytest.mark.parametrize("part", ["on_complete", "identify"])
def test_admins_are_mailed_no_code(world, part, monkeypatch):
    """Django reports a 500 with the request's query; ours reach it without, whatever failed."""
    host = make(world, {"ADMINS": [("Ann", "ann@example.com")], "DEBUG_PROPAGATE_EXCEPTIONS": False})
    state = host.state()
    if part == "on_complete":
        host.result = ValueError()
    else:
        host.connect._identify = fail_privately
    monkeypatch.setattr(mail, "outbox", [], raising=False)
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        assert host.callback(f"code={CODE}&state={state}").status_code == 500
    assert len(mail.outbox) == (part == "identify")
    for message in mail.outbox:
        assert "RuntimeError" in message.body
        assert CODE not in message.body
        assert state not in message.body


def fail_privately(request):
    """An identify whose database is gone."""
    raise RuntimeError


# -- transactions


@pytest.fixture
def atomic_requests():
    """ATOMIC_REQUESTS in the project's database, and no groups in it."""
    Group.objects.all().delete()
    connections.settings["default"]["ATOMIC_REQUESTS"] = True
    yield
    connections.settings["default"]["ATOMIC_REQUESTS"] = False
    Group.objects.all().delete()


def groups():
    """The names of the groups that were committed."""
    return sorted(Group.objects.values_list("name", flat=True))


@both_worlds
@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("result", [None, ValueError(), object()], ids=["returns", "raises", "no JSON"])
@pytest.mark.usefixtures("atomic_requests")
def test_atomic_requests_commit_all_or_nothing(world, kind, result):
    """What on_complete wrote stays only if the attempt is granted; the page, the status and the record know."""
    host = make(world)
    state = host.state()
    host.result = result

    def create(request, response):
        Group.objects.create(name="car")
        if isinstance(result, Exception):
            raise result
        return result

    async def acreate(request, response):
        await Group.objects.acreate(name="car")
        if isinstance(result, Exception):
            raise result
        return result

    host.connect._complete = create if kind == "def" else acreate
    cookies = host.carried()
    answer = host.callback(f"code={CODE}&state={state}")
    assert answer.status_code == (500 if result else 200)
    assert told(answer)["code"] == ("handler_failed" if result else "")
    assert groups() == ([] if result else ["car"])
    host.restore(cookies)
    assert host.callback(f"code={CODE}&state={state}").status_code == 400


@both_worlds
@pytest.mark.usefixtures("atomic_requests")
def test_atomic_requests_roll_on_error_back(world):
    """on_error is as atomic as on_complete; that it failed changes nothing else."""
    host = make(world)

    def create(request, error):
        Group.objects.create(name=error.code)
        raise ValueError

    host.connect._error = create
    answer = host.callback(f"error=access_denied&state={host.state()}")
    assert told(answer)["code"] == "access_denied"
    assert groups() == []


@both_worlds
@pytest.mark.usefixtures("atomic_requests")
def test_atomic_requests_leave_an_exempt_function_alone(world):
    """Django's own decorator works on handlers."""
    host = make(world)
    state = host.state()

    @transaction.non_atomic_requests
    def create(request, response):
        Group.objects.create(name="car")
        raise ValueError

    host.connect._complete = create
    assert host.callback(f"code={CODE}&state={state}").status_code == 500
    assert groups() == ["car"]


# -- signals


@contextlib.contextmanager
def received(signal, function=None):
    """What a signal sent, until the block ends."""
    told = []

    def receiver(sender, **given):
        told.append((sender, given))
        if function is not None:
            function()

    signal.connect(receiver)
    yield told
    signal.disconnect(receiver)


def fail():
    """A receiver's mistake."""
    raise ValueError(CODE)


@both_worlds
@pytest.mark.parametrize("function", [None, fail], ids=["listening", "failing"])
def test_signals_tell_what_happened(world, function, caplog):
    """One signal for a car, one for every other end; a receiver that raises changes nothing and leaks nothing."""
    host = make(world)
    with received(smartcar_connected, function) as connected, received(smartcar_failed, function) as failed:
        assert told(host.callback(f"code={CODE}&state={host.state()}"))["outcome"] == "granted"
        host.callback(f"code={CODE}")
    ((sender, given),) = connected
    assert (sender, given["connect"], given["response"].code) == (SmartcarConnect, host.connect, CODE)
    assert given["request"].path == "/smartcar/callback"
    ((sender, given),) = failed
    assert (sender, given["connect"], given["error"].cause) == (SmartcarConnect, host.connect, "missing")
    assert ("ValueError" in caplog.text) is (function is not None)
    assert CODE not in caplog.text


def test_signals_keep_silent_about_a_failed_function():
    """No car was connected when on_complete raised."""
    host = make()
    state = host.state()
    host.result = ValueError()
    with received(smartcar_connected) as connected:
        host.callback(f"code={CODE}&state={state}")
    assert connected == []


# -- where the routes are


@both_worlds
@pytest.mark.parametrize(
    ("prefix", "script_name", "expected"),
    [
        ("", None, ""),
        ("smartcar/", None, "/smartcar"),
        ("shop/caf\u00e9 x/", None, "/shop/caf%C3%A9%20x"),
        ("smartcar/", "/api", "/api/smartcar"),
    ],
    ids=["root", "prefix", "quoted", "script name"],
)
def test_routes_know_where_they_are(world, prefix, script_name, expected):
    """The redirect URI is the callback's address as browsers see it."""
    connect = plain()
    client = browser(project(mounted(connect, world, prefix), world=world, FORCE_SCRIPT_NAME=script_name))
    sent = launched(client, route=f"/{prefix}launch")
    assert sent["redirect_uri"] == f"{ORIGIN}{expected}/callback"
    answer = client.get(f"/{prefix}callback?code={CODE}&state={sent['state']}")
    assert told(answer)["outcome"] == "granted"
    assert client.get(f"/{prefix}connect.js").content == assets.SCRIPT.content
    assert client.get(f"/{prefix}assets/{assets.STYLE.name}").content == assets.STYLE.content


@pytest.mark.parametrize(
    "script_name", ["/shop", None]
)  # in this order: Django keeps the last one for the thread
def test_links_carry_what_a_proxy_cuts_off(script_name):
    """The path of public_url stands in front of links, once, whether or not Django knows of it."""
    connect = plain(public_url="https://app.example.com/shop")
    page = path("", lambda request: HttpResponse(connect.button(request) + connect.launch_url(request)))
    shown = browser(project(mounted(connect), page, FORCE_SCRIPT_NAME=script_name)).get("/").text
    assert 'launch="/shop/smartcar/launch"' in shown
    assert "/shop/smartcar/launch?sealed=" in shown
    assert "/shop/shop/" not in shown


@both_worlds
def test_https_and_host_are_what_django_believes(world):
    """Forwarded headers count where the settings say so, and nowhere else."""
    connect = plain()
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "APP.example.com"}

    def redirect_uri(**settings):
        client = browser(project(mounted(connect, world), world=world, **settings))
        answer = client.get("/smartcar/launch", headers=headers)
        cookie = answer.headers["set-cookie"].strip()
        return answer.headers["location"].partition("redirect_uri=")[2].partition("&")[0], cookie

    location, cookie = redirect_uri()
    assert location.startswith("http%3A%2F%2Flocalhost%3A8000%2F")
    assert cookie.startswith("smartcar-")
    location, cookie = redirect_uri(
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"), USE_X_FORWARDED_HOST=True
    )
    assert location.startswith("https%3A%2F%2Fapp.example.com%2F")
    assert cookie.startswith("__Host-smartcar-")
    assert "; Secure" in cookie


@both_worlds
def test_default_port_is_no_part_of_the_origin(world):
    """A Host header with it, in capitals, means the same site."""
    client = browser(project(mounted(plain(), world), world=world))
    answer = client.get("/smartcar/launch", headers={"host": "LOCALHOST:80"})
    assert "redirect_uri=http%3A%2F%2Flocalhost%2Fsmartcar" in answer.headers["location"]


def test_query_arrives_as_it_was_sent():
    """Each server interface spells raw bytes in its own way; the routes get the bytes."""
    raw = "code=\u0100".encode()
    under_asgi = {
        "method": "GET",
        "path": "/smartcar/callback",
        "query_string": raw,
        "headers": [(b"host", b"localhost")],
    }
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/smartcar/callback",
        "QUERY_STRING": raw.decode("latin-1"),
        "HTTP_HOST": "localhost",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    }
    for request in (ASGIRequest(under_asgi, BytesIO()), WSGIRequest(environ)):
        assert read(request)[0].query == raw


@both_worlds
def test_host_that_is_not_allowed(world):
    """ALLOWED_HOSTS holds: Django's own 400, and no attempt."""
    client = browser(project(mounted(plain(), world), world=world))
    answer = client.get("/smartcar/launch", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


def test_namespaces_keep_two_applications_apart():
    """Each button leads to its own routes, nested namespaces included."""
    one, other = plain(), plain(namespace="shop:fleet")
    urls = [
        mounted(one),
        path("shop/", include(([path("fleet/", include(other.urls))], "shop"))),
        path("", lambda request: HttpResponse(one.button(request) + other.button(request))),
    ]
    text = browser(project(*urls)).get("/").text
    assert 'launch="/smartcar/launch"' in text
    assert 'launch="/shop/fleet/launch"' in text


def test_button_without_routes_says_what_to_do():
    """Routes that nobody included are a ConfigurationError, unless the address is given."""
    with override_settings(ROOT_URLCONF=()), pytest.raises(ConfigurationError, match="include"):
        plain().button()
    assert 'launch="/x/launch"' in plain().button(launch="/x/launch")


@both_worlds
def test_launch_url_is_bound_to_the_person(world):
    """Good for whom identify names, plain or async; refused with 403 for another."""

    async def identify(request):
        return request.headers["person"]

    connect = plain(identify=identify)

    def link(request):
        return HttpResponse(connect.launch_url(request, user="u", single_select_vin="5YJSA1CN5CFP01657"))

    async def alink(request):
        return HttpResponse(await connect.alaunch_url(request, user="u"))

    urls = [mounted(connect, world), path("", link if world == "sync" else alink)]
    client = browser(project(*urls, world=world))
    address = client.get("/", headers={"person": "ann"}).text
    assert client.get(address, headers={"person": "ann"}).status_code == 303
    assert client.get(address, headers={"person": "ben"}).status_code == 403


# -- among Django's middleware


@both_worlds
def test_default_middleware_lets_the_flow_through(world):
    """No session is made, no slash appended, no token asked for; Django's headers are there beside ours."""
    host = make(world)
    answer = host.launch(f"attempt={ATTEMPT}")
    assert "location" in answer.headers
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert set(host.carried()) == {f"smartcar-{ATTEMPT}"}
    assert host.cancel().status_code == 200
    assert host.client.get("/smartcar/launch/").status_code == 404
    page = host.callback("code=x")
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers.get_list("referrer-policy") == ["no-referrer"]


@both_worlds
def test_site_that_requires_a_login_lets_connect_come_back(world):
    """Django 5.1's LoginRequiredMiddleware leaves our routes to `identify`."""
    middleware = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    host = make(world, {"MIDDLEWARE": middleware})
    assert told(host.callback(f"code={CODE}&state={host.state()}"))["outcome"] == "granted"
    assert host.cancel().status_code == 200


@both_worlds
def test_cache_of_the_whole_site_keeps_no_answer(world):
    """Neither status nor outcome page is served from a cache to whoever asks for the same address."""
    middleware = [
        "django.middleware.cache.UpdateCacheMiddleware",
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    host = make(world, {"MIDDLEWARE": middleware, "CACHE_MIDDLEWARE_SECONDS": 600})
    state = host.state()
    assert host.status().json()["outcome"] == "pending"
    host.callback(f"code={CODE}&state={state}")
    assert host.status().json()["outcome"] == "granted"
    host.client.cookies.clear()
    assert host.status().status_code == 404
    assert host.callback(f"code={CODE}&state={state}").status_code == 400


@both_worlds
def test_head_sends_no_body(world):
    """HEAD has the length of what GET would send, and nothing of it."""
    answer = make(world).client.head("/smartcar/connect.js")
    assert answer.headers["content-length"] == str(len(assets.SCRIPT.content))
    assert answer.content == b""


@pytest.mark.parametrize("cookies", [1, 3])
def test_cookies_are_written_as_the_routes_write_them(cookies):
    """Attribute by attribute, no Expires, and the cookies that go are named one by one."""
    host = make()
    for number in range(9 + cookies):
        answer = host.launch(f"attempt={'A' * 20}{number:x}w"[: len("attempt=") + 22].replace("a", "B"))
        assert answer.status_code == 303
    fields = [field.strip() for field in answer.headers.get_list("set-cookie")]
    assert all(field.endswith("; HttpOnly; Max-Age=3900; Path=/; SameSite=Lax") for field in fields[-1:])
    assert len(host.carried()) <= 10


# -- mistakes of configuration


@both_worlds
def test_wrong_configuration_is_a_page_and_an_error(world, caplog):
    """The person reads a page; error trackers and the log get the ConfigurationError, with its traceback."""
    smartcar = Smartcar(application_id="a", redirect_uri="http://localhost:8000/elsewhere")
    client = browser(project(mounted(plain(smartcar=smartcar), world), world=world))
    seen = []

    def receiver(sender, request, **given):
        seen.append(request.path)

    got_request_exception.connect(receiver)
    answer = client.get("/smartcar/launch")
    got_request_exception.disconnect(receiver)
    assert answer.status_code == 500
    assert "The people who make this app" in answer.text
    assert "elsewhere" not in answer.text
    assert seen == ["/smartcar/launch"]
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.levelname == "ERROR"
    assert "/elsewhere" in str(record.exc_info[1])


def test_djangos_test_client_raises_the_mistake():
    """A project's own tests fail with the reason."""
    arguments = options()
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    with (
        override_settings(ROOT_URLCONF=(mounted(connect),)),
        pytest.raises(ConfigurationError, match="on_complete"),
    ):
        Client(headers={"host": "localhost"}).get("/smartcar/launch")
