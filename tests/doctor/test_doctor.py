"""The whole examination: of healthy applications, of the environment, and what becomes of bad arguments."""

import ast
import re
from pathlib import Path

import pytest

import smartcar_auth.doctor
from doctor.patients import FORWARDING, PUBLIC, complaints, examined, of, one
from smartcar_auth.doctor import examine_address, examine_environment

CHECKS = [
    "page",
    "csp",
    "coop",
    "module",
    "launch",
    "application_id",
    "connect_origin",
    "mode",
    "redirect_uri",
    "host_name",
    "cookies",
    "secret_keys",
    "callback",
    "cache",
    "clock",
]


def test_healthy_application_is_told_so(patient):
    """Everything is looked at, nothing is wrong but the test's own application id, and what to register is said."""
    app = patient()
    findings = examined(app.url)
    assert [finding.check for finding in findings] == CHECKS
    assert complaints(findings) == [("warning", "application_id")]
    said = ("ok", f"Register exactly this with Smartcar: {app.origin}/smartcar/callback")
    assert one(findings, "redirect_uri") == said


def test_visit_changes_nothing_and_tells_on_error_once(patient):
    """One attempt is opened and never finished; one answer without state is refused; nobody's car is touched."""
    app = patient()
    examined(app.url)
    assert app.granted == []
    assert [error.cause for error in app.errors] == ["missing"]
    assert [path for method, path, _ in app.requests if path == "/smartcar/launch"] == ["/smartcar/launch"]
    assert {method for method, _, _ in app.requests} == {"GET"}


def test_healthy_site_behind_a_proxy_is_told_so(patient, proxy):
    """nginx with TLS that passes Host and scheme on: the redirect URI is the site's, the cookie is a __Host- one."""
    url = proxy(patient().server.port, directives=FORWARDING, host=PUBLIC)
    findings = examined(url)
    # Visitors come here, so that the test's stand-in for Connect is remarked upon.
    assert complaints(findings) == [("warning", "application_id"), ("warning", "connect_origin")]
    assert one(findings, "redirect_uri")[1].endswith(f" {url}/smartcar/callback")
    assert "Secure, HttpOnly, SameSite=Lax" in one(findings, "cookies")[1]
    assert of(findings, "scheme") == of(findings, "host_name") == []


def test_somebody_logged_in_is_impersonated(patient):
    """The cookie goes along with every request to the application."""
    app = patient(sealed={"make": "TESLA"})  # a link sealed for ann, which launches for nobody else
    assert one(examined(app.url, cookies=["person=ann"]), "launch")[0] == "ok"


def test_findings_come_as_they_are_made(patient):
    """Nothing is asked before the first is wanted, and the rest only when the first was taken."""
    app = patient()
    findings = examine_address(app.url)
    assert app.requests == []
    assert next(findings).check == "page"
    assert app.paths() == ["/"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "/garage",
        "ftp://localhost/",
        "http://",
        "http://:80",
        "http://localhost:0/",
        "http://localhost:65536/",
        "http://localhost:port/",
        "http://[::1",
        "http://ann:hunter2@localhost/",
        "http://localhost/a b",
        "http://localhost/\r\nX: y",
        "http://localhost/é",
        "http://lo\x1bcalhost/",
    ],
)
def test_address_that_is_none_is_refused(url):
    """At once, in a sentence that repeats no password."""
    with pytest.raises(ValueError, match=r"Write a whole address|Leave out of the address") as refused:
        examine_address(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("cookie", ["", "hunter2", "=hunter2", "a=hunter2\r\nX: y", "a=é", "a b=hunter2"])
def test_cookie_that_is_none_is_refused(cookie):
    """At once, and never repeated."""
    with pytest.raises(ValueError, match="NAME=VALUE") as refused:
        examine_address("http://localhost:8000", cookies=["person=ann", cookie])
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("prefix", ["smartcar", "//smartcar", "/a\nb", "http://", "ftp://localhost/smartcar"])
def test_prefix_that_is_none_is_refused(prefix):
    """It is a path, or a whole address."""
    with pytest.raises(ValueError):
        examine_address("http://localhost:8000", prefix=prefix)


# -- the environment


@pytest.fixture
def environment(monkeypatch):
    """Set variables; there are no others of Smartcar's."""
    for name in ("APPLICATION_ID", "CLIENT_ID", "REDIRECT_URI", "MODE", "CONNECT_ORIGIN"):
        monkeypatch.delenv(f"SMARTCAR_{name}", raising=False)

    def set_(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"SMARTCAR_{name}", value)

    return set_


ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"


def test_environment_without_any_variable_is_told_so(environment):
    """An application may have its settings elsewhere: a warning, no problem."""
    level, message = one(examine_environment(), "environment")
    assert level == "warning"
    assert "No SMARTCAR_... variable is set" in message


def test_environment_that_lacks_nothing_is_told_so(environment):
    """The id, the mode and what to register."""
    environment(APPLICATION_ID=ID, REDIRECT_URI="https://app.example.com/callback")
    findings = examine_environment()
    assert complaints(findings) == []
    assert one(findings, "redirect_uri")[1].endswith(" https://app.example.com/callback")


def test_environment_without_redirect_uri_says_what_is_sent(environment):
    """A web application makes its own."""
    environment(APPLICATION_ID=ID)
    assert "its own address + /callback" in one(examine_environment(), "redirect_uri")[1]


@pytest.mark.parametrize("name", ["APPLICATION_ID", "CLIENT_ID"])
def test_environment_with_the_id_of_credentials_is_a_problem(environment, name):
    """Whichever variable holds it."""
    environment(**{name: "client_01HXHUNTER2"})
    level, message = one(examine_environment(), "environment")
    assert level == "problem"
    assert "API credentials (M2M)" in message
    assert "HUNTER2" not in message


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MODE": "live"}, "set SMARTCAR_APPLICATION_ID"),
        ({"APPLICATION_ID": ID, "MODE": "dream"}, "mode"),
        ({"APPLICATION_ID": ID, "REDIRECT_URI": "http://app.example.com/callback"}, "must be https"),
        ({"APPLICATION_ID": ID, "CONNECT_ORIGIN": "sandbox"}, "connect_origin"),
    ],
)
def test_environment_that_cannot_work_is_a_problem(environment, variables, said):
    """In the words of the error that the application would meet."""
    environment(**variables)
    level, message = one(examine_environment(), "environment")
    assert level == "problem"
    assert said in message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("REDIRECT_URL", "REDIRECT_URI"),
        ("APPLICATIONID", "APPLICATION_ID"),
        ("APP_ID", None),
        ("CLIENT_SECRET", None),
        ("API_ORIGIN", None),
    ],
)
def test_environment_with_a_misspelt_variable_names_the_right_one(environment, name, meant):
    """Only where it looks like one of ours; other tools have variables too."""
    environment(APPLICATION_ID=ID, **{name: "hunter2"})
    found = of(examine_environment(), "environment")
    assert found == (
        [("warning", f"SMARTCAR_{name} is read by nobody here; SMARTCAR_{meant} may be meant.")]
        if meant
        else []
    )


# -- the docs


def test_docs_list_every_check():
    """docs/doctor.md says of each finding what is looked at, and of none that there isn't."""
    package = Path(smartcar_auth.doctor.__file__).parent
    sources = [*package.glob("*.py"), package.parent / "web" / "doctor.py"]
    calls = [node for path in sources for node in ast.walk(ast.parse(path.read_text()))]
    named = {
        text.value
        for node in calls
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
        for text in ast.walk(node.args[0])
        if isinstance(text, ast.Constant)
    }
    table = (package.parent.parent.parent / "docs" / "doctor.md").read_text().partition("| finding |")[2]
    rows = [line for line in table.partition("\n\n")[0].splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert len(named) > 20
    assert listed == named
