"""The way back: what is believed, in which order, once; and how a page asks or gives up."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartcar_auth import (
    AccessDenied,
    Cancelled,
    ConnectTimeout,
    StateMismatch,
    VehicleIncompatible,
)
from smartcar_auth.web import ProcessStore, Response, perform
from smartcar_auth.web.attempt import make_state, open_state
from smartcar_auth.web.seal import Sealer
from web.browser import (
    APPLICATION_ID,
    ATTEMPT,
    KEY,
    ORIGIN,
    OTHER_KEY,
    Browser,
    Clock,
    Native,
    Site,
    attempt_id,
    cookie_fields,
    header,
    location,
    state_of,
    told,
    untimed,
    words,
)

CODE = "0f4d3b4c-secret-code"


def refused(browser, response, cause):
    """Check a refusal: 400 in words, nothing set, one error told, nobody connected."""
    site = browser.site
    assert response.status == 400
    assert not cookie_fields(response)
    assert header(response, "Cache-Control") == "no-store"
    assert header(response, "Referrer-Policy") == "no-referrer"
    assert told(response) == {}
    assert site.causes[-1] == cause
    assert "Back to the app" in words(response)


# -- what a good answer does


def test_granted_answer_runs_on_complete_and_tells_the_page():
    """The function gets the response; the pop-up's page tells the waiting one, and no code is on it."""
    site = Site()
    browser = Browser(site)
    response = browser.answer(browser.popup(), code=CODE, user_id="u-1")
    assert response.status == 200
    assert told(response)["outcome"] == "granted"
    assert told(response)["origin"] == ORIGIN
    assert [one.code for one in site.completed] == [CODE]
    assert site.completed[0].user_id == "u-1"
    assert site.failed == []
    assert CODE.encode() not in response.body
    assert CODE not in str(response.headers)


def test_granted_answer_brings_the_person_who_launched():
    """subject is what identify said at launch, also where the callback knows nobody."""
    seen = iter(["user-1", None])
    site = Site(identify=lambda native: next(seen))
    browser = Browser(site)
    browser.answer(browser.popup())
    assert site.completed[0].subject == "user-1"


def test_granted_answer_without_popup_redirects():
    """303 to return_to with smartcar=granted, no-store, the outcome's cookie set."""
    browser = Browser(Site())
    response = browser.answer(state_of(browser.launch("return_to=/garage?a=1")))
    assert response.status == 303
    assert location(response) == "/garage?a=1&smartcar=granted"
    assert header(response, "Cache-Control") == "no-store"
    assert header(response, "Referrer-Policy") == "no-referrer"
    assert cookie_fields(response)


def test_granted_answer_without_return_to_says_it_in_words():
    """With nowhere to go the page says it, dressed, with a link."""
    browser = Browser(Site())
    response = browser.answer(state_of(browser.launch()))
    assert response.status == 200
    assert "Your car is connected" in words(response)
    assert told(response)["origin"] == ""


def test_popup_ignores_return_to_but_offers_it():
    """With a waiting page the flow ends there; the link is for whoever can't close the window."""
    browser = Browser(Site())
    response = browser.answer(browser.popup(return_to="/garage"))
    assert response.status == 200
    assert b'href="/garage"' in response.body


def test_popup_of_an_allowed_page_tells_that_page():
    """postMessage goes to the page's own origin and no other."""
    browser = Browser(Site(allowed_origins=["http://localhost:3000"]))
    assert (
        told(browser.answer(browser.popup(origin="http://localhost:3000")))["origin"]
        == "http://localhost:3000"
    )


def test_popup_gets_the_module_from_where_its_page_has_it():
    """The stable name, if the page used that."""
    browser = Browser(Site())
    assert b'src="connect.js"' in browser.answer(browser.popup(module="connect.js")).body


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"error": "access_denied"}, "access_denied"),
        ({"error": "user_cancelled"}, "user_exited"),
        ({"error": "something_new", "error_description": "<b>x</b>"}, "unknown_error"),
    ],
)
def test_error_answer_is_told_typed(parameters, code):
    """on_error gets Connect's error; the page gets its code; on_complete isn't called."""
    site = Site()
    browser = Browser(site)
    response = browser.answer(browser.popup(), **parameters)
    assert response.status == 200
    assert (told(response)["outcome"], told(response)["code"]) == ("failed", code)
    assert site.causes == [code]
    assert site.failed[0].error == parameters["error"]
    assert site.completed == []
    assert b"<b>" not in response.body


def test_error_answer_without_popup_redirects_with_its_code():
    """The error's code is in the address."""
    browser = Browser(Site())
    response = browser.answer(state_of(browser.launch("return_to=/garage")), error="access_denied")
    assert location(response) == "/garage?smartcar=access_denied"


def test_incompatible_vehicle_reaches_the_function_only():
    """The VIN is in the error, and nowhere on the page, in a cookie or in an address."""
    site = Site()
    browser = Browser(site)
    response = browser.answer(
        browser.popup(), error="vehicle_incompatible", vin="5YJSA1CN5CFP01657", make="TESLA"
    )
    assert isinstance(site.failed[0], VehicleIncompatible)
    assert site.failed[0].vehicle_info.vin == "5YJSA1CN5CFP01657"
    assert "5YJSA1CN5CFP01657" not in response.body.decode() + str(response.headers)


def test_response_type_none_needs_no_code():
    """With response_type="none" the state alone makes an answer."""
    site = Site(response_type="none")
    browser = Browser(site)
    assert told(browser.answer(browser.popup(), user_id="u"))["outcome"] == "granted"
    assert site.completed[0].code is None


# -- what is not believed


def test_answer_without_state_is_refused():
    """No state: cause "missing"."""
    browser = Browser(Site())
    browser.popup()
    refused(browser, browser.callback("code=x"), "missing")
    refused(browser, browser.callback("code=x&state="), "missing")
    refused(browser, browser.callback(""), "missing")


def test_answer_with_an_altered_state_is_refused():
    """A state that is not ours: cause "altered", also when an error is claimed."""
    browser = Browser(Site())
    state = browser.popup()
    refused(browser, browser.answer("x" + state), "altered")
    refused(browser, browser.callback({"error": "access_denied", "state": state[:-3]}), "altered")
    assert told(browser.answer(state))["outcome"] == "granted"


def test_answer_with_another_attempts_state_and_no_cookie_is_refused():
    """The state of somebody else's attempt: cause "other_browser", and the rightful attempt is unharmed."""
    site = Site()
    rightful, other = Browser(site), Browser(site)
    state = rightful.popup()
    other.popup(attempt_id(2))
    refused(other, other.answer(state), "other_browser")
    assert told(rightful.answer(state))["outcome"] == "granted"


def test_answer_after_its_time_is_refused():
    """attempt_seconds is the limit, with or without the cookie."""
    site = Site(attempt_seconds=600)
    browser = Browser(site)
    state = browser.popup()
    late = browser.popup(attempt_id(2))
    site.clock.now += 600
    assert told(browser.answer(state))["outcome"] == "granted"
    site.clock.now += 1
    refused(browser, browser.answer(late), "expired")
    browser.jar.clear()
    refused(browser, browser.answer(late), "expired")


def test_answer_with_a_dropped_keys_state_is_refused():
    """A key that left the list: cause "altered"."""
    site = Site()
    browser = Browser(site)
    state = browser.popup()
    browser.site = Site(secret_keys=[OTHER_KEY], clock=site.clock)
    refused(browser, browser.answer(state), "altered")


def test_answer_survives_rotation_and_restart():
    """Another process with a newer key in front finishes what this one began."""
    site = Site(secret_keys=[KEY])
    browser = Browser(site)
    state = browser.popup()
    browser.site = Site(secret_keys=[OTHER_KEY, KEY], clock=site.clock)
    assert told(browser.answer(state))["outcome"] == "granted"
    assert browser.status()[1]["outcome"] == "granted"


@pytest.mark.parametrize(
    "query",
    [
        "code=x&code=y",
        "code=x&state=z",
        "error=access_denied&error=server_error",
        "code=x&vin=1&vin=2",
        "code=x&user_id=1&user_id=1",
    ],
)
def test_answer_with_doubled_parameters_is_refused(query):
    """One of Connect's parameters twice: nobody can say which is meant."""
    browser = Browser(Site())
    state = browser.popup()
    refused(browser, browser.callback(f"{query}&state={state}"), "duplicate_parameter")
    assert told(browser.answer(state))["outcome"] == "granted"


def test_answer_with_code_and_error_is_refused():
    """Yes and no together; the attempt is unharmed."""
    browser = Browser(Site())
    state = browser.popup()
    refused(browser, browser.answer(state, code="x", error="access_denied"), "ambiguous_response")
    assert told(browser.answer(state))["outcome"] == "granted"


def test_answer_with_neither_code_nor_error_is_refused():
    """Nothing to believe; the attempt is unharmed."""
    browser = Browser(Site())
    state = browser.popup()
    refused(browser, browser.answer(state, user_id="u"), "missing_parameter")
    refused(browser, browser.answer(state, code=""), "missing_parameter")
    assert told(browser.answer(state))["outcome"] == "granted"


@pytest.mark.parametrize("query", [b"code=%ff", b"code=\xff", b"\xff\xfe=1", b"error=%c3%28"])
def test_answer_that_is_no_utf8_is_refused(query):
    """Invalid UTF-8, escaped or raw."""
    browser = Browser(Site())
    state = browser.popup().encode()
    refused(browser, browser.callback(query + b"&state=" + state), "invalid_response")
    assert told(browser.answer(state.decode()))["outcome"] == "granted"


def test_answer_under_another_persons_name_is_refused():
    """Somebody else is logged in now: cause "other_person", before anything Connect said; the attempt waits."""
    site = Site(identify=lambda native: native)
    browser = Browser(site, native="user-1")
    state = browser.popup(return_to="/garage")
    browser.native = "user-2"
    response = browser.answer(state, error="access_denied")
    refused(browser, response, "other_person")
    assert b'href="/garage"' in response.body
    browser.native = "user-1"
    assert told(browser.answer(state))["outcome"] == "granted"
    assert site.completed[0].subject == "user-1"


def test_answer_under_a_name_is_refused_to_an_attempt_without():
    """Who launched as nobody doesn't become somebody on the way."""
    site = Site(identify=lambda native: native)
    browser = Browser(site)
    state = browser.popup()
    browser.native = "user-1"
    refused(browser, browser.answer(state), "other_person")


class Refusal(Exception):
    """A framework's way to say that nobody is logged in."""

    def __init__(self, status_code):
        super().__init__()
        self.status_code = status_code


@pytest.mark.parametrize("status", [302, 303, 307, 401, 403])
def test_identify_that_refuses_on_the_way_back_knows_nobody(status):
    """A Strict session cookie stays behind, so identify raises or redirects to the login: the launch counts."""
    answers = iter(["user-1", Refusal(status)])

    def identify(native):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    site = Site(identify=identify)
    browser = Browser(site)
    assert told(browser.answer(browser.popup()))["outcome"] == "granted"
    assert site.completed[0].subject == "user-1"


@pytest.mark.parametrize("error", [RuntimeError("database"), Refusal(500)])
def test_identify_that_breaks_on_the_way_back_leaves_the_attempt_pending(error):
    """A real failure is the framework's to answer, and a reload may try again."""
    answers = iter(["user-1", error, "user-1"])

    def identify(native):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    site = Site(identify=identify)
    browser = Browser(site)
    state = browser.popup()
    with pytest.raises(type(error)):
        browser.answer(state)
    assert told(browser.answer(state))["outcome"] == "granted"


def test_refused_answer_without_on_error_is_a_page_all_the_same():
    """on_error is optional."""
    browser = Browser(Site(on_error="none"))
    assert browser.callback("code=x").status == 400
    assert told(browser.answer(browser.popup(), error="access_denied"))["code"] == "access_denied"


def test_refused_answer_may_be_the_applications_own_response():
    """on_error's own response is sent, and kept nowhere."""
    site = Site()
    site.error_result = native = Native()
    response = Browser(site).callback("code=x")
    assert response.native is native
    assert header(response, "Cache-Control") == "no-store"
    assert header(response, "Referrer-Policy") == "no-referrer"


# -- once


def test_reload_shows_the_same_page_and_runs_nothing():
    """The same browser again, also when the page has dropped everything but the state from its address."""
    site = Site()
    site.result = {"message": "Vehicle added"}
    browser = Browser(site)
    state = browser.popup()
    first = browser.answer(state)
    for again in (
        browser.answer(state),
        browser.callback({"state": state}),
        browser.answer(state, error="x"),
    ):
        assert again.status == 200
        assert again.body == first.body
    assert len(site.completed) == 1
    assert site.failed == []


def test_reload_of_a_flow_without_popup_is_a_page():
    """Back and reload after the redirect: 200, with the way on."""
    browser = Browser(Site())
    state = state_of(browser.launch("return_to=/garage"))
    browser.answer(state)
    again = browser.answer(state)
    assert again.status == 200
    assert b'href="/garage?smartcar=granted"' in again.body


def test_reload_after_the_attempts_time_shows_the_same_page():
    """What ended in time stays ended for as long as the browser knows it."""
    site = Site(attempt_seconds=600)
    browser = Browser(site)
    state = browser.popup()
    site.clock.now += 599
    browser.answer(state)
    site.clock.now += 10
    assert told(browser.answer(state))["outcome"] == "granted"
    assert site.failed == []


def test_outcome_is_forgotten_after_five_minutes():
    """Then the browser knows no more: cause "other_browser", and nothing runs again."""
    site = Site()
    browser = Browser(site)
    state = browser.popup()
    browser.answer(state)
    site.clock.now += 301
    refused(browser, browser.answer(state), "other_browser")
    assert browser.status() == (404, {"outcome": "unknown"})
    assert len(site.completed) == 1


def test_copied_cookie_is_a_replay():
    """A cookie copied before the end, in whichever browser, finishes nothing again."""
    site = Site()
    browser, thief = Browser(site), Browser(site)
    state = browser.popup()
    thief.jar = dict(browser.jar)
    browser.answer(state)
    refused(thief, thief.answer(state), "replayed")
    refused(thief, thief.answer(state, code="another"), "replayed")
    assert len(site.completed) == 1


def test_replayed_denial_does_not_become_a_grant():
    """Once denied, a copied cookie can't bring a code afterwards."""
    site = Site()
    browser, thief = Browser(site), Browser(site)
    state = browser.popup()
    thief.jar = dict(browser.jar)
    browser.answer(state, error="access_denied")
    refused(thief, thief.answer(state), "replayed")
    assert site.completed == []


def test_same_id_in_two_browsers_are_two_attempts():
    """A name is no secret: who launches with the same id has another state, and neither harms the other."""
    site = Site()
    rightful, stranger = Browser(site), Browser(site)
    state = rightful.popup()
    strange = stranger.popup()
    refused(stranger, stranger.answer(state), "other_browser")
    refused(rightful, rightful.answer(strange), "other_browser")
    site.result = "the stranger's"
    assert told(stranger.answer(strange))["outcome"] == "granted"
    assert rightful.status()[1]["outcome"] == "pending"
    site.result = "the rightful's"
    assert json.loads(told(rightful.answer(state))["data"]) == "the rightful's"
    assert len(site.completed) == 2


def test_cancel_of_the_same_id_elsewhere_harms_nobody():
    """A stranger who cancels an attempt of the same id cancels his own."""
    site = Site()
    rightful, stranger = Browser(site), Browser(site)
    state = rightful.popup()
    stranger.popup()
    stranger.cancel()
    assert told(rightful.answer(state))["outcome"] == "granted"


def test_planted_cookie_of_another_attempt_is_refused():
    """An attacker's cookie under the victim's name, with the attacker's or the victim's answer."""
    site = Site()
    victim, attacker = Browser(site), Browser(site)
    state = victim.popup(attempt_id(1))
    attacker.popup(attempt_id(2))
    victim.jar[f"smartcar-{attempt_id(1)}"] = attacker.jar[f"smartcar-{attempt_id(2)}"]
    refused(victim, victim.answer(state), "other_browser")


def test_two_tabs_do_not_disturb_each_other():
    """Two attempts of one browser each have their own cookie and end."""
    site = Site()
    browser = Browser(site)
    states = [browser.popup(attempt_id(number)) for number in (1, 2)]
    assert told(browser.answer(states[1], error="access_denied"))["code"] == "access_denied"
    assert told(browser.answer(states[0]))["outcome"] == "granted"
    assert browser.status(attempt_id(1))[1]["outcome"] == "granted"
    assert browser.status(attempt_id(2))[1]["code"] == "access_denied"


def interleave(action):
    """Answer, and run `action(browser, state)` while on_complete runs: the site, and both results."""
    happened = []
    site = Site(on_complete=lambda native, response: happened.append(action(browser, state)))
    browser = Browser(site)
    state = browser.popup()
    return site, browser.answer(state), happened[0]


def test_delivery_while_on_complete_runs_is_a_replay():
    """The same answer twice at one instant runs the function once."""
    site, first, second = interleave(Browser.answer)
    assert told(first)["outcome"] == "granted"
    assert second.status == 400
    assert site.causes == ["replayed"]


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_callback_that_no_person_made_spends_nothing(method):
    """A preview, prefetch or frame of the callback's address leaves the attempt as it is."""
    site = Site()
    browser = Browser(site)
    state = browser.popup()
    headers = {} if method == "HEAD" else {"sec_fetch_dest": "iframe"}
    response = browser.callback(f"code=x&state={state}", method, **headers)
    assert not cookie_fields(response)
    assert site.completed == []
    assert told(browser.answer(state))["outcome"] == "granted"


# -- the application's functions


@pytest.mark.parametrize("result", [None, "text", 0, {"message": "Vehicle added"}, [1, {"a": None}]])
def test_result_travels_to_the_page(result):
    """What on_complete returns is the page's data, by the callback page and by the status."""
    site = Site()
    site.result = result
    browser = Browser(site)
    assert json.loads(told(browser.answer(browser.popup()))["data"]) == result
    assert browser.status() == (200, {"outcome": "granted", "code": None, "data": result})


def test_result_of_on_error_travels_too():
    """What on_error returns is the page's data as well."""
    site = Site()
    site.error_result = {"hint": "again"}
    browser = Browser(site)
    assert json.loads(told(browser.answer(browser.popup(), error="no_vehicles"))["data"]) == {"hint": "again"}


def test_large_result_travels_with_the_callback_page_only():
    """Over 1,024 bytes there is no place in a cookie: the page has it, a reload and the status don't."""
    site = Site()
    site.result = "x" * 2000
    browser = Browser(site)
    state = browser.popup()
    assert json.loads(told(browser.answer(state))["data"]) == "x" * 2000
    assert json.loads(told(browser.answer(state))["data"]) is None
    assert browser.status()[1] == {"outcome": "granted", "code": None, "data": None}


def test_result_with_a_lone_surrogate_breaks_nothing():
    """Whatever JSON can hold, page, cookie and status can."""
    site = Site()
    site.result = {"message": "\ud800"}
    browser = Browser(site)
    assert json.loads(told(browser.answer(browser.popup()))["data"]) == site.result
    assert browser.status()[1]["data"] == site.result


def raising(error):
    """A function that fails."""

    def function(native, given):
        raise error

    return function


def circular():
    """A list in itself, which is no JSON."""
    loop = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    "function",
    [
        raising(ValueError("no")),
        raising(StopIteration()),
        raising(StateMismatch()),
        lambda native, response: object(),
        lambda native, response: float("nan"),
        lambda native, response: circular(),
    ],
    ids=["error", "stop", "ours", "object", "nan", "circular"],
)
def test_failing_on_complete_spends_the_attempt(function):
    """The person is told, the page gets handler_failed, on_error isn't called, and nothing runs again."""
    site = Site(on_complete=function)
    browser = Browser(site)
    state = browser.popup()
    response = browser.answer(state)
    assert response.status == 500
    assert (told(response)["outcome"], told(response)["code"]) == ("failed", "handler_failed")
    assert "Your car was not added" in words(response)
    assert browser.answer(state).status == 200
    assert browser.status()[1]["code"] == "handler_failed"
    assert site.failed == []


def test_failing_on_complete_without_popup_redirects():
    """The app's own page hears it in its address."""
    browser = Browser(Site(on_complete=raising(ValueError())))
    response = browser.answer(state_of(browser.launch("return_to=/garage")))
    assert location(response) == "/garage?smartcar=handler_failed"


def everything_logged(caplog):
    """All that any handler of these records could write."""
    parts = []
    for record in caplog.records:
        parts += [record.getMessage(), repr(record.args), repr(record.exc_info), repr(record.__dict__)]
    return "\n".join(parts)


def test_log_of_a_failing_on_complete_names_the_attempt_and_no_secret(caplog):
    """An error that quotes code, state, VIN and address is logged with all of them masked."""
    caplog.set_level(logging.DEBUG)
    seen = {}

    def function(native, response):
        seen["state"] = response.state
        try:
            raise KeyError(response.code)
        except KeyError as error:
            url = f"https://x/?code={CODE}&state={response.state}&x=a%20b%26c"
            raise ValueError(f"{response.raw['vin']} {url} {response.raw['x']}") from error

    browser = Browser(Site(on_complete=function))
    state = browser.popup()
    browser.callback(f"code={CODE}&state={state}&vin=5YJSA1CN5CFP01657&x=a%20b%26c")
    logged = everything_logged(caplog)
    assert f"on_complete failed for attempt {ATTEMPT}" in logged
    assert "ValueError" in logged
    assert "KeyError" in logged
    for secret in (CODE, state, "5YJSA1CN5CFP01657", "a%20b%26c", "a b&c"):
        assert secret not in logged
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize(
    "query", [f"code={CODE}", f"error=access_denied&vin={CODE}&state=STATE", f"code={CODE}&state=x"]
)
def test_log_of_a_failing_on_error_names_the_attempt_and_no_secret(query, caplog):
    """on_error may fail too, with the whole address in its error, believed or not."""
    caplog.set_level(logging.DEBUG)
    quoted = []

    def failing(native, error):
        raise ValueError(quoted[0])

    browser = Browser(Site(on_error=failing))
    state = browser.popup()
    query = query.replace("STATE", state)
    quoted.append(query)
    response = browser.callback(query)
    assert response.status in (200, 400)
    logged = everything_logged(caplog)
    assert "on_error failed for attempt" in logged
    assert (ATTEMPT in logged) is ("access_denied" in query)
    assert CODE not in logged
    assert state not in logged


def test_log_of_a_good_flow_holds_no_secret(caplog):
    """Neither code nor state, for a grant, a denial, a refusal or a cancel."""
    caplog.set_level(logging.DEBUG)
    browser = Browser(Site())
    states = [browser.popup(attempt_id(number)) for number in range(1, 5)]
    browser.answer(states[0], code=CODE)
    browser.answer(states[1], error="access_denied")
    browser.answer(states[2], code=CODE, error="x")
    browser.cancel(attempt_id(4))
    logged = everything_logged(caplog)
    assert f"Attempt {attempt_id(1)} granted" in logged
    assert f"Attempt {attempt_id(2)} failed: access_denied" in logged
    assert "refused: ambiguous_response" in logged
    assert f"Attempt {attempt_id(4)} failed: cancelled" in logged
    for secret in (CODE, *states):
        assert secret not in logged


@pytest.mark.parametrize("result", [object(), float("inf"), circular()], ids=["object", "inf", "circular"])
def test_on_error_that_returns_no_json_counts_as_nothing(result):
    """The outcome stands; the page gets no data."""
    site = Site()
    site.error_result = result
    browser = Browser(site)
    response = browser.answer(browser.popup(), error="access_denied")
    assert told(response)["code"] == "access_denied"
    assert told(response)["data"] == "null"


def test_native_response_gets_our_cookies():
    """The framework's own response is sent with the outcome's cookie and no-store; a reload is our page."""
    site = Site()
    site.result = native = Native()
    browser = Browser(site)
    state = browser.popup()
    response = browser.answer(state)
    assert response.native is native
    assert header(response, "Cache-Control") == "no-store"
    assert header(response, "Referrer-Policy") == "no-referrer"
    assert browser.status()[1]["outcome"] == "granted"
    assert told(browser.answer(state))["outcome"] == "granted"
    assert len(site.completed) == 1


def test_functions_get_the_native_request():
    """Both functions are called with the framework's request first."""
    seen = []
    note = lambda native, given: seen.append(native)  # noqa: E731 (one for both)
    site = Site(on_complete=note, on_error=note)
    browser = Browser(site, native="native")
    browser.answer(browser.popup())
    browser.callback("")
    assert seen == ["native", "native"]


class Flaky(ProcessStore):
    """A store that fails on purpose."""

    def settle(self, attempt, value, seconds):
        raise ConnectionError("redis://secret-password@host")


def test_store_that_fails_after_the_function_ran_loses_no_outcome(caplog):
    """What happened is told: to the page, in the cookie; and the log names the attempt."""
    site = Site(store=Flaky())
    browser = Browser(site)
    state = browser.popup()
    assert told(browser.answer(state))["outcome"] == "granted"
    assert browser.status()[1]["outcome"] == "granted"
    assert f"The store failed after attempt {ATTEMPT}" in caplog.text


# -- status


def test_status_is_pending_then_the_outcome():
    """The page sees the attempt go from pending to its end."""
    browser = Browser(Site())
    assert browser.status() == (404, {"outcome": "unknown"})
    state = browser.popup()
    assert browser.status() == (200, {"outcome": "pending", "code": None, "data": None})
    browser.answer(state, error="access_denied")
    assert browser.status() == (200, {"outcome": "failed", "code": "access_denied", "data": None})


def test_status_answers_only_to_the_attempts_cookie():
    """Another browser, an unreadable cookie or a name that is none: 404."""
    site = Site()
    browser = Browser(site)
    browser.answer(browser.popup())
    assert Browser(site).status()[0] == 404
    assert Browser(site).status(cookie=f"smartcar-{ATTEMPT}=x")[0] == 404
    assert browser.status("../" + "x" * 19)[0] == 404
    assert browser.status("\x00" * 22)[0] == 404


def test_status_while_on_complete_runs_is_pending():
    """A claim is no outcome yet."""
    _, _, (status, answer) = interleave(lambda browser, state: browser.status())
    assert (status, answer["outcome"]) == (200, "pending")


def test_status_works_on_another_worker():
    """The outcome rides in the browser's cookie, so a worker that saw nothing knows it."""
    site = Site()
    site.result = {"message": "Vehicle added"}
    browser = Browser(site)
    browser.answer(browser.popup())
    browser.site = Site(clock=site.clock)
    assert browser.status()[1] == {"outcome": "granted", "code": None, "data": {"message": "Vehicle added"}}


def test_status_learns_from_the_store_before_the_cookie_comes():
    """The page may ask before the pop-up's answer has set the outcome's cookie."""
    site = Site()
    browser = Browser(site)
    state = browser.popup()
    jar = dict(browser.jar)
    browser.answer(state)
    browser.jar = jar
    assert browser.status()[1]["outcome"] == "granted"


def raw_status(browser, **headers):
    """The status route's whole response."""
    return perform(browser.site.connect.status(browser.request(**headers), ATTEMPT))


def raw_cancel(browser, **headers):
    """The cancel route's whole response."""
    return browser.keep(
        perform(browser.site.connect.cancel(browser.request(b"", "POST", **headers), ATTEMPT))
    )


@pytest.mark.parametrize("ask", [raw_status, raw_cancel])
def test_allowed_origin_may_read_with_credentials(ask):
    """Status and cancel answer an allowed page with credentialed CORS, naming it and nobody else."""
    site = Site(allowed_origins=["http://localhost:3000"])
    browser = Browser(site)
    for expected in (200, 404):
        if expected == 200:
            browser.popup()
        else:
            browser.jar.clear()
        response = ask(browser, origin="http://localhost:3000")
        assert response.status == expected
        assert header(response, "Access-Control-Allow-Origin") == "http://localhost:3000"
        assert header(response, "Access-Control-Allow-Credentials") == "true"
        assert "Origin" in header(response, "Vary")
        assert header(response, "Cache-Control") == "no-store"
        assert header(response, "Content-Type") == "application/json"


@pytest.mark.parametrize("origin", [None, "null", "http://localhost:3001", "https://evil.example", "*"])
def test_other_origins_may_not_read(origin):
    """No CORS for a page that isn't listed."""
    browser = Browser(Site(allowed_origins=["http://localhost:3000"]))
    browser.popup()
    assert header(raw_status(browser, origin=origin), "Access-Control-Allow-Origin") is None


# -- cancel


def test_cancel_ends_the_attempt():
    """The page hears it, on_error gets Cancelled, and the status says so."""
    site = Site()
    browser = Browser(site)
    browser.popup()
    response = browser.cancel()
    assert json.loads(response.body) == {"outcome": "failed", "code": "cancelled", "data": None}
    assert [type(error) for error in site.failed] == [Cancelled]
    assert browser.status()[1]["code"] == "cancelled"


def test_cancel_for_the_deadline_is_a_timeout():
    """The page's own deadline is told as what it is, also just after the attempt's time."""
    site = Site(attempt_seconds=600)
    browser = Browser(site)
    browser.popup()
    site.clock.now += 601
    response = browser.cancel(query="reason=timeout")
    assert json.loads(response.body)["code"] == "timeout"
    assert [type(error) for error in site.failed] == [ConnectTimeout]


def test_answer_after_cancel_is_not_believed():
    """The callback page learns that it was cancelled; on_complete doesn't run, on_error not twice."""
    site = Site()
    browser = Browser(site)
    state = browser.popup()
    browser.cancel()
    response = browser.answer(state)
    assert response.status == 200
    assert told(response)["code"] == "cancelled"
    assert "This attempt was cancelled" in words(response)
    assert site.completed == []
    assert site.causes == ["cancelled"]


@pytest.mark.parametrize(("query", "code"), [("", "cancelled"), ("reason=timeout", "timeout")])
def test_answer_that_crosses_a_cancel_is_not_believed(query, code):
    """The answer left before the cancel's cookie arrived: the store knows, and the browser learns it."""
    site = Site()
    browser = Browser(site)
    state = browser.popup()
    jar = dict(browser.jar)
    browser.cancel(query=query)
    browser.jar = jar
    response = browser.answer(state)
    assert told(response)["code"] == code
    assert site.completed == []
    assert site.causes == [code]
    assert browser.status()[1]["code"] == code


def test_answer_after_cancel_without_popup_redirects():
    """The app's page hears that it was cancelled."""
    site = Site()
    browser = Browser(site)
    response = browser.launch("attempt=" + ATTEMPT + "&return_to=/garage")
    jar = dict(browser.jar)
    browser.cancel()
    browser.jar = jar
    assert location(browser.answer(state_of(response))) == "/garage?smartcar=cancelled"


def test_cancel_after_the_answer_says_the_outcome():
    """The callback was first: its outcome is the answer, and nothing changes."""
    site = Site()
    site.result = {"message": "Vehicle added"}
    browser = Browser(site)
    state = browser.popup()
    jar = dict(browser.jar)
    browser.answer(state)
    expected = {"outcome": "granted", "code": None, "data": {"message": "Vehicle added"}}
    assert json.loads(browser.cancel().body) == expected
    browser.jar = jar  # the cancel left before the outcome's cookie arrived
    assert json.loads(browser.cancel().body) == expected
    assert site.failed == []


def test_cancel_while_on_complete_runs_is_pending():
    """The answer was first and is being handled; it stays believed."""
    site, granted, cancelled = interleave(lambda browser, state: browser.cancel())
    assert json.loads(cancelled.body)["outcome"] == "pending"
    assert told(granted)["outcome"] == "granted"
    assert site.failed == []


def test_cancel_twice_is_told_once():
    """The second says the same and calls nobody."""
    site = Site()
    browser = Browser(site)
    browser.popup()
    assert browser.cancel().body == browser.cancel().body
    assert site.causes == ["cancelled"]


@pytest.mark.parametrize(
    "origin", [None, "null", "", "https://evil.example", "http://localhost:8000.evil.example"]
)
def test_cancel_from_elsewhere_is_refused(origin):
    """Without an Origin that is ours or allowed nothing happens, cookie or not."""
    site = Site()
    browser = Browser(site)
    state = browser.popup()
    response = raw_cancel(browser, origin=origin)
    assert response.status == 403
    assert site.failed == []
    assert told(browser.answer(state))["outcome"] == "granted"


def test_cancel_needs_the_attempts_cookie():
    """Another browser can't cancel, nor can a name that is none."""
    site = Site()
    browser = Browser(site)
    state = browser.popup()
    assert Browser(site).cancel().status == 404
    assert browser.cancel("x" * 5000).status == 404
    assert told(browser.answer(state))["outcome"] == "granted"


def test_cancel_survives_a_failing_on_error():
    """The attempt is over whatever the function does."""
    site = Site(on_error=raising(ValueError()))
    browser = Browser(site)
    browser.popup()
    assert json.loads(browser.cancel().body)["code"] == "cancelled"


# -- whatever comes


ANY_BYTES = st.binary(max_size=200) | st.sampled_from(
    [
        b"x" * 100_000,
        b"state=%ff",
        b"code=%00%0d%0a&state=</script>",
        b"&".join(b"a=%d" % number for number in range(1000)),
        b"return_to=%2f%2fevil&make=%3cscript%3e",
        b"sealed=" + b"." * 50,
        b"attempt=" + ATTEMPT.encode() + b"&display=popup&origin=http%3a//x",
    ]
)
ANY_HEADER = st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")) | st.sampled_from(
    ["null", "x" * 100_000, f"smartcar-{ATTEMPT}=", f"smartcar-{ATTEMPT}=a.b", "\r\nX: y", "</script>", "é"]
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    route=st.sampled_from(["launch", "callback", "status", "cancel", "asset"]),
    query=ANY_BYTES,
    names=st.lists(
        st.sampled_from(
            [
                "cookie",
                "origin",
                "host",
                "referer",
                "sec-fetch-site",
                "sec-fetch-dest",
                "sec-purpose",
                "if-none-match",
            ]
        ),
        unique=True,
    ),
    values=st.lists(ANY_HEADER, min_size=8, max_size=8),
    host=st.sampled_from(["localhost:8000"]) | ANY_HEADER,
    name=st.text(max_size=30) | st.just(ATTEMPT),
    method=st.sampled_from(["GET", "HEAD", "POST"]),
)
def test_any_request_gets_an_answer_and_never_a_server_error(route, query, names, values, host, name, method):
    """Any bytes in any place: no exception, no 5xx of ours but the prefetch's 503, printable headers."""
    browser = Browser(Site(allowed_origins=["http://localhost:3000"]), origin=f"http://{host}")
    request = browser.request(query, method, **dict(zip(names, values, strict=False)))
    connect = browser.site.connect
    if route in ("launch", "callback"):
        response = perform(getattr(connect, route)(request))
    elif route in ("status", "cancel"):
        response = perform(getattr(connect, route)(request, name))
    else:
        response = connect.asset(request, name)
    assert isinstance(response, Response)
    assert response.status < 500 or response.status == 503
    assert response.error is None
    for _, value in response.headers:
        assert value.isascii()
        assert value.isprintable()
        assert len(value) < 5000
    assert b"<script>" not in response.body or route == "asset"
    assert browser.site.completed == []


@untimed
@given(data=st.data())
def test_no_altered_state_is_believed(data):
    """With the rightful cookie and a code: only the very state that was sent is believed."""
    site = Site()
    browser = Browser(site)
    state = browser.popup()
    place = data.draw(st.integers(0, len(state)))
    altered = state[:place] + data.draw(st.text(max_size=2)) + state[place + data.draw(st.integers(0, 1)) :]
    if altered != state:
        response = browser.callback({"code": "x", "state": altered.encode(errors="surrogatepass")})
        assert response.status == 400
        assert site.completed == []
        assert open_state(Sealer([KEY], APPLICATION_ID), altered) is None


def test_state_without_its_seal_is_worthless():
    """Another application's state under the same key, with a cookie of the same id."""
    site = Site()
    browser = Browser(site)
    browser.popup()
    foreign = make_state(Sealer([KEY], "another-app"), ATTEMPT, int(site.clock()))
    refused(browser, browser.answer(foreign), "altered")


def test_error_answers_say_what_connect_said():
    """The description is the function's to read, not the page's."""
    site = Site()
    browser = Browser(site)
    response = browser.answer(browser.popup(), error="access_denied", error_description="User <b>denied</b>")
    assert isinstance(site.failed[0], AccessDenied)
    assert site.failed[0].description == "User <b>denied</b>"
    assert "denied</b>" not in response.body.decode()


def test_clock_of_the_application_is_the_one_that_counts():
    """The clock that was handed in decides about age."""
    clock = Clock(1000)
    site = Site(clock=clock, attempt_seconds=10)
    browser = Browser(site)
    state = browser.popup()
    clock.now += 11
    refused(browser, browser.answer(state), "expired")


class BrokenStore:
    """A store that can't be reached while `down`, in front of one that can."""

    blocking = False

    def __init__(self, clock):
        self.down = False
        self._store = ProcessStore(clock=clock)

    def __getattr__(self, name):
        if self.down:
            raise ConnectionError("no store at secret-host")
        return getattr(self._store, name)


def test_store_that_fails_stops_everything_and_loses_nothing(caplog):
    """Fail closed: 503 in words, no handler, no cookie changed; once the store is back the same address works."""
    clock = Clock()
    store = BrokenStore(clock)
    site = Site(clock=clock, store=store)
    browser = Browser(site)
    state = browser.popup()
    carried = dict(browser.jar)
    store.down = True
    answer = browser.answer(state)
    assert (answer.status, header(answer, "Retry-After")) == (503, "5")
    assert "can't finish right now" in words(answer)
    assert told(answer) == {}
    assert browser.jar == carried
    assert browser.status() == (503, {"outcome": "unknown"})
    assert browser.cancel().status == 503
    assert site.completed == site.failed == []
    assert "The store failed" in caplog.text
    assert "the-code" not in caplog.text
    store.down = False
    assert told(browser.answer(state))["outcome"] == "granted"
    assert len(site.completed) == 1


def test_worker_that_died_in_the_handler_is_not_waited_for():
    """A claim that nobody settled reads pending for two minutes, then as the handler's failure; it never runs again."""
    claimed = []

    class Died(BaseException):
        """What no route catches, as no route outlives kill -9."""

    def die(request, response):
        claimed.append(response)
        raise Died

    site = Site(on_complete=die)
    browser = Browser(site)
    state = browser.popup()
    with pytest.raises(Died):
        browser.answer(state)
    assert browser.status() == (200, {"outcome": "pending", "code": None, "data": None})
    assert "used before" in words(browser.answer(state))
    site.clock.now += 121
    assert browser.status() == (200, {"outcome": "failed", "code": "handler_failed", "data": None})
    answer = browser.answer(state)
    assert (answer.status, told(answer)["code"]) == (500, "handler_failed")
    assert len(claimed) == 1
