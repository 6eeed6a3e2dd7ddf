"""The plain ASGI host: the table of outcomes, mounted and in front of an application."""

import anyio
import pytest
from starlette.testclient import TestClient

from hosts.outcomes import ATTEMPT, CODE, ORIGIN, EveryHost, Host, options, told
from smartcar_auth import ConfigurationError
from smartcar_auth.hosts.asgi import SmartcarConnect


async def not_found(scope, receive, send):
    """An application that knows nothing but its scope's path."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def browser(app, **more):
    """A browser in front of an application."""
    return TestClient(app, base_url=ORIGIN, follow_redirects=False, **more)


def make(**more):
    """Connect in front of an application that has nothing, and a browser in front of both."""
    host = Host(None, None)
    arguments = options(identify=lambda scope: host.person[0], **more)
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    host.clock = arguments["clock"]

    @connect.on_complete
    async def connected(scope, response):
        await anyio.lowlevel.checkpoint()
        host.completed.append((scope, response))
        if isinstance(host.result, Exception):
            raise host.result
        return host.result

    @connect.on_error
    def failed(scope, error):
        host.failed.append((scope, error))

    host.connect = connect
    host.client = browser(connect.wrap(not_found))
    return host


class TestASGI(EveryHost):
    """Plain ASGI passes the table."""

    make = staticmethod(make)


def test_wrap_leaves_the_rest_to_the_application():
    """What isn't below the prefix, or only looks like it, reaches the application."""
    client = make().client
    assert client.get("/garage").text == "/garage"
    assert client.get("/smartcar").text == "/smartcar"
    assert client.get("/smartcars/launch").text == "/smartcars/launch"
    assert client.get("/shop/smartcar/launch").text == "/shop/smartcar/launch"
    assert client.get("/smartcar/nothing").text == "Not found.\n"


@pytest.mark.parametrize(
    ("root_path", "path"),
    [("", "/smartcar"), ("/shop", "/shop/smartcar")],
)
def test_wrap_knows_the_servers_root_path(root_path, path):
    """Behind a prefix that a proxy keeps, links and the redirect URI carry it."""
    host = make()
    client = browser(host.connect.wrap(not_found), root_path=root_path)
    answer = client.get(f"{path}/launch")
    assert answer.status_code == 303
    assert f"redirect_uri=http%3A%2F%2Flocalhost%3A8000{path.replace('/', '%2F')}%2Fcallback" in str(
        answer.headers["location"]
    )
    scope = {"root_path": root_path}
    assert f'launch="{path}/launch?make=KIA"' in host.connect.button(scope, make="KIA")
    assert host.connect.launch_url(scope, make="KIA").startswith(f"{path}/launch?sealed=")
    assert f'src="{path}/assets/redirect-' in host.connect.callback_script(scope)


def test_links_carry_what_a_proxy_cuts_off():
    """The path of public_url stands in front of links, once, whether or not the server knows of it."""
    connect = make(public_url="https://app.example.com/shop").connect
    for scope in ({}, {"root_path": "/shop"}):
        assert 'launch="/shop/smartcar/launch"' in connect.button(scope)
        assert connect.launch_url(scope).startswith("/shop/smartcar/launch?sealed=")


def test_own_response_is_an_application():
    """A function may answer itself with any ASGI application; our cookie goes with it."""
    host = make()
    host.result = not_found
    answer = host.callback(f"code={CODE}&state={host.state()}")
    assert (answer.status_code, answer.text) == (404, "/smartcar/callback")
    assert answer.headers["cache-control"] == "no-store"
    assert host.status().json()["outcome"] == "granted"


def test_functions_receive_the_scope():
    """What an application needs of the request is in the scope."""
    host = make()
    assert told(host.callback(f"code={CODE}&state={host.state()}"))["outcome"] == "granted"
    assert host.completed[0][0]["path"] == "/smartcar/callback"


@pytest.mark.parametrize("prefix", ["smartcar", "/", "/smartcar/", "//evil.example", None, "/a\\b"])
def test_prefix_that_is_no_path_is_refused(prefix):
    """A prefix is a path on this site."""
    arguments = options(prefix=prefix)
    with pytest.raises(ConfigurationError, match="prefix"):
        SmartcarConnect(arguments.pop("smartcar"), **arguments)


def test_other_protocols_are_refused_in_words():
    """Neither a WebSocket nor a lifespan is for these routes."""
    host = make()
    with pytest.raises(RuntimeError, match="http, not websocket"):
        anyio.run(host.connect, {"type": "websocket", "path": f"/smartcar/status/{ATTEMPT}"}, None, None)
