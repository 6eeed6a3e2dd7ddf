"""The core's behaviour as plain asserts, for every Python: CPython, Pyodide, MicroPython. Prints "ok N" at the end."""

import sys

import smartcar_auth
from smartcar_auth import AuthorizationResponse, Smartcar, errors, hosted_redirect_uri
from smartcar_auth import state as state_module
from smartcar_auth.envelope import new_instance_id, write_envelope
from smartcar_auth.message import read_message

MICROPYTHON = sys.implementation.name == "micropython"
ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
checks = 0


def check(statement, what):
    global checks
    checks += 1
    if not statement:
        raise AssertionError(what)


def refused(function, *args, **kwargs):
    """The error that a call raises; it must be one of ours."""
    try:
        function(*args, **kwargs)
    except smartcar_auth.SmartcarAuthError as error:
        return error
    raise AssertionError("nothing was refused")


def configuration(part, function, *args, **kwargs):
    error = refused(function, *args, **kwargs)
    check(isinstance(error, smartcar_auth.ConfigurationError), repr(error))
    check(part in str(error), str(error))


# --- requests -----------------------------------------------------------------------------------------------------
app = Smartcar(
    application_id=ID, redirect_uri="https://example.com/cb?x=1&y=ä", scope=["read_vin", "required:read_fuel"]
)
check(
    app.get_auth_url(
        "s t~ä", force_prompt=True, make="TESLA", single_select_vin="A&b=c", flags=["country:DE"], user="u/1"
    )
    == "https://connect.smartcar.com/oauth/authorize?response_type=code&application_id="
    + ID
    + "&redirect_uri=https%3A%2F%2Fexample.com%2Fcb%3Fx%3D1%26y%3D%C3%A4&approval_prompt=force"
    + "&scope=read_vin%20required%3Aread_fuel&mode=live&single_select_vin=A%26b%3Dc&single_select=true"
    + "&state=s%20t~%C3%A4&make=TESLA&flags=country%3ADE&user=u%2F1",
    "the whole URL",
)
none = Smartcar(application_id=ID, response_type="none", mode="simulated", scope=[], external_id="me 1")
check(
    none.get_auth_url(single_select=False, app_origin="HTTP://LocalHost:80/")
    == "https://connect.smartcar.com/oauth/authorize?response_type=none&application_id="
    + ID
    + "&approval_prompt=auto&scope=&mode=simulated&single_select=false&external_id=me%201"
    + "&app_origin=http%3A%2F%2Flocalhost",
    "the redirect-less URL",
)
check(
    Smartcar(client_id=ID, test_mode=True, connect_origin="http://127.0.0.1:9/")
    .get_auth_url()
    .startswith(
        "http://127.0.0.1:9/oauth/authorize?response_type=code&application_id="
        + ID
        + "&approval_prompt=auto&mode=test"
    ),
    "older names",
)
check(Smartcar(application_id=ID, mode="simulated").replace(mode="live").mode == "live", "replace")
check(app.replace(external_id="x").get_auth_url().endswith("&external_id=x"), "replace external_id")
check(app == app.replace() and hash(app) == hash(app.replace()) and app != none, "equality")
check(repr(app) == "Smartcar(application_id='" + ID + "', mode='live')", "repr")
check(app.scope == ("read_vin", "required:read_fuel") and app.external_id is None, "attributes")
again = app.reauthentication_request(vehicle_id="v 1", state="s", user="u")
check(
    again.url
    == "https://connect.smartcar.com/oauth/reauthenticate?response_type=vehicle_id&client_id="
    + ID
    + "&vehicle_id=v%201&redirect_uri=https%3A%2F%2Fexample.com%2Fcb%3Fx%3D1%26y%3D%C3%A4&state=s&user=u",
    "re-authentication",
)
check(again.receive("vehicle_id=7&state=s").vehicle_id == "7", "re-authentication answered")
check(
    hosted_redirect_uri("http://localhost:8000/")
    == "https://javascript-sdk.smartcar.com/v2/redirect?app_origin=http://localhost:8000",
    "hosted page",
)
try:
    app.mode = "test"
    check(False, "Smartcar must be frozen")
except AttributeError:
    check(True, "")

# --- bad options --------------------------------------------------------------------------------------------------
configuration("Application ID", Smartcar)
configuration("client_", Smartcar, application_id="client_01ABC")
configuration("white space", Smartcar, application_id=" " + ID)
configuration("fragment", Smartcar, application_id=ID, redirect_uri="https://a.b/#c")
configuration("https", Smartcar, application_id=ID, redirect_uri="http://example.com/cb")
configuration("user info", Smartcar, application_id=ID, redirect_uri="https://me@a.b/")
configuration("white space", Smartcar, application_id=ID, redirect_uri="https://a.b/\u2003c")
configuration("mode", Smartcar, application_id=ID, mode="Live")
configuration("response_type", Smartcar, application_id=ID, response_type="token")
configuration("contradicts", Smartcar, application_id=ID, mode="simulated", test_mode=True)
configuration("contradicts", Smartcar, application_id=ID, mode="live", test_mode=True)
configuration("differ", Smartcar, application_id=ID, client_id="other")
configuration("scope", Smartcar, application_id=ID, scope=["read vin"])
configuration("single_select", app.get_auth_url, single_select=False, single_select_vin="V")
configuration("single_select", app.get_auth_url, single_select="yes")
configuration("flags", app.get_auth_url, flags=["color"])
configuration("str(user.id)", app.get_auth_url, user=7)
configuration("empty", app.get_auth_url, "")
configuration("app_origin", app.get_auth_url, app_origin="https://a.b")
configuration("surrogate", app.get_auth_url, chr(0xD800))
configuration("origin alone", hosted_redirect_uri, "https://a.b/c")
configuration("connect_origin", Smartcar, application_id=ID, connect_origin="http://example.com")
if MICROPYTHON:
    configuration("environment", Smartcar.from_environment)
try:
    Smartcar(application_id=ID, redirectUri="x")
    check(False, "unknown options must be refused")
except TypeError:
    check(True, "")

# --- states -------------------------------------------------------------------------------------------------------
states = [app.authorization_request().state for _ in range(50)]
check(len(set(states)) == 50 and all(len(one) == 43 for one in states), "random states")
alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
check(all(character in alphabet for one in states for character in one), "base64url")
check(state_module.states_equal("ä", "ä") and not state_module.states_equal("a", "ab"), "comparison")
check(not state_module.states_equal("abc", "abd") and not state_module.states_equal("", "a"), "comparison")
check(not state_module.states_equal(chr(0xDC00), chr(0xDC00)), "surrogates are no state")

# --- responses ----------------------------------------------------------------------------------------------------
kept = app.authorization_request("s+1 =ä")
check(kept.state == "s+1 =ä" and "s+1" not in repr(kept), "state kept")
query = "code=c-1&state=s%2B1+%3d%C3%A4&user_id=u&external_id="
query += "&virtual_key_url=https%3A%2F%2Ftesla.com%2F_ak&zz=%FF&zz=2"
for source in (
    query,
    "?" + query,
    "/cb?" + query + "#tail",
    "https://example.com/cb?" + query,
    "sc" + ID + "://exchange?" + query,
    query.encode(),
    {
        "code": "c-1",
        "state": ["s+1 =ä"],
        "user_id": "u",
        "virtual_key_url": "https://tesla.com/_ak",
        "error": None,
    },
    [("code", "c-1"), ("state", "s+1 =ä"), ("user_id", "u"), ("virtual_key_url", "https://tesla.com/_ak")],
):
    answer = kept.receive(source)
    check(answer.code == "c-1" and answer.state == "s+1 =ä" and answer.user_id == "u", repr(source))
    check(answer.external_id is None and answer.vehicle_id is None and answer.subject is None, "absent")
    check(answer.virtual_key_url == "https://tesla.com/_ak", "virtual key")
    check(
        "c-1" not in repr(answer) and "c-1" not in repr(answer.raw) and "c-1" not in str(answer.raw), "repr"
    )
    check(answer.raw["code"] == "c-1", "raw")
check(kept.receive(query).raw["zz"] == "\ufffd", "unknown parameters are kept, the first of each")
check(kept.receive("code=%41%4&state=s%2B1+%3d%C3%A4").code == "A%4", "a lone % stays")
for hostile in (
    "javascript:alert(1)",
    "http://tesla.com",
    "https:tesla.com",
    "https://a b/",
    "https://u@a/",
    "https://",
):
    check(
        none.read_response([("state", "s"), ("virtual_key_url", hostile)], state="s").virtual_key_url is None,
        hostile,
    )
check(none.read_response("state=s", state="s").code is None, "none requires nothing but the state")
try:
    AuthorizationResponse(code="x")
    check(False, "responses must not be made by hand")
except TypeError:
    check(True, "")

# --- every error --------------------------------------------------------------------------------------------------
for wire, kind, code in (
    ("access_denied", errors.AccessDenied, "access_denied"),
    ("vehicle_incompatible", errors.VehicleIncompatible, "vehicle_incompatible"),
    ("invalid_subscription", errors.InvalidSubscription, "invalid_subscription"),
    ("no_vehicles", errors.NoVehicles, "no_vehicles"),
    ("configuration_error", errors.ApplicationConfigurationError, "configuration_error"),
    ("server_error", errors.ServerError, "server_error"),
    ("oem_cancelled_login", errors.OemLoginCancelled, "oem_cancelled_login"),
    ("user_manually_returned_to_application", errors.UserExited, "user_exited"),
    ("user_cancelled", errors.UserExited, "user_exited"),
    ("user_exited", errors.UserExited, "user_exited"),
    ("battery_capacity_no_selection", errors.UnknownConnectError, "unknown_error"),
):
    error = refused(
        app.read_response, "state=s&vehicle_id=v&error=" + wire + "&error_description=So+it%20is", state="s"
    )
    check(type(error) is kind and isinstance(error, errors.ConnectError), wire)
    check(error.code == code and error.error == wire and error.description == "So it is", wire)
    check(error.response.vehicle_id == "v" and error.response.code is None, wire)
    check("So it is" not in str(error) and "So it is" not in repr(error) and str(error), wire)
error = refused(
    app.read_response, "state=s&error=vehicle_incompatible&vin=VIN1&make=KIA&model=&year=2019", state="s"
)
info = error.vehicle_info
check((info.vin, info.make, info.model, info.year) == ("VIN1", "KIA", None, 2019), "vehicle info")
check("VIN1" not in repr(info) and "VIN1" not in str(error), "the VIN is hidden")
check(
    refused(app.read_response, "state=s&error=vehicle_incompatible", state="s").vehicle_info is None,
    "no info",
)
error = refused(
    app.read_response, "state=s&error=configuration_error&status_code=400&error_message=no", state="s"
)
check(error.status_code == 400 and error.error_message == "no", "configuration_error")
check("<x>" not in str(refused(app.read_response, "state=s&error=%3Cx%3E", state="s")), "hostile error names")
for source, kind, code in (
    ("code=c", errors.StateMismatch, "state_mismatch"),
    ("code=c&state=", errors.StateMismatch, "state_mismatch"),
    ("code=c&state=x", errors.StateMismatch, "state_mismatch"),
    ("error=access_denied&state=x", errors.StateMismatch, "state_mismatch"),
    ("state=s", errors.MissingParameter, "missing_parameter"),
    ("state=s&code=", errors.MissingParameter, "missing_parameter"),
    ("state=s&code=c&code=c", errors.DuplicateParameter, "duplicate_parameter"),
    ("state=s&state=s&code=c", errors.DuplicateParameter, "duplicate_parameter"),
    ("state=s&code=c&error=access_denied", errors.AmbiguousResponse, "ambiguous_response"),
    ("state=s&code=%FF", errors.InvalidResponse, "invalid_response"),
    ("state=s&code=%ED%A0%80", errors.InvalidResponse, "invalid_response"),
    ("state=s&code=%C0%80", errors.InvalidResponse, "invalid_response"),
    (b"state=s&code=\xff", errors.InvalidResponse, "invalid_response"),
    ("state=s&code=" + chr(0xD800), errors.InvalidResponse, "invalid_response"),
    ({"state": 7}, errors.InvalidResponse, "invalid_response"),
    (["state"], errors.InvalidResponse, "invalid_response"),
    ("state=s&code=%F4%90%80%80", errors.InvalidResponse, "invalid_response"),
    ("state=s&code=%F0%80%80%AF", errors.InvalidResponse, "invalid_response"),
    (None, errors.InvalidResponse, "invalid_response"),
    (7, errors.InvalidResponse, "invalid_response"),
):
    error = refused(app.read_response, source, state="s")
    check(type(error) is kind and error.code == code, repr(source) + repr(error))
check(refused(app.read_response, "code=c", state="s").cause == "missing", "cause")
check(refused(app.read_response, "code=c&state=x", state="s").cause == "altered", "cause")
configuration("state", app.read_response, "code=c&state=s", state="")
configuration("state", app.read_response, "code=c&state=s", state=None)
for name in smartcar_auth.__all__:
    kind = getattr(smartcar_auth, name)
    if isinstance(kind, type) and issubclass(kind, smartcar_auth.SmartcarAuthError):
        error = kind()
        check(str(error) and isinstance(error.code, str) and error.description is None, name)
        check(str(kind("In other words.")) == "In other words.", name)
if not MICROPYTHON:
    check(
        issubclass(errors.ConfigurationError, ValueError) and issubclass(errors.ConnectTimeout, TimeoutError),
        "also",
    )

# --- messages -----------------------------------------------------------------------------------------------------
ORIGIN = "https://example.com"
told = '{"name": "SmartcarAuthMessage", "isSmartcarHosted": false, "code": "c-\\u00e4", "error": null, "state": "s"}'
for message in (
    told,
    {"name": "SmartcarAuthMessage", "code": "c-ä", "error": None, "state": "s", "year": None},
):
    found = read_message(message, origin=ORIGIN, trusted_origins=["HTTPS://Example.com:443/"])
    check(found == {"code": "c-ä", "state": "s"}, repr(found))
    check("c-" not in repr(found) and "c-" not in str(found), "the values are hidden")
    check(app.read_response(found, state="s").code == "c-ä", "received like a query")
    for origin in ("https://example.co", ORIGIN + ".evil", ORIGIN + "/", "null", "", None):
        error = refused(read_message, message, origin=origin, trusted_origins=[ORIGIN])
        check(type(error) is errors.UntrustedOrigin and error.code == "untrusted_origin", repr(origin))
for message in (
    None,
    7,
    "",
    "x",
    "SmartcarAuthMessage",
    "[" * 5000 + "SmartcarAuthMessage",
    [],
    {},
    {"name": 7},
):
    check(read_message(message, origin="null", trusted_origins=[ORIGIN]) is None, "not ours")
for value in (7, True, [], {"a": 1}, chr(0xD800)):
    message = {"name": "SmartcarAuthMessage", "state": value}
    error = refused(read_message, message, origin=ORIGIN, trusted_origins=[ORIGIN])
    check(error.code == "invalid_response", repr(error))
found = read_message(
    {"name": "SmartcarAuthMessage", "year": 2019, "statusCode": 400}, origin=ORIGIN, trusted_origins=[ORIGIN]
)
check(found == {"year": "2019", "status_code": "400"}, "numbers")
configuration("list", read_message, told, origin=ORIGIN, trusted_origins=ORIGIN)

# --- envelopes ----------------------------------------------------------------------------------------------------
for text in (
    None,
    "a",
    "\u00e4\U0001f697\u2028\u81ea\u52d5\u8eca",
    chr(0),
    "~?>" * 30,
    '"' + chr(92) + chr(127),
    chr(0x10FFFF),
):
    sealed = write_envelope(new_instance_id(), text)
    check(smartcar_auth.read_envelope(sealed) == text, repr(text))
    check(all(character in alphabet[:62] for character in sealed), "letters and digits")
check(
    write_envelope("i", "a") == "eyJpbnN0YW5jZUlkIjoiaSIsIm9yaWdpbmFsU3RhdGUiOiJhIn0g",
    "the very same everywhere",
)
check(len(new_instance_id()) == 22 and new_instance_id() != new_instance_id(), "random ids")
# {"instanceId":"1","originalState":"\ud83d\ude00 e-acute as one byte"}, and the same cut in the middle of the pair
check(
    smartcar_auth.read_envelope("eyJpbnN0YW5jZUlkIjoiMSIsIm9yaWdpbmFsU3RhdGUiOiJcdWQ4M2RcdWRlMDDpIn0=")
    == "\U0001f600\u00e9",
    "escaped pairs and Latin-1",
)
for broken in (
    None,
    7,
    "",
    "a",
    "a b!",
    "e30",
    "W10",
    "eyJpbnN0YW5jZUlkIjo3fQ",
    "eyJpbnN0YW5jZUlkIjoiMSIsIm9yaWdpbmFsU3RhdGUiOiJcdWQ4M2QifQ==",
    "W1tb" * 4000,
    "A" * 20000,
):
    check(refused(smartcar_auth.read_envelope, broken).code == "invalid_response", repr(broken)[:60])
configuration("state", write_envelope, "i", "")
configuration("state", write_envelope, "i", chr(0xDC00))
configuration("too long", write_envelope, "i", "x" * 20000)

if MICROPYTHON:
    # Last, because it breaks the interpreter's surroundings: a page without crypto gets no weaker state instead.
    import js

    js.eval("Object.defineProperty(globalThis, 'crypto', {value: undefined, configurable: true})")
    configuration("random", app.authorization_request)

print("ok", checks)
