"""The FastAPI host: the table of outcomes, and what is FastAPI's own."""

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse
from starlette.testclient import TestClient

from hosts.outcomes import (
    ATTEMPT,
    CODE,
    ORIGIN,
    EveryHost,
    Host,
    options,
    told,
)
from smartcar_auth import AuthorizationResponse, ConfigurationError
from smartcar_auth.hosts.fastapi import LaunchURL, SmartcarConnect


def browser(app, **more):
    """A browser in front of an application: it follows no redirect, and failures surface."""
    return TestClient(app, base_url=ORIGIN, follow_redirects=False, **more)


def make(prefix="/smartcar", app=None, **more):
    """A FastAPI application with its routes under a prefix, and a browser in front of it."""
    host = Host(None, None)
    arguments = options(**({"identify": lambda request: host.person[0]} | more))
    connect = SmartcarConnect(arguments.pop("smartcar"), **arguments)
    host.clock = arguments["clock"]
    host.connect = connect

    @connect.on_complete
    async def connected(request: Request, response: AuthorizationResponse):
        host.completed.append((request, response))
        if isinstance(host.result, Exception):
            raise host.result
        return host.result

    @connect.on_error
    async def failed(request: Request, error: Exception):
        host.failed.append((request, error))

    app = app or FastAPI()
    app.include_router(connect.router, prefix=prefix)
    host.client = browser(app)
    host.app = app
    return host


class TestFastAPI(EveryHost):
    """FastAPI passes the table."""

    make = staticmethod(make)


def test_routes_stay_out_of_the_schema():
    """They are pages and the module's own calls, not the application's API."""
    host = make()
    assert host.client.get("/openapi.json").json()["paths"] == {}
    assert {route.name for route in host.connect.router.routes} == {
        "smartcar_launch",
        "smartcar_callback",
        "smartcar_redirect",
        "smartcar_status",
        "smartcar_cancel",
        "smartcar_module",
        "smartcar_keep",
        "smartcar_script",
        "smartcar_asset",
    }


def redirect_uri(client, path):
    """The redirect URI that a launch sends, unquoted enough to read."""
    answer = client.get(path)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("redirect_uri=")[2].partition("&")[0].replace("%2F", "/")


@pytest.mark.parametrize(
    ("own_root", "root_path", "path", "expected"),
    [
        (None, "", "/a/smartcar/launch", "/a/smartcar/callback"),
        ("/api", "", "/a/smartcar/launch", "/api/a/smartcar/callback"),
        ("/api", "", "/api/a/smartcar/launch", "/api/a/smartcar/callback"),
        (None, "/api", "/a/smartcar/launch", "/api/a/smartcar/callback"),
    ],
    ids=["prefix", "root_path", "kept-root_path", "server"],
)
@pytest.mark.filterwarnings("ignore:The `root_path` parameter")  # deprecated, and in use
def test_routes_know_where_they_are(own_root, root_path, path, expected):
    """The redirect URI is the callback's address as browsers see it, whoever knows the path in front."""
    host = make("/a/smartcar", FastAPI() if own_root is None else FastAPI(root_path=own_root))
    assert (
        redirect_uri(browser(host.app, root_path=root_path), path) == f"http%3A//localhost%3A8000{expected}"
    )


def test_routes_work_in_a_mounted_application():
    """A FastAPI application inside another."""
    inner = make("/smartcar")
    outer = FastAPI()
    outer.mount("/inner", inner.app)
    assert redirect_uri(browser(outer), "/inner/smartcar/launch").endswith("/inner/smartcar/callback")


def logged_in(request: Request) -> str:
    """An application's own dependency that insists on a login."""
    name = request.headers.get("person")
    if name is None:
        raise HTTPException(401, "Log in first")
    return name


def test_identify_may_be_a_dependency():
    """The same function serves Depends and identify: its 401 is FastAPI's at launch, and nobody's on the way back."""
    host = make(identify=logged_in)

    @host.app.get("/me")
    def me(name: Annotated[str, Depends(logged_in)]) -> str:
        return name

    headers = {"person": "user-7"}
    assert host.client.get("/me", headers=headers).json() == "user-7"
    refused = host.launch()
    assert (refused.status_code, refused.json()) == (401, {"detail": "Log in first"})
    answer = host.launch(f"attempt={ATTEMPT}&display=popup&origin={ORIGIN}", **headers)
    state = answer.headers["location"].partition("state=")[2].partition("&")[0]
    assert told(host.callback(f"code={CODE}&state={state}"))["outcome"] == "granted"
    assert host.completed[0][1].subject == "user-7"


def test_functions_get_fastapis_request():
    """request.app is the FastAPI application, so its state and its routes are at hand."""
    host = make()
    host.callback(f"code={CODE}&state={host.state()}")
    assert host.completed[0][0].app is host.app
    assert host.completed[0][0].url_for("smartcar_callback").path == "/smartcar/callback"


def test_own_response_is_sent_with_our_cookie():
    """A FastAPI response goes out as it is, with the outcome's cookie in it."""
    host = make()
    host.result = RedirectResponse("/garage", 303)
    answer = host.callback(f"code={CODE}&state={host.state()}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/garage")
    assert host.status().json()["outcome"] == "granted"


def test_missing_on_complete_is_an_error_at_the_first_launch():
    """Nobody would receive the car: a page for the person, the error for the developer."""
    arguments = options()
    app = FastAPI()
    app.include_router(SmartcarConnect(arguments.pop("smartcar"), **arguments).router, prefix="/smartcar")
    with pytest.raises(ConfigurationError, match="on_complete"):
        browser(app).get("/smartcar/launch")
    answer = browser(app, raise_server_exceptions=False).get("/smartcar/launch")
    assert answer.status_code == 500
    assert "The people who make this app" in answer.text


def test_launch_url_and_button_know_the_prefix():
    """Links and buttons made in an endpoint lead to the included routes."""
    host = make("/a/smartcar")
    host.client = browser(host.app, root_path="/api")

    @host.app.get("/links")
    async def links(request: Request) -> list[str]:
        url = host.connect.launch_url(request, user="u-1")
        assert isinstance(url, LaunchURL)
        return [url, host.connect.button(request)]

    url, button = host.client.get("/links").json()
    assert url.startswith("/api/a/smartcar/launch?sealed=")
    assert 'launch="/api/a/smartcar/launch"' in button
    assert "user=u-1" in host.client.get(url).headers["location"]
