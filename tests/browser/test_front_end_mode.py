"""The official SDK from npm, unchanged, with our redirect page or our script on the application's own; and ours.

Connect is at connect.smartcar.com, where the official SDK looks for it, and every pop-up passes the blocker.
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import DictLoader, Environment
from playwright.sync_api import Browser, Page, Playwright, expect

from browser.application import SAME_ORIGIN, Application, Server, static_page
from browser.flow import connect_as
from browser.front_end import OWN, STRICT, FrontEnd, OfficialPage, end_with, official_page
from chromium import start_chromium_with_smartcar
from smartcar_auth.message import FIELDS, read_message
from smartcar_auth.origin import HOSTED_PAGE
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser

CLOSE = "You can close this window and go back to the app."
REDIRECT, HELPER = "/smartcar/redirect", "/own"
MODULE = '<script type="module" src="/front.js"></script>'
LATER_FIELDS = {"vehicleId", "statusCode", "errorMessage"}  # ours has them besides


@pytest.fixture(scope="module")
def smartcar_com() -> Iterator[Sandbox]:
    """Smartcar's own hosts on this machine, the hosted redirect page among them."""
    with Sandbox(tls=True) as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright, smartcar_com: Sandbox) -> Iterator[Browser]:
    """One that finds smartcar.com here."""
    started = start_chromium_with_smartcar(playwright, smartcar_com)
    yield started
    started.close()


@pytest.fixture
def front_end(serve: Callable[..., Server]) -> Callable[..., FrontEnd]:
    """An application, served."""

    def made(*args: Any, **options: Any) -> FrontEnd:
        app = FrontEnd(*args, **options)
        app.server = serve(app)
        return app

    return made


@pytest.fixture
def official(page: Page, front_end: Callable[..., FrontEnd]) -> Callable[..., OfficialPage]:
    """The application's own page with the official SDK; by default the redirect URI is our route."""

    def opened(path: str = REDIRECT, headers: dict[str, str] | None = None, **options: Any) -> OfficialPage:
        app = front_end(headers=headers)
        link = options.pop("link", {})
        options.setdefault("redirectUri", app.redirect_uri(path=path))
        return OfficialPage(page, app.origin, options, **link)

    return opened


# -- the whole way


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ("own page", REDIRECT),
        ("own page", HELPER),
        ("own page", "/by-hand"),
        ("own page, named", REDIRECT),
        ("own page, named", HELPER),
        ("page of another origin", REDIRECT),
        ("page of another origin", HELPER),
    ],
)
def test_granted(front_end, serve, page, where, path):
    """A click, Connect, and onComplete has the code that Connect sent; the pop-up has gone."""
    other = serve(official_page())
    app = front_end([other.origin])
    origin = other.origin if where == "page of another origin" else app.origin
    redirect_uri = app.redirect_uri(None if where == "own page" else origin, path)
    official = OfficialPage(page, origin, {"redirectUri": redirect_uri}, state="garage=7")
    connect_as(official.open())
    told = official.told()
    assert told["error"] is None
    assert told["state"] == "garage=7"
    assert told["virtualKeyUrl"] is None
    assert told["externalId"] is None
    (query,) = [query for came, query in app.requests if came == path]
    assert f"code={told['code']}&" in query
    assert f"user_id={told['userId']}&" in query
    assert page.evaluate("violations") == []


def test_page_that_allows_popups(official):
    """`same-origin-allow-popups` doesn't cut the pop-up off: what a team does whose framework sends the strict one."""
    opened = official(headers={"Cross-Origin-Opener-Policy": "same-origin-allow-popups"})
    connect_as(opened.open())
    assert opened.told()["code"]


@pytest.mark.parametrize("path", [REDIRECT, HELPER])
def test_denied(official, path):
    """The owner says no; onComplete has the official SDK's own class."""
    opened = official(path)
    connect_as(opened.open(), decision="#deny-button")
    error = opened.told()["error"]
    assert error["kind"] == error["name"] == "AccessDenied"
    assert "denied access" in error["message"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("access_denied", "AccessDenied"),
        ("invalid_subscription", "InvalidSubscription"),
        ("vehicle_incompatible", "VehicleIncompatible"),
        ("no_vehicles", "Error"),
        ("configuration_error", "Error"),
        ("server_error", "Error"),
        ("user_manually_returned_to_application", "Error"),
        ("oem_cancelled_login", "Error"),
        ("user_cancelled", "Error"),
    ],
)
def test_every_error_of_connect(official, error, kind):
    """Each ends the attempt as with Smartcar's page; where the official SDK has no class, its message names it."""
    opened = official()
    end_with(opened.open(), error)
    told = opened.told()
    assert told["code"] is None
    assert told["error"]["kind"] == kind
    assert told["error"]["vehicleInfo"] is None
    assert (error in told["error"]["message"]) == (kind == "Error")


def test_incompatible_vehicle_that_its_owner_shows(official):
    """Who agrees to share the car's details: the official SDK makes its vehicleInfo of them."""
    opened = official()
    popup = opened.open()
    connect_as(popup, "smartcar@vehicle-incompatible.com", decision="")
    popup.check("#share-vehicle-details")
    popup.click("#back-to-application-button", no_wait_after=True)
    error = opened.told()["error"]
    assert error["kind"] == "VehicleIncompatible"
    assert len(error["vehicleInfo"]["vin"]) == 17
    assert error["vehicleInfo"]["make"] == "TESLA"


def test_virtual_key(official):
    """A Tesla's link for its key arrives."""
    opened = official()
    popup = opened.open()
    connect_as(popup, "smartcar@virtual-key.com")
    popup.click("#virtual-key-button", no_wait_after=True)
    told = opened.told()
    assert told["error"] is None
    assert told["virtualKeyUrl"].startswith("https://www.tesla.com/_ak/")


def test_external_id(official):
    """The application's own id for the owner comes back."""
    opened = official(externalId="car-1")
    connect_as(opened.open())
    assert opened.told()["externalId"] == "car-1"


def test_response_type_none(official):
    """Without a code: onComplete has the person's id."""
    opened = official(responseType="none")
    connect_as(opened.open())
    told = opened.told()
    assert (told["error"], told["code"]) == (None, None)
    assert told["userId"]


def test_no_redirect_uri(front_end, page):
    """Then Connect itself tells the page, and nothing of ours is asked: the same page may have either."""
    app = front_end()
    official = OfficialPage(page, app.origin, {"responseType": "none", "externalId": "car-1"})
    connect_as(official.open())
    told = official.told()
    assert (told["error"], told["code"], told["externalId"]) == (None, None, "car-1")
    assert told["userId"]
    assert [path for path, _ in app.requests if path.startswith(("/smartcar", "/own"))] == []


def test_state_with_a_plus_in_its_base64(official):
    """Unencoded, the plus comes back as a space; Smartcar's page loses such an answer, ours mends it."""
    opened = official(link={"state": "ab~>ab~>ab~>"})
    assert "+" in opened.page.evaluate("smartcar.getAuthUrl({ state: 'ab~>ab~>ab~>' }).split('state=')[1]")
    connect_as(opened.open())
    assert opened.told()["state"] == "ab~>ab~>ab~>"


def test_unmounted_page_is_told_nothing(official):
    """The page has called unmount meanwhile: the pop-up closes, onComplete is left alone."""
    opened = official()
    popup = opened.open()
    opened.page.evaluate("smartcar.unmount()")
    with popup.expect_event("close"):
        end_with(popup, "access_denied")
    assert len(opened.messages()) == 1
    assert opened.completed == []


# -- the message, field by field

EVERYTHING = {name: f"{name} ä&<+%" for _, name in FIELDS if name not in ("state", "year", "error", "code")}
ANSWERS: dict[str, dict[str, str]] = {
    "code": {"code": "the-code"},
    "code and user": {"code": "the-code", "user_id": "u", "virtual_key_url": "https://www.tesla.com/_ak/x"},
    "user alone": {"user_id": "u", "external_id": "e"},
    "empty external id": {"code": "the-code", "external_id": ""},
    "denied": {"error": "access_denied", "error_description": "User denied access to application."},
    "car without details": {"error": "vehicle_incompatible", "error_description": "x"},
    "car": {"error": "vehicle_incompatible", "vin": "5YJSA1CN5CFP01657", "make": "TESLA", "year": "2020"},
    "car with model": {
        "error": "vehicle_incompatible",
        "vin": "V",
        "make": "M",
        "model": "S",
        "year": "2020",
    },
    "car with a name for a year": {"error": "vehicle_incompatible", "vin": "V", "year": "MMXX"},
    "details": {"error": "configuration_error", "status_code": "400", "error_message": "Wrong VIN."},
    "vehicle": {"vehicle_id": "v"},
    "everything of a grant": {**EVERYTHING, "code": "the-code", "year": "2020"},
    "everything of an error": {**EVERYTHING, "error": "something_new", "year": "2020"},
    "hostile": {"error": "</script>", "error_description": "\"'><img src=x onerror=alert(1)>"},
    "other names": {"code": "the-code", "name": "x", "isSmartcarHosted": "true", "__proto__": "x"},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_message_is_that_of_smartcars_page(front_end, page, answer):
    """For the same answer both pages post the same fields with the same values, and onComplete is told the same."""
    app = front_end()
    query = f"{urlencode(answer)}&state=STATE"
    told, posted = [], []
    for redirect_uri in (f"{HOSTED_PAGE}/v2/redirect?app_origin={app.origin}", app.redirect_uri()):
        official = OfficialPage(page, app.origin, {"redirectUri": redirect_uri})
        official.answer(redirect_uri, query)
        told.append(official.told())
        (message,) = official.messages()
        assert message.pop("isSmartcarHosted") is (redirect_uri.startswith(HOSTED_PAGE))
        assert json.loads(base64.b64decode(message.pop("state"))).keys() == {"instanceId"}
        posted.append(message)
    assert told[0] == told[1]
    theirs, ours = posted
    later = {name: ours.pop(name) for name in LATER_FIELDS & ours.keys()}
    assert ours == theirs
    assert later == {
        field: answer[name] for field, name in FIELDS if field in LATER_FIELDS and name in answer
    }


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_either_page_is_read_by_python(front_end, page, answer):
    """`read_message` gives the same parameters for Smartcar's page and for ours: one side may move first."""
    app = front_end()
    read = []
    for origin, redirect_uri in (
        (HOSTED_PAGE, f"{HOSTED_PAGE}/v2/redirect?app_origin={app.origin}"),
        (app.origin, app.redirect_uri()),
    ):
        official = OfficialPage(page, app.origin, {"redirectUri": redirect_uri})
        official.answer(redirect_uri, f"{urlencode(answer)}&state=a-state")
        page.wait_for_function("messages.length")
        (message,) = official.messages()
        read.append(read_message(message, origin=origin, trusted_origins=[app.origin, HOSTED_PAGE]))
    for parameters in read:
        for name in ("vehicle_id", "status_code", "error_message"):
            parameters.pop(name, None)
    assert read[0] == read[1]
    known = {name for _, name in FIELDS}
    assert read[0].items() >= {
        (name, value)
        for name, value in answer.items()
        if name in known - {"vehicle_id", "status_code", "error_message"}
    }


# -- answers that can't be used


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("code=a&code=b&state=STATE", "duplicate_parameter"),
        ("code=a&error=access_denied&state=STATE", "ambiguous_response"),
        ("code=&state=STATE", "missing_parameter"),
        ("state=STATE", "missing_parameter"),
        ("external_id=e&state=STATE", "missing_parameter"),
    ],
)
@pytest.mark.parametrize("path", [REDIRECT, HELPER])
def test_unusable_answer_ends_the_attempt(official, path, query, error):
    """Where Smartcar's page takes the first of two codes, or nothing for a code, onComplete gets an error."""
    opened = official(path)
    opened.answer(f"{opened.origin}{path}", query)
    told = opened.told()
    assert told["code"] is None
    assert told["error"]["message"].startswith(f"Unexpected error: {error} - ")


@pytest.mark.parametrize("path", [REDIRECT, HELPER, "/forgetful"])
def test_query_is_gone(official, path):
    """A redirect of the application's own lost the query: the message says so, and the person reads what to do."""
    opened = official(HELPER)
    with opened.page.expect_popup() as popup:
        opened.page.evaluate("address => { open(address, '', 'popup') }", f"{opened.origin}{path}")
    opened.page.wait_for_function("messages.length")
    (message,) = opened.messages()
    assert message["error"] == "missing_parameter"
    assert "query is missing" in message["errorDescription"]
    assert (message["code"], message["state"]) == (None, None)
    expect(popup.value.get_by_text("go back to the app")).to_be_visible()
    assert opened.completed == []  # it tells attempts apart by the state


# -- nobody who could be told

ANSWER = "code=the-code&user_id=u&state="
ENVELOPE = base64.b64encode(b'{"instanceId":"1760000000000123"}').decode()


@pytest.mark.parametrize(
    ("path", "words"), [(REDIRECT, "You can close this window"), (HELPER, CLOSE)], ids=["ours", "own"]
)
def test_no_opener(front_end, page, path, words):
    """Opened from a bookmark or after the opener was cut off: words instead of a blank page, and no code left."""
    app = front_end()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{app.origin}{path}?{ANSWER}{ENVELOPE}")
    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_text("go back to the app", exact=False)).to_be_visible()
    assert page.url == f"{app.origin}{path}"
    assert errors == []


def test_sentence_of_the_applications_own(front_end, page):
    """`text=` replaces the English sentence, as text."""
    app = front_end()
    page.goto(f"{app.origin}/translated?{ANSWER}{ENVELOPE}")
    expect(page.get_by_role("status")).to_have_text("Fenster <schließen>")


@pytest.mark.parametrize("path", [REDIRECT, HELPER])
@pytest.mark.parametrize("severed", ["page", "connect"])
def test_opener_is_cut_off(official, smartcar_com, path, severed):
    """The official SDK can't hear it then; where Smartcar's page shows nothing, ours says what to do."""
    if severed == "connect":
        smartcar_com.next(coop="connect")
    opened = official(path, SAME_ORIGIN if severed == "page" else None)
    popup = opened.open()
    connect_as(popup)
    expect(popup.get_by_text("go back to the app")).to_be_visible()
    assert "code" not in popup.url
    assert opened.completed == []


def test_opener_is_cut_off_and_a_channel_listens(official):
    """A page of our origin that listens on the attempt's channel is told there, and its answer closes the pop-up."""
    opened = official(headers=SAME_ORIGIN)
    opened.page.evaluate(
        """() => {
             window.heard = new Promise((resolve) => {
               const channel = new BroadcastChannel(`smartcar-auth-${smartcar.instanceId}`);
               channel.onmessage = ({ data }) => { resolve(data); channel.postMessage("heard"); };
             });
           }"""
    )
    popup = opened.open()
    with popup.expect_event("close"):
        connect_as(popup)
    assert opened.page.evaluate("heard.then(({ code }) => code)")


# -- server mode, with a page of the application's own at the end


@pytest.fixture
def with_own_page(application: Callable[..., Application]) -> Callable[..., Application]:
    """An application whose on_complete and on_error answer with a page that has the script."""
    templates = Jinja2Templates(env=Environment(loader=DictLoader({"own": OWN}), autoescape=True))

    def show(request: Any, _: Any = None) -> Any:
        return templates.TemplateResponse(request, "own", headers=STRICT)

    def made(**knobs: Any) -> Application:
        app = application(**{"outcome": show, "failure": show, **knobs})
        app.connect.install(templates.env)
        app.app.add_route("/thanks", show)
        return app

    return made


@pytest.mark.parametrize("severed", [False, True], ids=["opener", "cut off"])
@pytest.mark.parametrize("decision", ["#approval-button", "#deny-button"])
def test_own_page_in_server_mode(with_own_page, garage, severed, decision):
    """The pop-up closes itself, and the page asks the server how it went; it is never told the code."""
    app = with_own_page(page_headers=SAME_ORIGIN if severed else None)
    page = garage(app)
    page.page.evaluate(
        """() => addEventListener("smartcar-opened", ({ detail }) => {
             window.channel = new BroadcastChannel(`smartcar-connect-${detail.attempt}`);
             window.overheard = [];
             channel.onmessage = ({ data }) => overheard.push(data);
           })"""
    )
    popup = page.open()
    with popup.expect_event("close"):
        connect_as(popup, decision=decision)
    if decision == "#approval-button":
        assert page.ended("granted")["data"] is None
        page.says("Connected.")
    else:
        assert page.ended("failed")["code"] == "access_denied"
    assert len(app.granted) + len(app.errors) == 1
    message = {"name": "smartcar-connect", "attempt": page.events[0]["detail"]["attempt"]}
    for road in ["overheard"] if severed else ["overheard", "messages"]:
        page.page.wait_for_function(f"{road}.length")
        assert page.page.evaluate(road) == [message]


def test_own_page_in_server_mode_of_another_origin(with_own_page, serve, page):
    """A page on an allowed port is told too, when only a message reaches it."""
    scripts = {}
    front = serve(static_page(f'<script src="/record.js"></script>{MODULE}<button>Go</button>', scripts))
    app = with_own_page(allowed_origins=[front.origin])
    scripts["front"] = f"""
        import {{ connect }} from "{app.origin}/smartcar/connect.js";
        document.querySelector("button").onclick = () => {{
          window.ended = connect({{ launch: "{app.origin}/smartcar/launch?make=TESLA" }});
        }};
    """
    page.goto(front.origin)
    with page.expect_popup() as popup:
        page.get_by_role("button").click()
    with popup.value.expect_event("close"):
        connect_as(popup.value)
    assert page.evaluate("ended")["outcome"] == "granted"


def test_own_page_after_a_redirect(with_own_page, garage):
    """The script can't know the attempt there: the person reads what to do, and going back to the page ends it."""
    app = with_own_page(outcome=lambda request, response: RedirectResponse("/thanks", 303))
    page = garage(app)
    popup = page.open()
    connect_as(popup)
    expect(popup.get_by_text(CLOSE)).to_be_visible()
    page.page.evaluate("dispatchEvent(new Event('focus'))")
    assert page.ended("granted")["data"] is None
    if not popup.is_closed():
        popup.wait_for_event("close")


@pytest.mark.parametrize("road", ["message", "channel"])
def test_message_without_an_outcome_makes_the_page_ask(application, garage, road):
    """At once, while the window is still open and nothing else has happened."""
    app = application(outcome=lambda request, response: HTMLResponse("<!doctype html><title>Own</title>"))
    page = garage(app)
    popup = page.open()
    attempt = page.events[0]["detail"]["attempt"]
    connect_as(popup)
    popup.wait_for_url("**/smartcar/callback?**")
    assert app.paths("/smartcar/status") == []
    popup.evaluate(
        """([road, attempt]) => {
             const message = { name: "smartcar-connect", attempt };
             if (road === "message") opener.postMessage(message, location.origin);
             else new BroadcastChannel(`smartcar-connect-${attempt}`).postMessage(message);
           }""",
        [road, attempt],
    )
    page.ended("granted")
    assert len(app.paths("/smartcar/status")) == 1


def test_message_of_another_attempt_asks_nothing(application, garage):
    """Its id must be this attempt's."""
    app = application(outcome=lambda request, response: HTMLResponse("<!doctype html><title>Own</title>"))
    page = garage(app)
    popup = page.open()
    connect_as(popup)
    popup.wait_for_url("**/smartcar/callback?**")
    for attempt in ("x" * 22, None):
        popup.evaluate(
            "attempt => opener.postMessage({ name: 'smartcar-connect', attempt }, location.origin)", attempt
        )
    page.page.wait_for_function("messages.length === 2")
    assert app.paths("/smartcar/status") == []
