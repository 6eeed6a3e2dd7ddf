"""Reading the authorize URL: what is refused on a page, what is shown with an Exit, what is read leniently."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth.sandbox.request import ConnectRequest, Refused, read_request
from smartcar_auth.sandbox.settings import Settings

from .conftest import APPLICATION_ID, REDIRECT_URI, Person, received

GOOD = {"response_type": "code", "application_id": APPLICATION_ID, "redirect_uri": REDIRECT_URI}


def read(settings: Settings | None = None, **parameters: str) -> ConnectRequest:
    """Read a query that is good but for the given parameters."""
    return read_request(urlencode(GOOD | parameters).encode(), settings or Settings())


@pytest.mark.parametrize("name", ["client_id", "application_id"])
def test_application_id_under_both_names(name: str) -> None:
    """The application may name itself by the new and by the old parameter."""
    query = urlencode({"response_type": "code", name: "abc", "redirect_uri": REDIRECT_URI})
    assert read_request(query.encode(), Settings()).application_id == "abc"


def test_application_id_beats_client_id() -> None:
    """Of two different ids the newer parameter counts."""
    assert read(client_id="old", application_id="new").application_id == "new"


def test_m2m_id_refused(person: Person) -> None:
    """An M2M id gets Connect's observed 400 and a hint, and no way out of the page."""
    page = person.opens(application_id=None, client_id="client_01ABC")
    assert page.status_code == 400
    assert "400: Invalid parameter client_id: client_01ABC." in page.text
    assert "Application ID from the dashboard" in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize("application_id", ["", "unknown"])
def test_application_unknown(application_id: str) -> None:
    """With a list of applications, another one is refused."""
    with pytest.raises(Refused, match="Invalid parameter application_id"):
        read(Settings(applications={APPLICATION_ID: "s"}), application_id=application_id or "other")


def test_application_missing() -> None:
    """Without any application id the page asks for one."""
    with pytest.raises(Refused, match=r"Invalid parameter client_id: \."):
        read_request(b"response_type=code", Settings())


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://example.com",
        "https://example.com:8443/a/b?c=d&e",
        "http://localhost:8000/callback",
        "http://127.0.0.1/x",
        "http://[::1]:9/x",
        "https://javascript-sdk.smartcar.com/v2/redirect?app_origin=http://localhost:8000",
        f"sc{APPLICATION_ID}://localhost",
    ],
)
def test_redirect_uri_accepted(redirect_uri: str) -> None:
    """Every form that the dashboard registers is accepted."""
    assert read(redirect_uri=redirect_uri).redirect_uri == redirect_uri


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://example.com/cb",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "https://",
        "https:/example.com",
        "https:example.com",
        "//example.com",
        "/callback",
        "javascript:alert(1)",
        "javascript://localhost/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "scother://localhost",
        "https://example.com/#fragment",
        "https://example.com/a b",
        "https://example.com\\@evil.example",
        "https://example.com/\r\nset-cookie: a=b",
        "https://exämple.com/",
        "https://example.com:99999/",
        "https://[::1",
    ],
)
def test_redirect_uri_refused(person: Person, redirect_uri: str) -> None:
    """Anything else gets the observed 400 and is never redirected to."""
    page = person.opens(redirect_uri=redirect_uri)
    assert page.status_code == 400
    assert "400: Unauthorized redirect_uri" in page.text
    assert "location" not in page.headers


@pytest.mark.parametrize("change", ["/", "?", "#", " ", "%20", "\u200b"])
def test_registered_redirect_uri_byte_for_byte(change: str) -> None:
    """A registered redirect URI matches whole, and only whole."""
    settings = Settings(redirect_uris=(REDIRECT_URI,))
    assert read(settings).redirect_uri == REDIRECT_URI
    with pytest.raises(Refused, match="Unauthorized"):
        read(settings, redirect_uri=REDIRECT_URI + change)


def test_registered_redirect_uri_needs_no_other_rule() -> None:
    """What was registered by hand isn't questioned again."""
    odd = "http://intranet/cb"
    assert read(Settings(redirect_uris=(odd,)), redirect_uri=odd).redirect_uri == odd


def test_redirect_uri_left_out() -> None:
    """The first registered one is the default; without one only response_type=none may leave it out."""
    query = f"response_type=code&application_id={APPLICATION_ID}".encode()
    assert read_request(query, Settings(redirect_uris=(REDIRECT_URI, "x"))).redirect_uri == REDIRECT_URI
    assert read_request(query.replace(b"code", b"none"), Settings()).redirect_uri is None
    with pytest.raises(Refused):
        read_request(query, Settings())


def test_parameters_after_existing_ones(person: Person) -> None:
    """The answer's parameters come after those of the redirect URI, which stays as it is."""
    hosted = "https://javascript-sdk.smartcar.com/v2/redirect?app_origin=http://localhost:8000"
    page = person.reaches("grant", redirect_uri=hosted)
    location = person.approves(page).headers["location"]
    assert location.startswith(f"{hosted}&code=")


def test_empty_parameters_as_if_left_out() -> None:
    """Parameters without a value count as omitted."""
    request = read(state="", scope="", make="", external_id="")
    assert (request.state, request.make, request.external_id) == (None, "", None)
    assert [permission.name for permission in request.required] == ["read_vehicle_info"]


def test_repeated_parameter_first_counts() -> None:
    """Of a repeated parameter the first one counts, with a remark for the developer."""
    request = read_request(urlencode([*GOOD.items(), ("state", "a"), ("state", "b")]).encode(), Settings())
    assert request.state == "a"
    assert any("state was sent more than once" in remark for remark in request.remarks)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"response_type": "token"}, "Invalid parameter response_type: token."),
        ({"mode": "dream"}, "Invalid parameter mode: dream."),
        ({"approval_prompt": "never"}, "Invalid parameter approval_prompt: never."),
        ({"single_select": "yes"}, "Invalid parameter single_select: yes."),
        ({"flags": "country"}, "Invalid parameter flags: country."),
        (
            {"mode": "test", "single_select": "true", "single_select_vin": "0SCNOBRAND1234567"},
            "invalid test mode VIN",
        ),
        (
            {"single_select": "true", "single_select_vin": "short"},
            "Invalid parameter single_select_vin: short.",
        ),
        ({"single_select": "true", "single_select_vin": "0SCAUDI037A5ADB1C"}, "test mode VIN in live mode"),
    ],
)
def test_problem_shown_with_an_exit(person: Person, parameters: dict[str, str], message: str) -> None:
    """A mistake noticed after the redirect URI is shown, and Exit reports it as configuration_error."""
    page = person.opens(**parameters).text
    assert message in page
    assert "What to fix" in page
    answer = received(person.submits())
    assert answer["error"] == "configuration_error"
    assert message in answer["error_message"]


@pytest.mark.parametrize("external_id", ["a", "user.1_2-3", "x" * 100])
def test_external_id_echoed(person: Person, external_id: str) -> None:
    """A valid external id comes back, on success and on error."""
    assert person.connects(external_id=external_id)["external_id"] == external_id
    person.reaches("grant", external_id=external_id, approval_prompt="force")
    assert received(person.submits(decision="deny"))["external_id"] == external_id


@pytest.mark.parametrize("external_id", ["a b", "ä", "x" * 101, "a\n"])
def test_external_id_not_echoed(external_id: str) -> None:
    """An invalid one is dropped."""
    assert read(external_id=external_id).external_id is None


def test_external_id_null_clears(person: Person) -> None:
    """null takes back what Smartcar stored, and doesn't come back."""
    assert "external_id" not in person.connects(external_id="null")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("scopes", "Did you mean scope?"), ("code_challenge", "Connect has no such parameter.")],
)
def test_unknown_parameter_refused(make_person, name: str, hint: str) -> None:
    """A parameter that Connect doesn't have is refused with a hint, unless the sandbox is told to be lenient."""
    page = make_person().opens(**{name: "x"})
    assert page.status_code == 400
    assert f"400: Invalid parameter {name}." in page.text
    assert hint in page.text
    assert make_person(strict=False).opens(**{name: "x"}).status_code == 200


@pytest.mark.parametrize("name", ["sdk_platform", "sdk_version", "user", "app_origin"])
def test_every_sdk_parameter_known(person: Person, name: str) -> None:
    """What Smartcar's own SDKs send is no mistake."""
    assert person.opens(**{name: "x"}).status_code == 200


def test_remarks_on_what_smartcar_does_not_do(person: Person) -> None:
    """What works here and not at Smartcar is said in the controls."""
    page = person.opens(mode="test", make="ford").text
    assert "mode=test is deprecated" in page
    assert "FORD can&#39;t be connected from a web page" in page


@given(st.binary(max_size=300))
def test_any_query_read_or_refused(query: bytes) -> None:
    """Whatever the query, it is read or refused, and nothing else happens."""
    try:
        request = read_request(query, Settings())
    except Refused:
        return
    assert request.application_id
