"""The Starlette host: the table of outcomes, and what is Starlette's own."""

import contextlib
import logging
from urllib.parse import parse_qs, urlsplit

import anyio
import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from hosts.outcomes import (
    ATTEMPT,
    CODE,
    ORIGIN,
    OUTCOMES,
    EveryHost,
    Host,
    check_outcome,
    options,
    told,
)
from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.hosts.starlette import SmartcarConnect
from smartcar_auth.web import assets


def browser(app, origin=ORIGIN, **more):
    """A browser in front of an application: it follows no redirect, and failures surface."""
    return TestClient(app, base_url=origin, follow_redirects=False, **more)


def make(**more):
    """A Starlette application with its routes under /smartcar, and a browser in front of it."""
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
    def failed(request, error):
        host.failed.append((request, error))

    host.client = browser(Starlette(routes=[Mount("/smartcar", routes=connect.routes)]))
    return host


class TestStarlette(EveryHost):
    """Starlette passes the table."""

    make = staticmethod(make)


def app_of(connect, path="/smartcar", **more):
    """A small application with these routes and a page that shows `show(request)`."""
    return Starlette(routes=[Mount(path, routes=connect.routes)], **more)


def plain(**more):
    """A `SmartcarConnect` with an on_complete that does nothing."""
    arguments = options(**more)
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    connect.on_complete(lambda request, response: None)
    return connect


def launched(client, query=f"attempt={ATTEMPT}&display=popup&origin={ORIGIN}", path="/smartcar/launch"):
    """The parameters that a launch sends to Connect."""
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


# -- the application's functions


@contextlib.contextmanager
def functions_seen(kind):
    """An on_complete and an on_error of one kind, and what they saw."""
    seen = []
    if kind == "async":

        async def function(request, given):
            await anyio.lowlevel.checkpoint()
            seen.append((request, given, in_loop()))
            return {"message": "hello"}

    elif kind == "sync":

        def function(request, given):
            seen.append((request, given, in_loop()))
            return {"message": "hello"}

    else:

        class Function:
            async def __call__(self, request, given):
                seen.append((request, given, in_loop()))
                return {"message": "hello"}

        function = Function()
    yield function, seen


def in_loop():
    """Whether this code runs in the event loop's own thread."""
    try:
        anyio.get_current_task()
    except Exception:
        return False
    return True


@pytest.mark.parametrize("kind", ["async", "sync", "object"])
def test_functions_may_be_async_or_plain(kind):
    """async def runs in the loop, def in a thread; both get Starlette's request, and what they return travels."""
    with functions_seen(kind) as (function, seen):
        arguments = options()
        connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
        connect.on_complete(function)
        connect.on_error(function)
        client = browser(app_of(connect))
        answer = client.get(f"/smartcar/callback?code={CODE}&state={launched(client)['state']}")
        assert told(answer)["data"] == '{"message": "hello"}'
        client.get("/smartcar/callback?code=x")
    assert [in_the_loop for _, _, in_the_loop in seen] == [kind != "sync"] * 2
    assert all(isinstance(request, Request) for request, _, _ in seen)
    assert seen[0][0].url.path == "/smartcar/callback"
    assert seen[0][1].code == CODE


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_failing_function_is_logged_without_the_code(kind, caplog):
    """The attempt's id is in the log; code and state are not, in no part of any record."""
    caplog.set_level(logging.DEBUG)

    async def failing_async(request, response):
        raise ValueError(f"{response.code} {request.url}")

    def failing(request, response):
        raise ValueError(f"{response.code} {request.url}")

    arguments = options()
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    connect.on_complete(failing_async if kind == "async" else failing)
    client = browser(app_of(connect))
    state = launched(client)["state"]
    answer = client.get(f"/smartcar/callback?code={CODE}&state={state}")
    assert answer.status_code == 500
    assert told(answer)["code"] == "handler_failed"
    ours = [record for record in caplog.records if record.name == "smartcar_auth"]
    assert any(ATTEMPT in record.getMessage() for record in ours)
    logged = "".join(record.getMessage() + repr(record.__dict__) for record in ours)
    assert CODE not in logged
    assert state not in logged


@pytest.mark.parametrize(
    "result",
    [
        RedirectResponse("/garage", status_code=303, headers={"x-own": "yes"}),
        PlainTextResponse("hello", status_code=201, headers={"x-own": "yes"}),
        StreamingResponse(iter(["a", "b"]), headers={"x-own": "yes"}),
    ],
    ids=["redirect", "text", "stream"],
)
def test_own_response_is_sent_with_our_cookie(result):
    """The application's response goes out as it is, with the outcome's cookie in it."""
    host = make()
    host.result = result
    answer = host.callback(f"code={CODE}&state={host.state()}")
    assert answer.status_code == result.status_code
    assert answer.headers["x-own"] == "yes"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert host.status().json()["outcome"] == "granted"


def test_own_response_of_on_error_is_sent():
    """on_error may answer a refused callback and a denial itself."""
    connect = plain()
    connect.on_error(lambda request, error: PlainTextResponse(error.code, 418))
    client = browser(app_of(connect))
    assert client.get("/smartcar/callback?code=x").text == "state_mismatch"
    answer = client.get(f"/smartcar/callback?error=access_denied&state={launched(client)['state']}")
    assert (answer.status_code, answer.text) == (418, "access_denied")
    assert client.get(f"/smartcar/status/{ATTEMPT}").json()["code"] == "access_denied"


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_identify_that_raises_401_stops_the_launch_and_not_the_callback(kind):
    """At launch it is the framework's 401; on the way back, without the session cookie, nobody's knowledge."""
    person = ["user-1"]

    def identify(request):
        if person[0] is None:
            raise HTTPException(401)
        return person[0]

    async def identify_async(request):
        return identify(request)

    completed = []
    arguments = options(identify=identify if kind == "sync" else identify_async)
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    connect.on_complete(lambda request, response: completed.append(response))
    client = browser(app_of(connect))
    state = launched(client)["state"]
    person[0] = None
    assert client.get("/smartcar/launch").status_code == 401
    assert told(client.get(f"/smartcar/callback?code={CODE}&state={state}"))["outcome"] == "granted"
    assert completed[0].subject == "user-1"


class SlowStore:
    """A store of an application's own, whose methods are async."""

    def __init__(self):
        self.values = {}

    async def claim(self, attempt, value, seconds):
        await anyio.lowlevel.checkpoint()
        before = self.values.get(attempt)
        self.values.setdefault(attempt, value)
        return before

    async def settle(self, attempt, value, seconds):
        self.values[attempt] = value

    async def find(self, attempt):
        return self.values.get(attempt)


class ThreadStore:
    """A store of an application's own that blocks, so it must not run in the loop."""

    def __init__(self):
        self.values = {}
        self.in_loop = []

    def claim(self, attempt, value, seconds):
        self.in_loop.append(in_loop())
        before = self.values.get(attempt)
        self.values.setdefault(attempt, value)
        return before

    def settle(self, attempt, value, seconds):
        self.in_loop.append(in_loop())
        self.values[attempt] = value

    def find(self, attempt):
        return self.values.get(attempt)


@pytest.mark.parametrize("store", [SlowStore, ThreadStore])
def test_store_may_be_async_or_blocking(store):
    """An async store is awaited, a blocking one runs in a thread; both know a replay."""
    host = make(store=store())
    check_outcome(host, next(row for row in OUTCOMES if row.name == "replayed"))


def test_blocking_store_stays_out_of_the_loop():
    """What may wait never holds up the event loop."""
    store = ThreadStore()
    host = make(store=store)
    host.callback(f"code={CODE}&state={host.state()}")
    assert store.in_loop == [False, False]


# -- mistakes of configuration


def test_wrong_configuration_is_a_page_and_an_error():
    """The person reads a page; the developer gets the ConfigurationError."""
    arguments = options(smartcar=Smartcar(application_id="a", redirect_uri="http://localhost:8000/elsewhere"))
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    connect.on_complete(lambda request, response: None)
    with pytest.raises(ConfigurationError, match=r"/elsewhere .*/smartcar/callback"):
        browser(app_of(connect)).get("/smartcar/launch")
    answer = browser(app_of(connect), raise_server_exceptions=False).get("/smartcar/launch")
    assert answer.status_code == 500
    assert "The people who make this app" in answer.text
    assert "elsewhere" not in answer.text


def test_missing_on_complete_is_an_error_at_the_first_launch():
    """Nobody would receive the car, so nobody is sent off."""
    arguments = options()
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    with pytest.raises(ConfigurationError, match="on_complete"):
        browser(app_of(connect)).get("/smartcar/launch")


# -- where it is mounted


def bare(connect):
    """Routes without a Mount. (In a Mount, Starlette itself wants the root path kept in the path.)"""
    return Starlette(routes=connect.routes)


def nested(connect):
    """Routes in a Mount in a Mount."""
    return Starlette(routes=[Mount("/shop", routes=[Mount("/cars", routes=connect.routes)])])


def sub_application(connect):
    """A whole application inside another."""
    return Starlette(routes=[Mount("/shop", app=app_of(connect, "/cars"))])


@pytest.mark.parametrize(
    ("build", "root_path", "path", "expected"),
    [
        (bare, "", "", ""),
        (app_of, "", "/smartcar", "/smartcar"),
        (nested, "", "/shop/cars", "/shop/cars"),
        (sub_application, "", "/shop/cars", "/shop/cars"),
        (bare, "/api", "", "/api"),
        (bare, "/api/", "", "/api"),
        (nested, "/api", "/api/shop/cars", "/api/shop/cars"),
        (bare, "/lau", "", "/lau"),
        (lambda connect: app_of(connect, "/caf\u00e9 x"), "", "/caf%C3%A9%20x", "/caf%C3%A9%20x"),
        (lambda connect: app_of(connect, "/{tenant}/cars"), "", "/a%3Fb%23c%20d/cars", "/a%3Fb%23c%20d/cars"),
    ],
    ids=[
        "root",
        "mount",
        "nested",
        "sub-app",
        "cut-prefix",
        "slash",
        "kept-prefix",
        "like-prefix",
        "quoted",
        "tenant",
    ],
)
def test_routes_know_where_they_are(build, root_path, path, expected):
    """The redirect URI is the callback's address as browsers see it, wherever the routes are mounted."""
    connect = plain()
    client = browser(build(connect), root_path=root_path)
    sent = launched(client, path=f"{path}/launch")
    assert sent["redirect_uri"] == f"{ORIGIN}{expected}/callback"
    answer = client.get(f"{path}/callback?code={CODE}&state={sent['state']}")
    assert told(answer)["outcome"] == "granted"
    assert client.get(f"{path}/status/{ATTEMPT}").json()["outcome"] == "granted"
    assert client.get(f"{path}/connect.js").content == assets.SCRIPT.content
    assert client.get(f"{path}/assets/{assets.STYLE.name}").content == assets.STYLE.content


def test_public_url_overrules_what_the_server_sees():
    """Behind a TLS proxy: https in the redirect URI, and a __Host- cookie."""
    client = browser(app_of(plain(public_url="https://app.example.com/shop")), "http://app.example.com")
    answer = client.get("/smartcar/launch")
    assert (
        "redirect_uri=https%3A%2F%2Fapp.example.com%2Fshop%2Fsmartcar%2Fcallback"
        in answer.headers["location"]
    )
    assert answer.headers["set-cookie"].startswith("__Host-smartcar-")
    assert "; Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("root_path", ["", "/shop"])
def test_links_carry_what_a_proxy_cuts_off(root_path):
    """The path of public_url stands in front of links, once, whether or not the server knows of it."""
    connect = plain(public_url="https://app.example.com/shop")
    app = app_of(connect)
    app.add_route(
        "/", lambda request: PlainTextResponse(connect.button(request) + connect.launch_url(request))
    )
    shown = browser(app, root_path=root_path).get(f"{root_path}/").text
    assert 'launch="/shop/smartcar/launch"' in shown
    assert "/shop/smartcar/launch?sealed=" in shown
    assert "/shop/shop/" not in shown


def test_forwarded_headers_are_not_read():
    """Whoever can send headers can't choose the redirect URI."""
    client = browser(app_of(plain()))
    headers = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "https",
        "forwarded": "host=evil.example",
    }
    assert "evil" not in client.get("/smartcar/launch", headers=headers).headers["location"]


def test_https_request_has_no_default_port():
    """A Host header with the default port means the same origin."""
    client = browser(app_of(plain()), "https://app.example.com")
    answer = client.get("/smartcar/launch", headers={"host": "APP.example.com:443"})
    assert "redirect_uri=https%3A%2F%2Fapp.example.com%2Fsmartcar%2Fcallback" in answer.headers["location"]


def test_dead_name_names_both_hosts():
    """A launch on 127.0.0.1 for a redirect URI on localhost: 400, both named."""
    smartcar = Smartcar(application_id="a", redirect_uri="http://localhost:8000/smartcar/callback")
    answer = browser(app_of(plain(smartcar=smartcar)), "http://127.0.0.1:8000").get("/smartcar/launch")
    assert answer.status_code == 400
    assert "127.0.0.1" in answer.text
    assert "localhost" in answer.text


def test_allowed_page_reads_status_and_cancels_with_credentials():
    """A page on another port gets credentialed CORS; others get none."""
    client = browser(app_of(plain(allowed_origins=["http://localhost:3000"])))
    launched(client, f"attempt={ATTEMPT}&display=popup&origin=http://localhost:3000")
    for ask in (client.get, client.post):
        path = f"/smartcar/{'status' if ask == client.get else 'cancel'}/{ATTEMPT}"
        answer = ask(path, headers={"origin": "http://localhost:3000"})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert (
            "access-control-allow-origin" not in ask(path, headers={"origin": "https://evil.example"}).headers
        )


# -- the raw interface


def ask(app, path="/smartcar/launch", query=b"", headers=(), method="GET", **scope):
    """The messages that an application sends for one raw ASGI request."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    whole = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "server": ("localhost", 8000),
        "client": ("127.0.0.1", 1),
        **scope,
    }
    anyio.run(app, whole, receive, send)
    return sent


RAW = app_of(plain(allowed_origins=["http://localhost:3000"]))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    route=st.sampled_from(["launch", "callback", "status/x", f"cancel/{ATTEMPT}", "connect.js", "assets/x"]),
    query=st.binary(max_size=100),
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                [b"cookie", b"origin", b"host", b"sec-fetch-site", b"sec-fetch-dest", b"sec-purpose"]
            ),
            st.binary(max_size=60) | st.just(b"smartcar-" + ATTEMPT.encode() + b"=\xff\x00"),
        ),
        max_size=8,
    ),
)
def test_raw_bytes_never_break_the_application(route, query, headers):
    """Any bytes as query, cookie or header of any route: an answer, never an exception or a 5xx of ours but 503."""
    method = "POST" if route.startswith("cancel") else "GET"
    start, *_ = ask(RAW, f"/smartcar/{route}", query, headers, method)
    assert start["status"] < 500 or start["status"] == 503
    for _, value in start["headers"]:
        assert value.isascii()
        assert b"\r" not in value
        assert b"\n" not in value


def test_head_sends_no_body():
    """HEAD has the length of what GET would send, and nothing of it."""
    [start, body] = ask(RAW, "/smartcar/connect.js", method="HEAD")
    assert dict(start["headers"])[b"content-length"] == str(len(assets.SCRIPT.content)).encode()
    assert body["body"] == b""


def test_split_cookie_fields_are_read_as_one():
    """HTTP/2 may send each cookie in a field of its own."""
    first, *_ = ask(RAW, query=b"attempt=" + ATTEMPT.encode())
    cookie = dict(first["headers"])[b"set-cookie"].partition(b";")[0]
    headers = [(b"cookie", b"a=b"), (b"cookie", cookie), (b"cookie", b"c=d")]
    [start, body] = ask(RAW, f"/smartcar/status/{ATTEMPT}", headers=headers)
    assert start["status"] == 200
    assert b"pending" in body["body"]


@pytest.mark.parametrize(
    ("server", "status"),
    [(("localhost", 8000), 303), (None, 303), (("/run/app.sock", None), 400), (("::1", 80), 400)],
)
def test_request_without_a_host_header_is_taken_at_the_servers_word(server, status):
    """HTTP/1.0 has no Host; the socket's name is used, and refused in words when it is none."""
    start, *_ = ask(RAW, server=server)
    assert start["status"] == status


# -- templates and links


def page_of(connect, show, path="/"):
    """A browser before an application whose page shows what `show(request)` gives."""

    def endpoint(request):
        return PlainTextResponse(str(show(request)))

    return browser(Starlette(routes=[Mount("/smartcar", routes=connect.routes), Route(path, endpoint)]))


def rendered(connect, source, **context):
    """A Jinja2 template as a page of the application shows it."""
    env = jinja2.Environment(autoescape=True)
    connect.install(env)
    client = page_of(connect, lambda request: env.from_string(source).render(request=request, **context))
    return client.get("/").text


def test_button_in_a_template_is_markup():
    """Autoescape leaves the button alone; its addresses are where the routes are."""
    text = rendered(
        plain(attempt_seconds=600), '{{ smartcar_button(request, make="TESLA", return_to="/garage") }}'
    )
    assert text.startswith(
        f'<script type="module" src="/smartcar/assets/{assets.SCRIPT.name}" integrity="sha384-'
    )
    assert (
        '<smartcar-connect launch="/smartcar/launch?make=TESLA" attempt-seconds="600" return-to="/garage">'
        in text
    )
    assert '<a href="/smartcar/launch?make=TESLA&amp;return_to=/garage">Connect your car</a>' in text


def test_button_in_a_template_escapes_what_it_is_given():
    """A hostile label or attribute stays text."""
    hostile = "\"'><script>alert(1)</script>"
    text = rendered(
        plain(), "{{ smartcar_button(request, x, return_to=x, make=x, id=x, class_=x) }}", x=hostile
    )
    assert text.count("<script") == 1
    assert "alert(1)" in text
    assert text.count("<") == 6


def test_button_in_a_template_takes_a_translation():
    """What gettext gives a template is markup already and isn't escaped twice."""
    source = "{% trans %}Connect & go{% endtrans %}"
    env = jinja2.Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    env.install_null_translations(newstyle=True)
    connect = plain()
    connect.install(env)
    source = '{{ smartcar_button(request, gettext("Connect & go %(x)s", x="<b>")) }}'
    text = page_of(connect, lambda request: env.from_string(source).render(request=request)).get("/").text
    assert ">Connect & go &lt;b&gt;</a>" in text


@pytest.mark.parametrize("request_first", ["", "request"], ids=["found", "given"])
def test_callback_script_in_a_template_is_markup(request_first):
    """The request is found in the template's context; the script's address is where the routes are."""
    connect = plain(allowed_origins=["http://localhost:5173"])
    text = rendered(connect, "{{ smartcar_callback_script(" + request_first + ") }}")
    assert text.startswith(f'<script defer src="/smartcar/assets/{assets.REDIRECT.name}" integrity="sha384-')
    assert 'data-smartcar-origins="http://localhost:5173"' in text


def test_callback_script_in_a_template_escapes_its_sentence():
    """Words of the application's own stay text."""
    text = rendered(plain(), "{{ smartcar_callback_script(text=x) }}", x="\"'><script>")
    assert text.count("<script") == 1
    assert "&#x27;&gt;&lt;script&gt;" in text


def test_callback_script_without_a_request_says_what_to_do():
    """A macro imported without context has no request; given one, it works."""
    env = jinja2.Environment(autoescape=True)
    connect = plain()
    connect.install(env)
    with pytest.raises(ConfigurationError, match=r"smartcar_callback_script\(request\)"):
        env.from_string("{{ smartcar_callback_script() }}").render()
    macro = "{% macro script(request) %}{{ smartcar_callback_script(request) }}{% endmacro %}"
    assert "<script defer" in rendered(connect, macro + "{{ script(request) }}")


def test_button_works_in_any_page_of_the_application():
    """The address is the routes', not the page's; under a root path it has that in front."""
    connect = plain()
    app = Starlette(
        routes=[
            Mount("/shop", routes=[Mount("/cars", routes=connect.routes)]),
            Route("/deep/page", lambda request: PlainTextResponse(connect.button(request))),
        ]
    )
    assert 'launch="/shop/cars/launch"' in browser(app).get("/deep/page").text
    assert 'launch="/api/shop/cars/launch"' in browser(app, root_path="/api").get("/deep/page").text


def test_button_without_routes_says_what_to_do():
    """Routes that nobody mounted are a ConfigurationError, unless the address is given."""
    connect = plain()
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse(connect.button(request)))])
    with pytest.raises(ConfigurationError, match="Mount"):
        browser(app).get("/")
    assert 'launch="/x/launch"' in connect.button(None, launch="/x/launch")


def test_button_of_a_sealed_link_takes_no_more_options():
    """Options beside a sealed link would be refused at launch; the template hears it first."""
    connect = plain()
    for option in ({"make": "BMW"}, {"single_select": False}):
        with pytest.raises(ConfigurationError, match="launch_url"):
            connect.button(None, launch="/smartcar/launch?sealed=x", **option)


def person(request):
    """Whom a header names."""
    return request.headers.get("person")


async def person_async(request):
    """Whom a header names, from an async source."""
    await anyio.lowlevel.checkpoint()
    return person(request)


def linked(identify, make_link, **headers):
    """A browser, and the link that a page of the application made for it."""
    connect = plain(identify=identify)

    async def endpoint(request):
        return PlainTextResponse(await make_link(connect, request))

    client = browser(Starlette(routes=[Mount("/smartcar", routes=connect.routes), Route("/", endpoint)]))
    return client, client.get("/", headers=headers).text


@pytest.mark.parametrize("identify", [person, person_async])
def test_launch_url_is_bound_to_the_person(identify):
    """With a plain or an async identify: good for that person, refused with 403 for another."""

    async def make_link(connect, request):
        return await connect.launch_url(
            request, single_select_vin="5YJSA1CN5CFP01657", user="u", state={"a": 1}
        )

    client, link = linked(identify, make_link, person="user-1")
    assert link.startswith("/smartcar/launch?sealed=")
    assert "5YJSA1CN5CFP01657" not in link
    answer = client.get(link, headers={"person": "user-1"})
    assert answer.status_code == 303
    assert "single_select_vin=5YJSA1CN5CFP01657" in answer.headers["location"]
    refused = client.get(link, headers={"person": "user-2"})
    assert refused.status_code == 403
    assert "another person" in refused.text


def test_launch_url_of_a_plain_identify_is_text():
    """Without await it is the address already, for templates and redirects."""
    connect = plain(identify=lambda request: "user-1")
    client = page_of(
        connect, lambda request: connect.launch_url(request, external_id="e", return_to="/garage")
    )
    assert client.get(client.get("/").text).status_code == 303


def test_launch_url_in_the_button():
    """The template's button takes the sealed address as it is."""
    source = '{{ smartcar_button(request, "Connect", launch=url(request)) }}'
    connect = plain(identify=lambda request: "user-1")
    text = rendered(connect, source, url=lambda request: connect.launch_url(request, user="u"))
    assert '<smartcar-connect launch="/smartcar/launch?sealed=' in text


@pytest.mark.parametrize(
    "use",
    [
        str,
        "{}".format,
        lambda url: f"{url}",
        lambda url: RedirectResponse(url),
        lambda url: plain().button(None, launch=url),
        lambda url: jinja2.Environment(autoescape=True).from_string("{{ url }}").render(url=url),
    ],
    ids=["str", "format", "f-string", "redirect", "button", "template"],
)
def test_launch_url_that_was_not_awaited_says_so(use):
    """With an async identify, text without await is no address: an error instead of an empty link."""
    connect = plain(identify=person_async)
    raised = []

    def show(request):
        url = connect.launch_url(request, make="BMW")
        assert "not awaited" in repr(url)
        try:
            use(url)
        except ConfigurationError as error:
            raised.append(str(error))
        url._subject.close()

    page_of(connect, show).get("/")
    assert raised == ["identify is async, so write: url = await connect.launch_url(request, ...)"]


def test_launch_url_without_identify_names_nobody():
    """Options of a person need identify; others don't."""
    connect = plain()
    with pytest.raises(ConfigurationError, match="external_id and user"):
        page_of(connect, lambda request: connect.launch_url(request, external_id="e", user="u")).get("/")
    client = page_of(connect, lambda request: connect.launch_url(request, make="BMW"))
    assert client.get(client.get("/").text).status_code == 303


@pytest.mark.parametrize("wrong", [{"state": {"a": "x" * 600}}, {"return_to": "//evil"}, {"make": ""}])
@pytest.mark.parametrize("identify", [person, person_async])
def test_launch_url_refuses_wrong_options(identify, wrong):
    """The developer hears it where the link is made."""

    async def make_link(connect, request):
        return await connect.launch_url(request, **wrong)

    with pytest.raises(ConfigurationError):
        linked(identify, make_link, person="user-1")


def test_launch_url_refuses_an_id_that_cannot_travel():
    """What identify says is checked where the link is made, too."""
    connect = plain(identify=lambda request: 1.5)
    with pytest.raises(ConfigurationError, match="identify returned float"):
        page_of(connect, lambda request: connect.launch_url(request, make="BMW")).get("/")


def test_launch_url_takes_known_options_only():
    """A misspelt option is a TypeError, not a link without it."""
    connect = plain()
    with pytest.raises(TypeError):
        page_of(connect, lambda request: connect.launch_url(request, makes="BMW")).get("/")
