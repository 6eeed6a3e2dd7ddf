"""Open redirects: every address in an answer of ours stays on this site, whatever spelling came in.

What is refused must name no address at all; what is accepted is resolved by a real browser.
"""

from urllib.parse import quote

import pytest

from attacks.wire import Visitor

EVIL = "evil.example"
ELSEWHERE = [
    f"//{EVIL}",
    f"///{EVIL}",
    f"////{EVIL}/..",
    f"/\\{EVIL}",
    f"\\\\{EVIL}",
    f"\\/{EVIL}",
    f"/\\/{EVIL}",
    f"/\t/{EVIL}",
    f"/\n/{EVIL}",
    f"/\r/{EVIL}",
    f"\t//{EVIL}",
    f" //{EVIL}",
    f"/%2F{EVIL}",
    f"/%2f%2f{EVIL}",
    f"/%5C{EVIL}",
    f"/%09/{EVIL}",
    f"/%252F{EVIL}",
    f"/%25252F{EVIL}",
    f"/%255C{EVIL}",
    f"/.//{EVIL}",
    f"/..//{EVIL}",
    f"/a/..//{EVIL}",
    f"/%2e%2e//{EVIL}",
    f"/;/..//{EVIL}",
    f"https://{EVIL}",
    f"https:{EVIL}",
    f"https:/{EVIL}",
    f"HTTPS:\\\\{EVIL}",
    f"http://localhost@{EVIL}",
    f"//localhost@{EVIL}",
    f"//localhost:80@{EVIL}/",
    f"@{EVIL}",
    f".{EVIL}",
    f":80@{EVIL}",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/\r\nLocation: //evil.example",
    "/%0d%0aLocation:%20//evil.example",
    "/%0aSet-Cookie:a=b",
    f"/\x0b/{EVIL}",
    "/\x00",
    f"/\x00/{EVIL}",
    "//\u3002evil\u3002example",
    "\uff0f\uff0fevil.example",
    "\u2215\u2215evil.example",
    "",
    "garage",
    "?next=//evil.example",
]
HERE = [
    "/",
    "/garage?next=//evil.example",
    "/garage#//evil.example",
    "/garage?a=%0d%0aLocation:%20//evil.example",
    "/@evil.example",
    "/:80@evil.example",
    "/https://evil.example",
    "/a/evil.example/../..",
    "/.evil.example",
    "/\uff0f\uff0fevil.example",
    "/\u3002evil.example",
    "/\u2044evil.example",
    "/\u2028/evil.example",
    "/\x85/evil.example",
    "/javascript:alert(1)",
    "/a%3Fb%23c",
    "/a?%5Cevil.example",
]


@pytest.mark.parametrize("encoded", [quote, lambda text: quote(text, safe="/\\:@.%?#;")], ids=["all", "some"])
@pytest.mark.parametrize("path", ELSEWHERE, ids=ascii)
def test_return_to_elsewhere(site, path, encoded):
    """He puts an address of his own into the launch link, in a spelling that our check might read differently."""
    answer = Visitor(site).launch(f"return_to={encoded(path)}&make=TESLA")
    assert (answer.status, answer.header("Location"), answer.cookies) == (400, None, {})
    assert b'href="/"' in answer.body


@pytest.mark.browser
def test_return_to_here_resolves_here(site, page):
    """What is accepted as a path on this site is one to a browser too, at every place where we write it."""
    for path in HERE:
        visitor = Visitor(site)
        state = visitor.launch({"return_to": path}).state
        answer = visitor.answer(state)
        location = answer.header("Location")
        assert (answer.status, len(answer.all("Location"))) == (303, 1)
        reload = visitor.answer(state).body.decode()
        found = page.evaluate(
            """([location, base, markup]) => {
                 const { href } = new DOMParser().parseFromString(markup, "text/html").querySelector("a").attributes;
                 return [location, href.value].map((one) => new URL(one, base).origin);
               }""",
            [location, f"{visitor.origin}/smartcar/callback?x=y", reload],
        )
        assert found == [visitor.origin] * 2, path


def test_return_to_survives_in_no_other_form(site):
    """He launches with a fine path and hopes that the answer's page takes another one from the callback's query."""
    visitor = Visitor(site)
    state = visitor.launch({"return_to": "/garage"}).state
    answer = visitor.answer(state, code="x", return_to="//evil.example", next="//evil.example")
    assert answer.header("Location") == "/garage?smartcar=granted"


@pytest.mark.parametrize(
    "make",
    [
        "TESLA\r\nSet-Cookie: a=b",
        "x\r\n\r\n<script>",
        "x\nLocation: //evil.example",
        "&redirect_uri=//e",
        "#",
    ],
)
def test_make_splits_the_redirect(site, make):
    """The one free text that goes into a Location: it stays one value of one parameter."""
    answer = Visitor(site).launch({"make": make})
    assert answer.to_connect["make"] == make
    assert len(answer.all("Location")) == 1
    assert all(name.startswith("smartcar-") for name in answer.cookies)
    assert answer.body == b""


@pytest.mark.parametrize(
    "name", ["redirect_uri", "response_type", "client_id", "application_id", "app_origin"]
)
def test_redirect_uri_is_not_the_pages_choice(site, name):
    """He adds Connect's own parameters to the launch, to be sent the code himself."""
    sent = Visitor(site).launch({name: "https://evil.example/"}).to_connect
    assert "https://evil.example/" not in sent.values()
    assert sent["redirect_uri"] == f"{site.origin}/smartcar/callback"
