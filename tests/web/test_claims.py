"""Results that wait for their session."""

import threading

import pytest

from smartcar_auth import (
    AccessDenied,
    Cancelled,
    ConnectTimeout,
    PopupBlocked,
    Smartcar,
    SmartcarAuthError,
    StateMismatch,
    VehicleIncompatible,
)
from smartcar_auth.web.claims import Claims, for_person, keys_or_own, not_this_browser
from smartcar_auth.web.cookies import Cookies
from smartcar_auth.web.seal import Sealer

SMARTCAR = Smartcar(application_id="app", redirect_uri="http://localhost:8000/smartcar/callback")

NO_COOKIES = Cookies("", secure=False, sealer=Sealer(["k" * 32], "app"))


def response(code="the-code"):
    request = SMARTCAR.authorization_request()
    return request.receive({"code": code, "state": request.state})


def granted(data):
    return {"outcome": "granted", "attempt": "A" * 22, "code": None, "data": data}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_collects_what_was_left():
    claims = Claims()
    left = response()
    assert claims.collect(granted(claims.leave(left))) is left


def test_looking_takes_nothing_away():
    clock = Clock()
    claims = Claims(clock=clock)
    left = response()
    told, late = granted(claims.leave(left)), granted(claims.leave(response()))
    assert claims.look(told) is left
    assert claims.collect(told) is left
    assert claims.look(told) is None
    clock.now = 300
    assert claims.look(late) is None


def test_claim_is_no_part_of_the_result():
    claims = Claims()
    data = claims.leave(response("secret-code"))
    assert "secret-code" not in str(data)
    assert len(data["claim"]) >= 32


def test_claims_are_unlike():
    claims = Claims()
    assert len({claims.leave(response())["claim"] for _ in range(1000)}) == 1000


def test_error_comes_whole():
    claims = Claims()
    error = VehicleIncompatible(description="too old")
    told = {"outcome": "failed", "code": error.code, "data": claims.leave(error)}
    assert claims.collect(told) is error


def test_once():
    claims = Claims()
    told = granted(claims.leave(response()))
    claims.collect(told)
    again = claims.collect(told)
    assert isinstance(again, StateMismatch)
    assert again.cause == "replayed"
    assert "another worker" in str(again)


def test_once_for_many_threads():
    claims = Claims()
    told = granted(claims.leave(response()))
    results = []
    threads = [threading.Thread(target=lambda: results.append(claims.collect(told))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(not isinstance(result, StateMismatch) for result in results) == 1


def test_five_minutes():
    clock = Clock()
    claims = Claims(clock=clock)
    told = granted(claims.leave(response()))
    clock.now = 299.9
    other = granted(claims.leave(response()))
    clock.now = 300
    assert isinstance(claims.collect(told), StateMismatch)
    assert not isinstance(claims.collect(other), StateMismatch)


def test_what_nobody_collects_is_dropped():
    clock = Clock()
    claims = Claims(capacity=3, clock=clock)
    first, *rest = [granted(claims.leave(response())) for _ in range(4)]
    assert len(claims) == 3
    assert isinstance(claims.collect(first), StateMismatch)
    clock.now = 301
    claims.leave(response())
    assert len(claims) == 1
    assert all(isinstance(claims.collect(one), StateMismatch) for one in rest)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("popup_blocked", PopupBlocked),
        ("cancelled", Cancelled),
        ("timeout", ConnectTimeout),
        ("access_denied", AccessDenied),
        ("state_mismatch", StateMismatch),
        ("handler_failed", SmartcarAuthError),
        ("<script>", SmartcarAuthError),
    ],
)
def test_without_an_answer_there_is_the_code(code, kind):
    error = Claims().collect({"outcome": "failed", "code": code, "data": None})
    assert type(error) is kind
    assert "<script>" not in str(error)


@pytest.mark.parametrize(
    "told",
    [
        None,
        "granted",
        [],
        {},
        granted(None),
        granted("claim"),
        granted({"claim": None}),
        granted({"claim": ["x"]}),
        granted({"claim": "guessed"}),
        {"outcome": "failed", "code": None},
        {"outcome": "failed", "code": {"a": 1}},
        {"outcome": ["failed"], "code": "cancelled"},
    ],
)
def test_nothing_a_page_makes_up_is_a_grant(told):
    claims = Claims()
    claims.leave(response())
    assert claims.look(told) is None
    assert isinstance(claims.collect(told), StateMismatch)
    assert len(claims) == 1


def test_result_is_for_its_person():
    """An error names nobody, so it is for whoever sees it."""
    left = response()
    assert for_person(left, None) is left
    refused = for_person(left, "ben")
    assert isinstance(refused, StateMismatch)
    assert refused.cause == "other_person"
    error = AccessDenied()
    assert for_person(error, "ben") is error


@pytest.mark.parametrize("attempt", [None, 7, "B" * 22])
def test_claim_without_its_browsers_cookie(attempt):
    told = {"outcome": "granted", "attempt": attempt, "data": {"claim": "overheard"}}
    refused = not_this_browser(told, NO_COOKIES)
    assert isinstance(refused, StateMismatch)
    assert refused.cause == "other_browser"


def test_end_without_a_claim_needs_no_cookie():
    assert not_this_browser({"outcome": "failed", "code": "cancelled"}, NO_COOKIES) is None


def test_keys_of_the_environment_or_of_this_process(monkeypatch):
    monkeypatch.setenv("SMARTCAR_SECRET_KEYS", f"{'n' * 32} {'o' * 32}")
    assert keys_or_own(["k" * 32]) == ["k" * 32]
    assert keys_or_own(None) == ["n" * 32, "o" * 32]
    monkeypatch.delenv("SMARTCAR_SECRET_KEYS")
    assert len(keys_or_own(None)) == 32
    assert keys_or_own(None) != keys_or_own(None)
