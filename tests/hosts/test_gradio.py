"""The Gradio host beyond the table of outcomes (tests/dataapps): what a page may know, addresses, and listeners."""

import asyncio
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gradio as gr
import pytest
from fastapi import HTTPException
from gradio.helpers import special_args
from gradio.routes import App
from starlette.requests import Request
from starlette.testclient import TestClient

from hosts.outcomes import APPLICATION_ID
from smartcar_auth import ConfigurationError
from smartcar_auth.hosts import gradio as host
from smartcar_auth.hosts.gradio import SmartcarButton, SmartcarConnect, connect
from smartcar_auth.hosts.gradio.listener import given

KEY = "k" * 32


@pytest.fixture(autouse=True)
def loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Outside of an event loop Gradio makes one for each of its locks, and closes none."""
    made: list[asyncio.AbstractEventLoop] = []
    make = asyncio.new_event_loop

    def new_event_loop() -> asyncio.AbstractEventLoop:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", new_event_loop)
    yield
    asyncio.set_event_loop(None)
    for loop in made:
        loop.close()


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTCAR_APPLICATION_ID", APPLICATION_ID)
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    monkeypatch.setattr(connect, "_made", [])


def served(demo: gr.Blocks, made: SmartcarConnect, **options: Any) -> TestClient:
    return TestClient(App.create_app(demo, app_kwargs=made.app_kwargs), follow_redirects=False, **options)


def redirect_uri_of(client: TestClient, launch: str) -> str:
    query = parse_qs(urlsplit(client.get(launch).headers["Location"]).query)
    return query["redirect_uri"][0]


def test_page_knows_addresses_and_words_only() -> None:
    """Neither settings nor keys are part of the component; its listeners are no part of Gradio's API."""
    made = SmartcarConnect(secret_keys=KEY, identify=lambda request: request.username)
    with gr.Blocks() as demo:
        button = SmartcarButton(make="KIA", sealed={"flags": ["a:b"]})
        button.connected(lambda response: None)
        button.failed(lambda error: None)
    client = served(demo, made)
    (component,) = [one for one in client.get("/config").json()["components"] if one["type"] == "html"]
    props = component["props"]["props"]
    assert set(props) == {"text", "launch", "module", "attempt_seconds", "variant", "name"}
    assert props["launch"] == ""
    assert KEY not in json.dumps(component)
    assert APPLICATION_ID not in json.dumps(component)
    info = client.get("/gradio_api/info").json()
    assert (info["named_endpoints"], info["unnamed_endpoints"]) == ({}, {})


@pytest.mark.parametrize(
    ("root_path", "options", "expected"),
    [
        ("", {}, "http://localhost/smartcar/callback"),
        ("/myapp", {}, "http://localhost/myapp/smartcar/callback"),
        (
            "https://example.com/myapp",
            {"public_url": "https://example.com/myapp"},
            "https://example.com/myapp/smartcar/callback",
        ),
    ],
)
def test_root_path_is_part_of_the_redirect_uri(
    root_path: str, options: dict[str, Any], expected: str
) -> None:
    """Also where it is a whole URL, as Gradio allows."""
    made = SmartcarConnect(secret_keys=KEY, **options)
    with gr.Blocks() as demo:
        SmartcarButton()
    demo.root_path = root_path
    client = served(demo, made, base_url=f"{'https://example.com' if options else 'http://localhost'}")
    assert redirect_uri_of(client, "/smartcar/launch") == expected


def test_launch_url_is_where_pages_find_it() -> None:
    """Below the path at which Gradio is mounted, sealed for whom Gradio has let in."""
    made = SmartcarConnect(secret_keys=KEY, prefix="/cars", identify=lambda request: request.username)
    native = Request({"type": "http", "root_path": "/garage", "headers": []})
    url = made.launch_url(gr.Request(native, username="ann"), state={"bay": 1})
    assert url.startswith("/garage/cars/launch?sealed=")


def test_launch_may_require_a_login() -> None:
    """Gradio's own login guards Gradio's routes only; `identify` guards ours, and knows whom Gradio let in."""

    def identify(request: gr.Request) -> str:
        if request.username is None:
            raise HTTPException(401)
        return request.username

    made = SmartcarConnect(secret_keys=KEY, identify=identify)
    with gr.Blocks() as demo:
        SmartcarButton()
    demo.auth = [("ann", "ann's")]
    client = served(demo, made, base_url="http://localhost")
    assert client.get("/smartcar/launch").status_code == 401
    client.post("/login", data={"username": "ann", "password": "ann's"})
    assert client.get("/smartcar/launch").status_code == 303


def test_two_prefixes() -> None:
    """Two applications beside each other: each button has its own."""
    first, second = SmartcarConnect(secret_keys=KEY), SmartcarConnect(secret_keys=KEY, prefix="/other")
    with gr.Blocks():
        assert SmartcarButton(connect=first).props["launch"] == "/smartcar/launch"
        assert SmartcarButton(make="KIA").props["launch"] == "/other/launch?make=KIA"
    assert {route.path.split("/")[1] for route in second.app_kwargs["routes"]} == {"other"}


def test_mistakes_are_said_at_once() -> None:
    """Each with what to do."""
    with gr.Blocks():
        with pytest.raises(ConfigurationError, match="SmartcarConnect\\(\\) before the button"):
            SmartcarButton()
        made = SmartcarConnect(secret_keys=KEY)
        with pytest.raises(ConfigurationError, match="identify"):
            SmartcarButton(sealed={"external_id": "ann"})
        with pytest.raises(ConfigurationError, match="flags"):
            SmartcarButton(sealed={"flags": [1]})
        button = SmartcarButton(connect=made)
        with pytest.raises(ConfigurationError, match="first argument"):
            button.connected(lambda: "granted, without a look at the response")
        button.connected(lambda response: None)
        with pytest.raises(ConfigurationError, match="then"):
            button.connected(lambda response: None)

    async def identify(request: gr.Request) -> str:
        return "ann"

    with pytest.raises(ConfigurationError, match="plain function"):
        SmartcarConnect(secret_keys=KEY, identify=identify)
    with pytest.raises(ConfigurationError, match="prefix"):
        SmartcarConnect(secret_keys=KEY, prefix="smartcar")


class Handler:
    def __call__(self, response: str, colour: str, request: gr.Request) -> Any:
        return response, colour, request.username

    def method(self, response: str, colour: str, request: gr.Request) -> Any:
        return response, colour, request.username


def function(response: str, colour: str, request: gr.Request) -> Any:
    return response, colour, request.username


def more(shift: int, response: str, colour: str, request: gr.Request) -> Any:
    return response, colour, request.username


def anything(*args: Any) -> Any:
    return (*args, "ann")


def only_checkers_know(response: str, colour: "Nowhere") -> Any:  # type: ignore[name-defined]  # noqa: F821
    return response, colour, "ann"


@pytest.mark.parametrize(
    "fn", [function, Handler().method, anything, only_checkers_know], ids=lambda fn: fn.__name__
)
def test_listener_is_given_result_inputs_and_what_annotations_ask_for(fn: Callable[..., Any]) -> None:
    """As Gradio hands them over: event and request for us, then inputs, then its own."""
    listener = given(lambda told, request: f"{told._data} of {request.username}", fn)
    request = gr.Request(username="ann")
    args, *_ = special_args(listener, ["red"], request, gr.EventData(None, "told"))
    assert listener(*args) == ("told of ann", "red", "ann")
    assert listener.__name__ == fn.__name__


@pytest.mark.parametrize("fn", [Handler(), functools.partial(more, 1)], ids=["object", "partial"])
def test_listener_may_be_any_callable(fn: Callable[..., Any]) -> None:
    """Of a partial Gradio sees no annotations, so it gets inputs only; an object is as good as a function."""
    listener = given(lambda told, request: "told", fn)
    request = gr.Request(username="ann")
    args, *_ = special_args(listener, ["red", request], request, gr.EventData(None, "told"))
    assert listener(*args[:4])[:2] == ("told", "red")


def test_package_is_left_as_it_is() -> None:
    """Gradio writes a stub beside a component's module, which would hide it from type checkers; not beside ours."""
    assert list(Path(host.__file__).parent.glob("*.pyi")) == []
