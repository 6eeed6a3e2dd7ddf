"""The authorization response: read from many sources, believed only after its state."""

import copy
import pickle
import pprint

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import URL, ImmutableMultiDict, QueryParams

from smartcar_auth import (
    AccessDenied,
    AmbiguousResponse,
    AuthorizationResponse,
    ConfigurationError,
    ConnectError,
    DuplicateParameter,
    InvalidResponse,
    MissingParameter,
    Smartcar,
    SmartcarAuthError,
    StateMismatch,
)
from smartcar_auth.response import KNOWN, read_checked, read_parameters

APP = Smartcar(application_id="a")
NONE = Smartcar(application_id="a", response_type="none")


def named(source):
    """A test's name is the same in every process that runs tests."""
    return repr(source).partition(" at 0x")[0]


def read(source, state="s", app=APP):
    """The answer, or its error, for a kept state."""
    return app.read_response(source, state=state)


class WithLists:
    """A multi-dict as Django and Werkzeug have it."""

    def __init__(self, **lists):
        self._lists = lists

    def lists(self):
        """Names with all their values."""
        return self._lists.items()

    def items(self):
        """Names with one value: what must not be used, or doubles go unseen."""
        return [(name, values[-1]) for name, values in self._lists.items()]


class WithRepeatedItems:
    """A multi-dict as aiohttp has it."""

    def __init__(self, *pairs):
        self._pairs = pairs

    def items(self):
        """Names again and again."""
        return iter(self._pairs)


@pytest.mark.parametrize(
    "source",
    [
        "code=c+1&state=s",
        "?code=c%201&state=s",
        "&&code=c+1&&state=s&",
        "https://example.com/cb?code=c+1&state=s",
        "https://example.com/cb?code=c+1&state=s#code=other",
        "https://example.com?code=c+1&state=s",
        "http://localhost:8000/a=b/cb?code=c+1&state=s",
        "/cb?code=c+1&state=s",
        "/a=b?code=c+1&state=s",
        "cb?code=c+1&state=s",
        "sc8229df9f://exchange?code=c+1&state=s",
        "code=c+1&state=s&next=https://example.com/?x",
        "next=/a?b&code=c+1&state=s",
        "c%6Fde=c+1&st%61te=%73",
        b"code=c+1&state=s",
        b"https://example.com/cb?code=c+1&state=s",
        bytearray(b"?code=c%201&state=s"),
        {"code": "c 1", "state": "s"},
        {"code": ["c 1"], "state": ("s",), "error": [], "error_description": None},
        [("code", "c 1"), ("state", "s")],
        (["code", "c 1"], ["state", "s"]),
        iter([("code", "c 1"), ("state", "s")]),
        QueryParams("code=c+1&state=s"),
        ImmutableMultiDict([("code", "c 1"), ("state", "s")]),
        WithLists(code=["c 1"], state=["s"]),
        WithRepeatedItems(("code", "c 1"), ("state", "s")),
        {"code": "c 1", "state": "s"}.items(),
    ],
    ids=named,
)
def test_response_is_read_from_any_source(source):
    """Addresses, queries, mappings, multi-dicts and pairs give the same answer."""
    response = read(source)
    assert (response.code, response.state) == ("c 1", "s")


@pytest.mark.parametrize(
    "source",
    [
        "code=c&code=d&state=s",
        "code=c&code=c&state=s",
        "code=c&state=s&c%6Fde=c",
        "code=c&state=s&state=t",
        "code=c&state=t&state=s",
        "code=c&state=s&code=",
        {"code": ["c", "d"], "state": "s"},
        [("code", "c"), ("state", "s"), ("state", "s")],
        QueryParams("code=c&code=d&state=s"),
        WithLists(code=["c", "d"], state=["s"]),
        WithRepeatedItems(("code", "c"), ("code", "d"), ("state", "s")),
    ],
    ids=named,
)
def test_response_with_a_known_parameter_twice_is_refused(source):
    """In every kind of source, even when both are the same, and before the state is looked at."""
    with pytest.raises(DuplicateParameter):
        read(source)


@pytest.mark.parametrize("name", KNOWN)
def test_response_with_any_known_parameter_twice_is_refused(name):
    """Each parameter that means something to us may come once."""
    with pytest.raises(DuplicateParameter, match=name):
        read_parameters(f"{name}=1&{name}=1")


def test_response_keeps_unknown_parameters():
    """Connect may add parameters, the application may have its own: kept in raw, the first of doubled ones."""
    response = read("app=1&code=c&app=2&state=s&new=%FF%41&%FE=x&empty=")
    assert response.raw == {
        "app": "1",
        "code": "c",
        "state": "s",
        "new": "\ufffdA",
        "\ufffd": "x",
        "empty": "",
    }


@pytest.mark.parametrize(
    "source", [None, 7, 1.5, object(), URL("https://example.com/cb?code=c&state=s"), ["code", "state"]]
)
def test_response_from_another_type_is_unreadable(source):
    """The error says what to pass instead."""
    with pytest.raises(InvalidResponse) as caught:
        read(source)
    assert type(caught.value) is InvalidResponse
    assert caught.value.code == "invalid_response"


@pytest.mark.parametrize(
    "source",
    [
        *(
            "code=%FF&state=s",
            "code=c&state=%C0%80",
            "code=c&state=s&error_description=%ED%A0%80",
            "code=\ud800&state=s",
        ),
        *(
            b"code=\xff&state=s",
            {"code": "\ud800", "state": "s"},
            {"code": b"c", "state": "s"},
            {"code": 7, "state": "s"},
        ),
        *(
            [("code",)],
            [("code", "c", "x")],
            [("code", "c"), "st"],
            {7: "c"},
            {"code": [["c"]]},
            [None],
            ["ab"],
        ),
    ],
    ids=named,
)
def test_response_that_is_no_text_is_unreadable(source):
    """Bytes that are no UTF-8, surrogates, other types inside: InvalidResponse itself, without the values."""
    with pytest.raises(InvalidResponse) as caught:
        read(source)
    assert type(caught.value) is InvalidResponse


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        *(
            ("", "missing"),
            ("code=c", "missing"),
            ("code=c&state=", "missing"),
            ("error=access_denied", "missing"),
        ),
        *(
            ("https://example.com/cb", "missing"),
            ("/cb#code=c&state=s", "missing"),
            ({}, "missing"),
            ([], "missing"),
        ),
        *(("code=c&state=t", "altered"), ("code=c&state=S", "altered"), ("code=c&state=s+", "altered")),
        *(
            ("error=access_denied&state=t", "altered"),
            ("code=c&error=x&state=t", "altered"),
            ("state=ss", "altered"),
        ),
    ],
    ids=named,
)
def test_response_without_our_state_is_not_believed(source, cause):
    """Neither success nor error counts before the state: forged errors are forged too."""
    with pytest.raises(StateMismatch) as caught:
        read(source)
    assert caught.value.cause == cause


@pytest.mark.parametrize("state", ["", None, 7, b"s"])
def test_response_needs_a_kept_state(state):
    """An application that kept nothing is told so, instead of comparing nothing with nothing."""
    with pytest.raises(ConfigurationError, match="state"):
        read("code=c&state=", state=state)


def test_response_state_may_be_any_text():
    """Spaces, plus signs and other alphabets survive."""
    request = APP.authorization_request("a+b c/ä=&")
    assert request.receive("code=c&state=a%2Bb+c%2F%C3%A4%3D%26").state == "a+b c/ä=&"


def test_response_order_of_checks():
    """Readable, nothing twice, state, error, fields: the first that fails is the one that is reported."""
    with pytest.raises(InvalidResponse, match="UTF-8"):
        read("code=%FF&state=t&code=d")
    with pytest.raises(DuplicateParameter):
        read("code=c&code=d&state=t")
    with pytest.raises(StateMismatch):
        read("code=c&error=access_denied&state=t")
    with pytest.raises(AmbiguousResponse):
        read("code=c&error=access_denied&state=s")
    with pytest.raises(AccessDenied):
        read("code=&error=access_denied&state=s")
    with pytest.raises(MissingParameter):
        read("code=&error=&state=s")


def test_response_reads_empty_values_as_none():
    """An empty optional parameter is as good as an absent one."""
    response = read("code=c&state=s&user_id=&external_id=&vehicle_id=&virtual_key_url=&error=")
    assert (response.user_id, response.external_id, response.vehicle_id, response.virtual_key_url) == (
        None,
    ) * 4
    assert response.raw["user_id"] == ""


def test_response_holds_every_field():
    """What Connect documents is an attribute; what hosts add is None in the core."""
    response = read(
        "code=c&state=s&user_id=u&external_id=e&vehicle_id=v&virtual_key_url=https://tesla.com/_ak/x"
    )
    assert (response.user_id, response.external_id, response.vehicle_id) == ("u", "e", "v")
    assert response.virtual_key_url == "https://tesla.com/_ak/x"
    assert (response.subject, response.app_state) == (None, None)


@pytest.mark.parametrize(
    "hostile",
    [
        *(
            "javascript:alert(1)",
            "JAVASCRIPT://x/%0aalert(1)",
            "http://tesla.com",
            "//tesla.com",
            "data:text/html,x",
        ),
        *(
            "https:tesla.com",
            "https://",
            "https://user@tesla.com",
            "https://a b",
            " https://tesla.com",
            "https://a\\b",
        ),
    ],
)
def test_response_virtual_key_url_is_hostile_until_https(hostile):
    """Pages make a link of it, so only an https address gets through; raw keeps what came."""
    response = read([("code", "c"), ("state", "s"), ("virtual_key_url", hostile)])
    assert response.virtual_key_url is None
    assert response.raw["virtual_key_url"] == hostile


def test_response_repr_holds_no_value():
    """Neither the response nor its raw parameters show a value, in any usual way of showing."""
    response = read("code=s3cret&state=s&user_id=s3cret&external_id=s3cret&zz=s3cret")
    shown = [
        repr(response),
        str(response),
        f"{response}",
        repr(response.raw),
        str(response.raw),
        f"{response.raw}",
    ]
    shown += [
        pprint.pformat(response.raw),
        f"{response.raw!r}",
        repr([response.raw]),
        repr(read_parameters("code=s3cret")),
    ]
    assert "s3cret" not in "".join(shown)
    assert "code" in repr(response)


def test_response_cannot_be_made_by_hand():
    """Whoever holds one knows that its state was checked."""
    with pytest.raises(TypeError, match="receive"):
        AuthorizationResponse(code="c")
    with pytest.raises(TypeError, match="receive"):
        AuthorizationResponse()


def test_response_is_frozen():
    """A code cannot be swapped after the check."""
    response = read("code=c&state=s")
    with pytest.raises(AttributeError):
        response.code = "d"
    with pytest.raises(AttributeError):
        del response.code


def test_response_copies_and_pickles():
    """A copy holds the same, raw included."""
    response = read_checked(
        read_parameters("code=c&state=s&x=1"), requires="code", subject="me", app_state={"plan": "pro"}
    )
    for twin in (copy.copy(response), copy.deepcopy(response), pickle.loads(pickle.dumps(response))):
        assert (twin.code, twin.state, twin.raw) == ("c", "s", {"code": "c", "state": "s", "x": "1"})
        assert (twin.subject, twin.app_state) == ("me", {"plan": "pro"})
        assert "c" not in repr(twin.raw).replace("code", "")


def test_read_checked_hands_subject_and_app_state_to_errors_too():
    """A host's handler of errors needs to know whose attempt failed."""
    with pytest.raises(AccessDenied) as caught:
        read_checked(
            read_parameters("error=access_denied"), requires="code", subject="me", app_state={"a": 1}
        )
    assert (caught.value.response.subject, caught.value.response.app_state) == ("me", {"a": 1})
    assert caught.value.response.code is None


@pytest.mark.parametrize("requires", ["code", "vehicle_id", "user_id"])
def test_read_checked_requires_what_it_is_told(requires):
    """The required parameter decides, whichever it is."""
    assert getattr(read_checked(read_parameters(f"{requires}=x"), requires=requires), requires) == "x"
    with pytest.raises(MissingParameter, match=requires):
        read_checked(read_parameters(f"{requires}="), requires=requires)


def test_parameters_are_frozen_and_tell_the_state():
    """Hosts read the state from step one, before anything else."""
    parameters = read_parameters("state=s&code=")
    assert (parameters.state, parameters.get("code"), parameters.get("error")) == ("s", None, None)
    assert read_parameters("state=").state is None
    with pytest.raises(AttributeError):
        parameters.raw = {}


NOISE = st.text(st.characters() | st.sampled_from("&=%?#/:+;codestaer"))
PIECES = st.sampled_from(
    ["code=c", "state=s", "error=access_denied", "year=x", "%", "%f", "%ff", "&", "?", "#", "=", "/"]
)


@given(NOISE | st.lists(PIECES).map("".join) | st.binary())
@example("state=s&code=\ud800")
@example("state=s&error=\ud800")
@example("://?state=s&code=c")
@example("??state=s&code=c")
def test_response_from_any_text_is_a_response_or_our_error(text):
    """Garbage is either accepted or raises our own error, whatever the response type; nothing else escapes."""
    for app in (APP, NONE):
        try:
            assert read(text, app=app).state == "s"
        except (ConnectError, InvalidResponse):
            pass  # anything else fails the test, a ConfigurationError too


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text()) | st.none() | st.integers()))
def test_response_from_any_mapping_is_a_response_or_our_error(mapping):
    """The same for mappings, state included or not."""
    for source in (mapping, {**mapping, "state": "s"}):
        try:
            read(source, app=NONE)
        except (ConnectError, InvalidResponse):
            pass


@given(st.text(min_size=1), st.text())
def test_altered_state_never_verifies(kept, received):
    """Only the very state that was kept is accepted."""
    try:
        response = NONE.read_response([("state", received)], state=kept)
    except SmartcarAuthError:
        assert received != kept or any(0xD800 <= ord(character) <= 0xDFFF for character in kept)
    else:
        assert response.state == received == kept
