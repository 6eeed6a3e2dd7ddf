"""The application's options and functions, and who is no person."""

import pytest

from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.web import Connect, ProcessStore, Request
from smartcar_auth.web.application import checked_subject, not_a_person
from web.browser import APPLICATION_ID, KEY, ORIGIN, Browser, Site, header

SMARTCAR = Smartcar(application_id=APPLICATION_ID)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"smartcar": APPLICATION_ID}, "must be a Smartcar"),
        ({"smartcar": Smartcar(application_id="a", on_complete=print)}, "@connect.on_complete"),
        ({"attempt_seconds": 9}, "attempt_seconds"),
        ({"attempt_seconds": 86_401}, "attempt_seconds"),
        ({"attempt_seconds": True}, "attempt_seconds"),
        ({"attempt_seconds": 60.0}, "attempt_seconds"),
        ({"secret_keys": "short"}, "secret_keys"),
        ({"identify": "user"}, "identify"),
        ({"public_url": "http://app.example.com"}, "public_url"),
        ({"allowed_origins": ["x"]}, "allowed_origins"),
    ],
)
def test_connect_refuses_options_that_cannot_be_right(options, says):
    """At once, naming the option."""
    given = {"smartcar": SMARTCAR, "secret_keys": KEY} | options
    with pytest.raises(ConfigurationError, match=says):
        Connect(given.pop("smartcar"), **given)


def test_connect_takes_the_limits_of_attempt_seconds():
    """Ten seconds and a day are allowed."""
    for seconds in (10, 86_400):
        assert Connect(SMARTCAR, secret_keys=KEY, attempt_seconds=seconds).attempt_seconds == seconds


def test_store_is_a_process_store_unless_given():
    """An empty store is a store too."""
    assert isinstance(Connect(SMARTCAR, secret_keys=KEY)._store, ProcessStore)
    own = ProcessStore()
    assert Connect(SMARTCAR, secret_keys=KEY, store=own)._store is own


def test_functions_are_registered_once_and_stay_themselves():
    """The decorators give the function back; a second one is refused."""
    connect = Connect(SMARTCAR, secret_keys=KEY)
    assert connect.on_complete(print) is print
    assert connect.on_error(print) is print
    with pytest.raises(ConfigurationError, match="on_complete"):
        connect.on_complete(print)
    with pytest.raises(ConfigurationError, match="on_error"):
        connect.on_error(print)


def test_plain_connect_knows_no_native_response():
    """Only a host can say what its framework's response is."""
    assert Connect(SMARTCAR, secret_keys=KEY).is_native(object()) is False


@pytest.mark.parametrize("subject", [None, 0, -5, 2**128, "u", "u" * 256, "\u6c34" * 85])
def test_subject_may_be_text_or_int(subject):
    """What an application uses as an id travels unchanged."""
    assert checked_subject(subject) == subject


@pytest.mark.parametrize("subject", ["", "u" * 257, "\u6c34" * 86, True, b"u", 1.5, object(), 2**2048])
def test_subject_that_cannot_travel_is_refused(subject):
    """Empty, too long or of another type: in words, without the id."""
    with pytest.raises(ConfigurationError, match="identify returned"):
        checked_subject(subject)


def test_subject_with_a_lone_surrogate_travels():
    """An id that is no Unicode text is still an id."""
    assert checked_subject("\ud800") == "\ud800"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("HEAD", {}, 200),
        ("GET", {"sec-purpose": "prefetch"}, 503),
        ("GET", {"sec-purpose": "prefetch;prerender"}, 503),
        ("GET", {"purpose": "prefetch"}, 503),
        ("GET", {"sec-fetch-dest": "iframe"}, 403),
        ("GET", {"sec-fetch-dest": "image"}, 403),
        ("GET", {"sec-fetch-dest": "empty"}, 403),
        ("GET", {"sec-fetch-dest": ""}, 403),
        ("GET", {"sec-fetch-dest": "\x00<script>"}, 403),
    ],
)
def test_request_that_no_person_made_is_answered_without_acting(method, headers, status):
    """Previews, prefetches, frames and scripts get a status, nothing to keep, and nothing happens."""
    response = not_a_person(Request(method, ORIGIN, "", b"", headers))
    assert response.status == status
    assert header(response, "Cache-Control") == "no-store"
    assert header(response, "Set-Cookie") is None


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-dest": "document"}, {"sec-purpose": "", "purpose": "prefetch"}]
)
def test_request_of_a_person_passes(headers):
    """A top-level navigation passes, and so do browsers that don't send these headers."""
    assert not_a_person(Request("GET", ORIGIN, "", b"", headers)) is None


def test_cookies_follow_the_redirect_uris_scheme():
    """Behind a TLS proxy the cookie is a __Host- one although the server itself speaks http."""
    browser = Browser(Site(public_url="https://app.example.com"), origin="http://app.example.com")
    browser.launch()
    assert [name.startswith("__Host-smartcar-") for name in browser.jar] == [True]
