"""The sandbox as a pytest fixture: `smartcar_sandbox`, as new in every test, on a server that starts once.

pytest loads this module wherever the package is installed, so it imports nothing but pytest until a test
asks for the fixture. Each process of pytest-xdist has a server of its own, on a free port.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from smartcar_auth.sandbox import Sandbox

_MARKER = (
    "smartcar_sandbox(**options): give this test a sandbox of its own, made with these options of Sandbox"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known to `--strict-markers`."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def smartcar_sandbox_options() -> dict[str, Any]:
    """Options of `Sandbox` for the whole run; override this fixture to have others."""
    return {}


@pytest.fixture(scope="session")
def smartcar_sandbox_server(smartcar_sandbox_options: dict[str, Any]) -> "Iterator[Sandbox]":
    """The sandbox of this run. Its origin stays the same, for applications that are configured once."""
    with _sandbox(smartcar_sandbox_options) as started:
        yield started


@pytest.fixture
def smartcar_sandbox(request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """A sandbox without a past: Smartcar Connect, tokens and vehicles for this test alone."""
    marker = request.node.get_closest_marker("smartcar_sandbox")
    if marker is None:
        server: Sandbox = request.getfixturevalue("smartcar_sandbox_server")
        server.reset()
        yield server
        return
    if marker.args:
        pytest.fail("The marker smartcar_sandbox takes options of Sandbox by name.", pytrace=False)
    options = request.getfixturevalue("smartcar_sandbox_options")
    with _sandbox({**options, **marker.kwargs}) as started:
        yield started


def _sandbox(options: dict[str, Any]) -> "Sandbox":
    try:
        from smartcar_auth.sandbox import Sandbox
    except ImportError as error:
        pytest.fail(f'{error}. The sandbox needs: pip install "smartcar-auth[sandbox]"', pytrace=False)
    return Sandbox(**options)
