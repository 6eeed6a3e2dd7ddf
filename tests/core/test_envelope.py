"""The envelope around a page's state: any text comes back, from any server, and nothing else is read as one."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import ConfigurationError, InvalidResponse, read_envelope
from smartcar_auth.envelope import MAX_LENGTH, new_instance_id, write_envelope

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=500)


def official(original):
    """What the official SDK writes: `btoa(JSON.stringify(...))`, which is Latin-1 and has its own + and /."""
    content = json.dumps({"instanceId": "170000000000012345678", **original}, ensure_ascii=False)
    return base64.b64encode(content.replace(" ", "").encode("latin-1")).decode()


@given(texts)
def test_any_text_comes_back(text):
    """Emoji, U+2028, NUL, quotes: what went in comes out."""
    assert read_envelope(write_envelope("an-instance", text)) == text


@pytest.mark.parametrize(
    "text", ["ä", "🚗", "自動車", "a\u2028b\u2029", "\0", '"\\', "~?>" * 50, "\uffff\U0010ffff"]
)
def test_text_that_others_lose_comes_back(text):
    """Each of these breaks in some server or in the original."""
    assert read_envelope(write_envelope("an-instance", text)) == text


@given(texts)
def test_envelope_is_letters_and_digits(text):
    """There is nothing in it that base64url, percent-encoding or a `+` that becomes a space could change."""
    envelope = write_envelope("an-instance", text)
    assert envelope.isascii()
    assert envelope.isalnum()


@given(texts)
def test_envelope_has_the_official_shape(text):
    """The original's reading, `JSON.parse(atob(state))`, finds its two names; strict base64 reads it too."""
    content = json.loads(base64.b64decode(write_envelope("an-instance", text), validate=True))
    assert content == {"instanceId": "an-instance", "originalState": text}


def test_envelope_without_a_state_has_none():
    """As in the original: no text, no name for it."""
    envelope = write_envelope("an-instance")
    assert json.loads(base64.b64decode(envelope, validate=True)) == {"instanceId": "an-instance"}
    assert read_envelope(envelope) is None


def test_instance_ids_are_16_random_bytes():
    """They name a channel that other pages must not guess."""
    made = {new_instance_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(base64.urlsafe_b64decode(one + "==")) == 16 for one in made)


@pytest.mark.parametrize(
    "original",
    [
        {},
        {"originalState": "mine"},
        {"originalState": "é~>?ÿ"},
        {"originalState": "😀".encode().decode("latin-1")},
    ],
)
def test_official_envelopes_are_read(original):
    """A server can open those of the official SDK as well."""
    assert read_envelope(official(original)) == original.get("originalState")


def test_plus_that_became_a_space_is_mended():
    """The original puts base64 into the address as it is; servers read its `+` as a space."""
    state = official({"originalState": "~~~>>>???"})
    assert "+" in state
    assert read_envelope(state.replace("+", " ")) == "~~~>>>???"
    assert read_envelope(state.replace("+", "-").replace("/", "_").rstrip("=")) == "~~~>>>???"


def encoded(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "state",
    [
        None,
        7,
        b"eyJ9",
        "",
        "a",
        "a plain state",
        "%7B%7D",
        "é",
        encoded([]),
        encoded("instanceId"),
        encoded({}),
        encoded({"instanceId": 7}),
        encoded({"instanceId": "i", "originalState": {"a": 1}}),
        encoded({"instanceId": "i", "originalState": "\ud800"}),
        encoded({"instanceId": "i"}) + "!",
        base64.b64encode(b"[" * 9000).decode(),
        write_envelope("i", "x") * 400,
    ],
    ids=str,
)
def test_what_is_no_envelope_is_refused(state):
    """In our own error, which repeats nothing of it."""
    with pytest.raises(InvalidResponse) as caught:
        read_envelope(state)
    assert caught.value.code == "invalid_response"
    assert "instanceId" not in str(caught.value)


@given(st.text())
def test_any_text_is_read_or_refused_as_ours(text):
    """Whatever comes as a state, the answer is text, None or our error."""
    try:
        assert isinstance(read_envelope(text), (str, type(None)))
    except InvalidResponse:
        pass


@given(st.binary(max_size=200))
def test_any_bytes_inside_are_read_or_refused_as_ours(content):
    """The same one layer down."""
    try:
        assert isinstance(read_envelope(base64.b64encode(content).decode()), (str, type(None)))
    except InvalidResponse:
        pass


@pytest.mark.parametrize("state", ["", 7, b"x", "\ud800", "x" * MAX_LENGTH])
def test_state_that_cannot_travel_is_refused(state):
    """No envelope is written that `read_envelope` would refuse."""
    with pytest.raises(ConfigurationError, match="state"):
        write_envelope("an-instance", state)


def test_longest_state_comes_back():
    """Both ends have the same limit."""
    text = "x" * 12_000
    assert read_envelope(write_envelope("an-instance", text)) == text
