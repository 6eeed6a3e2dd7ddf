"""Making and comparing state (a Python without random numbers: script_for_every_python)."""

from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import _platform
from smartcar_auth.state import new_state, states_equal


def test_new_state_is_43_characters_of_base64url():
    """32 bytes, in characters that no server decodes into others."""
    assert all(
        len(new_state()) == 43 and set(new_state()) <= set(_platform.UNRESERVED.decode()) for _ in range(50)
    )


def test_new_state_never_repeats():
    """A thousand are a thousand."""
    assert len({new_state() for _ in range(1000)}) == 1000


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text())
def test_states_are_equal_only_when_the_same(one, other):
    """Comparison agrees with `==`, for any text that has a UTF-8 form."""
    assert states_equal(one, other) == (one == other)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_state_equals_itself(text):
    """Any text equals its copy."""
    assert states_equal(text, "".join(list(text)))


def test_states_with_lone_surrogates_are_never_equal():
    """Such text was never sent by us."""
    assert not states_equal("\ud800", "\ud800")
