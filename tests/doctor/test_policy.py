"""What a Content-Security-Policy allows Connect's page, said by the doctor and, of the same policies, by Chromium."""

from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth.doctor.policy import REQUEST, SCRIPT, blocking, missing_from_sandbox, read_policies
from smartcar_auth.web.assets import SCRIPT as MODULE

INTEGRITY = MODULE.integrity
HERE = "http://localhost:{port}"
THERE = "http://127.0.0.1:{port}"  # the same server, to browsers another origin

# policy, attributes of the script element, which directive blocks the module, which one blocks the request
POLICIES = [
    ("", "", None, None),
    ("default-src 'none'", "", "default-src", "default-src"),
    ("default-src 'self'", "", None, None),
    ("DEFAULT-SRC 'SELF'", "", None, None),
    ("default-src 'none'; script-src 'self'; connect-src 'self'", "", None, None),
    ("default-src 'none'; script-src 'self'", "", None, "default-src"),
    ("default-src 'self'; script-src 'none'", "", "script-src", None),
    ("default-src 'self'; script-src", "", "script-src", None),
    ("script-src 'none'; script-src-elem 'self'", "", None, None),
    ("script-src 'self'; script-src-elem 'none'", "", "script-src-elem", None),
    ("script-src 'none'; script-src 'self'", "", "script-src", None),
    ("script-src 'self', script-src 'none'", "", "script-src", None),
    ("connect-src 'none'", "", None, "connect-src"),
    ("connect-src https:", "", None, "connect-src"),
    ("connect-src http:", "", None, None),
    ("script-src *", "", None, None),
    (f"script-src {HERE}", "", None, None),
    (f"script-src {THERE}", "", "script-src", None),
    ("script-src localhost", "", "script-src", None),
    ("script-src localhost:*", "", None, None),
    ("script-src LOCALHOST:*", "", None, None),
    ("script-src localhost:{port}", "", None, None),
    ("script-src *:{port}", "", None, None),
    ("script-src localhost:1", "", "script-src", None),
    ("script-src *.localhost:*", "", "script-src", None),
    ("script-src https://localhost:*", "", "script-src", None),
    (f"script-src {HERE}/connect.js", "", None, None),
    (f"script-src {HERE}/conne%63t.js", "", None, None),
    (f"script-src {HERE}/connect", "", "script-src", None),
    (f"script-src {HERE}/", "", None, None),
    (f"script-src {HERE}/assets/", "", "script-src", None),
    ("script-src 'nonce-abc'", "nonce=abc", None, None),
    ("script-src 'nonce-abc'", "nonce=abd", "script-src", None),
    ("script-src 'nonce-abc'", "", "script-src", None),
    ("script-src 'nonce-abc' 'strict-dynamic' 'self'", "", "script-src", None),
    ("script-src 'nonce-abc' 'strict-dynamic'", "nonce=abc", None, None),
    (f"script-src '{INTEGRITY}'", f"integrity={INTEGRITY}", None, None),
    (f"script-src '{INTEGRITY}'", "", "script-src", None),
    ("script-src 'sha256-abc='", f"integrity={INTEGRITY}", "script-src", None),
    ("script-src 'unsafe-inline' 'unsafe-eval'", "", "script-src", None),
    ("require-trusted-types-for 'script'; trusted-types 'none'", "", None, None),
    ("upgrade; nonsense 'none'; ;;", "", None, None),
]
IDS = [f"{policy} [{attributes[:9]}]" for policy, attributes, _, _ in POLICIES]


def verdict(policy, attributes, port, page="http://localhost"):
    """Which directives block, by the doctor."""
    policies = read_policies([policy.replace("{port}", str(port))])
    given_ = dict([attributes.split("=", 1)]) if attributes else {}
    own = f"{page}:{port}"
    return (
        blocking(
            policies,
            SCRIPT,
            f"{own}/connect.js",
            own,
            nonce=given_.get("nonce", ""),
            integrity=given_.get("integrity"),
        ),
        blocking(policies, REQUEST, f"{own}/status/x", own),
    )


@pytest.mark.parametrize(("policy", "attributes", "script", "request_"), POLICIES, ids=IDS)
def test_directive_that_blocks_is_named(policy, attributes, script, request_):
    """The one that decides, for the module and for asking the status."""
    assert verdict(policy, attributes, 8000) == (script, request_)


@pytest.fixture
def page_under(serve, browser):
    """Open a page with this policy and this module: did it run, and may the page ask?"""
    app = FastAPI(openapi_url=None)

    @app.get("/connect.js")
    def module() -> Response:
        return Response(MODULE.content, media_type="text/javascript")

    @app.get("/status/x")
    def status() -> Response:
        return Response("{}", media_type="application/json")

    @app.get("/")
    def page(policy: str, attributes: str) -> HTMLResponse:
        body = (
            f'<!doctype html><link rel=icon href="data:,"><script type=module src=/connect.js {attributes}>'
        )
        return HTMLResponse(body + "</script>", headers={"Content-Security-Policy": policy} if policy else {})

    server = serve(app)
    opened = browser.new_page()

    def visit(policy, attributes):
        policy = policy.replace("{port}", str(server.port))
        opened.goto(f"{server.origin}/?policy={quote(policy)}&attributes={quote(attributes)}")
        ran = opened.evaluate("Boolean(customElements.get('smartcar-connect'))")
        asked = opened.evaluate("fetch('/status/x').then(() => true, () => false)")
        return ran, asked, server.port

    yield visit
    opened.close()


@pytest.mark.browser
def test_chromium_agrees(page_under):
    """Each policy of the table, on a real page: the module runs, and the page may ask, where the doctor says so."""
    differing = []
    for policy, attributes, _, _ in POLICIES:
        ran, asked, port = page_under(policy, attributes)
        script, request = verdict(policy, attributes, port)
        if (ran, asked) != (script is None, request is None):
            differing.append((policy, attributes, ran, asked))
    assert differing == []


@pytest.mark.parametrize(
    ("source", "url", "page", "allowed"),
    [
        ("'self'", "https://app.example.com/c.js", "http://app.example.com", True),
        ("'self'", "https://app.example.com:8443/c.js", "http://app.example.com:8080", False),
        ("'self'", "http://app.example.com/c.js", "https://app.example.com", False),
        ("http://app.example.com", "https://app.example.com/c.js", "https://a.example", True),
        ("app.example.com", "http://app.example.com/c.js", "https://a.example", False),
        ("*.example.com", "https://app.example.com/c.js", "https://a.example", True),
        ("*.example.com", "https://example.com/c.js", "https://a.example", False),
        ("http:", "https://app.example.com/c.js", "https://a.example", True),
        ("data:", "https://app.example.com/c.js", "https://a.example", False),
    ],
)
def test_source_matches_as_the_specification_says(source, url, page, allowed):
    """CSP Level 3, 6.7.2.6 to 6.7.2.12, where two origins or TLS are needed to try it."""
    found = blocking(read_policies([f"script-src {source}"]), SCRIPT, url, page, nonce="")
    assert (found is None) == allowed


def test_script_of_the_pages_own_may_import_under_strict_dynamic():
    """Without an element of its own, the module is imported by a script that is trusted already."""
    policies = read_policies(["script-src 'nonce-abc' 'strict-dynamic'"])
    url = "https://app.example.com/connect.js"
    assert blocking(policies, SCRIPT, url, "https://app.example.com", nonce=None) is None


@pytest.mark.parametrize(
    ("policy", "missing"),
    [
        ("default-src 'self'", []),
        (
            "sandbox",
            ["allow-scripts", "allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"],
        ),
        ("sandbox allow-scripts ALLOW-SAME-ORIGIN allow-popups", ["allow-popups-to-escape-sandbox"]),
        ("sandbox allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox", []),
    ],
)
def test_sandbox_that_keeps_the_popup_from_working_is_named(policy, missing):
    """What the page's sandbox directive would have to allow."""
    assert missing_from_sandbox(read_policies([policy])) == missing


@given(st.lists(st.text()), st.text(), st.sampled_from([None, "", "abc"]))
def test_any_policy_gives_a_verdict(policies, more, nonce):
    """Whatever an application sends."""
    read = read_policies([*policies, f"script-src {more}; connect-src {more}"])
    for directives in (SCRIPT, REQUEST):
        found = blocking(read, directives, "https://app.example.com/c.js", "https://a.example", nonce=nonce)
        assert found is None or found in directives
