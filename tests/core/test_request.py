"""The authorization request and the rules of single parameters."""

import copy
import pickle
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import ConfigurationError, Smartcar, StateMismatch
from smartcar_auth.request import check_flags, check_scope

ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"


def request(state="kept-state"):
    """An ordinary request."""
    return Smartcar(application_id=ID).authorization_request(state)


def test_request_repr_hides_state_and_address():
    """Neither can leak into a log."""
    assert "kept-state" not in repr(request()) + str(request())
    assert "connect.smartcar" not in repr(request())


def test_request_is_frozen():
    """A request cannot be made to accept another state."""
    with pytest.raises(AttributeError):
        request().state = "other"


def test_request_copies_and_pickles():
    """A copy reads the same answer: web frameworks may keep it in a session."""
    for twin in (copy.deepcopy(request()), pickle.loads(pickle.dumps(request()))):
        assert twin.url == request().url
        assert twin.receive("code=c&state=kept-state").code == "c"


def test_request_receives_only_its_own_answer():
    """The state of another request is a mismatch."""
    with pytest.raises(StateMismatch) as caught:
        request().receive("code=c&state=other")
    assert caught.value.cause == "altered"


@pytest.mark.parametrize(
    ("given_scope", "kept"),
    [
        (None, None),
        ([], ()),
        ((), ()),
        (["read_vin", "required:read_fuel"], ("read_vin", "required:read_fuel")),
        ("read_vin  required:read_fuel\n", ("read_vin", "required:read_fuel")),
        (("read_vin",), ("read_vin",)),
    ],
)
def test_scope_is_read_from_a_list_or_a_text(given_scope, kept):
    """A list is kept, a text is split on white space, None stays None."""
    assert check_scope(given_scope) == kept


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "  ",
        [""],
        ["read vin"],
        [" read_vin"],
        [7],
        [None],
        [b"read_vin"],
        {"read_vin"},
        7,
        b"x",
        ["\ud800"],
    ],
)
def test_scope_of_another_form_is_refused(scope):
    """Blank text, items with white space, other types: each is a configuration error about scope."""
    with pytest.raises(ConfigurationError, match="scope"):
        check_scope(scope)


def test_scope_empty_sends_an_empty_parameter():
    """An empty list is sent as `scope=`; None isn't sent."""
    assert "&scope=&" in Smartcar(application_id=ID, scope=[]).get_auth_url()
    assert "scope" not in Smartcar(application_id=ID).get_auth_url()


@pytest.mark.parametrize(
    ("given_flags", "written"),
    [
        ([], ""),
        ({}, ""),
        (["country:DE"], "country:DE"),
        (("country:DE", "color:00819D"), "country:DE color:00819D"),
        ("country:DE   color:00819D", "country:DE color:00819D"),
        ({"country": "DE", "tesla_auth": True, "x": False}, "country:DE tesla_auth:true x:false"),
        (MappingProxyType({"a": "b:c"}), "a:b:c"),
    ],
)
def test_flags_are_read_from_list_text_or_mapping(given_flags, written):
    """All forms become `name:value` with spaces between."""
    assert check_flags(given_flags) == written


@pytest.mark.parametrize(
    "flags",
    [
        "",
        "country",
        ["country"],
        [":DE"],
        ["country:"],
        ["a:b c"],
        ["a: b"],
        [7],
        {"a": 7},
        {"a": None},
        {"a b": "c"},
        *({"": "c"}, {7: "c"}, {"a": ""}, {"a": "b c"}, 7, {"a:b"}, ["\ud800:x"], {"a": "\ud800"}),
    ],
)
def test_flags_of_another_form_are_refused(flags):
    """No colon, white space, other types: each is a configuration error about flags."""
    with pytest.raises(ConfigurationError, match="flags"):
        check_flags(flags)


@given(
    st.one_of(
        st.text(), st.lists(st.text() | st.integers()), st.dictionaries(st.text(), st.text() | st.booleans())
    )
)
def test_flags_and_scope_of_any_kind_work_or_are_refused(value):
    """Anything gives an address or our own error."""
    try:
        assert Smartcar(application_id=ID).get_auth_url(flags=value).isascii()
    except ConfigurationError:
        pass
    try:
        assert Smartcar(application_id=ID, scope=value).get_auth_url().isascii()
    except ConfigurationError:
        pass
