"""Streamlit, as `streamlit run` serves it: the table of outcomes, and what is Streamlit's own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataapps.outcomes import MAIN, OUTCOMES, Anybody, Row, check
from dataapps.serving import App, serving
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser

APPS = Path(__file__).parent / "streamlit"
QUIET = ["--server.headless=true", "--browser.gatherUsageStats=false", "--server.fileWatcherType=none"]


def run(script: str, *options: str):
    """`streamlit run`, for `serving`."""
    return lambda port: [
        sys.executable, "-m", "streamlit", "run", APPS / script, f"--server.port={port}", *QUIET, *options
    ]  # fmt: skip


@pytest.fixture(scope="module")
def app(sandbox: Sandbox) -> Iterator[App]:
    with serving(run("app.py"), sandbox, path="/_stcore/health") as served:
        yield served


@pytest.mark.parametrize("row", OUTCOMES, ids=lambda row: row.name)
def test_person_meets_outcome(row: Row, anybody: Anybody, app: App) -> None:
    """In Chromium, in a component without an iframe."""
    check(row, anybody, app)


@pytest.mark.parametrize("row", MAIN, ids=lambda row: row.name)
def test_person_meets_main_outcome_in_firefox(row: Row, anybody_with_firefox: Anybody, app: App) -> None:
    """The same in Firefox."""
    check(row, anybody_with_firefox, app)
