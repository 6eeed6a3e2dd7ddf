"""The plain WSGI host: the table of outcomes, mounted and in front of an application."""

import bottle
import httpx2
import pytest

from hosts.outcomes import ATTEMPT, CODE, ORIGIN, EveryHost, Host, options
from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.hosts.wsgi import SmartcarConnect


def not_found(environ, start_response):
    """An application that knows nothing but its environ's path."""
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode("latin-1")]


def browser(app, script_name=""):
    """A browser in front of an application that is mounted under a path."""

    def mounted(environ, start_response):
        path = environ["PATH_INFO"].encode().decode("latin-1")  # as PEP 3333 wants it
        return app(
            {**environ, "SCRIPT_NAME": script_name, "PATH_INFO": path.removeprefix(script_name)},
            start_response,
        )

    return httpx2.Client(transport=httpx2.WSGITransport(app=mounted), base_url=ORIGIN)


def make(**more):
    """Connect in front of an application that has nothing, and a browser in front of both."""
    host = Host(None, None)
    arguments = options(identify=lambda environ: host.person[0], **more)
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    host.clock = arguments["clock"]

    @connect.on_complete
    def connected(environ, response):
        host.completed.append((environ, response))
        if isinstance(host.result, Exception):
            raise host.result
        return host.result

    @connect.on_error
    async def failed(environ, error):
        host.failed.append((environ, error))

    host.connect = connect
    host.client = browser(connect.wrap(not_found))
    return host


class TestWSGI(EveryHost):
    """Plain WSGI passes the table."""

    make = staticmethod(make)


def test_wrap_leaves_the_rest_to_the_application():
    """What isn't below the prefix, or only looks like it, reaches the application."""
    client = make().client
    assert client.get("/garage").text == "/garage"
    assert client.get("/smartcar").text == "/smartcar"
    assert client.get("/smartcars/launch").text == "/smartcars/launch"
    assert client.get("/smartcar/nothing").text == "Not found.\n"


@pytest.mark.parametrize("script_name", ["", "/shop", "/caf\u00e9"])
def test_script_name_is_part_of_every_address(script_name):
    """Mounted below another application, links and the redirect URI carry its path."""
    host = make()
    client = browser(host.connect.wrap(not_found), script_name.encode().decode("latin-1"))
    answer = client.get(f"{script_name}/smartcar/launch")
    assert answer.status_code == 303
    quoted = script_name.replace("/", "%2F").replace("\u00e9", "%25C3%25A9")
    assert f"redirect_uri=http%3A%2F%2Flocalhost%3A8000{quoted}%2Fsmartcar%2Fcallback" in str(
        answer.headers["location"]
    )
    environ = {"SCRIPT_NAME": script_name.encode().decode("latin-1")}
    path = script_name.replace("\u00e9", "%C3%A9")
    assert f'launch="{path}/smartcar/launch?make=KIA"' in host.connect.button(environ, make="KIA")
    assert host.connect.launch_url(environ, make="KIA").startswith(f"{path}/smartcar/launch?sealed=")
    assert f'src="{path}/smartcar/assets/redirect-' in host.connect.callback_script(environ)


def test_links_carry_what_a_proxy_cuts_off():
    """The path of public_url stands in front of links, once, whether or not the server knows of it."""
    connect = make(public_url="https://app.example.com/shop").connect
    for environ in ({}, {"SCRIPT_NAME": "/shop"}):
        assert 'launch="/shop/smartcar/launch"' in connect.button(environ)
        assert connect.launch_url(environ).startswith("/shop/smartcar/launch?sealed=")


def test_path_beyond_latin_1_is_no_failure():
    """Bottle decodes the path before it hands it on, against PEP 3333; a visitor's path raises nothing."""
    host = make()
    app = bottle.Bottle()
    app.config["catchall"] = False
    app.mount("/smartcar", host.connect)
    client = browser(app)
    assert client.get("/smartcar/launch").status_code == 303
    assert client.get("/smartcar/\u20ac/\u20ac/nothing").status_code == 404


def test_own_response_is_an_application():
    """A function may answer itself with any WSGI application; our cookie goes with it."""
    host = make()
    host.result = not_found
    answer = host.callback(f"code={CODE}&state={host.state()}")
    assert (answer.status_code, answer.text) == (404, "/smartcar/callback")
    assert answer.headers["cache-control"] == "no-store"
    assert host.status().json()["outcome"] == "granted"


def test_identify_may_be_async():
    """A coroutine function runs to its end in place, for launch and for launch_url."""

    async def identify(environ):
        return "user-1"

    arguments = options(identify=identify)
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    connect.on_complete(lambda environ, response: None)
    client = browser(connect.wrap(not_found))
    address = connect.launch_url({}, external_id="car-1")
    answer = client.get(address + f"&attempt={ATTEMPT}")
    assert answer.status_code == 303
    assert "external_id=car-1" in answer.headers["location"]


def test_wrong_configuration_is_a_page_and_an_error():
    """The person has read the whole page before the server's log gets the ConfigurationError."""
    arguments = options(smartcar=Smartcar(application_id="a", redirect_uri="http://localhost:8000/elsewhere"))
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    connect.on_complete(lambda environ, response: None)
    started = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/smartcar/launch",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "http",
    }
    answer = iter(connect(environ, lambda *given: started.append(given)))
    page = next(answer)
    assert started[0][0] == "500 Internal Server Error"
    assert b"The people who make this app" in page
    with pytest.raises(ConfigurationError, match="/elsewhere"):
        next(answer)
