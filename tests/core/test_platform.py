"""Percent-encoding, warnings and the other things in which Pythons differ (MicroPython's side: test_micropython)."""

import os
import warnings
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import _platform

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_quote_agrees_with_the_standard_library(text):
    """Everything but RFC 3986's unreserved characters is encoded, as urllib does with safe=""."""
    assert _platform.quote(text) == quote(text, safe="")


@given(TEXT | st.text("%+0123456789abcdefABCDEFxyz &ä"))
def test_unquote_agrees_with_the_standard_library(text):
    """A plus sign is a space, broken percent signs stay."""
    assert _platform.unquote(text) == unquote_to_bytes(text.replace("+", " "))


@given(st.binary())
def test_decode_lossy_takes_any_bytes(raw):
    """Good UTF-8 stays itself; anything else still becomes text."""
    try:
        assert _platform.decode_lossy(raw) == raw.decode()
    except UnicodeDecodeError:
        assert "\ufffd" in _platform.decode_lossy(raw)


@pytest.mark.parametrize("function", [_platform.encode, _platform.quote, _platform.unquote])
def test_encoding_refuses_lone_surrogates(function):
    """They have no UTF-8 form."""
    with pytest.raises(UnicodeError):
        function("a\ud800")


def test_random_bytes_are_as_many_as_asked():
    """From the system's source, different each time."""
    assert len(_platform.random_bytes(32)) == 32
    assert _platform.random_bytes(32) != _platform.random_bytes(32)


def test_environment_is_a_copy():
    """Changing it changes nothing outside."""
    found = _platform.environment()
    assert found == dict(os.environ)
    found["SMARTCAR_TEST"] = "x"
    assert "SMARTCAR_TEST" not in os.environ


def test_deprecation_is_heard_once_per_set_of_filters():
    """Twice under the same filters is one warning; a new block hears it again."""
    for _ in range(2):
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            _platform.warn_deprecated("old thing")
            _platform.warn_deprecated("old thing")
            _platform.warn_deprecated("other thing")
        assert [str(warning.message) for warning in heard] == ["old thing", "other thing"]
        assert {warning.filename for warning in heard} == {__file__}


def test_plain_makes_an_exact_str():
    """A subclass becomes str without asking the subclass."""

    class Odd(str):
        def __str__(self):
            return "odd"

    assert type(_platform.plain(Odd("x"))) is str
    assert _platform.plain(Odd("x")) == "x"


@given(st.text())
def test_joined_leaves_whole_text_alone(text):
    """What has no pair of surrogates stays as it is."""
    assert _platform.joined(text) == text


@given(st.text(st.characters(min_codepoint=0x10000)))
def test_joined_puts_halves_together(text):
    """Each pair becomes its one character."""
    units = memoryview(text.encode("utf-16-le")).cast("H")
    assert _platform.joined("".join(map(chr, units))) == text


@pytest.mark.parametrize(
    "halves", [[0xD83D], [0xDE00], [0xDE00, 0xD83D], [0xD83D, 0x78, 0xDE00], [0xD83D, 0xD83D]]
)
def test_joined_leaves_lone_halves(halves):
    """Half a character is none; whoever reads it refuses it."""
    text = "".join(map(chr, halves))
    assert _platform.joined(text) == text


def test_page_is_none_without_one():
    """A server has no window."""
    assert _platform.page() is None
