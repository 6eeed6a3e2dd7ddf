"""The Streamlit host in process: where its routes are, what it reads, what it refuses. More is in tests/dataapps."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from hosts.outcomes import APPLICATION_ID
from smartcar_auth import ConfigurationError
from smartcar_auth.hosts import streamlit
from smartcar_auth.hosts.streamlit import routes


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment; and afterwards this process serves no routes again."""
    monkeypatch.setenv("SMARTCAR_APPLICATION_ID", APPLICATION_ID)
    monkeypatch.setenv("SMARTCAR_SECRET_KEYS", f"{'n' * 32} {'o' * 32}")
    monkeypatch.setattr(streamlit, "_served", None)


def asked(app: Any, path: str) -> dict[str, str]:
    """What a launch asks of Connect."""
    answer = TestClient(app, base_url="http://localhost").get(path, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def test_routes_take_their_prefix_and_nothing_else() -> None:
    """Streamlit's own paths are left to it."""
    app = Starlette(routes=routes("/cars/connect"))
    assert asked(app, "/cars/connect/launch")["redirect_uri"] == "http://localhost/cars/connect/callback"
    client = TestClient(app)
    assert client.get("/launch").status_code == client.get("/cars/connected/launch").status_code == 404


def test_routes_in_a_mount_answer_under_its_path() -> None:
    """As where st.App is mounted in FastAPI."""
    app = Starlette(routes=[Mount("/dash", routes=routes())])
    assert asked(app, "/dash/smartcar/launch")["redirect_uri"] == "http://localhost/dash/smartcar/callback"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are separated by spaces; a number is a number."""
    monkeypatch.setenv("SMARTCAR_SCOPE", "read_odometer read_location")
    monkeypatch.setenv("SMARTCAR_MODE", "simulated")
    monkeypatch.setenv("SMARTCAR_ATTEMPT_SECONDS", "600")
    query = asked(Starlette(routes=routes()), "/smartcar/launch?make=KIA")
    assert (query["scope"], query["mode"], query["make"]) == (
        "read_odometer read_location",
        "simulated",
        "KIA",
    )
    monkeypatch.setenv("SMARTCAR_ATTEMPT_SECONDS", "soon")
    with pytest.raises(ConfigurationError, match="attempt_seconds must be a whole number"):
        TestClient(Starlette(routes=routes())).get("/smartcar/launch")


def test_prefix_that_is_no_path_is_refused() -> None:
    """At once, where it is written."""
    with pytest.raises(ConfigurationError, match="prefix must be a path"):
        routes("smartcar")


def script(options: dict) -> None:  # type: ignore[type-arg]  # its source alone is run
    from smartcar_auth.hosts.streamlit import smartcar_connect

    smartcar_connect(**options)


def shown(**options: Any) -> AppTest:
    return AppTest.from_function(script, kwargs={"options": options}).run()


def launch_of(at: AppTest) -> str:
    (element,) = at.get("bidi_component")
    return str(element.proto.json)


def test_button_leads_to_the_launch_route() -> None:
    """With what the page may choose in the open, and the rest sealed."""
    routes()
    assert "/smartcar/launch?make=TESLA&single_select=true" in launch_of(
        shown(make="TESLA", single_select=True)
    )
    sealed = launch_of(shown(single_select_vin="5YJSA1CN5DFP00101"))
    assert "/smartcar/launch?sealed=" in sealed


def test_button_under_a_public_url_leads_there() -> None:
    """What a proxy cuts off, or a mount's path, is in front."""
    routes(public_url="http://localhost/dash")
    assert "/dash/smartcar/launch" in launch_of(shown())


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        ({}, {"external_id": "ann"}, "external_id belong to a person"),
        ({}, {"flags": 7}, "flags"),
        ({"identify": lambda request: 1.5}, {"state": {}}, "identify returned float"),
    ],
)
def test_option_that_cannot_be_right_is_an_exception_in_the_app(
    given: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    """In words, where Streamlit shows exceptions."""
    routes(**given)
    (error,) = shown(**options).exception
    assert words in error.message


def test_async_identify_is_refused_in_words() -> None:
    """A script has nothing to await it with."""

    async def identify(request: Any) -> str:
        return "ann"

    with pytest.raises(ConfigurationError, match="must not be async"):
        routes(identify=identify)


def test_buttons_of_one_key_are_refused_by_streamlit() -> None:
    """As for any widget."""

    def twice() -> None:
        from smartcar_auth.hosts.streamlit import smartcar_connect

        smartcar_connect("One")
        smartcar_connect("Another")

    (error,) = AppTest.from_function(twice).run().exception
    assert "smartcar_connect" in error.message
