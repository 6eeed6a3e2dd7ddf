"""The checks as somebody's own tests: pytest, run as it is, on an application of theirs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from smartcar_auth.conformance import checks
from smartcar_auth.conformance.check import Result

TESTS = Path(__file__).parent.parent
THEIRS = """
import sys
sys.path.insert(0, {tests!r})

import pytest
from browser.application import serving
from conformance import {module}
from smartcar_auth.conformance import checks

@pytest.fixture(scope="session")
def url(smartcar_sandbox_server):
    with serving() as serve:
        yield serve({module}.create_app(smartcar_sandbox_server.origin)).origin

@pytest.mark.parametrize("check", checks(), ids=str)
def test_conformance(check, url, smartcar_sandbox):
    check.run(url, smartcar_sandbox)
"""


def run(folder: Path, module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (folder / "test_theirs.py").write_text(THEIRS.format(tests=str(TESTS), module=module))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:dash", *arguments]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        [*command, "--rootdir", str(folder), str(folder)],
        capture_output=True,
        text=True,
        timeout=110,
        cwd=folder,
        env=environment,
    )


def test_sound_application_passes_in_pytest(tmp_path: Path) -> None:
    """One test for each check, named after it."""
    done = run(tmp_path, "sound", "-k", "state or cache")
    assert done.returncode == 0, done.stdout
    expected = [check for check in checks() if "state" in check.name or "cache" in check.name]
    assert f"{len(expected)} passed" in done.stdout


def test_broken_application_fails_in_pytest_in_words(tmp_path: Path) -> None:
    """The failure says what happened, why it matters and what to do; what doesn't apply is skipped, with why."""
    done = run(tmp_path, "subtle", "-rs", "-k", "state-other-browser or cookies or granted")
    assert done.returncode == 1
    assert "1 failed, 1 passed, 1 skipped" in done.stdout
    assert "AssertionError: fail  state-other-browser: Somebody else's answer" in done.stdout
    assert "Why: Login CSRF" in done.stdout
    assert "Fix: Keep the state" in done.stdout
    assert "The launch sets no cookie." in done.stdout


def test_check_by_name() -> None:
    """An unknown name is said with those that there are; browser checks are left out unless asked for."""
    assert [str(check) for check in checks("granted", "browser-granted")] == ["granted", "browser-granted"]
    assert not any(check.in_browser for check in checks())
    with pytest.raises(ValueError, match=r"There is no check all\. There are: request, "):
        checks("all")


def test_result_reads_as_a_line_or_with_advice() -> None:
    """What passes says what holds; what fails says why it matters and what to do."""
    [check] = checks("granted")
    assert str(Result(check, "pass")) == f"pass  granted: {check.does}"
    assert str(Result(check, "fail", "No.")).splitlines() == [
        "fail  granted: No.",
        f"      Why: {check.why}",
        f"      Fix: {check.fix}",
    ]


def test_table_in_the_docs_is_the_list() -> None:
    """docs/conformance.md names every check with what it does, in order."""
    page = (TESTS.parent / "docs" / "conformance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z][a-z-]*)` \| (.*) \|$", page, re.MULTILINE)
    assert rows == [(check.name, check.does) for check in checks(browser=True)]
    assert f"of {len(checks())} checks fail" in page
