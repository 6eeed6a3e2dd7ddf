"""Gradio passes the table of outcomes, served by its own `demo.launch`."""

import sys
from collections.abc import Iterator

import pytest

from dataapps.outcomes import KEPT, MAIN, Anybody, Row, check
from dataapps.serving import HERE, App, serving
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser

QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def app(sandbox: Sandbox) -> Iterator[App]:
    command = [sys.executable, HERE / "gradio_app.py"]
    with serving(lambda port: [*command, str(port)], sandbox, **QUIET) as served:
        yield served


@pytest.mark.parametrize("row", KEPT, ids=lambda row: row.name)
def test_outcome(row: Row, anybody: Anybody, app: App) -> None:
    """Page and Python are told what the row says."""
    check(row, anybody, app)


@pytest.mark.parametrize("row", MAIN, ids=lambda row: row.name)
def test_outcome_in_firefox(row: Row, anybody_with_firefox: Anybody, app: App) -> None:
    """The main rows there too."""
    check(row, anybody_with_firefox, app)
