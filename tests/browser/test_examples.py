"""The examples, run as they are against the sandbox, and clicked through."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from browser.application import Server
from browser.flow import Garage, connect_as
from browser.sites import under_werkzeug
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture
def example(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Load an example with its settings pointing at the sandbox."""
    monkeypatch.setenv("SMARTCAR_APPLICATION_ID", "an-application")
    monkeypatch.setenv("SMARTCAR_CONNECT_ORIGIN", sandbox.origin)
    monkeypatch.setenv(
        "SECRET_KEYS", "a-newer-key-of-at-least-32-bytes-x an-older-key-of-at-least-32-bytes-x"
    )

    def loaded(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return loaded


@pytest.fixture
def serve_wsgi() -> Iterator[Callable[[Any], str]]:
    """Serve a WSGI application until the test ends; its origin."""
    with ExitStack() as servers:
        yield lambda app: servers.enter_context(under_werkzeug(app))


def test_fastapi_example_connects_a_car_to_its_person(
    example: Callable[[str], ModuleType], serve: Callable[..., Server], page: Page
) -> None:
    """The sealed link skips the brands; the car, with its sealed state, is in Ann's list and nobody else's."""
    server = serve(example("fastapi_app").app)
    garage = Garage(page, f"{server.origin}/?person=ann")
    connect_as(garage.open())
    garage.says("Vehicle added.")
    page.goto(f"{server.origin}/")
    expect(page.get_by_role("listitem")).to_have_text(["a red car"])
    page.goto(f"{server.origin}/?person=ben")
    expect(page.get_by_role("listitem")).to_have_count(0)


def test_starlette_example_connects_a_car(
    example: Callable[[str], ModuleType], serve: Callable[..., Server], page: Page
) -> None:
    """The plain function in the example receives the answer; the page says so."""
    server = serve(example("starlette_app").app)
    garage = Garage(page, f"{server.origin}/")
    connect_as(garage.open(), brand="KIA")
    garage.says("Vehicle added.")
    page.reload()
    expect(page.get_by_text("1 answers so far")).to_be_visible()


def test_flask_example_connects_a_car_to_its_person(
    example: Callable[[str], ModuleType], serve_wsgi: Callable[[Any], str], page: Page
) -> None:
    """With a Strict session, which stays behind on the way back, the car is in Ann's list and nobody else's."""
    origin = serve_wsgi(example("flask_app").create_app())
    garage = Garage(page, f"{origin}/login/ann")
    connect_as(garage.open())
    garage.says("Vehicle added.")
    page.reload()
    expect(page.get_by_role("listitem")).to_have_text(["a red car"])
    page.goto(f"{origin}/login/ben")
    expect(page.get_by_role("listitem")).to_have_count(0)


def test_bottle_example_connects_a_car(
    example: Callable[[str], ModuleType], serve_wsgi: Callable[[Any], str], page: Page
) -> None:
    """Mounted in Bottle, the plain WSGI application receives the answer; the page says so."""
    garage = Garage(page, serve_wsgi(example("bottle_app").app))
    connect_as(garage.open(), brand="KIA")
    garage.says("Vehicle added.")
    page.reload()
    expect(page.get_by_text("1 answers so far")).to_be_visible()


def test_quart_example_connects_a_car(
    example: Callable[[str], ModuleType], serve: Callable[..., Server], page: Page
) -> None:
    """In front of Quart, the plain ASGI application receives the answer; the page says so."""
    garage = Garage(page, f"{serve(example('quart_app').app).origin}/")
    connect_as(garage.open(), brand="KIA")
    garage.says("Vehicle added.")
    page.reload()
    expect(page.get_by_text("1 answers so far")).to_be_visible()


def test_django_example_connects_a_car_to_its_user(example: Callable[[str], ModuleType], page: Page) -> None:
    """In a process of its own, for settings are a process's: the car is in Ann's list and nobody else's."""
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--chdir", str(EXAMPLES)]
    served = subprocess.Popen([*command, "django_app:application"], stderr=subprocess.PIPE, text=True)
    try:
        assert served.stderr is not None
        port = next(line for line in served.stderr if "Listening at" in line).split(":")[-1].split()[0]
        garage = Garage(page, f"http://localhost:{port}/login/ann")
        connect_as(garage.open())
        garage.says("Vehicle added.")
        page.reload()
        expect(page.get_by_role("listitem")).to_have_text(["a red car"])
        page.goto(f"http://localhost:{port}/login/ben")
        expect(page.get_by_role("listitem")).to_have_count(0)
    finally:
        served.terminate()
        served.communicate(timeout=10)


@pytest.mark.parametrize("python", ["pyscript", "pyodide"])
def test_python_in_the_page_connects_a_car(
    example: Callable[[str], ModuleType],
    serve: Callable[..., Server],
    sandbox: Sandbox,
    page: Page,
    python: str,
) -> None:
    """The page's Python has the code, the server exchanges it, the car is there; under its strict policy."""
    server = serve(example("browser_app").create_app(sandbox.origin))
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.goto(f"{server.origin}/{python}/")
    status, button = page.get_by_role("status"), page.get_by_role("button", name="Connect your car")
    expect(status).to_have_text("Loading Python …")
    expect(button).to_be_enabled(timeout=60_000)
    with page.expect_popup() as opened:
        button.click()
    connect_as(opened.value, brand="KIA", decision="#deny-button")
    expect(status).to_have_text("You did not give access, so nothing was connected.")
    with page.expect_popup() as opened:
        button.click()
    connect_as(opened.value, brand="KIA")
    expect(status).to_have_text("Your car is connected.")
    car = page.get_by_role("listitem").first
    expect(car.get_by_role("heading")).to_contain_text("KIA")
    expect(car).to_contain_text(" km")
    page.reload()
    expect(car).to_contain_text(" km", timeout=60_000)
    page.context.clear_cookies()
    page.reload()
    expect(button).to_be_enabled(timeout=60_000)
    expect(car).to_have_count(0)
    assert set(noise) <= {"[pyscript/main] PyScript Ready"}


def test_page_s_back_end_takes_a_code_from_its_own_page_only(
    example: Callable[[str], ModuleType], serve: Callable[..., Server], sandbox: Sandbox, page: Page
) -> None:
    """Neither a form of another site nor an invented code adds a car."""
    server = serve(example("browser_app").create_app(sandbox.origin))
    request = page.context.request
    assert request.post(f"{server.origin}/cars", data={"code": "a"}).status == 403
    page.context.add_cookies([{"name": "person", "value": "ann", "url": server.origin}])
    assert request.post(f"{server.origin}/cars", form={"code": "a"}).status == 415
    for body in ({"code": "an-invented-code"}, {}, []):
        assert request.post(f"{server.origin}/cars", data=body).status == 400
    assert request.get(f"{server.origin}/cars").json() == []


def test_browser_demo_says_its_address_first_and_ends_with_ctrl_c() -> None:
    """As `make demo-browser` runs it: two addresses, pages that are there, and no traceback at the end."""
    command = [sys.executable, str(EXAMPLES / "browser_app.py")]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "PORT": "0"}, **pipes) as running:
        try:
            assert running.stdout is not None
            for _ in range(2):
                with urlopen(running.stdout.readline().strip(), timeout=20) as answer:
                    assert b"Connect your car" in answer.read()
        finally:
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=8)
    assert (running.returncode, errors) == (0, "")


def test_every_example_is_tested() -> None:
    """A new example needs a test here."""
    tested = {
        "bottle_app",
        "browser_app",
        "django_app",
        "fastapi_app",
        "flask_app",
        "quart_app",
        "starlette_app",
    }
    tested |= {"desktop_app", "terminal_app"}  # in test_loopback_examples.py
    tested |= {"streamlit_app", "nicegui_app", "gradio_app", "dash_app"}  # in dataapps/
    tested |= {"marimo_app"}  # in notebooks/
    assert {path.stem for path in EXAMPLES.glob("*.py")} == tested
