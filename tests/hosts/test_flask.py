"""The Flask host: the table of outcomes, and what is Flask's own."""

import asyncio
import gc
import logging
import sys
import weakref
from urllib.parse import parse_qs, urlsplit

import flask
import httpx2
import jinja2
import pytest
from jinja2 import DictLoader
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.utils import redirect as werkzeug_redirect

from hosts.outcomes import APPLICATION_ID, ATTEMPT, CODE, ORIGIN, EveryHost, Host, options, told
from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.hosts.flask import SmartcarConnect, smartcar_connected, smartcar_failed
from smartcar_auth.web import ProcessStore, assets

KEY = "a-flask-application's-key-of-32-bytes-or-more"
WAITING = f"attempt={ATTEMPT}&display=popup&origin={ORIGIN}"


def browser(app, origin=ORIGIN):
    """A browser in front of an application, any WSGI one: it follows no redirect."""

    def as_pep_3333(environ, start_response):
        path = environ["PATH_INFO"].encode().decode("latin-1")
        return app({**environ, "PATH_INFO": path}, start_response)

    transport = httpx2.WSGITransport(app=as_pep_3333, raise_app_exceptions=True)
    return httpx2.Client(transport=transport, base_url=origin)


def app_with(connect, path="/smartcar", **config):
    """A small application with these routes."""
    app = flask.Flask("garage")
    app.config.update(config)
    app.register_blueprint(connect.blueprint, url_prefix=path)
    return app


def plain(**more):
    """A `SmartcarConnect` with an on_complete that does nothing."""
    arguments = options(**more)
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    connect.on_complete(lambda request, response: None)
    return connect


def make(**more):
    """A Flask application with its routes under /smartcar, and a browser in front of it."""
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

    host.connect = connect
    host.app = app_with(connect)
    host.client = browser(host.app)
    return host


def launched(client, path="/smartcar/launch"):
    """The parameters that a launch sends to Connect."""
    answer = client.get(f"{path}?{WAITING}")
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def granted(client):
    """Launch and grant: the callback's answer."""
    return client.get(f"/smartcar/callback?code={CODE}&state={launched(client)['state']}")


class TestFlask(EveryHost):
    """Flask passes the table."""

    make = staticmethod(make)


# -- as an extension


def configured(**config):
    """An application whose configuration holds all that is needed."""
    app = flask.Flask("garage")
    app.config.update(SECRET_KEY=KEY, SMARTCAR_APPLICATION_ID=APPLICATION_ID, **config)
    return app


@pytest.mark.parametrize("registered", ["before", "after"])
def test_init_app_serves_functions_registered_before_or_after(registered):
    """The app-factory idiom: extension first, application later, functions whenever."""
    connect = SmartcarConnect()
    seen = []
    app = configured()
    if registered == "before":
        connect.on_complete(lambda request, response: seen.append(response.code))
        connect.on_error(lambda request, error: seen.append(error.code))
    connect.init_app(app)
    if registered == "after":
        connect.on_complete(lambda request, response: seen.append(response.code))
        connect.on_error(lambda request, error: seen.append(error.code))
    client = browser(app)
    assert told(granted(client))["outcome"] == "granted"
    client.get("/smartcar/callback?code=x")
    assert seen == [CODE, "state_mismatch"]


@pytest.mark.parametrize(
    "build",
    [
        lambda app: SmartcarConnect(app),
        lambda app: SmartcarConnect(app=app),
        lambda app: SmartcarConnect(Smartcar(application_id=APPLICATION_ID), app),
    ],
    ids=["app", "app=", "smartcar and app"],
)
def test_application_may_be_given_at_once(build):
    """As with other extensions, the constructor may call init_app."""
    app = configured()
    connect = build(app)
    connect.on_complete(lambda request, response: None)
    sent = launched(browser(app))
    assert sent["application_id"] == APPLICATION_ID


def test_one_extension_serves_several_applications():
    """Each application has its own settings; the functions are shared."""
    connect = SmartcarConnect()
    connect.on_complete(lambda request, response: None)
    first = configured(SMARTCAR_MODE="simulated", SMARTCAR_URL_PREFIX="/cars")
    second = configured(SMARTCAR_PUBLIC_URL="https://app.example.com")
    connect.init_app(first)
    connect.init_app(second)
    sent = launched(browser(first), "/cars/launch")
    assert (sent["mode"], sent["redirect_uri"]) == ("simulated", f"{ORIGIN}/cars/callback")
    answer = browser(second, "https://app.example.com").get("/smartcar/launch")
    assert answer.headers["set-cookie"].startswith("__Host-smartcar-")
    assert "mode=live" in answer.headers["location"]


def test_configuration_reaches_every_option():
    """Each SMARTCAR_ key is an option; lists, objects and numbers as they are."""
    store = ProcessStore()
    app = configured(
        SMARTCAR_REDIRECT_URI="http://localhost:8000/smartcar/callback",
        SMARTCAR_SCOPE=["read_odometer", "read_vin"],
        SMARTCAR_MODE="test",
        SMARTCAR_CONNECT_ORIGIN="http://127.0.0.1:8010",
        SMARTCAR_SECRET_KEYS=["n" * 32, "o" * 32],
        SMARTCAR_PUBLIC_URL="http://localhost:8000",
        SMARTCAR_ALLOWED_ORIGINS=["http://localhost:5173"],
        SMARTCAR_STORE=store,
        SMARTCAR_ATTEMPT_SECONDS=60,
    )
    connect = SmartcarConnect(app)
    connect.on_complete(lambda request, response: None)
    client = browser(app)
    answer = client.get(f"/smartcar/launch?attempt={ATTEMPT}&display=popup&origin=http://localhost:5173")
    location = urlsplit(answer.headers["location"])
    sent = parse_qs(location.query)
    assert location.netloc == "127.0.0.1:8010"
    assert sent["redirect_uri"] == ["http://localhost:8000/smartcar/callback"]
    assert sent["scope"] == ["read_odometer read_vin"]
    assert sent["mode"] == ["test"]
    assert "Max-Age=360;" in answer.headers["set-cookie"]
    client.get(f"/smartcar/callback?code={CODE}&state={sent['state'][0]}")
    with app.app_context():
        assert connect.doctor()[0].check == "application_id"
    own = app.extensions["smartcar"][connect]
    assert own._store is store
    assert own._sealer.key_count == 2


def test_arguments_win_over_configuration():
    """What the code says holds, whatever the configuration says."""
    app = configured(SMARTCAR_ATTEMPT_SECONDS=60, SMARTCAR_SECRET_KEYS=["short"], SMARTCAR_MODE="nonsense")
    plain(attempt_seconds=120).init_app(app)
    assert "Max-Age=420;" in browser(app).get("/smartcar/launch").headers["set-cookie"]


def test_none_is_as_not_given():
    """So that an application can hand on what it may or may not have."""
    app = configured(SMARTCAR_ATTEMPT_SECONDS=60)
    connect = SmartcarConnect(None, None, identify=None, secret_keys=None, attempt_seconds=None)
    connect.on_complete(lambda request, response: None)
    connect.init_app(app)
    assert "Max-Age=360;" in browser(app).get("/smartcar/launch").headers["set-cookie"]


@pytest.mark.parametrize("old", [["o" * 32], ["short", "o" * 32]])
def test_flasks_own_keys_rotate(old):
    """SECRET_KEY seals, SECRET_KEY_FALLBACKS are still accepted; one too short for us is passed over."""
    connect = SmartcarConnect()
    connect.on_complete(lambda request, response: None)
    before = configured()
    before.config["SECRET_KEY"] = "o" * 32
    connect.init_app(before)
    after = configured(SECRET_KEY_FALLBACKS=old)
    connect.init_app(after)
    client = browser(before)
    state = launched(client)["state"]
    renewed = browser(after)
    renewed.cookies.update({one.name: one.value for one in client.cookies.jar})
    assert told(renewed.get(f"/smartcar/callback?code={CODE}&state={state}"))["outcome"] == "granted"


@pytest.mark.parametrize("key", [None, "", "short", b"short"])
def test_short_secret_key_says_what_to_do_in_flask(key):
    """The message names the setting, the length, and both remedies; never the key."""
    app = configured()
    app.config["SECRET_KEY"] = key
    with pytest.raises(ConfigurationError, match=r"SECRET_KEY.*at least 32.*SMARTCAR_SECRET_KEYS") as raised:
        SmartcarConnect(app)
    assert "short" not in str(raised.value)
    assert f"{len(key or '')} bytes" in str(raised.value)


def test_missing_application_id_names_the_setting():
    """Neither a Smartcar nor the setting: said when the routes are registered."""
    app = flask.Flask("garage")
    app.secret_key = KEY
    with pytest.raises(ConfigurationError, match="SMARTCAR_APPLICATION_ID"):
        SmartcarConnect().init_app(app)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret_keys": ["short"]},
        {"secret_keys": []},
        {"attempt_seconds": 1},
        {"allowed_origins": "x"},
        {"identify": 1},
        {"smartcar": "an-application"},
    ],
)
def test_wrong_argument_is_refused_at_once(wrong):
    """What is given is checked where it is given, with or without the rest."""
    with pytest.raises(ConfigurationError):
        SmartcarConnect(**wrong)


def test_unknown_argument_is_a_type_error():
    """A misspelt option is not ignored."""
    with pytest.raises(TypeError):
        SmartcarConnect(secret_key="k" * 32)


def test_function_is_registered_once():
    """A second on_complete or on_error is a mistake, before any application is known."""
    connect = SmartcarConnect()
    connect.on_complete(lambda request, response: None)
    connect.on_error(lambda request, error: None)
    for register in (connect.on_complete, connect.on_error):
        with pytest.raises(ConfigurationError, match="already"):
            register(lambda request, given: None)


def test_application_is_forgotten_with_its_last_reference():
    """An extension that outlives its applications, as in every test suite, keeps none of them."""
    connect = SmartcarConnect()
    app = configured()
    connect.init_app(app)
    forgotten = weakref.ref(app)
    del app
    gc.collect()
    assert forgotten() is None


def test_application_without_the_routes_says_so():
    """A button or link in an application where Connect was never registered."""
    connect = plain()
    with flask.Flask("garage").test_request_context(), pytest.raises(ConfigurationError, match="init_app"):
        connect.launch_url(make="KIA")


# -- where it is registered


def nested(connect):
    """Routes in a blueprint in a blueprint."""
    shop = flask.Blueprint("shop", __name__)
    shop.register_blueprint(connect.blueprint, url_prefix="/cars")
    app = flask.Flask("garage")
    app.register_blueprint(shop, url_prefix="/shop")
    return app


def dispatched(connect):
    """An application below another one's path."""
    return DispatcherMiddleware(
        flask.Flask("front"), {"/caf\u00e9".encode().decode("latin-1"): app_with(connect)}
    )


def tenants(connect):
    """A prefix with a variable, which no view wants to see."""
    app = app_with(connect, "/<tenant>/smartcar")
    app.url_value_preprocessor(
        lambda endpoint, values: values and flask.g.setdefault("tenant", values.get("tenant"))
    )
    return app


@pytest.mark.parametrize(
    ("build", "path"),
    [
        (lambda connect: app_with(connect, None), ""),
        (app_with, "/smartcar"),
        (nested, "/shop/cars"),
        (dispatched, "/caf%C3%A9/smartcar"),
        (tenants, "/a%3Fb%23c%20d/smartcar"),
    ],
    ids=["root", "prefix", "nested", "script-name", "variable"],
)
def test_routes_know_where_they_are(build, path):
    """The redirect URI is the callback's address as browsers see it, wherever the routes are."""
    client = browser(build(plain()))
    sent = launched(client, f"{path}/launch")
    assert sent["redirect_uri"] == f"{ORIGIN}{path}/callback"
    assert told(client.get(f"{path}/callback?code={CODE}&state={sent['state']}"))["outcome"] == "granted"
    assert client.get(f"{path}/status/{ATTEMPT}").json()["outcome"] == "granted"
    assert client.get(f"{path}/connect.js").content == assets.SCRIPT.content
    assert client.get(f"{path}/assets/{assets.STYLE.name}").content == assets.STYLE.content


@pytest.mark.parametrize(
    ("build", "endpoint", "path"),
    [(app_with, "smartcar.launch", "/smartcar"), (nested, "shop.smartcar.launch", "/shop/cars")],
)
def test_endpoints_have_names_and_links_find_them(build, endpoint, path):
    """url_for, the button and sealed links agree, under a server's path too."""
    connect = plain()
    with build(connect).test_request_context("/", base_url=f"{ORIGIN}/shop"):
        assert flask.url_for(endpoint) == f"/shop{path}/launch"
        assert f'launch="/shop{path}/launch?make=KIA"' in connect.button(make="KIA")
        assert connect.launch_url(make="KIA").startswith(f"/shop{path}/launch?sealed=")


def test_blueprint_may_have_another_name_and_company():
    """Two Smartcar applications in one Flask application: two names, two prefixes, two sets of functions."""
    first, second = plain(), plain(smartcar=Smartcar(application_id="other"))
    app = app_with(first)
    app.register_blueprint(second.blueprint, name="trucks", url_prefix="/trucks")
    client = browser(app)
    assert launched(client)["application_id"] == APPLICATION_ID
    client.cookies.clear()
    assert launched(client, "/trucks/launch")["application_id"] == "other"
    with app.test_request_context():
        assert flask.url_for("trucks.launch") == "/trucks/launch"
        assert 'launch="/trucks/launch"' in second.button()
        assert 'launch="/smartcar/launch"' in first.button()


def test_attempt_may_be_named_like_a_route():
    """The router has decided which route it is; a name that reads like another one changes nothing."""
    client = make().client
    assert client.get("/smartcar/status/launch").json() == {"outcome": "unknown"}
    assert client.get("/smartcar/assets/launch").status_code == 404


def test_application_root_is_part_of_links_outside_a_request():
    """A link made in a job, without a request, carries APPLICATION_ROOT."""
    connect = plain()
    app = app_with(connect, APPLICATION_ROOT="/shop", SERVER_NAME="app.example.com")
    with app.app_context():
        assert 'launch="/shop/smartcar/launch"' in connect.button()


def test_links_carry_what_a_proxy_cuts_off():
    """The path of public_url stands in front of links, once, whether or not the server knows of it."""
    connect = plain(public_url="https://app.example.com/shop")
    app = app_with(connect)
    for script_name in ("", "/shop"):
        with app.test_request_context(environ_overrides={"SCRIPT_NAME": script_name}):
            assert 'launch="/shop/smartcar/launch"' in connect.button()
            assert connect.launch_url().startswith("/shop/smartcar/launch?sealed=")


def test_proxy_fix_is_believed_and_raw_headers_are_not():
    """Whom to trust is the application's decision, made with Werkzeug's middleware."""
    headers = {
        "x-forwarded-for": "1.2.3.4",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "app.example.com",
        "x-forwarded-prefix": "/shop",
    }
    app = app_with(plain())
    assert "example.com" not in browser(app).get("/smartcar/launch", headers=headers).headers["location"]
    fixed = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
    answer = browser(fixed).get("/smartcar/launch", headers=headers)
    assert (
        "redirect_uri=https%3A%2F%2Fapp.example.com%2Fshop%2Fsmartcar%2Fcallback"
        in answer.headers["location"]
    )
    assert answer.headers["set-cookie"].startswith("__Host-smartcar-")


def test_trusted_hosts_hold_for_connect_too():
    """Flask's own check of the Host header comes before us."""
    client = browser(app_with(plain(), TRUSTED_HOSTS=["localhost"]))
    assert client.get("/smartcar/launch").status_code == 303
    assert client.get("/smartcar/launch", headers={"host": "evil.example"}).status_code == 400


# -- the application's functions


def test_functions_run_in_flasks_contexts():
    """session, g, current_app and url_for work, and the request is the object itself, usable afterwards."""
    seen = []
    connect = SmartcarConnect(**options(identify=lambda request: flask.session.get("person")))
    app = app_with(connect, SECRET_KEY=KEY)

    @connect.on_complete
    def connected(request, response):
        assert flask.current_app.name == "garage"
        flask.g.car = 1
        flask.session["cars"] = [flask.url_for("login"), response.subject]
        seen.append(request)

    @app.get("/login")
    def login():
        flask.session["person"] = "ann"
        return "hello"

    @app.get("/cars")
    def cars():
        return flask.session["cars"]

    client = browser(app)
    client.get("/login")
    assert told(granted(client))["outcome"] == "granted"
    assert client.get("/cars").json() == ["/login", "ann"]
    assert type(seen[0]) is flask.Request
    assert seen[0].path == "/smartcar/callback"


def test_session_is_not_touched():
    """Without a function that does: no cookie but ours, and no Vary that would spoil a cache."""
    client = browser(app_with(plain(), SECRET_KEY=KEY))
    answers = [
        client.get("/smartcar/launch?return_to=/"),
        granted(client),
        client.get("/smartcar/connect.js"),
    ]
    assert all("vary" not in answer.headers for answer in answers)
    assert all(one.name.startswith("smartcar-") for one in client.cookies.jar)


@pytest.mark.parametrize("installed", [True, False], ids=["flask[async]", "no asgiref"])
def test_functions_may_be_async(installed, monkeypatch):
    """By Flask's ensure_sync, or without its extra in a loop of their own; in the request's context either way."""
    if not installed:
        for name in [name for name in sys.modules if name.partition(".")[0] == "asgiref"]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, "asgiref.sync", None)
    seen = []

    async def identify(request):
        await asyncio.sleep(0)
        return "ann"

    connect = SmartcarConnect(**options(identify=identify))

    @connect.on_complete
    async def connected(request, response):
        await asyncio.sleep(0)
        seen.append((flask.request.path, response.subject))
        return {"message": "hello"}

    @connect.on_error
    async def failed(request, error):
        await asyncio.sleep(0)
        seen.append((flask.request.path, error.code))

    @smartcar_failed.connect
    async def told_too(app, request, error):
        await asyncio.sleep(0)
        seen.append((flask.request.path, "signal"))

    app = app_with(connect)
    client = browser(app)
    assert told(granted(client))["data"] == '{"message": "hello"}'
    client.get("/smartcar/callback?code=x")
    callback = "/smartcar/callback"
    assert seen == [(callback, "ann"), (callback, "state_mismatch"), (callback, "signal")]
    with app.test_request_context():
        assert client.get(connect.launch_url(external_id="car-1")).status_code == 303


def test_ensure_sync_of_the_application_is_used():
    """An application that says how async functions run, says it for ours too."""

    class Counting(flask.Flask):
        ran = 0

        def async_to_sync(self, func):
            self.ran += 1
            return super().async_to_sync(func)

    async def connected(request, response):
        return None

    connect = SmartcarConnect(**options())
    connect.on_complete(connected)
    app = Counting("garage")
    app.register_blueprint(connect.blueprint, url_prefix="/smartcar")
    granted(browser(app))
    assert app.ran == 1


@pytest.mark.parametrize(
    "result",
    [
        lambda: flask.redirect("/garage", 303),
        lambda: werkzeug_redirect("/garage", 303),
        lambda: flask.make_response(("hello", 201, {"x-own": "yes"})),
        lambda: flask.Response(iter(["a", "b"])),
    ],
    ids=["redirect", "werkzeug", "text", "stream"],
)
def test_own_response_is_sent_with_our_cookie(result):
    """The application's response goes out as it is, with the outcome's cookie in it."""
    host = make()
    with host.app.app_context():
        host.result = result()
    state = host.state()
    answer = host.callback(f"code={CODE}&state={state}")
    assert answer.status_code == host.result.status_code
    assert answer.headers.get("x-own") == host.result.headers.get("x-own")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert host.status().json()["outcome"] == "granted"


def test_own_response_may_be_returned_again():
    """An application that keeps one response object never sends one browser's cookie to another."""
    host = make()
    with host.app.app_context():
        host.result = flask.redirect("/garage")
    first = host.callback(f"code={CODE}&state={host.state()}")
    host.client.cookies.clear()
    second = host.callback(f"code={CODE}&state={host.state()}")
    assert "set-cookie" not in host.result.headers
    assert len(first.headers.get_list("set-cookie")) == len(second.headers.get_list("set-cookie")) == 1


def test_own_response_of_on_error_is_sent():
    """on_error may answer a refused callback and a denial itself."""
    connect = plain()
    connect.on_error(lambda request, error: flask.make_response(error.code, 418))
    client = browser(app_with(connect))
    assert client.get("/smartcar/callback?code=x").text == "state_mismatch"
    answer = client.get(f"/smartcar/callback?error=access_denied&state={launched(client)['state']}")
    assert (answer.status_code, answer.text) == (418, "access_denied")
    assert client.get(f"/smartcar/status/{ATTEMPT}").json()["code"] == "access_denied"


@pytest.mark.parametrize(
    ("refuse", "status"),
    [
        (lambda: flask.abort(401), 401),
        (lambda: flask.abort(403), 403),
        (lambda: flask.abort(flask.redirect("/login")), 302),
    ],
)
def test_abort_in_identify_stops_the_launch_and_not_the_callback(refuse, status):
    """At launch it is Flask's own answer; on the way back, without the session cookie, nobody's knowledge."""
    person = ["ann"]
    completed = []
    connect = SmartcarConnect(**options(identify=lambda request: person[0] or refuse()))
    connect.on_complete(lambda request, response: completed.append(response.subject))
    app = app_with(connect)
    app.register_error_handler(401, lambda error: ("Log in first", 401))
    client = browser(app)
    state = launched(client)["state"]
    person[0] = None
    refused = client.get("/smartcar/launch")
    assert refused.status_code == status
    assert status != 401 or refused.text == "Log in first"
    assert told(client.get(f"/smartcar/callback?code={CODE}&state={state}"))["outcome"] == "granted"
    assert completed == ["ann"]


def test_other_abort_in_identify_is_no_nobody():
    """What doesn't mean "not logged in" ends the callback, and the attempt can still be finished."""
    answers = ["ann", "ann"]
    connect = SmartcarConnect(
        **options(identify=lambda request: answers.pop() if answers else flask.abort(503))
    )
    connect.on_complete(lambda request, response: None)
    client = browser(app_with(connect))
    state = launched(client)["state"]
    answers.clear()
    assert client.get(f"/smartcar/callback?code={CODE}&state={state}").status_code == 503
    answers.append("ann")
    assert client.get(f"/smartcar/callback?code={CODE}&state={state}").status_code == 200


# -- signals


@pytest.fixture
def signalled():
    """What both signals were sent with, in order."""
    seen = []

    def connected(sender, request, response):
        seen.append((sender, request.path, response.code))

    def failed(sender, request, error):
        seen.append((sender, request.path, error.code))

    with smartcar_connected.connected_to(connected), smartcar_failed.connected_to(failed):
        yield seen


def test_signals_are_sent_besides_the_functions(signalled):
    """After on_complete has returned, and for all that on_error is told; the sender is the application."""
    host = make()
    host.callback(f"code={CODE}&state={host.state()}")
    host.client.cookies.clear()
    host.callback(f"error=access_denied&state={host.state()}")
    host.callback("code=x")
    assert signalled == [
        (host.app, "/smartcar/callback", CODE),
        (host.app, "/smartcar/callback", "access_denied"),
        (host.app, "/smartcar/callback", "state_mismatch"),
    ]
    assert len(host.completed) == 1
    assert len(host.failed) == 2


@pytest.mark.parametrize("result", [ValueError("no"), {1, 2}], ids=["raises", "no JSON"])
def test_signal_waits_for_success(signalled, result):
    """Where the page is told handler_failed, nobody is told of a connected car."""
    host = make()
    host.result = result
    host.callback(f"code={CODE}&state={host.state()}")
    assert signalled == []


def test_signal_of_failure_needs_no_on_error(signalled):
    """Signals alone are enough for what failed."""
    browser(app_with(plain())).get("/smartcar/callback?code=x")
    assert [code for _, _, code in signalled] == ["state_mismatch"]


def test_signals_do_not_replace_on_complete(signalled):
    """A receiver may be missing, and its answer reaches nobody: a launch wants the function."""
    connect = SmartcarConnect(**options())
    with pytest.raises(ConfigurationError, match="on_complete"):
        browser(app_with(connect, TESTING=True)).get("/smartcar/launch")


def test_receiver_that_raises_changes_nothing(caplog):
    """The car is connected by then: the page says so, and the log has the traceback without the code."""

    def broken(sender, request, response):
        raise ValueError(request.url)

    host = make()
    host.result = {"message": "hello"}
    with smartcar_connected.connected_to(broken):
        state = host.state()
        answer = host.callback(f"code={CODE}&state={state}")
    assert (answer.status_code, told(answer)["data"]) == (200, '{"message": "hello"}')
    [record] = [record for record in caplog.records if "receiver" in record.getMessage()]
    assert "smartcar-connected" in record.getMessage()
    assert "ValueError" in record.getMessage()
    assert CODE not in record.getMessage()
    assert state not in record.getMessage()


# -- in templates


def shown(connect, source, **config):
    """A template of the application, rendered."""
    app = app_with(connect, **config)
    with app.test_request_context("/garage"):
        return flask.render_template_string(source)


@pytest.mark.parametrize(
    "call",
    [
        'smartcar_button("Connect <b>", make="TESLA", return_to="/garage")',
        'smartcar_button(request, "Connect <b>", make="TESLA", return_to="/garage")',
    ],
)
def test_button_in_a_template(call):
    """The request may be there or not; the label is text."""
    text = shown(plain(), "{{ " + call + " }}")
    assert '<smartcar-connect launch="/smartcar/launch?make=TESLA"' in text
    assert f'src="/smartcar/assets/{assets.SCRIPT.name}"' in text
    assert 'href="/smartcar/launch?make=TESLA&amp;return_to=/garage">Connect &lt;b&gt;</a>' in text


@pytest.mark.parametrize("call", ["", "request", "label='Connect your car'"])
def test_button_has_a_label_of_its_own(call):
    """Without words it says what it does."""
    assert ">Connect your car</a>" in shown(plain(), "{{ smartcar_button(" + call + ") }}")


def test_button_in_a_macro():
    """A macro of another file has no request, and needs none."""
    app = app_with(plain())
    app.jinja_loader = DictLoader({"parts.html": "{% macro car() %}{{ smartcar_button() }}{% endmacro %}"})
    with app.test_request_context():
        text = flask.render_template_string('{% from "parts.html" import car %}{{ car() }}')
    assert "<smartcar-connect" in text


def test_callback_script_in_a_template():
    """A page of the application's own can end a front-end flow."""
    source = "{{ smartcar_callback_script() }}{{ smartcar_callback_script(request, text='Close') }}"
    text = shown(plain(allowed_origins=["http://localhost:5173"]), source)
    assert text.count("<script defer") == 2
    assert text.count('data-smartcar-text="Close"') == 1
    assert f'src="/smartcar/assets/{assets.REDIRECT.name}"' in text
    assert 'data-smartcar-origins="http://localhost:5173"' in text


def test_launch_url_is_bound_to_the_person():
    """Of the current request or of one given; refused for somebody else."""
    connect = plain(identify=lambda request: request.headers.get("person"))
    app = app_with(connect)
    with app.test_request_context(headers={"person": "ann"}):
        anns = flask.request._get_current_object()
        links = [connect.launch_url(user="u"), connect.launch_url(flask.request, user="u")]
    with app.test_request_context(headers={"person": "ben"}):
        links.append(connect.launch_url(anns, user="u"))
    client = browser(app)
    for link in links:
        assert client.get(link, headers={"person": "ann"}).status_code == 303
        assert client.get(link, headers={"person": "ben"}).status_code == 403


PAGE = """{% extends "layout.html" %}{% block content %}<h1>{{ heading }}</h1>
{% for one in paragraphs %}<p>{{ one }}</p>{% endfor %}
<a class="{{ tone }}" href="{{ link }}">{{ link_text }}</a> {{ kind }}{% endblock %}"""
LAYOUT = """<!doctype html><html{{ attributes }}><head>{{ head }}</head><body>{{ brand }}
{% block content %}{% endblock %}</body></html>"""


def with_template(connect, page=PAGE, **config):
    """An application with a template for our pages, and a context processor of its own."""
    app = app_with(connect, **config)
    app.jinja_loader = DictLoader({"smartcar_auth/page.html": page, "layout.html": LAYOUT})

    def fail(said):
        raise ValueError(said)

    app.context_processor(lambda: {"brand": "My Garage", "fail": fail})
    return app


def test_pages_are_rendered_with_the_applications_template():
    """Outcome, refusal and question wear the application's layout, and still tell the waiting page."""
    client = browser(with_template(plain()))
    question = client.get("/smartcar/launch", headers={"sec-fetch-site": "cross-site"})
    outcome = granted(client)
    refusal = client.get("/smartcar/callback?code=%3Cscript%3E")
    for answer, kind in ((question, "question"), (outcome, "granted"), (refusal, "missing")):
        assert "My Garage" in answer.text
        assert f"</a> {kind}</body>" in answer.text
        assert "content-security-policy" in answer.headers
        assert "vary" not in answer.headers
    assert told(outcome)["outcome"] == "granted"
    assert f'<script type="module" src="assets/{assets.SCRIPT.name}">' in outcome.text


def test_values_in_the_applications_template_are_escaped():
    """The application's own message is text; only attributes and head are markup."""
    connect = SmartcarConnect(**options())
    connect.on_complete(lambda request, response: {"message": "<script>"})
    answer = granted(browser(with_template(connect)))
    assert "<p>&lt;script&gt;</p>" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "page", ["{{ fail(request.url) }}", "{% nonsense %}", '{% extends "missing.html" %}']
)
def test_broken_template_costs_its_looks_only(page, caplog):
    """The person gets our page and the log the error, without the code; in tests and in debug mode it surfaces."""
    app = with_template(plain(), page)
    answer = granted(browser(app))
    assert told(answer)["outcome"] == "granted"
    assert "smartcar_auth/page.html failed" in caplog.text
    assert "Error" in caplog.text or "missing.html" in caplog.text
    assert CODE not in caplog.text
    app.testing = True
    with pytest.raises((ValueError, jinja2.TemplateError)):
        granted(browser(app))


# -- mistakes of configuration


def test_wrong_configuration_is_a_page_and_a_logged_error(caplog):
    """The person reads a page; Flask's log and got_request_exception get the ConfigurationError."""
    smartcar = Smartcar(application_id="a", redirect_uri="http://localhost:8000/elsewhere")
    app = app_with(plain(smartcar=smartcar))
    seen = []

    def noted(sender, exception):
        seen.append(exception)

    with flask.got_request_exception.connected_to(noted, app):
        answer = browser(app).get("/smartcar/launch")
    assert answer.status_code == 500
    assert "The people who make this app" in answer.text
    assert "elsewhere" not in answer.text
    assert [type(one) for one in seen] == [ConfigurationError]
    [record] = [record for record in caplog.records if record.name == "garage"]
    assert record.levelno == logging.ERROR
    assert record.exc_info[1] is seen[0]


@pytest.mark.parametrize("config", [{"TESTING": True}, {"DEBUG": True}, {"PROPAGATE_EXCEPTIONS": True}])
def test_wrong_configuration_surfaces_where_flask_lets_errors_surface(config):
    """In tests and in the debugger."""
    smartcar = Smartcar(application_id="a", redirect_uri="http://localhost:8000/elsewhere")
    client = browser(app_with(plain(smartcar=smartcar), **config))
    with pytest.raises(ConfigurationError, match=r"/elsewhere .*/smartcar/callback"):
        client.get("/smartcar/launch")


# -- the command


def test_doctor_command_says_what_it_found():
    """`flask smartcar doctor` prints the findings; 1 where something can't work, 0 otherwise."""
    connect = plain(identify=lambda request: "ann", secret_keys=["J9r-2q_Zt7Lw0vXk3bNc5mYh8sGd1fPa6uEoRiTy"])
    runner = app_with(connect).test_cli_runner()
    done = runner.invoke(args=["smartcar", "doctor", "https://app.example.com/smartcar"])
    assert done.exit_code == 0, done.output
    assert "https://app.example.com/smartcar/callback" in done.output
    broken = app_with(SmartcarConnect(**options())).test_cli_runner()
    done = broken.invoke(args=["smartcar", "doctor"])
    assert done.exit_code == 1
    assert "on_complete" in done.output


def test_responses_are_of_the_applications_class_and_may_be_changed_afterwards():
    """What an application does to every response, by its own class or `after_request`, it does to ours."""

    class Signed(flask.Response):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.headers["X-By"] = "the class"

    connect = plain()
    app = app_with(connect, SECRET_KEY=KEY)
    app.response_class = Signed

    @app.after_request
    def shortened(response):
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        if response.status_code == 200:
            response.set_data(b"short")
        return response

    client = browser(app)
    launched = client.get("/smartcar/launch")
    assert (launched.status_code, launched.headers["X-By"]) == (303, "the class")
    assert launched.headers["Content-Length"] == "0"
    asset = client.get("/smartcar/connect.js")
    assert (asset.content, asset.headers["Content-Length"]) == (b"short", "5")
    assert asset.headers["X-Frame-Options"] == "SAMEORIGIN"
    unchanged = client.get("/smartcar/connect.js", headers={"If-None-Match": asset.headers["ETag"]})
    assert unchanged.status_code == 304
    assert "Content-Length" not in unchanged.headers


def _looks(response):
    assert response.status_code
    return response


def _changes(response):
    response.direct_passthrough = False
    return response


def _replaces_its_fields(response):
    response.headers = response.headers.copy()
    return response


@pytest.mark.parametrize("handler", [_looks, _changes, _replaces_its_fields])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [f"launch?{WAITING}&return_to=/caf%C3%A9%3Fa=1", "callback?code=c", "connect.js", "status/unknown"],
)
def test_response_is_the_same_whether_or_not_the_application_looks_at_it(handler, method, path):
    """Only what an application looks at or changes becomes a response of Flask's."""
    connect = plain(clock=lambda: 1_700_000_000)
    untouched, touched = app_with(connect), app_with(connect)
    touched.after_request(handler)
    answers = []
    for app in (untouched, touched):
        answer = browser(app).request(method, f"/smartcar/{path}")
        fields = [(name, value) for name, value in answer.headers.multi_items() if name != "content-type"]
        where = answer.headers.get("location", "").partition("state=")[0]
        fixed = [(name, value) for name, value in fields if name not in ("location", "set-cookie")]
        answers.append((answer.status_code, answer.content, fixed, where, len(fields)))
    assert answers[0] == answers[1]


def test_response_that_nobody_looked_at_has_what_responses_have():
    app = app_with(plain())
    kept = []
    closed = []
    app.after_request(lambda response: kept.append(response) or response)

    @flask.request_finished.connect_via(app)
    def finished(sender, response):
        response.call_on_close(lambda: closed.append(response))

    answer = browser(app).get("/smartcar/connect.js")
    assert closed == kept
    assert isinstance(kept[0], flask.Response)
    assert kept[0].get_data() == answer.content
    assert not hasattr(kept[0], "no_such_thing")
