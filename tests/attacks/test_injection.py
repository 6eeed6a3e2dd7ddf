"""Markup in every value that a page of ours may show: parsed by a real browser, it stays text.

Each payload would run, or add an element, wherever it were written unescaped into text, attribute, script or
address; the policy would stop it then, but a violation alone fails the test.
"""

import pytest
from playwright.sync_api import expect

from attacks.wire import Visitor
from browser.flow import Garage, connect_as
from web.browser import attempt_id

pytestmark = pytest.mark.browser

PAYLOADS = [
    "<script>window.hit=1</script>",
    "</script><script>window.hit=1</script>",
    "</title></style></textarea><img src=x onerror=window.hit=1>",
    '"><img src=x onerror=window.hit=1><a x="',
    "' onfocus=window.hit=1 autofocus x='",
    '" onfocus=window.hit=1 autofocus x="',
    "` onfocus=window.hit=1 autofocus x=`",
    "<!--><svg onload=window.hit=1>-->",
    "&lt;img src=x onerror=window.hit=1&gt;",
    "&#34;&#62;&lt;img src=x onerror=window.hit=1>",
    "javascript:window.hit=1",
    "{{constructor.constructor('window.hit=1')()}}",
    "\u2028</html><img src=x onerror=window.hit=1>",
    "<base href=//evil.example><meta http-equiv=refresh content=0;url=//evil.example>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
]
# All at once, for values of any length; and two that fit where there is little room.
TOGETHER = "".join(PAYLOADS)
EACH = [TOGETHER, PAYLOADS[0], PAYLOADS[3]]
ATTEMPT = attempt_id(7)

# Of a page as written and of one whose module and stylesheet have run.
OURS = {"HTML", "HEAD", "META", "LINK", "TITLE", "NOSCRIPT", "SCRIPT", "BODY", "MAIN", "H1", "P", "A"}
LOOK = """() => {
  const all = [...document.querySelectorAll("*")];
  return [
    all.map((element) => element.tagName),
    all.flatMap((element) => element.getAttributeNames()),
    all.map(({ href, src }) => href || src).filter(Boolean),
    window.hit ?? null,
  ];
}"""


@pytest.fixture
def checked(page):
    """Look at what the page became: our elements only, no handler, no foreign address, nothing run or refused."""
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    def look(origin):
        names, attributes, addresses, hit = page.evaluate(LOOK)
        assert set(names) <= OURS
        assert names.count("SCRIPT") <= 1
        assert not [name for name in attributes if name.startswith("on")]
        assert all(one.startswith((f"{origin}/", "data:,")) for one in addresses)
        assert hit is None
        assert not [one for one in said if "Content Security Policy" in one or "hit" in one]

    return look


def launched(page, app, query=""):
    """The state of an attempt that the browser has."""
    page.goto(f"{app.origin}/smartcar/launch{query}")
    return page.evaluate("new URLSearchParams(location.search).get('state')")


def ours(page, path, parameters):
    """Open a page of ours, its parameters encoded by the browser."""
    address = page.evaluate(
        "([path, pairs]) => `${path}?${new URLSearchParams(pairs)}`", [path, list(parameters.items())]
    )
    return page.goto(address)


CALLBACK = [
    "code",
    "error",
    "error_description",
    "vin",
    "make",
    "model",
    "year",
    "user_id",
    "status_code",
    "state",
]


@pytest.mark.parametrize("name", CALLBACK)
def test_markup_in_connects_answer(site, page, checked, name):
    """Connect, or whoever writes an address like its, sends markup in a parameter of the callback."""
    for payload in EACH:
        state = launched(page, site)
        answer = {"error": "vehicle_incompatible", name: payload, "state": state}
        if name == "code":
            del answer["error"]
        if name == "state":
            answer["state"] = payload
        ours(page, f"{site.origin}/smartcar/callback", answer)
        checked(site.origin)
        page.context.clear_cookies()


@pytest.mark.parametrize(
    "name", ["make", "origin", "return_to", "attempt", "display", "module", "sealed", "x"]
)
def test_markup_in_a_launch(site, connect, stranger, page, checked, name):
    """He sends the victim to the launch with markup in a parameter: typed in, and from a site of his (the question)."""
    evil, origin = stranger()
    for payload in EACH:
        ours(
            page,
            f"{site.origin}/smartcar/launch",
            {name: payload, "return_to" if name == "x" else "x": "//refused"},
        )
        if not page.url.startswith(connect[1]):
            checked(site.origin)
        evil.pages["/"] = f"""<form action="{site.origin}/smartcar/launch"><input name="{name}"></form>"""
        page.goto(origin)
        with page.expect_navigation(url=f"{site.origin}/**"):
            page.evaluate(
                "value => { document.forms[0][0].value = value; document.forms[0].submit(); }", payload
            )
        checked(site.origin)


def test_markup_in_the_path_to_return_to(site, page, checked):
    """A path may hold any text; in the page's link and in its address it stays one path."""
    for payload in EACH:
        path = "/" + payload
        state = launched(page, site, "?display=popup&return_to=" + page.evaluate("encodeURIComponent", path))
        if state is None:
            checked(site.origin)  # refused
            continue
        ours(page, f"{site.origin}/smartcar/callback", {"code": "x", "state": state})
        expect(page.locator("h1")).to_have_text("Your car is connected")
        checked(site.origin)


def test_markup_in_the_handlers_message(application, connect, page, checked):
    """The application's function quotes what Connect said; page and data attributes hold it as text."""
    app = application(
        connect_origin=connect[1],
        outcome=lambda request, response: {
            "message": response.raw["x"],
            response.raw["x"]: [response.raw["x"]],
        },
    )
    for payload in EACH:
        state = launched(page, app, "?display=popup")
        ours(page, f"{app.origin}/smartcar/callback", {"code": "x", "x": payload, "state": state})
        checked(app.origin)
        assert payload in page.locator("p").first.text_content()
        told = page.evaluate("JSON.parse(document.documentElement.dataset.data)")
        assert told == {"message": payload, payload: [payload]}
        page.context.clear_cookies()


def test_markup_in_the_message_on_the_waiting_page(application, page):
    """The message arrives in the element on the application's page: as its text, through every road."""
    app = application(outcome=lambda request, response: {"message": TOGETHER})
    garage = Garage(page, app.url)
    connect_as(garage.open())
    garage.ended("granted")
    assert garage.status.text_content() == TOGETHER
    assert page.evaluate("[window.hit ?? null, violations]") == [None, []]
    inside = page.evaluate(
        """[...document.querySelector("smartcar-connect").shadowRoot.querySelectorAll("*")]
             .map((element) => element.tagName)"""
    )
    assert set(inside) == {"BUTTON", "SLOT", "DIV", "SPAN", "A"}


def test_markup_in_headers(site, page, checked):
    """Host, Origin, Cookie and Referer with markup: no browser sends them, but a proxy may pass them on."""
    page.goto(site.url)
    for payload in EACH:
        payload = payload.encode("ascii", "ignore").decode()
        for name in ("host", "origin", "cookie", "referer", "user_agent", "sec_fetch_site"):
            for path in ("launch", "launch?return_to=//x", "callback?code=x&state=y", f"status/{ATTEMPT}"):
                answer = Visitor(site).ask(f"/smartcar/{path}", **{name: payload})
                markup = answer.body.decode()
                found = page.evaluate(
                    """(markup) => [...new DOMParser().parseFromString(markup, "text/html").querySelectorAll("*")]
                         .flatMap((one) => [one.tagName, ...one.getAttributeNames()])""",
                    markup,
                )
                assert {one for one in found if one.isupper()} <= OURS
                assert not [one for one in found if one.startswith("on")]


def test_prototype_in_a_message(application, page):
    """JSON with `__proto__` from a handler that passes on what came: nothing on the page is changed by it."""
    app = application(
        outcome=lambda request, response: {"__proto__": {"hit": 1}, "constructor": {"prototype": 1}}
    )
    garage = Garage(page, app.url)
    connect_as(garage.open())
    garage.ended("granted")
    assert page.evaluate("[({}).hit ?? null, typeof Object.prototype.toString]") == [None, "function"]
