"""How an application is found and judged: the way to Connect, what counts as a grant, what can't be told."""

import secrets
import uuid
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from browser.application import Server, serving
from conformance import sound
from smartcar_auth.conformance import Check, checks
from smartcar_auth.conformance.addresses import lands
from smartcar_auth.conformance.application import Application, NoLaunch
from smartcar_auth.conformance.state import _random_bits
from smartcar_auth.conformance.values import Reply
from smartcar_auth.sandbox import Sandbox

Handler = Callable[[Request], Awaitable[Response]]


@pytest.fixture(scope="module")
def connect() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with serving() as started:
        yield started


def authorize(connect: Sandbox, request: Request, state: str) -> str:
    back = f"http://localhost:{request.url.port}/callback"
    query = {
        "response_type": "code",
        "application_id": "an-application",
        "redirect_uri": back,
        "state": state,
    }
    return f"{connect.origin}/oauth/authorize?{urlencode(query)}"


def site(**pages: Handler) -> Starlette:
    return Starlette(
        routes=[Route("/" if name == "home" else f"/{name}", page) for name, page in pages.items()]
    )


async def static(request: Request) -> Response:
    return HTMLResponse("<title>Done</title>You may close this window.")


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="{html}">Connect</a>',
        '<button data-url="{html}">Connect</button>',
        '<script>const url = "{script}";</script>',
    ],
)
def test_address_of_connect_in_the_page_itself(
    markup: str, connect: Sandbox, serve: Callable[..., Server]
) -> None:
    """Then each visit of the page is a launch."""
    state = secrets.token_urlsafe(32)

    async def home(request: Request) -> Response:
        address = authorize(connect, request, state)
        script = address.replace("/", "\\/").replace("&", "\\u0026")
        return HTMLResponse(markup.format(html=address.replace("&", "&amp;"), script=script))

    app = Application(serve(site(home=home, callback=static)).origin, connect)
    launched = app.browser().launch()
    assert launched.state == state
    assert app.is_pointed_here(launched.authorize)
    assert app.browser().way() is None


def test_links_that_end_something_are_not_followed(connect: Sandbox, serve: Callable[..., Server]) -> None:
    """Neither are those of other sites, nor of forms that change something."""
    asked = []

    async def home(request: Request) -> Response:
        return HTMLResponse(
            '<a href="/disconnect">x</a><a href="https://connect.evil.example/connect">x</a><a href="/about">x</a>'
            '<form method="post" action="/connect-all"></form><a href="/logout?next=/connect">x</a>'
            '<a href="/cars/link" class="smartcar">x</a>'
        )

    async def link(request: Request) -> Response:
        return RedirectResponse(authorize(connect, request, "a"))

    async def other(request: Request) -> Response:
        asked.append(request.url.path)
        return static_answer

    static_answer = HTMLResponse("no")
    routes = [Route("/", home), Route("/cars/link", link), Route("/{path:path}", other)]
    app = Application(serve(Starlette(routes=routes)).origin, connect)
    assert app.browser().launch().state == "a"
    assert app.link == "/cars/link"
    assert asked == []


def test_no_way_to_connect_is_said_in_words(connect: Sandbox, serve: Callable[..., Server]) -> None:
    """With what was tried."""
    app = Application(serve(site(home=static)).origin, connect)
    with pytest.raises(NoLaunch, match="--launch /connect"):
        app.browser().launch()
    app = Application(serve(site(home=static)).origin, connect, launch="/nowhere")
    with pytest.raises(NoLaunch, match="answers 404 rather than lead to Connect"):
        app.browser().launch()


def test_login_is_a_cookie(connect: Sandbox, serve: Callable[..., Server]) -> None:
    """Somebody else's browser has his own, or none; the remark says where that is less than it could be."""
    inner = sound.create_app(connect.origin)

    async def guarded(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
        if "session=" not in Request(scope).headers.get("cookie", ""):
            await Response("Log in", 401)(scope, receive, send)  # type: ignore[arg-type]
        else:
            await inner(scope, receive, send)  # type: ignore[arg-type]

    url = serve(guarded).origin
    with pytest.raises(NoLaunch, match="--cookie"):
        Application(url, connect).browser().launch()
    both = Application(url, connect, cookies=["session=ann"], other_cookies=["session=ben"])
    [check] = checks("state-other-browser")
    assert check.result(both).verdict == "pass"
    assert check.result(both).said == ""


def test_page_that_answers_everything_alike_cannot_be_judged(
    connect: Sandbox, serve: Callable[..., Server]
) -> None:
    """As in front-end mode: a script of the page's decides, which isn't seen. Nothing is held against it."""

    async def launch(request: Request) -> Response:
        return RedirectResponse(authorize(connect, request, secrets.token_urlsafe(32)))

    async def home(request: Request) -> Response:
        return HTMLResponse('<a href="/connect">Connect</a>')

    app = Application(serve(site(home=home, connect=launch, callback=static)).origin, connect)
    for name in ("state-missing", "two-at-once", "denied", "exchange-fails"):
        assert checks(name)[0].result(app).verdict == "n/a", name
    assert checks("granted")[0].result(app).verdict == "pass"


@pytest.mark.parametrize("tells", ["page", "redirect"])
def test_grant_is_told_by_its_looks_whatever_is_random_in_them(
    tells: str, connect: Sandbox, serve: Callable[..., Server]
) -> None:
    """Times, ids and counts differ from one grant to the next, and say nothing; nor do letters that ids share."""
    count = iter(range(1000))
    ids = iter(["1c2d", "a1b2", "3a4b", "c3d4", "5e6f", *(secrets.token_hex(3) for _ in range(100))])

    async def launch(request: Request) -> Response:
        return RedirectResponse(authorize(connect, request, secrets.token_urlsafe(32)))

    async def home(request: Request) -> Response:
        flash = request.query_params.get("flash", "")
        return HTMLResponse(f'<a href="/connect">Connect</a> {flash} {next(count)} {uuid.uuid4()}')

    async def callback(request: Request) -> Response:
        word = "sorry" if "error" in request.query_params else "hooray"
        if tells == "page":
            return HTMLResponse(f"{word} {request.query_params.get('code')} {next(ids)}")
        return RedirectResponse(f"/?flash={word}&at={next(count)}&id={uuid.uuid4()}")

    app = Application(serve(site(home=home, connect=launch, callback=callback)).origin, connect)
    assert app.believes(app.browser().go("granted"))
    assert not app.believes(app.browser().go("user_cancelled"))
    assert checks("state-missing")[0].result(app).verdict == "fail"


def test_what_an_application_says_is_printable() -> None:
    """An escape sequence would reach the terminal."""
    from smartcar_auth.conformance import Result

    check: Check = checks("granted")[0]
    assert "\x1b" not in str(Result(check, "fail", "\x1b[2J\nok"))


REFERENCES = {
    "/garage": "localhost",
    "garage?next=//evil.example": "localhost",
    "//evil.example/": "evil.example",
    "/\\evil.example": "evil.example",
    "\\\\evil.example": "evil.example",
    "///evil.example": "evil.example",
    "/\t/evil.example": "evil.example",
    "https:evil.example": "evil.example",
    "https:/evil.example": "evil.example",
    "http:evil.example": "localhost",
    "http:/evil.example": "localhost",
    "http:///evil.example": "evil.example",
    "HTTPS:\\\\evil.example": "evil.example",
    "http://localhost:1@evil.example": "evil.example",
    "/..//evil.example": "localhost",
    " javascript:alert(1)": "javascript:",
    "java\tscript:alert(1)": "javascript:",
    "http://[": "",
}


@pytest.mark.parametrize("reference", REFERENCES)
def test_reference_lands_where_browsers_go(reference: str) -> None:
    """On a page of http."""
    assert lands("http://localhost:8000/callback", reference) == REFERENCES[reference]


@pytest.mark.browser
def test_references_land_there_in_chromium(browser: Browser) -> None:
    """The table above is what Chromium does."""
    page = browser.new_page()
    read = """(all) => all.map((one) => {
      try {
        const url = new URL(one, "http://localhost:8000/callback");
        return url.hostname || url.protocol;
      } catch { return ""; }
    })"""
    assert page.evaluate(read, list(REFERENCES)) == list(REFERENCES.values())
    page.close()


@pytest.mark.parametrize(
    ("make", "enough"),
    [
        (lambda number: secrets.token_urlsafe(32), True),
        (lambda number: secrets.token_hex(16), True),
        (lambda number: str(uuid.uuid4()), True),
        (lambda number: str(uuid.uuid1()), False),
        (lambda number: secrets.token_hex(8), False),
        (lambda number: str(1_700_000_000_123_456 + number), False),
        (lambda number: "a-prefix-that-is-long-enough-for-two-" + secrets.token_urlsafe(8), False),
    ],
)
def test_random_bits_of_states(make: Callable[[int], str], enough: bool) -> None:
    """What stays the same, a time, or a counter is not random."""
    assert (_random_bits([make(number) for number in range(16)]) >= 120) is enough


def test_reply_is_changed_in_one_place() -> None:
    """Values are replaced, taken out, put before or behind."""
    reply = Reply("http://localhost/cb?x=1", (("code", "c"), ("state", "s")))
    assert reply.url == "http://localhost/cb?x=1&code=c&state=s"
    assert reply.changed(state=None, error="e f").url.endswith("&code=c&error=e%20f")
    assert reply.after(("state", "t")).plus(("code", "d")).url.endswith("&state=t&code=c&state=s&code=d")


def test_address_that_cannot_be_right_is_refused() -> None:
    """At once."""
    for options in ({"launch": "https://evil.example/"}, {"cookies": ["no cookie"]}):
        with pytest.raises(ValueError, match=r"cookie|launch"):
            Application("http://localhost:1/", **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="whole address"):
        Application("localhost:8000")
