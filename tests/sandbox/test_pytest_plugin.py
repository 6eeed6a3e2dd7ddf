"""The pytest plugin, in runs of pytest of their own.

In processes of their own, too: a run in this one drops the modules it has imported, and httpx2, which looks its
transport's errors up at the first request, would know other ones than later tests raise.
"""

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

USES = """
    import httpx2 as httpx
    import pytest
    from smartcar_auth import AccessDenied, Smartcar

    def asked(sandbox):
        smartcar = Smartcar(
            application_id="a", redirect_uri="http://localhost/cb", connect_origin=sandbox.origin
        )
        return smartcar.authorization_request()
"""


def test_fixture_as_new_in_every_test(pytester: pytest.Pytester) -> None:
    """What one test planned and asked for is gone in the next one; the server and its origin stay."""
    pytester.makepyfile(
        USES
        + """
    origins = []

    @pytest.mark.parametrize("turn", [1, 2])
    def test_denied(smartcar_sandbox, turn):
        smartcar_sandbox.requests.none("/oauth/authorize")
        assert httpx.get(asked(smartcar_sandbox).url).status_code == 303
        smartcar_sandbox.next(outcome="access_denied")
        smartcar_sandbox.next(outcome="granted")
        request = asked(smartcar_sandbox)
        with pytest.raises(AccessDenied):
            request.receive(httpx.get(request.url).headers["location"])
        smartcar_sandbox.clock.move(3600)
        origins.append(smartcar_sandbox.origin)

    def test_one_server(smartcar_sandbox, smartcar_sandbox_server):
        assert smartcar_sandbox is smartcar_sandbox_server
        assert set(origins) == {smartcar_sandbox.origin}
    """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=3)


def test_marker_gives_a_sandbox_with_options(pytester: pytest.Pytester) -> None:
    """The marker makes a sandbox for one test, with options on top of those for the whole run."""
    pytester.makepyfile(
        USES
        + """
    @pytest.fixture(scope="session")
    def smartcar_sandbox_options():
        return {"application_name": "Volt Planner"}

    @pytest.mark.smartcar_sandbox(redirect_uris=["http://localhost/other"])
    def test_marked(smartcar_sandbox, smartcar_sandbox_server):
        assert smartcar_sandbox is not smartcar_sandbox_server
        with pytest.raises(ValueError, match="Registered here: http://localhost/other"):
            smartcar_sandbox.approve(asked(smartcar_sandbox).url)

    def test_not_marked(smartcar_sandbox):
        assert asked(smartcar_sandbox).receive
        page = httpx.get(asked(smartcar_sandbox).url, follow_redirects=True)
        assert "Volt Planner" in page.text
    """
    )
    pytester.runpytest_subprocess("--strict-markers").assert_outcomes(passed=2)


def test_marker_without_names_explains(pytester: pytest.Pytester) -> None:
    """A marker with a bare value says how it is written."""
    pytester.makepyfile(
        """
    import pytest

    @pytest.mark.smartcar_sandbox("granted")
    def test_it(smartcar_sandbox):
        pass
    """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*takes options of Sandbox by name*"])


def test_failed_assertion_explains_without_our_frames(pytester: pytest.Pytester) -> None:
    """A failed assertion on requests shows the test's own line and the explanation."""
    pytester.makepyfile(
        """
    def test_it(smartcar_sandbox):
        smartcar_sandbox.requests.one("/oauth/token")
    """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Expected one request to /oauth/token, found 0.*"])
    result.stdout.no_fnmatch_line("*def one(*")


def test_every_process_of_xdist_has_its_own(pytester: pytest.Pytester) -> None:
    """Under pytest-xdist each process has a server, and the tests in it are alone with it."""
    pytester.makepyfile(
        USES
        + """
    @pytest.mark.parametrize("turn", range(12))
    def test_alone(smartcar_sandbox, turn, worker_id, record_property):
        for _ in range(5):
            request = asked(smartcar_sandbox)
            smartcar_sandbox.next(outcome="granted")
            assert request.receive(httpx.get(request.url).headers["location"]).code
        assert len(smartcar_sandbox.requests) == 5
        print("ORIGIN", worker_id, smartcar_sandbox.origin)
    """
    )
    result = pytester.runpytest_subprocess("-n", "2", "-rP", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=12)
    lines = {tuple(line.split()) for line in result.outlines if line.startswith("ORIGIN")}
    assert len({worker for _, worker, _ in lines}) == 2
    assert len(lines) == 2, "one origin for each process"


def test_missing_extra_explains(pytester: pytest.Pytester) -> None:
    """Without the sandbox's own packages only the test that wants it fails, and says what to install."""
    pytester.makeconftest("import sys; sys.modules['uvicorn'] = None")
    pytester.makepyfile(
        """
    def test_other():
        pass

    def test_it(smartcar_sandbox):
        pass
    """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(['*pip install "smartcar-auth?sandbox?"*'])


def test_guide_runs(pytester: pytest.Pytester) -> None:
    """The tests that docs/sandbox.md shows run as they stand there."""
    guide = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    (shown,) = (
        found for found in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "def test_" in found
    )
    pytester.makepyfile(shown)
    pytester.runpytest_subprocess("--strict-markers").assert_outcomes(passed=5)


def test_plugin_registered_and_light() -> None:
    """pytest finds the plugin by itself; loading it imports nothing of the sandbox."""
    found = [entry.value for entry in entry_points(group="pytest11") if entry.name == "smartcar_auth"]
    assert found == ["smartcar_auth.pytest_plugin"]
    code = "import sys, pytest; before = set(sys.modules); import smartcar_auth.pytest_plugin; "
    code += "print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    ours = [name for name in loaded.split() if not name.startswith("smartcar_auth")]
    assert ours == []
    assert "smartcar_auth.sandbox" not in loaded.split()
