"""Attempts: ids, states, and what travels in their cookie."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth.web import attempt as attempts
from smartcar_auth.web.attempt import Attempt, Outcome
from smartcar_auth.web.seal import Sealer
from web.browser import ATTEMPT, KEY, attempt_id, untimed

SEALER = Sealer([KEY], "app")
FULL = Attempt(
    ATTEMPT, 1_800_000_000, "d" * 20, "user-1", "/garage", {"plan": 2}, "http://localhost:3000", True
)


def test_make_id_makes_ids_that_differ():
    """The server's own ids have the form it accepts from pages."""
    made = {attempts.make_id() for _ in range(50)}
    assert len(made) == 50
    assert all(attempts.is_id(one) for one in made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A" * 21,
        "A" * 23,
        "A" * 21 + "B",
        "A" * 21 + "=",
        "A" * 20 + "==",
        "A" * 21 + "/",
        "é" * 22,
        "A" * 21 + "\n",
    ],
)
def test_is_id_refuses_what_is_not_16_bytes(text):
    """Only the one spelling of 16 bytes in base64url is an id."""
    assert not attempts.is_id(text)


@untimed
@given(text=st.text(max_size=30))
def test_is_id_takes_any_text(text):
    """Any text gets an answer, and what passes is safe in a cookie's name."""
    assert not attempts.is_id(text) or (text.isascii() and all(one.isalnum() or one in "-_" for one in text))


def test_state_names_its_attempt_and_time():
    """A state opens to what it was made for."""
    state = attempts.make_state(SEALER, ATTEMPT, 1_800_000_000)
    assert attempts.open_state(SEALER, state) == (ATTEMPT, 1_800_000_000)


def test_states_of_one_attempt_differ():
    """Two launches under one id never share a state."""
    assert len({attempts.make_state(SEALER, ATTEMPT, 1) for _ in range(20)}) == 20


def test_state_of_another_length_is_refused():
    """A seal of ours that is no state of this form is refused."""
    assert attempts.open_state(SEALER, SEALER.seal_state(b"x" * 31)) is None


@pytest.mark.parametrize("subject", [None, "user-1", 7, "\u00e9\ud800"])
def test_pending_attempt_survives_its_cookie(subject):
    """A pending attempt comes out of its cookie as it went in."""
    pending = FULL._replace(subject=subject)
    assert attempts.unseal(SEALER, ATTEMPT, attempts.seal(SEALER, pending)) == pending


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@untimed
@given(
    subject=st.none() | st.integers() | st.text(st.characters()),
    app_state=st.none() | st.dictionaries(st.text(), ANY_JSON, max_size=3),
    return_to=st.none() | st.text(st.characters()),
    issued=st.integers(0, 2**32 - 1),
    outcome=st.none()
    | st.builds(Outcome, st.sampled_from(["granted", "failed"]), st.none() | st.text(), ANY_JSON),
)
def test_any_attempt_survives_its_cookie(subject, app_state, return_to, issued, outcome):
    """Whatever an application seals comes out as it went in; with an outcome, that and not the person."""
    before = Attempt(ATTEMPT, issued, "d" * 20, subject, return_to, app_state, None, False, outcome)
    expected = before
    if outcome is not None:
        kept = outcome.data if len(attempts.to_json(outcome.data)) <= 1024 else None
        expected = before._replace(subject=None, app_state=None, outcome=outcome._replace(data=kept))
    assert attempts.unseal(SEALER, ATTEMPT, attempts.seal(SEALER, before)) == expected


def test_ended_attempt_leaves_person_and_state_behind():
    """The outcome's cookie holds the outcome, not who it was or what the application sealed."""
    ended = FULL._replace(outcome=Outcome("granted", None, [1]))
    found = attempts.unseal(SEALER, ATTEMPT, attempts.seal(SEALER, ended))
    assert found.outcome == Outcome("granted", None, [1])
    assert found.subject is None
    assert found.app_state is None
    assert (found.return_to, found.page_origin, found.stable_asset) == (
        "/garage",
        "http://localhost:3000",
        True,
    )


def test_cookie_under_another_attempts_name_is_refused():
    """A cookie is worth nothing under another name than its own."""
    assert attempts.unseal(SEALER, attempt_id(2), attempts.seal(SEALER, FULL)) is None


@pytest.mark.parametrize("content", [[], ["x"], [ATTEMPT, 1, "d"]])
def test_cookie_of_another_form_is_refused(content):
    """A seal of ours with another content, such as another version's, is no attempt and no error."""
    assert attempts.unseal(SEALER, ATTEMPT, SEALER.seal_cookie(content)) is None


def test_records_of_one_id_differ_by_state():
    """Two launches under one id are two records in the store."""
    other = Attempt(ATTEMPT, 1, "e" * 20)
    assert attempts.record_of(FULL) != attempts.record_of(other)


@pytest.mark.parametrize(
    "data",
    [None, 1, "text", [1, {"a": None}], {"message": "caf\u00e9"}, "x" * 1022],
)
def test_outcome_survives_as_text(data):
    """Data up to 1,024 bytes of JSON travels with the outcome."""
    outcome = Outcome("granted", None, data)
    assert attempts.read_outcome(attempts.write_outcome(outcome)) == outcome


@pytest.mark.parametrize("data", ["x" * 1023, ["\u00e9" * 171], {"a": "x" * 2000}])
def test_outcome_leaves_larger_data_behind(data):
    """Data over 1,024 bytes of JSON does not travel; the outcome does."""
    assert len(json.dumps(data, separators=(",", ":"))) > 1024
    assert attempts.read_outcome(attempts.write_outcome(Outcome("granted", None, data))) == Outcome("granted")


def test_time_of_a_state_can_be_read_without_its_key():
    """The doctor reads an application's clock in the state that it sends."""
    assert attempts.read_issued(attempts.make_state(SEALER, ATTEMPT, 1_800_000_000)) == 1_800_000_000


@pytest.mark.parametrize("state", ["", "x", "é", "." * 60, "A" * 42, "A" * 44, "=" * 43, "%"])
def test_time_of_anything_else_is_unknown(state):
    """Whatever an application may send instead."""
    assert attempts.read_issued(state) is None
