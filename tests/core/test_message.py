"""The pop-up's message: read leniently, its origin strictly, and no other message disturbed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import (
    AccessDenied,
    ConfigurationError,
    InvalidResponse,
    Smartcar,
    SmartcarAuthError,
    UntrustedOrigin,
    VehicleIncompatible,
)
from smartcar_auth.message import FIELDS, NAME, read_message
from smartcar_auth.response import KNOWN

ORIGIN = "https://app.example.com"
SMARTCAR = Smartcar(application_id="8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")

# What the original's redirect page posts after a grant, field for field.
GRANTED = {
    "name": "SmartcarAuthMessage",
    "isSmartcarHosted": False,
    "code": "the-code",
    "error": None,
    "errorDescription": None,
    "state": "the-state",
    "vin": None,
    "make": None,
    "model": None,
    "year": None,
    "virtualKeyUrl": None,
    "userId": "the-user",
}


def read(message, *, origin=ORIGIN, trusted=(ORIGIN,)):
    """The parameters, from the page's own origin unless told otherwise."""
    return read_message(message, origin=origin, trusted_origins=trusted)


@pytest.mark.parametrize("form", [dict, json.dumps], ids=["dict", "text"])
def test_message_becomes_parameters(form):
    """Null is absent, names are the wire's, and the sender's word about its host is left behind."""
    found = read(form(GRANTED))
    assert found == {"code": "the-code", "state": "the-state", "user_id": "the-user"}


def test_every_field_has_its_parameter():
    """All that a redirect page can say arrives under the parameter's name; nothing we know is missing."""
    message = {"name": NAME} | {field: f"<{field}>" for field, _ in FIELDS}
    assert read(message) == {parameter: f"<{field}>" for field, parameter in FIELDS}
    assert {parameter for _, parameter in FIELDS} == set(KNOWN)


def test_parameters_are_received_like_a_query():
    """What is read goes straight to the reader, which checks the state."""
    request = SMARTCAR.authorization_request("the-state")
    assert request.receive(read(GRANTED)).code == "the-code"
    with pytest.raises(AccessDenied) as caught:
        request.receive(read(GRANTED | {"code": None, "error": "access_denied", "errorDescription": "No."}))
    assert caught.value.description == "No."
    with pytest.raises(SmartcarAuthError) as mismatch:
        request.receive(read(GRANTED | {"state": "another"}))
    assert mismatch.value.code == "state_mismatch"


@pytest.mark.parametrize("year", ["2019", 2019])
def test_number_of_an_undocumented_sender_is_read(year):
    """Connect's own message may carry the year as a number."""
    found = read(GRANTED | {"code": None, "error": "vehicle_incompatible", "vin": "VIN", "year": year})
    with pytest.raises(VehicleIncompatible) as caught:
        SMARTCAR.read_response(found, state="the-state")
    assert caught.value.vehicle_info.year == 2019


@pytest.mark.parametrize(
    "message",
    [
        None,
        True,
        7,
        "",
        "SmartcarAuthMessage",
        '"SmartcarAuthMessage"',
        '{"name": "SmartcarAuthMessage"',
        "[" * 100_000 + "SmartcarAuthMessage",
        '{"type": "webpackOk"}',
        [],
        ["name", NAME],
        {},
        {"name": None},
        {"name": [NAME]},
        {"name": "smartcarauthmessage"},
        {"NAME": NAME, "code": "x"},
        {"name": "smartcar-connect", "attempt": "A" * 22, "outcome": "granted"},
    ],
    ids=lambda message: repr(message)[:40],
)
@pytest.mark.parametrize("origin", [ORIGIN, "https://elsewhere.example", None])
def test_other_messages_are_none_of_ours(message, origin):
    """Pages are full of messages: whatever has another name is quietly none, wherever it came from."""
    assert read(message, origin=origin) is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.co",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "http://app.example.com",
        "https://",
        "https",
        "null",
        "",
        None,
        ["https://app.example.com"],
    ],
)
def test_origin_is_compared_whole(origin):
    """Neither a prefix nor an extension of a trusted origin is trusted; the original's test took prefixes."""
    with pytest.raises(UntrustedOrigin):
        read(GRANTED, origin=origin)


def test_origin_is_trusted_if_it_is_one_of_several():
    """Our page, the hosted page, Connect: in the form in which developers write them."""
    trusted = ["https://javascript-sdk.smartcar.com", "HTTPS://App.Example.com:443/"]
    assert read(GRANTED, trusted=trusted)["code"] == "the-code"
    with pytest.raises(UntrustedOrigin):
        read(GRANTED, trusted=[])


@pytest.mark.parametrize("trusted", [ORIGIN, ["*"], ["https://app.example.com/redirect"], [None]])
def test_trusted_origin_that_is_none_is_the_callers_mistake(trusted):
    """A wildcard, a whole address, or one text where a list belongs."""
    with pytest.raises(ConfigurationError):
        read(GRANTED, trusted=trusted)


@pytest.mark.parametrize(
    "broken",
    [
        {"code": 7},
        {"state": {"toString": "x"}},
        {"error": ["access_denied"]},
        {"errorDescription": True},
        {"userId": 7},
        {"year": -1},
        {"year": 2019.5},
        {"year": True},
        {"statusCode": 10**5000},
        {"code": "\ud800"},
        {"state": "\udfff"},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_broken_message_of_ours_is_invalid(broken):
    """The right name with what is no text ends in our error, which repeats nothing of it."""
    with pytest.raises(InvalidResponse) as caught:
        read(GRANTED | broken)
    assert caught.value.code == "invalid_response"
    assert "the-code" not in str(caught.value)


def test_parameters_hide_their_values():
    """What a log might write of them are names."""
    assert "the-code" not in repr(read(GRANTED))
    assert "the-code" not in str(read(GRANTED))


def test_unknown_fields_stay_outside():
    """Nothing but the known fields comes through, however they are called."""
    extra = {"__proto__": {"code": "x"}, "constructor": "x", "user_id": "x", "__class__": "x", 7: "x"}
    assert read(GRANTED | extra) == read(GRANTED)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
fields = st.sampled_from(["name", *(field for field, _ in FIELDS), "__proto__"])


@given(
    st.dictionaries(fields, json_values | st.just(NAME)),
    st.booleans(),
    st.text() | st.just(ORIGIN),
    st.booleans(),
)
def test_any_message_is_read_or_refused_as_ours(content, named, origin, as_text):
    """Whatever a window posts, the reader answers with text, with None, or with an error of ours."""
    message = content | {"name": NAME} if named else content
    try:
        found = read(json.dumps(message) if as_text else message, origin=origin)
    except (InvalidResponse, UntrustedOrigin):
        assert message.get("name") == NAME
    else:
        assert (found is None) == (message.get("name") != NAME)
        assert all(isinstance(value, str) for value in (found or {}).values())


@given(st.text())
def test_any_text_is_read_or_refused_as_ours(text):
    """Text that holds the name and is no message is none."""
    assert read(NAME + text) is None
    assert read(text) is None


@given(st.dictionaries(st.sampled_from([field for field, _ in FIELDS]), st.text()), st.booleans())
def test_what_is_read_is_what_was_written(content, as_text):
    """Every field of text arrives under its parameter's name, unchanged, and nothing else does."""
    message = {"name": NAME, **content}
    found = read(json.dumps(message) if as_text else message)
    assert found == {dict(FIELDS)[field]: value for field, value in content.items()}
