"""Every documented behaviour of `@smartcar/auth` 2.14.1, really run, and ours beside it in one page.

Where the two columns of a row differ, docs/migrating-from-javascript.md says why.
"""

import json
from base64 import b64decode
from urllib.parse import parse_qsl, urlsplit

import pytest

from page.lab import GRANTED
from page.test_endings import failure
from smartcar_auth import hosted_redirect_uri, read_envelope

pytestmark = pytest.mark.browser

ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
HOSTED = hosted_redirect_uri("http://localhost:8000")
YES = ""


@pytest.fixture
def both(lab):
    """The page with a Smartcar of either kind, for the site's redirect page."""
    lab.window.run(f"void original.make({json.dumps({'redirectUri': lab.site.redirect_uri})})")
    lab.noise.clear()
    yield lab
    lab.window.run("void original.reset()")


def thrown(lab, script):
    """What this throws, or ""."""
    return lab.window.run(
        f"(() => {{ try {{ {script}; return '' }} catch (error) {{ return error.message }} }})()"
    )


def raised(lab, code):
    """What Python raises, or ""."""
    return thrown(lab, f"python({json.dumps(code)})")


CONSTRUCTIONS = {
    # what: (its options, its refusal, our options, our refusal)
    "no id": ({}, "applicationId", {}, "application_id must be"),
    "application id": ({"applicationId": ID}, YES, {"application_id": ID}, YES),
    "older name": ({"clientId": ID}, YES, {"client_id": ID}, YES),
    "both names, one value": (
        {"applicationId": ID, "clientId": ID},
        YES,
        {"application_id": ID, "client_id": ID},
        YES,
    ),
    "both names, two values": (
        {"applicationId": ID, "clientId": "x"},
        YES,
        {"application_id": ID, "client_id": "x"},
        "differ",
    ),
    "id of API credentials": (
        {"applicationId": "client_01ABC"},
        YES,
        {"application_id": "client_01ABC"},
        'is a "client_..." id',
    ),
    "mode": (
        {"applicationId": ID, "mode": "simulated"},
        YES,
        {"application_id": ID, "mode": "simulated"},
        YES,
    ),
    "unknown mode": (
        {"applicationId": ID, "mode": "Live"},
        'The "mode" parameter MUST be one of',
        {"application_id": ID, "mode": "Live"},
        "mode must be one of",
    ),
    "test mode": (
        {"applicationId": ID, "testMode": True},
        YES,
        {"application_id": ID, "test_mode": True},
        YES,
    ),
    "test mode and mode": (
        {"applicationId": ID, "testMode": False, "mode": "simulated"},
        YES,
        {"application_id": ID, "test_mode": False, "mode": "simulated"},
        "contradicts",
    ),
    "response type": (
        {"applicationId": ID, "responseType": "none"},
        YES,
        {"application_id": ID, "response_type": "none"},
        YES,
    ),
    "unknown response type": (
        {"applicationId": ID, "responseType": "token"},
        'The "responseType" option must be one of',
        {"application_id": ID, "response_type": "token"},
        "response_type must be one of",
    ),
    "hosted page": (
        {"applicationId": ID, "redirectUri": HOSTED},
        YES,
        {"application_id": ID, "redirect_uri": HOSTED},
        YES,
    ),
    "hosted page without onComplete": (
        {"applicationId": ID, "redirectUri": HOSTED, "onComplete": None},
        "onComplete",
        {"application_id": ID, "redirect_uri": HOSTED},
        YES,  # open_dialog's result may be awaited instead; add_click_handler refuses
    ),
    "redirect URI with a fragment": (
        {"applicationId": ID, "redirectUri": "https://example.com/#x"},
        YES,
        {"application_id": ID, "redirect_uri": "https://example.com/#x"},
        "fragment",
    ),
    "redirect URI of a phone's application": (
        {"applicationId": ID, "redirectUri": f"sc{ID}://exchange"},
        YES,
        {"application_id": ID, "redirect_uri": f"sc{ID}://exchange"},
        "must be a web address",
    ),
    "option that doesn't exist": (
        {"applicationId": ID, "reditectUri": HOSTED},
        YES,
        {"application_id": ID, "reditect_uri": HOSTED},
        "TypeError",
    ),
}


@pytest.mark.parametrize("row", CONSTRUCTIONS.values(), ids=CONSTRUCTIONS.keys())
def test_constructor(both, row):
    """The same options are taken; ours refuses more of those that can't work, at once and in words."""
    theirs, their_refusal, ours, our_refusal = row
    said = both.window.run(f"original.refusal({json.dumps(theirs)})")
    assert their_refusal in said
    assert bool(said) == bool(their_refusal)
    said = raised(both, f"Smartcar(**{ours!r})")
    assert our_refusal in said
    assert bool(said) == bool(our_refusal)
    both.noise.clear()  # its warnings


def test_on_complete_is_never_counted(both):
    """Theirs refuses a function that names fewer than two arguments, such as `(...args) => {}`."""
    theirs = (
        f"new Smartcar({{ applicationId: 'x', redirectUri: {HOSTED!r}, onComplete: (...given) => given }})"
    )
    assert "at least 2 parameters" in thrown(both, theirs)
    both.run("everything = []\ndef complete(*given):\n    everything.append(len(given))")
    both.smartcar(on_complete="complete")
    both.grant(both.click("smartcar.open_dialog()"))
    assert both.until("everything") == [2]


URLS = [
    ({}, {}, {}),
    ({"scope": ["read_vin", "required:read_fuel"]}, {"scope": ["read_vin", "required:read_fuel"]}, {}),
    ({"mode": "simulated", "externalId": "me & you"}, {"mode": "simulated", "external_id": "me & you"}, {}),
    ({"externalId": None}, {"external_id": "null"}, {}),
    ({"responseType": "none", "redirectUri": None}, {"response_type": "none", "redirect_uri": None}, {}),
    (
        {},
        {},
        {
            "forcePrompt": True,
            "vehicleInfo": {"make": "TESLA"},
            "singleSelect": {"vin": "5YJSA1E14FF101307"},
            "flags": ["country:DE"],
            "user": "u-1",
            "state": "mine",
        },
    ),
]
LINK = {
    "forcePrompt": lambda value: {"force_prompt": value},
    "vehicleInfo": lambda value: {"make": value["make"]},
    "singleSelect": lambda value: {"single_select": True, "single_select_vin": value["vin"]},
    "flags": lambda value: {"flags": value},
    "user": lambda value: {"user": value},
    "state": lambda value: {"state": value},
}


def parameters(url):
    pairs = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True))
    envelope = json.loads(b64decode(pairs.pop("state")))
    return pairs, sorted(envelope), envelope.get("originalState")


@pytest.mark.parametrize(("theirs", "ours", "link"), URLS)
def test_address(both, theirs, ours, link):
    """getAuthUrl: the same parameters in the same values, the state in an envelope of the same shape."""
    both.window.run(f"void original.make({json.dumps({'redirectUri': both.site.redirect_uri, **theirs})})")
    both.smartcar(connect_origin=None, **ours)
    arguments = {key: value for name, given in link.items() for key, value in LINK[name](given).items()}
    url = both.value(f"smartcar.get_auth_url(**{arguments!r})")
    assert parameters(url) == parameters(both.window.run(f"original.smartcar.getAuthUrl({json.dumps(link)})"))
    assert url.startswith("https://connect.smartcar.com/oauth/authorize?")
    assert read_envelope(dict(parse_qsl(urlsplit(url).query))["state"]) == link.get("state")


WINDOWS = [
    None,
    {},
    {"width": "500", "height": "640"},
    {"width": 500, "height": 640.5, "top": 0, "left": -20},
    {"width": "50", "height": "99.9", "top": "5px", "left": "1e2"},
    {"width": "wide", "height": "", "top": None, "left": "NaN"},
]


def features(calls):
    ((_, _, text),) = calls
    pairs = [part.partition("=") for part in text.split(",") if "=" in part]
    return {name: int(float(value)) for name, _, value in pairs}


@pytest.mark.parametrize("options", WINDOWS, ids=str)
def test_window_options(both, options):
    """30 % x 75 % of the screen, at least 100, and what is no number is as if it weren't given."""
    theirs = both.window.run(
        f"opened(() => original.smartcar.openDialog({{ windowOptions: {json.dumps(options)} }}))"
    )
    call = json.dumps(f"smartcar.open_dialog(window_options={options!r})")
    assert features(both.window.run(f"opened(() => python({call}))")) == features(theirs)
    assert [one["code"] for one in both.told()] == ["popup_blocked"]


def test_window_has_its_size(open_lab):
    """As a person sees it; in a page of its own, for Playwright gives a window the size of one blocked before."""
    lab = open_lab("micropython")
    lab.smartcar()
    popup = lab.click("smartcar.open_dialog(window_options={'width': 500, 'height': 640})")
    assert popup.run("[innerWidth, innerHeight]") == [500, 640]
    lab.reset()


def test_unknown_window_option_is_refused(lab):
    """Theirs opens a window of another size than was meant."""
    said = raised(lab, "smartcar.open_dialog(window_options={'hight': 500})")
    assert "window_options knows width, height, top and left, not 'hight'" in said


def test_window_is_named_for_nobody_else(both):
    """Theirs has one name for all, so that a second click loads the first window anew."""
    theirs = both.window.run("opened(() => original.smartcar.openDialog())")
    ours = both.window.run("opened(() => python('smartcar.open_dialog()'))")
    assert [theirs[0][1], ours[0][1]] == ["Connect your car", ""]
    both.told()


def result(**fields):
    """A response as ours tells it, and as theirs does."""
    theirs = {
        "code": fields.get("code"),
        "state": None,
        "virtualKeyUrl": fields.get("virtual_key_url"),
        "userId": fields.get("user_id"),
        "externalId": fields.get("external_id"),
    }
    return theirs, {**GRANTED, "code": None, **fields}


def refused(kind, wire, theirs=None, info=None):
    their_info = None if info is None else {"vin": info["vin"], "make": info["make"], "year": info["year"]}
    code = (
        "user_exited" if kind == "UserExited" else "unknown_error" if kind == "UnknownConnectError" else wire
    )
    ours = failure(kind, code, error=wire, description="So it is", vehicle_info=info)
    return {"kind": theirs or "Error", "vehicleInfo": their_info}, ours


KEY = "https://www.tesla.com/_ak/smartcar.com"
TESLA = {"vin": "5YJSA1E14FF101307", "make": "TESLA", "model": None, "year": 2015}
NOTHING = None
MESSAGES = {
    # what: (the message, what theirs is told, what ours is told)
    "code": ({"code": "c-1"}, *result(code="c-1")),
    "everything": (
        {
            "code": "c-1",
            "userId": "u",
            "virtualKeyUrl": KEY,
            "externalId": "e",
        },
        *result(code="c-1", user_id="u", virtual_key_url=KEY, external_id="e"),
    ),
    "key address that runs script": (
        {"code": "c-1", "virtualKeyUrl": "javascript:alert(1)"},
        {**result(code="c-1")[0], "virtualKeyUrl": "javascript:alert(1)"},
        result(code="c-1")[1],
    ),
    **{
        wire: ({"error": wire, "errorDescription": "So it is"}, *refused(kind, wire, theirs))
        for wire, kind, theirs in [
            ("access_denied", "AccessDenied", "AccessDenied"),
            ("invalid_subscription", "InvalidSubscription", "InvalidSubscription"),
            ("vehicle_incompatible", "VehicleIncompatible", "VehicleIncompatible"),
            ("no_vehicles", "NoVehicles", None),
            ("configuration_error", "ApplicationConfigurationError", None),
            ("server_error", "ServerError", None),
            ("oem_cancelled_login", "OemLoginCancelled", None),
            ("user_manually_returned_to_application", "UserExited", None),
            ("user_cancelled", "UserExited", None),
            ("something_new", "UnknownConnectError", None),
        ]
    },
    "incompatible vehicle": (
        {
            "error": "vehicle_incompatible",
            "errorDescription": "So it is",
            "vin": TESLA["vin"],
            "make": "TESLA",
            "year": "2015",
        },
        *refused("VehicleIncompatible", "vehicle_incompatible", "VehicleIncompatible", TESLA),
    ),
    "incompatible vehicle of an unknown year": (
        {
            "error": "vehicle_incompatible",
            "errorDescription": "So it is",
            "vin": TESLA["vin"],
            "make": "TESLA",
            "year": None,
        },
        {"kind": "VehicleIncompatible", "vehicleInfo": {"vin": TESLA["vin"], "make": "TESLA", "year": 0}},
        refused("VehicleIncompatible", "vehicle_incompatible", None, {**TESLA, "year": None})[1],
    ),
    "code and error": (
        {"code": "c-1", "error": "access_denied"},
        {"kind": "AccessDenied", "vehicleInfo": None},
        failure("AmbiguousResponse", "ambiguous_response"),
    ),
    "neither code nor error": ({}, result()[0], failure("MissingParameter", "missing_parameter")),
    "empty code": ({"code": ""}, result(code="")[0], failure("MissingParameter", "missing_parameter")),
    "another name": ({"name": "SomethingElse", "code": "c-1"}, NOTHING, NOTHING),
    "no state": ({"code": "c-1", "state": None}, NOTHING, NOTHING),
    "no envelope": ({"code": "c-1", "state": "0facda3319"}, NOTHING, NOTHING),
    "another's envelope": ({"code": "c-1", "state": "eyJpbnN0YW5jZUlkIjoiMSJ9"}, NOTHING, NOTHING),
}


def deliver(lab, message, origin=None):
    """To ours, then to theirs, each with the state of its own attempt."""
    states = [lab.state, lab.window.run("original.state({})")]
    for state in states:
        data = {"name": "SmartcarAuthMessage", "isSmartcarHosted": False, "state": state, **message}
        lab.window.run(f"void deliver({json.dumps(data)}, {json.dumps(origin or lab.site.origin)})")


@pytest.mark.parametrize("row", MESSAGES.values(), ids=MESSAGES.keys())
def test_message(both, row):
    """What the redirect page posts, and what becomes of it."""
    message, theirs, ours = row
    both.click("smartcar.open_dialog()")
    deliver(both, message)
    assert both.window.run("original.told") == ([] if theirs is NOTHING else [theirs])
    assert both.value("told") == ([] if ours is NOTHING else [ours])


ORIGINS = {
    # what: (the origin, whether theirs hears it, whether ours does)
    "the redirect URI's": (lambda origin: origin, True, True),
    "the beginning of it": (lambda origin: origin[:-1], True, False),
    "only its scheme": (lambda origin: "http://", True, False),
    "another": (lambda origin: "https://example.com", False, False),
    "the hosted page": (lambda origin: "https://javascript-sdk.smartcar.com", False, False),
    "none": (lambda origin: "", True, False),
}


@pytest.mark.parametrize("row", ORIGINS.values(), ids=ORIGINS.keys())
def test_origin(both, row):
    """Theirs takes any beginning of the redirect URI for its origin."""
    origin, theirs, ours = row
    both.click("smartcar.open_dialog()")
    data = {"code": "c-1"}
    states = [both.state, both.window.run("original.state({})")]
    for state in states:
        message = {"name": "SmartcarAuthMessage", "state": state, **data}
        both.window.run(f"void deliver({json.dumps(message)}, {json.dumps(origin(both.site.origin))})")
    assert both.window.run("original.told.length") == int(theirs)
    assert len(both.value("told")) == int(ours)


def test_without_a_redirect_uri(both):
    """Theirs hears everybody then, ours Connect's origin, which is where such an answer comes from."""
    both.window.run('void original.make({ responseType: "none" })')
    both.smartcar(redirect_uri=None, response_type="none")
    both.click("smartcar.open_dialog()")
    deliver(both, {"userId": "u"}, "https://example.com")
    assert [both.window.run("original.told.length"), len(both.value("told"))] == [1, 0]
    deliver(both, {"userId": "u"}, both.connect.server.origin)
    assert [both.window.run("original.told.length"), len(both.value("told"))] == [2, 1]


def test_second_delivery(both):
    """Theirs completes as often as it hears an answer."""
    both.click("smartcar.open_dialog()")
    deliver(both, {"code": "c-1"})
    deliver(both, {"code": "c-1"})
    assert [both.window.run("original.told.length"), len(both.value("told"))] == [2, 1]


@pytest.mark.parametrize(
    "state", ["0facda3319", "~~~", ">>>", "?a=b&c#", "é", "🚗", "自動車", "a\u2028b", "nul \0"]
)
def test_state(both, state):
    """Theirs throws outside Latin-1, and is lost where a server reads + as a space."""
    both.click(f"smartcar.open_dialog(state={state!r})")
    sent = both.state.replace("+", " ")
    both.window.run(f"void deliver({json.dumps(both.message(state=sent))}, location.origin)")
    assert both.told()[0]["state"] == state
    text = json.dumps(state)
    theirs = both.window.run(
        f"(() => {{ try {{ return original.state({{ state: {text} }}) }} catch {{ return null }} }})()"
    )
    assert (theirs is None) == any(ord(character) > 255 for character in state)
    if theirs is not None:
        data = {"name": "SmartcarAuthMessage", "code": "c-1", "state": theirs.replace("+", " ")}
        both.window.run(f"void deliver({json.dumps(data)}, location.origin)")
        heard = both.window.run("original.told.map((one) => one.state)")
        assert heard == ([] if " " in data["state"] else [state])


@pytest.mark.parametrize(
    ("theirs", "their_refusal", "ours", "our_refusal"),
    [
        ("{}", "id or selector must be provided", "", "id=None, selector=None: no element"),
        (
            "{ id: 'nowhere' }",
            "'nowhere' was not found",
            "id='nowhere'",
            "id='nowhere', selector=None: no element",
        ),
        (
            "{ selector: '.nowhere' }",
            "'.nowhere' was not found",
            "selector='.nowhere'",
            "selector='.nowhere': no element",
        ),
        ("{ id: '#connect' }", "'#connect' was not found", "id='#connect'", YES),
        ("{ id: 'connect' }", YES, "id='connect'", YES),
        ("{ selector: '.connect, #link' }", YES, "selector='.connect, #link'", YES),
        ("{ id: 'connect', mkae: 'TESLA' }", YES, "id='connect', mkae='TESLA'", "TypeError"),
        ("{ id: 'connect', flags: ['country'] }", YES, "id='connect', flags=['country']", "flags"),
        ("{ id: 'connect', user: 7 }", YES, "id='connect', user=7", "user must be text"),
    ],
)
def test_click_handler(both, theirs, their_refusal, ours, our_refusal):
    """Which elements, and what it says where there are none; bad options of the link are told here too."""
    said = thrown(both, f"original.smartcar.addClickHandler({theirs})")
    assert their_refusal in said
    assert bool(said) == bool(their_refusal)
    said = raised(both, f"smartcar.add_click_handler({ours})")
    assert our_refusal in said
    assert bool(said) == bool(our_refusal)


def test_click_handler_without_on_complete(lab):
    """With the hosted page nobody else is told; theirs refuses in the constructor."""
    lab.run(f"smartcar = Smartcar(application_id='x', redirect_uri={HOSTED!r})")
    assert "on_complete must be given" in raised(lab, "smartcar.add_click_handler(id='connect')")


@pytest.mark.parametrize("element", ["#connect", "#in-form", "#in-link", "#link"])
def test_click_opens_and_stays_on_the_page(lab, element):
    """Each element of a selector; in forms and links nothing else happens, where theirs leaves the page."""
    lab.run("smartcar.add_click_handler(selector='.connect, #link', make='TESLA', state='mine')")
    popup = lab.opened(element)
    assert lab.connect.asked[-1]["make"] == "TESLA"
    lab.grant(popup)
    assert lab.told() == [{**GRANTED, "state": "mine"}]
    assert lab.window.run("location.pathname") == f"/{lab.python}"


@pytest.mark.parametrize("style", ["js.window", "js"])
def test_page_s_own_calls_and_ours_change_nothing_for_each_other(lab, style):
    """MicroPython keeps one object for a function of the window, bound or not as whoever asked for it last."""
    names = ["open", "setInterval", "clearInterval", "parseFloat"]
    lab.run(f"kept = [getattr({style}, name) for name in {names!r}]")
    lab.run("kept += [js.document.body.addEventListener, js.document.body.removeEventListener]")
    lab.run("smartcar.add_click_handler(id='connect', window_options={'width': 500})")
    lab.grant(lab.opened("#connect"))
    assert lab.told() == [GRANTED]
    assert lab.value(f"{style}.parseFloat('3')") == 3
    lab.run("kept = None")


def test_last_click_handler_of_an_element_counts(both):
    """Theirs opens a window for each."""
    both.run("smartcar.add_click_handler(selector='.connect', make='KIA')")
    both.run("smartcar.add_click_handler(id='connect', make='BMW')")
    for which in ("{ selector: 'h1' }", "{ id: 'title' }"):
        both.window.run(f"void original.smartcar.addClickHandler({which})")
    assert len(both.window.run("opened(() => document.getElementById('title').click())")) == 2
    ours = both.window.run("opened(() => document.getElementById('connect').click())")
    assert len(ours) == 1
    assert "make=BMW" in ours[0][0]
    others = both.window.run("opened(() => document.getElementById('in-form').click())")
    assert "make=KIA" in others[0][0]


def test_unmount(both):
    """Removes click handlers and listeners, both; of ours a second time does nothing."""
    both.run("smartcar.add_click_handler(id='connect')\nsmartcar.unmount()\nsmartcar.unmount()")
    assert both.window.run("opened(() => document.getElementById('connect').click())") == []
    both.window.run(
        "void (original.smartcar.addClickHandler({ id: 'connect' }), original.smartcar.unmount())"
    )
    assert both.window.run("opened(() => document.getElementById('connect').click())") == []


def test_unmounted_is_mounted_again(lab):
    """A component that comes back adds its handler again."""
    lab.run("smartcar.unmount()\nsmartcar.add_click_handler(id='connect')")
    lab.grant(lab.opened("#connect"))
    assert lab.told() == [GRANTED]
