"""Origins that look like ours or like an allowed one: at launch, in cancel, in CORS, in forwarded and Host headers."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from attacks.wire import FETCH, NAVIGATION, Visitor, exchange
from browser.application import Application, Server
from web.browser import attempt_id

ATTEMPT = attempt_id(7)
ALLOWED = "http://localhost:8000"

LOOKALIKES = [
    "http://localhost:80000",
    "http://localhost:80001",
    "http://localhost:800",
    "http://localhost:8000.evil.example",
    "http://localhost:8000@evil.example",
    "http://user@localhost:8000",
    "http://localhost.evil.example:8000",
    "http://evil-localhost:8000",
    "http://localhost",
    "http://LOCALHOST:8000",
    "HTTP://localhost:8000",
    "https://localhost:8000",
    "http://localhost:8000/",
    "http://localhost:8000/x",
    "http://localhost:8000?x",
    "http://localhost:8000#x",
    "http://localhost:8000\\",
    "http://localhost:08000",
    " http://localhost:8000,http://evil.example",
    "http://localhost:8000 http://evil.example",
    "http://localhost%00:8000",
    "http://loc\u0430lhost:8000",
    "http://127.0.0.1:8000",
    "http://[::1]:8000",
    "http://localhost.:8000",
    "//localhost:8000",
    "localhost:8000",
    "null",
    "*",
    "file://",
]


@pytest.fixture(scope="module")
def allowing():
    """An application that allows one front end, and a browser with an attempt of that front end."""
    app = Application("http://127.0.0.1:9", allowed_origins=[ALLOWED])
    app.server = Server(app)
    yield app
    app.server.stop()


@pytest.fixture
def victim(allowing):
    allowing.errors.clear()
    allowing.granted.clear()
    visitor = Visitor(allowing)
    assert visitor.launch({"attempt": ATTEMPT, "display": "popup", "origin": ALLOWED}).status == 303
    return visitor


@pytest.mark.parametrize("origin", LOOKALIKES, ids=ascii)
def test_lookalike_waits_for_the_answer(allowing, origin):
    """His page, with an origin that resembles the allowed one, launches and would be told the outcome."""
    visitor = Visitor(allowing)
    answer = visitor.launch({"attempt": ATTEMPT, "display": "popup", "origin": origin})
    assert answer.status in (400, 403)
    assert answer.cookies == {}
    # If anybody is told of the refusal, it is a page of our own.
    assert set(re.findall(r'data-origin="(.*?)"', answer.body.decode())) <= {visitor.origin}


@pytest.mark.parametrize("origin", LOOKALIKES, ids=ascii)
def test_lookalike_reads_and_cancels(allowing, victim, origin):
    """His page asks with her cookie (his host is of the same site); it may neither read nor end anything."""
    sent = origin.encode().decode("latin-1")
    status = victim.status(ATTEMPT, origin=sent)
    assert status.header("Access-Control-Allow-Origin") is None
    assert victim.cancel(ATTEMPT, origin=sent).status == 403
    assert json.loads(victim.status(ATTEMPT).body)["outcome"] == "pending"
    assert allowing.errors == []


def test_allowed_origin_reads_and_cancels(victim):
    """The tests above refuse for the origin's sake: the allowed one may do both."""
    assert victim.status(ATTEMPT, origin=ALLOWED).header("Access-Control-Allow-Origin") == ALLOWED
    assert victim.cancel(ATTEMPT, origin=ALLOWED).status == 200


@pytest.mark.parametrize("doubled", [[ALLOWED, "http://evil.example"], ["http://evil.example", ALLOWED]])
def test_origin_is_sent_twice(allowing, victim, doubled):
    """Two Origin headers, one of them right: whichever a server believes, the other is there too."""
    cookies = "; ".join(f"{name}={value}" for name, value in victim.jar.items())
    head = f"POST /smartcar/cancel/{ATTEMPT} HTTP/1.1\r\nHost: {victim.host}\r\nCookie: {cookies}\r\n"
    head += "".join(f"Origin: {one}\r\n" for one in doubled)
    answer = exchange(victim.port, f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
    assert answer.status == 403
    assert answer.header("Access-Control-Allow-Origin") is None
    assert allowing.errors == []


def test_cors_is_never_a_wildcard_for_answers(allowing, victim):
    """Credentialed answers name one origin of the list and vary by it; what anybody may load carries no cookie."""
    for origin in (None, "null", "http://evil.example", ALLOWED):
        answer = victim.status(ATTEMPT, origin=origin)
        assert "Origin" in answer.header("Vary")
        assert answer.header("Cache-Control") == "no-store"
        allowed = [ALLOWED] if origin == ALLOWED else []
        assert answer.all("Access-Control-Allow-Origin") == allowed
    module = victim.ask("/smartcar/connect.js", origin="http://evil.example")
    assert module.header("Access-Control-Allow-Origin") == "*"
    assert module.header("Access-Control-Allow-Credentials") is None
    assert victim.launch(origin="http://evil.example").header("Access-Control-Allow-Origin") is None


def test_preflight_allows_nobody(allowing):
    """He asks beforehand whether a page of his may post with headers of its choice."""
    answer = Visitor(allowing).ask(
        f"/smartcar/cancel/{ATTEMPT}",
        "OPTIONS",
        origin="http://evil.example",
        access_control_request_method="POST",
    )
    assert answer.status == 405
    assert answer.header("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("site", ["cross-site"])
def test_page_of_another_site_waits_although_allowed(allowing, site):
    """A page on another site can't carry the cookies, so it is refused whatever the list says."""
    answer = Visitor(allowing).launch(
        {"attempt": ATTEMPT, "display": "popup", "origin": ALLOWED}, sec_fetch_site=site
    )
    assert (answer.status, answer.cookies) == (403, {})


def test_status_tells_a_stranger_nothing(allowing, victim):
    """He asks for ids that exist, that ended, that never were, and for junk: one answer, byte for byte."""
    attacker = Visitor(allowing)
    ended = attempt_id(8)
    other = Visitor(allowing)
    other.launch({"attempt": ended})
    other.cancel(ended)
    answers = {
        attacker.status(one).whole.partition(b"\r\n")[2].partition(b"content-type")[2]
        for one in (ATTEMPT, ended, attempt_id(9), "x", "x" * 22, "%00", "..", "__proto__")
    }
    assert len(answers) == 1


FORWARDED = {
    "Forwarded": 'for=1.2.3.4;host="evil.example";proto=https',
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "10.0.0.1",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Prefix": "//evil.example",
    "X-Forwarded-Server": "evil.example",
    "X-Host": "evil.example",
    "X-Original-Host": "evil.example",
    "X-Original-URL": "/smartcar/status/x",
    "X-Rewrite-URL": "/smartcar/status/x",
    "X-HTTP-Method-Override": "POST",
    "X-Script-Name": "/evil",
    "Front-End-Https": "on",
    "Referer": "https://evil.example/",
}


@pytest.mark.parametrize("name", FORWARDED)
def test_forwarded_header_moves_the_redirect_uri(site, name):
    """He sends what proxies send, so that the redirect URI, the cookie's name or the route become others."""
    # From an address that uvicorn doesn't take for a proxy's: on this machine it would believe the scheme.
    usual = {**NAVIGATION, name: FORWARDED[name]}
    answer = Visitor(site).launch(usual=usual)
    assert b"evil" not in answer.whole
    if name == "X-Forwarded-Proto":  # the server's own decision, and still no other host
        assert answer.to_connect["redirect_uri"].removeprefix("https").startswith("://localhost:")
        return
    assert answer.to_connect["redirect_uri"] == f"http://localhost:{site.server.port}/smartcar/callback"
    assert all(one.startswith("smartcar-") for one in answer.cookies)


HOSTS = [
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "localhost@evil.example",
    "localhost:80@evil.example",
    "localhost:evil",
    "localhost:99999",
    "localhost:-1",
    "localhost:",
    "localhost/evil",
    "localhost?evil",
    "localhost#evil",
    "localhost\\evil",
    "localhost evil",
    "localhost,evil.example",
    "[::1].evil.example",
    "[::1",
    "0.0.0.0",
    "127.0.0.1.evil.example",
    "2130706433",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    ".",
    "169.254.169.254",
]


@pytest.mark.parametrize("host", HOSTS)
def test_host_header_moves_the_redirect_uri(site, host):
    """A poisoned cache, a rebound name, a careless proxy: Connect would send the code to whatever Host says."""
    answer = Visitor(site).launch(host=host)
    assert (answer.status, answer.header("Location"), answer.cookies) == (400, None, {})
    assert b"<script>alert" not in answer.body
    assert b"<img" not in answer.body


@pytest.mark.parametrize(
    "host", [*HOSTS, "localhost", "app.example.com.evil.example", "app.example.com:8443"]
)
def test_host_header_behind_a_public_url(public_site, host):
    """With `public_url` the redirect URI is fixed, and a launch under another name is refused, not redirected."""
    answer = Visitor(public_site).launch(host=host)
    if answer.status == 303:  # the same host on another port keeps the cookie
        assert host == "app.example.com:8443"
        assert answer.to_connect["redirect_uri"] == "https://app.example.com/smartcar/callback"
    else:
        assert (answer.status, answer.cookies) == (400, {})


def test_host_is_sent_twice(site):
    """Two Host headers: proxy and server would each read another."""
    port = site.server.port
    for first, second in (("evil.example", f"localhost:{port}"), (f"localhost:{port}", "evil.example")):
        sent = (
            f"GET /smartcar/launch HTTP/1.1\r\nHost: {first}\r\nHost: {second}\r\nConnection: close\r\n\r\n"
        )
        answer = exchange(port, sent.encode())
        assert (answer.status, answer.cookies) == (400, {})


def test_address_is_absolute(site):
    """The request line names a host of his, the Host header ours.

    uvicorn takes the path of such an address (RFC 9112, section 3.2.2) or none, by the parser it finds; his host
    counts for nothing either way.
    """
    port = site.server.port
    for target in (
        "http://evil.example/smartcar/launch",
        "//evil.example/smartcar/launch",
        "https://evil.example/smartcar/nothing",
    ):
        sent = f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
        answer = exchange(port, sent.encode())
        assert b"evil" not in answer.whole
        if answer.status == 303:
            asked = parse_qs(urlsplit(answer.header("Location")).query)
            assert asked["redirect_uri"] == [f"http://localhost:{port}/smartcar/callback"]
        else:
            assert answer.status == 404


def test_link_shows_one_address_and_the_server_another(application):
    """A page waits on 127.0.0.1 while Connect answers to localhost: the answer would be lost, so nothing begins."""
    app = application(connect_origin="http://127.0.0.1:9")
    visitor = Visitor(app)
    here = f"http://127.0.0.1:{visitor.port}"
    answer = visitor.launch(
        {"attempt": ATTEMPT, "display": "popup", "origin": here}, usual=FETCH | NAVIGATION
    )
    assert (answer.status, answer.cookies) == (400, {})
