"""The examples, run as they are against the sandbox, and clicked through."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Page, expect

from browser.application import Server
from browser.flow import Garage, connect_as
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


def test_every_example_is_tested() -> None:
    """A new example needs a test here."""
    tested = {"fastapi_app", "starlette_app"}
    assert {path.stem for path in EXAMPLES.glob("*.py")} == tested
