"""Seals: keys, rotation, and that nothing altered ever verifies."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from smartcar_auth import ConfigurationError
from smartcar_auth.web.seal import Sealer, to_bytes, to_text
from web.browser import untimed

OLD, NEW, FOREIGN = "old" * 11, "new" * 11, b"foreign" * 5
SEALER = Sealer([NEW], "app")


@untimed
@given(content=st.binary(max_size=60))
def test_state_survives_sealing(content):
    """What was sealed into a state comes out again."""
    assert SEALER.open_state(SEALER.seal_state(content)) == content


@untimed
@given(data=st.data())
def test_state_altered_anywhere_is_refused(data):
    """No state with a changed, dropped or added character verifies: not even in base64's spare bits."""
    state = SEALER.seal_state(b"x" * 32)
    place = data.draw(st.integers(0, len(state)))
    cut = data.draw(st.integers(0, 1))
    new = data.draw(st.text(max_size=2))
    altered = state[:place] + new + state[place + cut :]
    assert altered == state or SEALER.open_state(altered) is None


def test_seal_is_one_of_itsdangerous():
    """Form and signature are the library's own, so that nobody has to take ours on trust."""
    derived = hmac.digest(NEW.encode(), b"smartcar-auth/state/app", "sha256")
    theirs = Signer(derived, key_derivation="none", digest_method=hashlib.sha256)
    state = SEALER.seal_state(b"content")
    assert to_bytes(theirs.unsign(state).decode()) == b"content"
    assert SEALER.open_state(theirs.sign(to_text(b"other")).decode()) == b"other"


def test_state_with_spare_bits_set_is_refused():
    """A last character that decodes to the same signature is not the state that was sent."""
    state = SEALER.seal_state(b"x" * 32)
    twins = [state[:-1] + one for one in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    same = [one for one in twins if to_bytes(one.rpartition(".")[2]) == to_bytes(state.rpartition(".")[2])]
    assert len(same) == 4
    assert [one for one in same if SEALER.open_state(one) is not None] == [state]


@untimed
@given(text=st.text())
def test_open_takes_any_text(text):
    """Text from outside is refused, never an exception."""
    assert SEALER.open_state(text) is None
    assert SEALER.open_cookie(text) is None
    assert SEALER.open_options(text) is None


def test_open_refuses_a_lone_surrogate():
    """Text that has no UTF-8 form is refused like any other."""
    assert SEALER.open_state("\ud800.x") is None
    assert SEALER.open_cookie("\ud800.x") is None


@pytest.mark.parametrize("content", [["a", 1, None, True, {"b": [2]}], [], ["é\u2028"]])
def test_cookie_survives_sealing(content):
    """JSON goes into a cookie and comes out."""
    assert SEALER.open_cookie(SEALER.seal_cookie(content)) == content


def test_seals_of_different_purposes_are_not_interchangeable():
    """A launch link's seal is no cookie, and a cookie's is no launch link."""
    assert SEALER.open_cookie(SEALER.seal_options({"a": 1})) is None
    assert SEALER.open_options(SEALER.seal_cookie(["a"])) is None
    assert SEALER.open_state(SEALER.seal_cookie(["a"])) is None


def test_seal_belongs_to_one_application():
    """Another application's seal under the same key is refused."""
    other = Sealer([NEW], "other-app")
    assert other.open_state(SEALER.seal_state(b"x")) is None
    assert other.open_cookie(SEALER.seal_cookie(["x"])) is None
    assert other.open_options(SEALER.seal_options({"x": 1})) is None


def test_rotation_accepts_the_old_key_and_uses_the_new():
    """After rotation old seals still open, and new seals open for who has the new key only."""
    old, both, new = Sealer([OLD], "app"), Sealer([NEW, OLD], "app"), Sealer([NEW], "app")
    assert both.open_state(old.seal_state(b"x")) == b"x"
    assert both.open_cookie(old.seal_cookie(["x"])) == ["x"]
    assert new.open_state(both.seal_state(b"x")) == b"x"
    assert new.open_options(both.seal_options({"x": 1})) == {"x": 1}
    assert old.open_state(both.seal_state(b"x")) is None


def test_rotation_refuses_a_dropped_key():
    """A seal made with a key that is gone opens no more."""
    assert Sealer([NEW, FOREIGN], "app").open_state(Sealer([OLD], "app").seal_state(b"x")) is None


@pytest.mark.parametrize("keys", [OLD, OLD.encode(), [OLD.encode()], (OLD,), iter([OLD])])
def test_keys_may_be_text_bytes_or_a_list(keys):
    """The same key in any of the forms makes the same seal."""
    assert Sealer([OLD], "app").open_state(Sealer(keys, "app").seal_state(b"x")) == b"x"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("k" * 31, "31 bytes"),
        ([OLD, b"short"], r"secret_keys\[1\] has 5 bytes"),
        ([OLD, None], r"secret_keys\[1\] must be text or bytes, not NoneType"),
        ([], "at least one key"),
        (None, "not NoneType"),
        (7, "not int"),
    ],
)
def test_keys_that_cannot_protect_are_refused(keys, says):
    """Too short, none, or of another type is a ConfigurationError in words that repeats no key."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        Sealer(keys, "app")
    assert "short" not in str(caught.value)


def test_key_length_counts_bytes():
    """16 two-byte characters are 32 bytes."""
    assert Sealer("é" * 16, "app").seal_state(b"x")


@untimed
@given(content=st.binary(max_size=40))
def test_base64url_has_no_padding(content):
    """Text that needs no percent-encoding, and back."""
    assert "=" not in to_text(content)
    assert to_bytes(to_text(content)) == content
