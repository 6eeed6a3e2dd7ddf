"""Front-end mode: the code goes to a page. He wants it to be his page, or hers to be handed his code.

The same attacks on our redirect page and on an application's own page with our script.
"""

from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import expect

from attacks.wire import FETCH, Visitor
from browser.flow import until
from browser.front_end import FrontEnd, OfficialPage
from smartcar_auth.response import KNOWN
from web.browser import attempt_id

ALLOWED = "http://localhost:5173"
ANSWER = "code=the-code&user_id=u&state=eyJpbnN0YW5jZUlkIjoiMSJ9"  # {"instanceId":"1"}
PATHS = ["/smartcar/redirect", "/own"]
STAYS = {"/smartcar/redirect": "This link can't be used", "/own": "close this window"}  # what a refusal reads
both = pytest.mark.parametrize("path", PATHS, ids=["ours", "own"])

LISTEN = """<script>
  window.heard = [];
  addEventListener("message", ({ data, origin }) => heard.push([data, origin]));
</script><button onclick="window.popup = open('TARGET', '', 'popup')">Win a car</button>"""
LOOKALIKES = [
    "http://localhost",
    "http://localhost:517",
    "http://localhost:51730",
    "http://localhost:5173.evil.example",
    "http://localhost:5173@evil.example",
    "http://localhost.evil.example:5173",
    "http://evil.example/http://localhost:5173",
    "http://LOCALHOST:5173",
    "https://localhost:5173",
    "http://127.0.0.1:5173",
    "http://localhost:5173/",
    "http://localhost:5173/path",
    "http://localhost:5173?a",
    "http://localhost:5173#a",
    "http://localhost:5173\\@evil.example",
    "http://localhost:5173 ",
    " http://localhost:5173",
    "http://localhost:5173\n",
    "http://localhost:5173 https://evil.example",
    "http://localhost:5173,https://evil.example",
    "//localhost:5173",
    "localhost:5173",
]
NO_ORIGINS = [
    "*",
    "/",
    "null",
    "",
    "javascript:alert(1)",
    "JavaScript:alert(1)//http://localhost:5173",
    "data:text/html,<script>alert(1)</script>",
    "blob:http://localhost:5173/x",
    "file://",
    "about:blank",
    "chrome-extension://abcdefghijklmnop",
]
TWICE = [
    f"app_origin={ALLOWED}&app_origin=https://evil.example",
    f"app_origin=https://evil.example&app_origin={ALLOWED}",
    f"app_origin={ALLOWED}&app%5Forigin=https://evil.example",
    f"app_origin={ALLOWED}&app_origin={ALLOWED}",
    f"app_origin={ALLOWED}&app_origin=",
]
QUERIES = [*(f"app_origin={quote(one, safe='')}" for one in (*LOOKALIKES, *NO_ORIGINS)), *TWICE]


@pytest.fixture
def app(serve):
    """An application in front-end mode, with one page on another origin that it knows."""
    made = FrontEnd([ALLOWED])
    made.server = serve(made)
    return made


def has_script(answer):
    """Whether the page could tell anybody."""
    return b"<script" in answer.body


# -- whose page is told


@pytest.mark.browser
@both
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["other-site", "same-site"])
def test_app_origin_of_a_stranger(app, stranger, page, path, host):
    """His page opens the pop-up with his origin in the redirect URI, to be sent the code.

    Smartcar's page posts it to whoever is named; ours to nobody who isn't listed.
    """
    his, origin = stranger(host=host)
    his.pages["/"] = LISTEN.replace("TARGET", f"{app.origin}{path}?app_origin={origin}&{ANSWER}")
    page.goto(f"{origin}/")
    with page.expect_popup() as popup:
        page.get_by_role("button").click()
    expect(popup.value.get_by_text(STAYS[path])).to_be_visible()
    assert page.evaluate("heard") == []


def targets_of(page, address, ends):
    """Whom a pop-up at this address tells: the targets of its messages. `ends` says when it is done."""
    with page.expect_popup() as opened:
        page.evaluate(
            """address => {
                 window.targets = [];
                 window.postMessage = (message, target) => { targets.push(target); };
                 open(address, "", "popup");
               }""",
            address,
        )
    ends(opened.value)
    opened.value.close()
    return page.evaluate("targets")


@pytest.mark.browser
@both
def test_app_origin_that_looks_like_an_allowed_one(app, page, path):
    """Prefixes, suffixes, user names, other spellings, two in one, what is no web page, and the parameter twice."""
    page.goto(app.origin)
    address = f"{app.origin}{path}?{ANSWER}"
    for query in QUERIES:
        targets = targets_of(
            page, f"{address}&{query}", lambda popup: expect(popup.get_by_text(STAYS[path])).to_be_visible()
        )
        assert targets == [], query

    # The very same way, so that the above could have failed: a listed origin, which this page isn't, and its own.
    allowed = f"{address}&app_origin={quote(ALLOWED, safe='')}"
    assert targets_of(page, allowed, lambda popup: page.wait_for_function("targets.length")) == [ALLOWED]
    assert targets_of(page, address, lambda popup: until(page, popup.is_closed)) == [app.origin]


def test_app_origin_in_another_place(app):
    """He puts it where a lenient reader would find it: the refusal, or the page for this site's own script."""
    visitor = Visitor(app)
    for query in (
        f"{ANSWER}&APP_ORIGIN=https://evil.example",
        f"{ANSWER}&app_origin[]=https://evil.example",
        f"{ANSWER};app_origin=https://evil.example",
        f"{ANSWER}&state=x%26app_origin=https://evil.example",
        f"{ANSWER}&%61pp_origin=https://evil.example",
        f"{ANSWER}&app_origin%00=https://evil.example",
    ):
        answer = visitor.ask(f"/smartcar/redirect?{query}", Origin="https://evil.example")
        if has_script(answer):
            assert answer.body.count(b'data-smartcar-origins=""') == 1, query
        else:
            assert answer.status == 403, query


@pytest.mark.browser
@both
def test_page_without_an_origin_opens_the_pop_up(app, stranger, page, path):
    """A sandboxed frame of his is of the origin "null", which is that of every such frame."""
    address = f"{app.origin}{path}?app_origin=null&{ANSWER}"
    frame = LISTEN.replace("TARGET", address).replace('"', "&quot;")
    markup = f'<iframe sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox" srcdoc="{frame}"></iframe>'
    page.goto(stranger({"/": markup})[1])
    with page.expect_popup() as popup:
        page.frames[1].get_by_role("button").click()
    expect(popup.value.get_by_text(STAYS[path])).to_be_visible()
    assert page.frames[1].evaluate("heard") == []


def test_host_is_spoofed_to_be_told(public_site):
    """Whom the Host header names isn't this application, which knows its public address."""
    visitor = Visitor(public_site)
    query = f"/smartcar/redirect?app_origin=https://evil.example&{ANSWER}"
    answer = visitor.ask(
        query, Host="evil.example", X_Forwarded_Host="evil.example", X_Forwarded_Proto="https"
    )
    assert (answer.status, has_script(answer)) == (403, False)
    assert has_script(visitor.ask(query.replace("evil.example", "app.example.com")))


# -- her page is handed what he wants


@pytest.mark.browser
@both
def test_stranger_brings_his_own_code(app, stranger, page, path):
    """Her page waits; he knows her state, and opens the redirect page with his code from his own site."""
    official = OfficialPage(page, app.origin, {"redirectUri": app.redirect_uri(path=path)})
    state = page.evaluate("new URL(smartcar.getAuthUrl()).searchParams.get('state')")
    target = f"{app.origin}{path}?{urlencode({'code': 'his-code', 'state': state})}"
    his = page.context.new_page()
    his.goto(stranger({"/": LISTEN.replace("TARGET", target)})[1])
    with his.expect_popup() as popup:
        his.get_by_role("button").click()
    expect(popup.value.get_by_text("close this window")).to_be_visible()
    assert his.evaluate("heard") == []
    assert (official.messages(), official.completed) == ([], [])


@pytest.mark.browser
@both
def test_flood_of_messages_at_the_redirect_page(app, stranger, page, path):
    """He opens it and posts what its channel expects, and answers, by the thousand: nothing in it listens."""
    target = f"{app.origin}{path}?{ANSWER}"
    page.goto(stranger({"/": LISTEN.replace("TARGET", target)})[1])
    with page.expect_popup() as opened:
        page.get_by_role("button").click()
    popup = opened.value
    errors = []
    popup.on("pageerror", lambda error: errors.append(str(error)))
    words = popup.get_by_text("close this window")
    expect(words).to_be_visible()
    popup.evaluate("window.count = 0; addEventListener('message', () => { count += 1 })")
    page.evaluate(
        """() => {
             new BroadcastChannel("smartcar-auth-1").postMessage("heard");
             for (let i = 0; i < 1000; i++) {
               popup.postMessage("heard", "*");
               popup.postMessage({ name: "SmartcarAuthMessage", code: "his-code", state: "x" }, "*");
             }
           }"""
    )
    until(popup, lambda: popup.evaluate("count >= 2000"))
    expect(words).to_be_visible()
    assert words.count() == 1
    assert errors == []


def test_flood_of_requests_for_the_redirect_page(app):
    """Thousands of answers that nobody asked for: nothing is kept of any, on the server or in the browser."""
    visitor = Visitor(app)
    for number in range(300):
        answer = visitor.ask(f"/smartcar/redirect?code={number}&state={number}&app_origin={ALLOWED}")
        assert answer.status == 200
    assert visitor.jar == {}
    assert len(app.connect._store._values) == 0


@pytest.mark.browser
def test_code_of_server_mode_at_the_redirect_page(site, page):
    """A team has both modes, and he sends an answer of server mode there: page scripts are told no code."""
    page.goto(site.url)
    attempt = attempt_id(3)
    state = Visitor(site).launch({"attempt": attempt}).state
    with page.expect_popup() as popup:
        page.evaluate(
            "address => { open(address, '', 'popup') }",
            f"{site.origin}/smartcar/redirect?code=the-code&state={state}",
        )
    until(page, popup.value.is_closed)
    page.wait_for_function("messages.length")
    assert page.evaluate("messages") == [{"name": "smartcar-connect", "attempt": attempt}]


# -- what stands in the page

MARKUP = [
    "</script><script>pwned=1</script>",
    "\"'><img src=x onerror=pwned=1>",
    "{{7*7}}",
    "javascript:pwned=1",
]


@pytest.mark.browser
@both
@pytest.mark.parametrize("payload", MARKUP)
def test_markup_in_every_value(app, page, path, payload):
    """In every parameter that Connect, or he, can send: it is text, wherever it ends."""
    names = [*KNOWN, "app_origin", "text", "sheet", "smartcarText", payload]
    for name in names:
        pairs = [(one, value) for one, value in (("code", "c"), ("state", "s")) if one != name]
        query = urlencode([*pairs, (name, payload)])
        answer = Visitor(app).ask(f"{path}?{query}")
        assert payload.encode() not in answer.body, name
        page.goto(f"{app.origin}{path}?{query}")
        expect(page.locator("h1")).to_be_visible()
        if path == "/own":
            expect(page.get_by_role("status")).to_be_visible()
        assert page.evaluate("typeof pwned") == "undefined", name
        assert page.locator("img").count() == 0, name


@pytest.mark.browser
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["other-site", "same-site"])
def test_redirect_page_is_framed(app, stranger, page, host):
    """He lays it invisibly over a game, or reads how it closes; `Sec-Fetch-Dest` stops the request."""
    src = f"{app.origin}/smartcar/redirect?{ANSWER}"
    page.goto(stranger({"/": f'<iframe src="{src}"></iframe>'}, host=host)[1], wait_until="commit")
    until(page, lambda: len(app.requests) == 1)
    page.wait_for_load_state()
    assert page.frames[1].locator("h1, a").count() == 0
    older = Visitor(app).ask(f"/smartcar/redirect?{ANSWER}", usual={})
    assert older.all("X-Frame-Options") == ["DENY"]
    assert "frame-ancestors 'none'" in older.header("Content-Security-Policy")


def test_redirect_page_without_a_person(app):
    """Previews, prefetches, images, workers and fetches get neither the page nor the script's tag."""
    visitor = Visitor(app)
    target = f"/smartcar/redirect?{ANSWER}"
    answers = [
        visitor.ask(target, "HEAD"),
        visitor.ask(target, Sec_Purpose="prefetch;prerender"),
        visitor.ask(target, Purpose="prefetch"),
        visitor.ask(target, Sec_Fetch_Dest="image"),
        visitor.ask(target, Sec_Fetch_Dest="serviceworker"),
        visitor.ask(target, usual=FETCH),
    ]
    assert [answer.status for answer in answers] == [200, 503, 503, 403, 403, 403]
    assert [has_script(answer) for answer in answers] == [False] * 6


# -- where the code stays


def test_redirect_page_is_kept_by_no_cache(app):
    """Neither the page, nor a refusal, nor what is sent to no person."""
    for query in (ANSWER, f"{ANSWER}&app_origin=https://evil.example", f"{ANSWER}&app_origin={ALLOWED}", ""):
        answer = Visitor(app).ask(f"/smartcar/redirect?{query}")
        assert answer.all("Cache-Control") == ["no-store"]
        assert answer.all("Referrer-Policy") == ["no-referrer"]
        assert answer.all("Access-Control-Allow-Origin") == []
        assert b"the-code" not in answer.body


@pytest.mark.browser
@both
def test_code_leaks_by_referer(app, page, path):
    """The script is the one thing that the page asks for; its request doesn't say where it came from."""
    referers = []
    page.on("request", lambda request: referers.append((request.url, request.headers.get("referer"))))
    page.goto(f"{app.origin}{path}?{ANSWER}")
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_url(f"{app.origin}{path}")
    assert any("/assets/redirect-" in url for url, _ in referers)
    assert [one for one in referers if one[1]] == []


@pytest.mark.browser
@both
def test_code_is_left_in_address_or_history(app, page, path):
    """Whoever comes to the computer later presses Back and Forward, or Reload."""
    page.goto(app.origin)
    page.goto(f"{app.origin}{path}?{ANSWER}&app_origin={app.origin}&utm=x")
    kept = f"{app.origin}{path}?app_origin={quote(app.origin, safe='')}&utm=x"
    page.wait_for_url(kept)
    page.go_back()
    page.go_forward()
    assert page.url == kept
    app.requests.clear()
    page.reload()
    assert all("the-code" not in query for _, query in app.requests)
