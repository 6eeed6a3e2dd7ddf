"""Requests that no browser sends: wrong methods, doubled and damaged parameters, too much of everything, slowly.

Whatever comes, there is one answer, no server error, nothing believed, and others are served meanwhile.
"""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from attacks.wire import FETCH, NAVIGATION, Visitor, read_answer
from web.browser import attempt_id

ATTEMPT = attempt_id(7)
METHODS = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "JUNK"]


@pytest.fixture
def victim(site):
    """A browser with a pending attempt; its state."""
    visitor = Visitor(site)
    state = visitor.launch({"attempt": ATTEMPT}).state
    return visitor, state


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", ["launch", "callback", "status", "asset"])
def test_method_is_another(site, victim, method, route):
    """He posts where one reads, so that checks made for GET don't apply."""
    visitor, state = victim
    path = {
        "launch": "launch",
        "callback": f"callback?code=x&state={state}",
        "status": f"status/{ATTEMPT}",
        "asset": "connect.js",
    }[route]
    before = dict(visitor.jar)
    answer = visitor.ask(f"/smartcar/{path}", method, body=f"code=x&state={state}".encode())
    assert answer.status in (400, 404, 405)
    assert visitor.jar == before
    assert (site.granted, site.errors) == ([], [])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_cancel_by_another_method(site, victim, method):
    """An image's GET, or a header that says "POST really", ends no attempt."""
    visitor, state = victim
    usual = {**FETCH, "X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "X-HTTP-Method": "POST"}
    target = f"/smartcar/cancel/{ATTEMPT}?_method=POST"
    answer = visitor.ask(target, method, usual=usual, origin=visitor.origin)
    assert answer.status == 405
    assert site.errors == []
    assert visitor.answer(state).status == 200


@pytest.mark.parametrize(
    "query",
    [
        "code=a&code=b&state=S",
        "code=a&state=S&state=S",
        "code=a&state=forged&state=S",
        "code=a&state=S&state=forged",
        "code=a&state=S&%73tate=S",
        "code=a&%63ode=b&state=S",
        "error=access_denied&error=server_error&state=S",
        "code=a&error=access_denied&state=S",
        "code=a&user_id=1&user_id=2&state=S",
        "code=a&external_id=1&external_id=2&state=S",
        "state=S",
        "code=&state=S",
        "code=a",
        "code=a&state=",
        "code=a&State=S",
        "code=a&state[]=S",
        "code=a&state=S%20",
        "code=a&state=%20S",
        "code=a&state=S%00",
        "code=a&state=S%0d%0a",
        "code=a&state=S=",
        "code=a&state=S.S",
        "code=a;state=S",
        "code=a#&state=S",
        "",
        "&&&&",
        "=",
        "code=a&state=%ff%fe",
        "code=%ff&state=S",
        "code=%c0%af&state=S",
        "code=%ed%a0%80&state=S",
        "code=%f8%80%80%80%af&state=S",
        "code=a&state=S&error=%ff",
        "__proto__=x&code=a&state=",
    ],
)
def test_parameters_are_polluted_or_damaged(site, victim, query):
    """Twice, both, none, encoded names, null bytes, overlong UTF-8: what one reader and the next read differently."""
    visitor, state = victim
    answer = visitor.callback(query.replace("S", state) if "S" in query else query)
    assert answer.status == 400
    assert site.granted == []
    assert len(site.errors) == 1
    assert visitor.answer(state).status == 200  # an answer that proves nothing changed nothing


def test_null_byte_in_a_code_stays_in_it(site, victim):
    """He hopes that somebody behind us cuts the code at the null byte: the function gets it whole, or not at all."""
    visitor, state = victim
    visitor.callback(f"code=a%00b&state={state}")
    assert [response.code for response in site.granted] in ([], ["a\0b"])


HOSTILE_URLS = [
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "java%0ascript:alert(1)",
    "%01javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "http://tesla.com/_ak/x",
    "//evil.example",
    "/x",
    "blob:https://x/1",
    "filesystem:x",
    "view-source:https://x",
    "https:evil.example",
    "https://",
    "https:///x",
    "https://user@evil.example",
    "https://evil%0a.example",
    "%20https://tesla.com",
    "https://tesla.com%5C@evil.example",
]


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_virtual_key_url_is_hostile(site, victim, url):
    """He answers with an address that the application will show as a link: only https, without tricks, is told."""
    visitor, state = victim
    assert visitor.callback(f"code=x&virtual_key_url={url}&state={state}").status == 200
    (response,) = site.granted
    assert response.virtual_key_url is None


@pytest.mark.parametrize(
    "part", ["query", "value", "cookie", "header", "path", "return_to", "make", "attempt"]
)
@pytest.mark.parametrize("size", [5_000, 60_000, 2_000_000])
def test_everything_is_too_large(site, victim, part, size):
    """Megabytes wherever something may stand; the answer is short, and the next request is served as ever."""
    visitor, state = victim
    much = "x" * size
    targets = {
        "query": f"/smartcar/callback?{'&'.join(f'{n}=x' for n in range(size // 8))}",
        "value": f"/smartcar/callback?code={much}&state={much}",
        "path": f"/smartcar/status/{much}",
        "return_to": f"/smartcar/launch?return_to=/{much}",
        "make": f"/smartcar/launch?make={much}",
        "attempt": f"/smartcar/launch?attempt={much}",
    }
    headers = {"cookie": {"cookie": much}, "header": {"origin": much}}.get(part, {})
    target = targets.get(part, "/smartcar/launch" if part == "cookie" else f"/smartcar/status/{ATTEMPT}")
    answer = Visitor(site).ask(target, **headers)
    if answer.status not in (200, 303):  # a header that nobody reads may be as long as the server allows
        assert answer.status in (0, 400, 404, 414, 431)
    assert len(answer.whole) < 5_000
    assert much.encode() not in answer.whole
    assert site.granted == []
    assert visitor.answer(state).status == 200


def test_body_is_endless(site, victim):
    """He announces a gigabyte to the cancel route; it is answered without waiting for a byte of it."""
    visitor, _ = victim
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.jar.items())
    head = (
        f"POST /smartcar/cancel/{ATTEMPT} HTTP/1.1\r\nHost: {visitor.host}\r\nOrigin: {visitor.origin}\r\n"
        f"Cookie: {cookies}\r\nContent-Length: 1000000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", visitor.port), 20) as line:
        line.sendall(head.encode() + b"x" * 1000)
        assert line.recv(65_536).startswith(b"HTTP/1.1 200")


def test_slow_clients_hold_up_nobody(site):
    """A hundred connections each send half a request and wait; a person launches and comes back meanwhile."""
    with ExitStack() as stack:
        halves = [
            b"GET /smartcar/launch HTTP/1.1\r\nHost: localh",
            b"POST /smartcar/cancel/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc",
            b"GET /smartcar/callback?code=",
            b"",
        ]
        for number in range(100):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", site.server.port), 20))
            line.sendall(halves[number % 4])
        visitor = Visitor(site)
        assert visitor.answer(visitor.launch().state).status == 200


def test_slow_handler_holds_up_nobody(application):
    """One answer keeps a plain `on_complete` busy; everybody else's launch is served meanwhile."""
    app = application(connect_origin="http://127.0.0.1:9", outcome=lambda request, response: served(app))

    def served(app):
        with ThreadPoolExecutor(1) as pool:  # another person, while the first one's function runs
            return {"status": pool.submit(lambda: Visitor(app).launch().status).result(20)}

    visitor = Visitor(app)
    state = visitor.launch({"attempt": ATTEMPT, "display": "popup"}).state
    assert b"&quot;status&quot;: 303" in visitor.answer(state).body


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (
            "/smartcar/launch",
            {"upgrade": "websocket", "connection": "Upgrade", "sec_websocket_version": "13"},
        ),
        ("/smartcar/launch", {"upgrade": "h2c", "http2_settings": "AAMAAABkAAQAAP__"}),
        ("/smartcar/launch", {"expect": "100-continue"}),
        ("/smartcar/launch", {"expect": "junk"}),
        ("/smartcar/launch", {"transfer_encoding": "chunked", "content_length": "5"}),
        ("/smartcar/launch", {"transfer_encoding": "xchunked"}),
        ("/smartcar/launch", {"content_length": "-1"}),
        ("/smartcar/launch", {"range": "bytes=0-0"}),
        ("/smartcar/launch", {"sec_fetch_site": "junk"}),
        ("/smartcar/launch", {"sec_fetch_dest": "junk"}),
    ],
    ids=str,
)
def test_upgrade_and_framing_junk(site, target, headers):
    """Upgrades, framing that proxies and servers read differently, junk in headers that we read."""
    headers = {"connection": "close", **headers}
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    port = site.server.port
    smuggled = "GET /smartcar/status/smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    sent = f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n{fields}\r\n0\r\n\r\n{smuggled}"
    with socket.create_connection(("127.0.0.1", port), 20) as line:
        line.sendall(sent.encode())
        line.shutdown(socket.SHUT_WR)
        answer = read_answer(line)
    assert answer.status in (0, 200, 303, 400, 403, 426, 501)
    assert answer.status != 500
    assert "/smartcar/status/smuggled" not in site.paths()


ASTRAY = f"""
  assets/../launch assets/..%2flaunch assets/%2e%2e/%2e%2e/etc/passwd assets/..\\..\\pyproject.toml assets//etc/passwd
  assets/%2fetc%2fpasswd assets/connect.js%00.css assets/page.css assets/ assets/connect-000000000000.js assets/.
  assets/__init__.py connect.js/ connect.js/x status status/ status/{ATTEMPT}/ status/{ATTEMPT}%2f status/x/../{ATTEMPT}
  launch/x callback/ callback/callback %6caunch%2f LAUNCH launch%00 launch;x=y /launch
""".split()


@pytest.mark.parametrize("path", ASTRAY)
def test_path_leads_astray(site, victim, path):
    """Traversal, encoded separators, doubled and trailing slashes: no file, and no route under another name."""
    visitor, _ = victim
    before = dict(visitor.jar)
    answer = visitor.ask(f"/smartcar/{path}", usual=NAVIGATION)
    assert answer.status in (307, 404)
    assert b"root:" not in answer.body
    assert visitor.jar == before
    if answer.status == 307:  # Starlette's own redirect of a slash at the end
        assert answer.header("Location").startswith(f"http://{visitor.host}/smartcar/")


def test_assets_are_what_they_say(site):
    """He wants a script to be read as a page, or a page's address to be registered as a worker: types are fixed."""
    visitor = Visitor(site)
    page = visitor.ask("/").body.decode()
    module = page.partition('src="/smartcar/assets/')[2].partition('"')[0]
    for name, kind in ((f"assets/{module}", "text/javascript"), ("connect.js", "text/javascript")):
        answer = visitor.ask(f"/smartcar/{name}", accept="text/html", sec_fetch_dest="document")
        assert answer.header("Content-Type").startswith(kind)
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("Service-Worker-Allowed") is None
        assert answer.cookies == {}
    assert "integrity=" in page


def test_pages_are_kept_by_no_cache(site, victim):
    """A shared cache would hand one person's answer to the next: no page may be stored, revalidated or cut."""
    visitor, state = victim
    later = "Tue, 24 Nov 2030 00:00:00 GMT"
    usual = {**NAVIGATION, "If-None-Match": "*", "If-Modified-Since": later, "Range": "bytes=0-1"}
    answers = [
        visitor.callback({"code": "x", "state": state}, usual=usual),
        visitor.callback({"code": "x", "state": state}, usual=usual),
        visitor.callback({"code": "x", "state": "forged"}, usual=usual),
        visitor.launch(usual=usual),
        visitor.launch({"return_to": "//x"}, usual=usual),
        visitor.launch(usual={**usual, "Sec-Fetch-Site": "cross-site"}),
        visitor.ask(f"/smartcar/status/{ATTEMPT}", usual=usual),
        visitor.ask("/smartcar/assets/none", usual=usual),
        visitor.ask("/smartcar/launch", usual={**usual, "Sec-Purpose": "prefetch"}),
        visitor.ask("/smartcar/launch", usual={**usual, "Sec-Fetch-Dest": "iframe"}),
    ]
    assert [answer.status for answer in answers] == [200, 200, 400, 303, 400, 200, 200, 404, 503, 403]
    for answer in answers:
        assert answer.all("Cache-Control") == ["no-store"]
        assert answer.header("ETag") is None
        assert answer.header("Last-Modified") is None


def test_poisoned_asset(site):
    """He varies query, host and origin to have a shared cache keep a bad copy of the module: it is the same for all."""
    visitor = Visitor(site)
    usual = visitor.ask("/smartcar/connect.js")
    for answer in (
        visitor.ask("/smartcar/connect.js?x=<script>"),
        visitor.ask("/smartcar/connect.js", host="evil.example"),
        visitor.ask("/smartcar/connect.js", origin="http://evil.example", cookie="smartcar-x=y"),
        visitor.ask("/smartcar/connect.js", x_forwarded_host="evil.example", range="bytes=0-1"),
    ):
        assert (answer.status, answer.body, answer.cookies) == (200, usual.body, {})


@pytest.mark.parametrize(
    "code", ["x\nINFO forged line", "x\r\n\r\nforged", "x\x1b[2Kforged", "forged%s%d{0}"]
)
def test_log_is_forged(application, caplog, code):
    """He writes lines of his own into the log: through a handler that quotes what it choked on."""

    def choke(request, response):
        raise ValueError(f"no such code: {response.code}")

    app = application(connect_origin="http://127.0.0.1:9", outcome=choke)
    visitor = Visitor(app)
    state = visitor.launch().state
    assert visitor.answer(state, code=code, vin="forged-vin").status == 500
    visitor.answer("forged-state\nforged", error="forged\nforged")
    visitor.launch({"attempt": "forged\nforged", "origin": "http://forged\nforged"})
    assert "on_complete failed" in caplog.text
    assert "forged" not in caplog.text
    assert state not in caplog.text
