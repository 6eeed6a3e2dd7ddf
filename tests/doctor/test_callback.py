"""The way back: is the attempt known everywhere, do answers reach the callback, does anything keep what it says?"""

import time
from urllib.parse import urlsplit

import pytest
from fastapi.responses import RedirectResponse

from deployment.deployed import uvicorn
from doctor.patients import FORWARDING, complaints, examined, login, of, on, one

CALLBACK = "/smartcar/callback"
OTHER_KEY = "another-application's-key-of-32-bytes-or-more"


def status(number, body=b""):
    """The change that makes another answer of the callback's."""

    def changed(answer):
        answer.status, answer.headers, answer.body = number, [("content-type", "text/html")], body

    return on(CALLBACK, changed)


def gone(answer):
    answer.status = 404


# -- the attempt, wherever it is asked for


def test_workers_with_different_keys_are_found(deployment, proxy):
    """Two workers, each with a key of its own: what one seals is nothing to the other."""
    workers = [
        uvicorn(deployment.folder, name, keys=[key])
        for name, key in (("one", OTHER_KEY), ("two", OTHER_KEY[::-1]))
    ]
    deployment.start(*workers)
    url = proxy(*[worker.port for worker in workers], directives=FORWARDING)
    level, message = one(examined(url), "secret_keys")
    assert level == "problem"
    assert "is known to 5 of 10 requests" in message
    assert "state_mismatch (altered). Give all workers the same secret_keys" in message


def test_workers_with_the_same_keys_are_fine(deployment, proxy):
    """The same two, as they should be."""
    keys = [OTHER_KEY, OTHER_KEY[::-1]]
    workers = [uvicorn(deployment.folder, name, keys=keys) for name in ("one", "two")]
    deployment.start(*workers)
    url = proxy(*[worker.port for worker in workers], directives=FORWARDING)
    assert one(examined(url), "secret_keys")[0] == "ok"


def test_cookie_header_that_a_proxy_drops_is_found(patient, proxy):
    """No worker sees the attempt's cookie: every answer would be somebody else's."""
    url = proxy(patient().server.port, directives=f'{FORWARDING} proxy_set_header Cookie "";')
    level, message = one(examined(url), "status")
    assert level == "problem"
    assert "drops the Cookie header, answers end as state_mismatch (other_browser)" in message
    assert "has a key of its own, answers end as state_mismatch (altered)" in message


@pytest.mark.parametrize(
    ("change", "said"), [(login, "answers 302 rather than 200"), (gone, "answers 404 rather than 200")]
)
def test_status_that_is_not_reached_is_found(patient, change, said):
    """A login in front of it, say: the page would never learn what the pop-up can't tell."""
    level, message = one(examined(patient(on("/smartcar/status/*", change)).url), "status")
    assert level == "problem"
    assert said in message


def test_attempt_that_is_known_everywhere_is_fine(patient):
    """Each of ten requests is answered, and a request without the cookie is not."""
    app = patient()
    findings = examined(app.url)
    assert one(findings, "secret_keys")[0] == "ok"
    assert of(findings, "status") == []
    assert len(app.paths("/smartcar/status/")) == 11


def test_cache_that_keeps_answers_is_found(patient, proxy, tmp_path):
    """nginx that ignores what it is told and keeps everything by address: others learn how the attempt stands."""
    zone = f"proxy_cache_path {tmp_path}/kept keys_zone=kept:1m;"
    keep = "proxy_cache kept; proxy_cache_valid any 1m; proxy_ignore_headers Cache-Control Set-Cookie Vary;"
    url = proxy(patient().server.port, directives=FORWARDING + keep, http=zone)
    level, message = of(examined(url), "cache")[0]
    assert level == "problem"
    assert "without its cookie: a cache on the way keeps answers" in message
    obedient = "proxy_cache kept; proxy_cache_valid any 1m;"
    url = proxy(patient().server.port, directives=FORWARDING + obedient, http=zone)
    assert of(examined(url), "cache") == [
        ("ok", "Cache-Control: no-store arrives with what may hold an answer.")
    ]


# -- the callback


def test_callback_that_answers_is_fine(patient):
    """It refuses an answer without state, of which on_error is told."""
    app = patient()
    level, message = one(examined(app.url), "callback")
    assert level == "ok"
    assert f"{app.origin}{CALLBACK} is reached" in message
    assert [error.cause for error in app.errors] == ["missing"]


def test_callback_of_an_on_error_that_redirects_is_fine(patient):
    """The application may answer as it likes; the routes' header fields show that it was asked."""
    app = patient(failure=lambda request, error: RedirectResponse("/garage", 303))
    findings = examined(app.url)
    assert one(findings, "callback")[0] == "ok"
    assert [check for level, check in complaints(findings) if level == "problem"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (status(404), "answers 404, so people come back to nothing. If a proxy cuts the path"),
        (on(CALLBACK, login), "redirects to {origin}/login, where an answer without state must be refused"),
        (status(200, b"<div id=root></div>"), "answers 200, where an answer without state must be refused"),
        (status(400, b"<h1>Bad request</h1>"), "answers 400, where"),
        (status(403), "answers 403, where"),
        (status(502), "answers 502, where"),
    ],
)
def test_callback_that_is_not_reached_is_a_problem(patient, change, said):
    """Something in front of the routes answers, or nothing is there."""
    app = patient(change)
    level, message = one(examined(app.url), "callback")
    assert level == "problem"
    assert said.format(origin=app.origin) in message
    assert "hunter2" not in message


def test_callback_is_asked_for_where_connect_would_answer(patient):
    """At the path of the redirect URI, wherever the routes are."""

    def elsewhere(answer):
        there = urlsplit(answer.get("location"))
        changed = there.query.replace("smartcar%2Fcallback", "shop%2Fcallback")
        answer.put("location", there._replace(query=changed).geturl())

    app = patient(on("/smartcar/launch", elsewhere))
    assert one(examined(app.url), "callback")[1].startswith(f"{app.origin}/shop/callback answers 404")


# -- what becomes of its header fields


def test_cached_answers_are_named(patient, proxy):
    """A proxy that says of everything that it may be kept."""
    replace = 'proxy_hide_header Cache-Control; add_header Cache-Control "public, max-age=60" always;'
    url = proxy(patient().server.port, directives=FORWARDING + replace)
    level, message = one(examined(url), "cache")
    assert level == "problem"
    assert f"{url}/smartcar/launch and {url}{CALLBACK} arrives without Cache-Control: no-store" in message


def test_only_the_answer_that_may_be_kept_is_named(patient):
    """One of the two."""
    app = patient(on(CALLBACK, lambda answer: answer.drop("cache-control")))
    assert f"{app.origin}{CALLBACK} arrives without" in one(examined(app.url), "cache")[1]
    assert "launch" not in one(examined(app.url), "cache")[1]


def test_referrer_that_is_passed_on_is_a_problem(patient, proxy):
    """The code stands in the callback's address; a site-wide Referrer-Policy mustn't replace ours."""
    replace = "proxy_hide_header Referrer-Policy; add_header Referrer-Policy unsafe-url always;"
    url = proxy(patient().server.port, directives=FORWARDING + replace)
    level, message = one(examined(url), "referrer")
    assert level == "problem"
    assert "the code in its address may be passed on" in message
    assert of(examined(proxy(patient().server.port, directives=FORWARDING)), "referrer") == []


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("default-src 'none'", "The callback page's default-src keeps connect.js"),
        ("script-src 'nonce-abc'", "The callback page's script-src keeps connect.js"),
        ("sandbox", "The callback page's sandbox keeps connect.js"),
        ("default-src 'self'", None),
    ],
)
def test_policy_that_is_added_to_the_callback_page_is_named(patient, proxy, policy, said):
    """A site-wide policy is in force beside ours, and our page's script must pass both."""
    add = f'add_header Content-Security-Policy "{policy}" always;'
    url = proxy(patient().server.port, directives=FORWARDING + add)
    found = [message for _, message in of(examined(url), "csp") if "callback page" in message]
    assert [said is not None and message.startswith(said) for message in found] == [True] * (said is not None)


# -- the clock


@pytest.mark.parametrize(
    ("seconds", "level", "said"),
    [
        (0, "ok", "agrees"),
        (50, "ok", "agrees"),
        (-50, "ok", "agrees"),
        (300, "warning", "ahead of"),
        (-300, "warning", "behind"),
        (3600, "problem", "ahead of"),
        (-3600, "problem", "behind"),
    ],
)
def test_clock_of_the_application_is_compared(patient, seconds, level, said):
    """It is the application's own, although the server in front sends a right Date."""
    app = patient(clock=lambda: time.time() + seconds)
    found = one(examined(app.url), "clock")
    assert found[0] == level
    assert said in found[1]
    assert ("state_mismatch (expired)" in found[1]) == (level != "ok")


def test_clock_is_unknown_without_a_state_of_ours(patient):
    """Nothing is said of it then."""

    def stateless(answer):
        answer.put("location", urlsplit(answer.get("location"))._replace(query="state=abc").geturl())

    findings = examined(patient(on("/smartcar/launch", stateless)).url)
    assert of(findings, "launch")[0][0] == "ok"
    assert of(findings, "clock") == []
