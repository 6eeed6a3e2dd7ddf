"""The way out: what opens an attempt, what doesn't, and sealed links."""

import logging
from urllib.parse import parse_qsl, urlsplit

import pytest

from smartcar_auth import ConfigurationError
from smartcar_auth.web import perform
from smartcar_auth.web.seal import Sealer
from web.browser import (
    APPLICATION_ID,
    ATTEMPT,
    KEY,
    ORIGIN,
    Browser,
    Site,
    attempt_id,
    cookie_fields,
    header,
    location,
    parameters,
    state_of,
    told,
    words,
)

POPUP = {"attempt": ATTEMPT, "display": "popup", "origin": ORIGIN}


def identified(subject="user-1", **options):
    """A site whose people are told apart by a header, or by `subject`."""
    return Site(identify=lambda native: subject if native is None else native, **options)


def opened_nothing(response):
    """Whether a response leaves the browser as it was."""
    return not cookie_fields(response) and location(response) is None


def test_launch_sends_the_person_to_connect():
    """303 to Connect with application, redirect URI and a fresh state, and a cookie of its own."""
    response = Browser(Site()).launch()
    assert response.status == 303
    assert location(response).startswith("https://connect.smartcar.com/oauth/authorize?response_type=code&")
    assert parameters(response)["application_id"] == APPLICATION_ID
    assert parameters(response)["redirect_uri"] == "http://localhost:8000/smartcar/callback"
    assert header(response, "Cache-Control") == "no-store"
    assert header(response, "Referrer-Policy") == "no-referrer"
    assert len(cookie_fields(response)) == 1
    assert parameters(response)["state"] not in cookie_fields(response)[0]


def test_launch_under_the_pages_id_names_its_cookie():
    """The page's id is the attempt's; without one the server makes it."""
    browser = Browser(Site())
    browser.popup(ATTEMPT)
    assert list(browser.jar) == [f"smartcar-{ATTEMPT}"]
    browser.launch()
    assert len(browser.jar) == 2


def test_launch_keeps_the_cookie_longer_than_the_attempt():
    """The page's own deadline comes first, so that its cancel still finds the cookie."""
    response = Browser(Site(attempt_seconds=600)).launch()
    assert "; Max-Age=900; " in cookie_fields(response)[0]


def test_launch_passes_on_what_a_page_may_choose():
    """make, single_select and force_prompt reach Connect."""
    sent = parameters(Browser(Site()).launch("make=TESLA&single_select=true&force_prompt=true"))
    assert (sent["make"], sent["single_select"], sent["approval_prompt"]) == ("TESLA", "true", "force")


def test_states_of_two_launches_differ():
    """No two launches share a state."""
    browser = Browser(Site())
    assert state_of(browser.launch()) != state_of(browser.launch())


@pytest.mark.parametrize(
    "attempt",
    ["", "x", "A" * 23, "A" * 21 + "B", "A" * 22 + "%0D%0A", "../" + "A" * 19, "%C3%A9" * 22, "A" * 100_000],
)
def test_launch_refuses_an_id_that_is_none(attempt):
    """An id is 16 bytes as base64url, for it becomes a cookie's name."""
    response = Browser(Site()).launch(f"attempt={attempt}")
    assert response.status == 400
    assert opened_nothing(response)


def test_launch_under_an_id_in_use_is_refused():
    """409 where this browser already carries the id; the attempt under way is unharmed, and its page isn't told."""
    browser = Browser(Site())
    state = browser.popup()
    response = browser.launch(POPUP)
    assert response.status == 409
    assert opened_nothing(response)
    assert told(response) == {}
    assert told(browser.answer(state))["outcome"] == "granted"


def test_launch_under_an_id_whose_cookie_is_unreadable_is_refused():
    """The name counts, not the value."""
    assert Browser(Site()).launch(POPUP, cookie=f"smartcar-{ATTEMPT}=x").status == 409


def test_launch_under_an_id_that_has_ended_is_refused():
    """While the outcome is still known, its id is taken."""
    browser = Browser(Site())
    browser.answer(browser.popup())
    assert browser.launch(POPUP).status == 409


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"sec_purpose": "prefetch;prerender"}),
        ("GET", {"sec_fetch_dest": "iframe"}),
        ("GET", {"sec_fetch_site": "cross-site", "sec_fetch_dest": "document"}),
    ],
)
def test_launch_that_nobody_asked_for_sets_nothing(method, headers):
    """Previews, prefetches, frames and other sites open no attempt."""
    assert opened_nothing(Browser(Site()).launch("", method, **headers))


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_launch_from_this_site_is_not_asked(site):
    """A click here, on a sibling, or an address typed in goes straight on."""
    assert Browser(Site()).launch(sec_fetch_site=site, sec_fetch_dest="document").status == 303


def test_launch_from_another_site_is_asked_first():
    """A page with one button, which leads to the launch with its options, but under no id of the other site's."""
    response = Browser(Site()).launch({**POPUP, "make": "TESLA"}, sec_fetch_site="cross-site")
    assert response.status == 200
    assert "Connect your car?" in words(response)
    assert b'href="launch?make=TESLA"' in response.body
    assert ATTEMPT.encode() not in response.body


def test_launch_for_a_page_of_another_site_is_refused_and_told():
    """An allowed page on another site hears why; a page that isn't allowed is named and not told."""
    site = Site(allowed_origins=["https://other.example"])
    for page, hears in (("https://other.example", True), ("https://evil.example", False)):
        response = Browser(site).launch({**POPUP, "origin": page}, sec_fetch_site="cross-site")
        assert response.status == 403
        assert f"{page} is another site" in words(response)
        assert (told(response).get("origin") == page) is hears


def test_stranger_cannot_tell_a_page_that_its_attempt_failed():
    """A link from elsewhere with the id of an attempt under way, made to be refused, tells the page nothing."""
    browser = Browser(Site())
    browser.popup()
    for site in ("cross-site", None):
        response = browser.launch({**POPUP, "return_to": "//evil"}, sec_fetch_site=site)
        assert response.status == 400
        assert told(response) == {}


def test_stranger_cannot_evict_a_persons_attempts():
    """However many links from elsewhere are followed, the person's attempt is still there."""
    browser = Browser(Site())
    state = browser.popup()
    for number in range(2, 20):
        browser.launch({**POPUP, "attempt": attempt_id(number)}, sec_fetch_site="cross-site")
    assert told(browser.answer(state))["outcome"] == "granted"


def test_eleventh_launch_evicts_the_oldest():
    """A browser carries ten attempts; the first of eleven has no cookie any more."""
    site = Site()
    browser = Browser(site)
    states = []
    for number in range(1, 12):
        states.append(browser.popup(attempt_id(number)))
        site.clock.now += 1
    assert len(browser.jar) == 10
    assert browser.answer(states[0]).status == 400
    assert site.causes == ["other_browser"]
    assert told(browser.answer(states[1]))["outcome"] == "granted"


@pytest.mark.parametrize(
    "query",
    [
        "return_to=//evil.example",
        "return_to=https:evil.example",
        "return_to=/%255Cevil.example",
        "return_to=/" + "a" * 100_000,
        "make=" + "A" * 100_000,
        "make=%00%ff",
        b"make=\xff\xfe",
        "user=somebody",
        "&".join(f"x{number}=1" for number in range(1000)),
        "origin=http://localhost:9999%0a<script>",
        "sealed=" + "A" * 100_000,
    ],
)
def test_launch_with_bad_input_is_refused_in_words(query, caplog):
    """4xx, no attempt, and nothing of it in the page, a header or the log."""
    caplog.set_level(logging.DEBUG)
    response = Browser(Site()).launch(query)
    assert response.status in (400, 403)
    assert opened_nothing(response)
    assert b"evil" not in response.body
    assert len(response.body) < 2000
    assert all(len(record.getMessage()) < 300 for record in caplog.records)
    assert "evil" not in caplog.text


def test_hostile_make_is_quoted():
    """What a page chooses goes to Connect percent-encoded, so it can't add a header or a parameter."""
    response = Browser(Site()).launch("make=%0d%0aX:%20y%26state%3Dz%3Cscript%3E")
    assert response.status == 303
    assert location(response).isprintable()
    assert parameters(response)["make"] == "\r\nX: y&state=z<script>"


def test_refused_launch_tells_the_page_that_waits():
    """A page of ours, or an allowed one, hears the code and the reason; the pop-up says it too."""
    site = Site(allowed_origins=["http://localhost:3000"])
    for origin in (ORIGIN, "http://localhost:3000"):
        response = Browser(site).launch({**POPUP, "origin": origin, "return_to": "//x"})
        assert response.status == 400
        assert told(response)["code"] == "invalid_configuration"
        assert told(response)["smartcar-attempt"] == ATTEMPT
        assert told(response)["origin"] == origin
        assert "not a path on this site" in words(response)


@pytest.mark.parametrize(
    "change", [{"display": "tab"}, {"attempt": "x"}, {"origin": "http://localhost:3001"}]
)
def test_refused_launch_tells_nobody_else(change):
    """Without a pop-up, a right id or a known origin there is nobody to tell."""
    assert told(Browser(Site()).launch({**POPUP, "return_to": "//x", **change})) == {}


def test_launch_on_another_host_names_both():
    """localhost against 127.0.0.1: 400, and both stand on the page."""
    site = Site(redirect_uri="http://localhost:8000/smartcar/callback")
    response = Browser(site, origin="http://127.0.0.1:8000").launch()
    assert response.status == 400
    assert "127.0.0.1" in words(response)
    assert "localhost" in words(response)
    assert opened_nothing(response)


def test_launch_for_an_allowed_page_goes_on():
    """A page on another port may launch when it is listed, and not otherwise."""
    page = {**POPUP, "origin": "http://localhost:3000"}
    assert Browser(Site(allowed_origins=["http://localhost:3000"])).launch(page).status == 303
    assert Browser(Site()).launch(page).status == 403


def test_launch_without_on_complete_is_a_configuration_error():
    """The person reads a page without the reason, the page is told, the developer gets the error."""
    response = Browser(Site(on_complete="none")).launch(POPUP)
    assert response.status == 500
    assert isinstance(response.error, ConfigurationError)
    assert "on_complete" in str(response.error)
    assert "on_complete" not in words(response)
    assert "This app isn't set up yet" in words(response)
    assert told(response)["code"] == "invalid_configuration"
    assert opened_nothing(response)


def test_launch_with_a_redirect_uri_elsewhere_is_a_configuration_error():
    """Both addresses are in the error."""
    response = Browser(Site(redirect_uri="http://localhost:8000/elsewhere")).launch()
    assert response.status == 500
    assert "http://localhost:8000/elsewhere" in str(response.error)
    assert "/smartcar/callback" in str(response.error)


def test_launch_with_an_identify_that_cannot_be_right_is_a_configuration_error():
    """An id that can't travel is the developer's mistake."""
    response = Browser(identified(subject=1.5)).launch()
    assert response.status == 500
    assert "identify returned float" in str(response.error)


def test_launch_lets_identify_refuse():
    """What identify raises, such as a framework's 401, is the framework's to answer; nothing was opened."""

    class NotLoggedIn(Exception):
        status_code = 401

    def identify(native):
        raise NotLoggedIn

    browser = Browser(Site(identify=identify))
    with pytest.raises(NotLoggedIn):
        browser.launch()
    assert browser.jar == {}


# -- sealed links


def sealed(site, subject="user-1", **options):
    """The query of a sealed link."""
    return site.connect.sealed_query(subject, **options)


def test_sealed_link_sends_what_a_page_may_not_choose():
    """VIN, flags, user and external id reach Connect."""
    site = identified()
    link = sealed(
        site, single_select_vin="5YJSA1CN5CFP01657", flags={"country": "DE"}, user="u", external_id="e"
    )
    sent = parameters(Browser(site).launch(link))
    assert sent["single_select_vin"] == "5YJSA1CN5CFP01657"
    assert (sent["single_select"], sent["flags"], sent["user"], sent["external_id"]) == (
        "true",
        "country:DE",
        "u",
        "e",
    )


def test_sealed_link_leaves_the_next_launch_alone():
    """One person's external id is in no other launch."""
    site = identified()
    browser = Browser(site)
    browser.launch(sealed(site, external_id="e"))
    assert "external_id" not in parameters(browser.launch())


def test_sealed_state_and_return_to_come_back():
    """The application's own state is in the response, and the flow ends where it was sealed to."""
    site = identified()
    browser = Browser(site)
    response = browser.launch(sealed(site, state={"plan": 2}, return_to="/garage") + "&return_to=/other")
    answer = browser.answer(state_of(response))
    assert location(answer) == "/garage?smartcar=granted"
    assert site.completed[0].app_state == {"plan": 2}
    assert site.completed[0].subject == "user-1"


def test_sealed_link_for_another_person_is_refused():
    """403 in words, no attempt, and the page that waits learns the code."""
    site = identified()
    response = Browser(site, native="user-2").launch(
        sealed(site) + "&" + "&".join(f"{k}={v}" for k, v in POPUP.items())
    )
    assert response.status == 403
    assert "made for another person" in words(response)
    assert opened_nothing(response)
    assert told(response)["code"] == "state_mismatch"


def test_sealed_link_for_nobody_is_refused_to_somebody():
    """A link made before the login is not good after it."""
    site = identified()
    assert Browser(site).launch(sealed(site, None)).status == 403


def test_sealed_link_expires():
    """It is good for fifteen minutes."""
    site = identified()
    link = sealed(site)
    site.clock.now += 900
    assert Browser(site).launch(link).status == 303
    site.clock.now += 1
    response = Browser(site).launch(link)
    assert response.status == 403
    assert "expired" in words(response)


def test_sealed_link_that_was_altered_is_refused():
    """Another application's seal or a changed one is 403."""
    site = identified()
    foreign = Sealer([KEY], "another-app").seal_options({"issued": 0, "for": None, "connect": {}})
    assert Browser(site).launch(f"sealed={foreign}").status == 403
    assert Browser(site).launch(sealed(site)[:-2] + "xx").status == 403


@pytest.mark.parametrize("option", [{"external_id": "e"}, {"user": "u"}, {"state": {"a": 1}}])
def test_sealed_link_with_a_person_needs_identify(option):
    """Without identify nobody could tell whose link it is."""
    with pytest.raises(ConfigurationError, match=next(iter(option))):
        sealed(Site(), None, **option)


def test_sealed_link_without_a_person_needs_no_identify():
    """Make, VIN and flags name no person."""
    site = Site()
    sent = parameters(
        Browser(site).launch(sealed(site, None, make="TESLA", flags=["a:b"], force_prompt=True))
    )
    assert (sent["make"], sent["flags"], sent["approval_prompt"]) == ("TESLA", "a:b", "force")


@pytest.mark.parametrize(
    "option",
    [
        {"make": ""},
        {"single_select": False, "single_select_vin": "V"},
        {"flags": "nonsense"},
        {"external_id": ""},
        {"user": 7},
        {"state": [1]},
        {"return_to": "//evil"},
    ],
)
def test_sealed_link_refuses_options_that_cannot_be_right(option):
    """The developer's mistake is told where the link is made, not to the person who follows it."""
    with pytest.raises(ConfigurationError):
        sealed(identified(), **option)


def test_sealed_link_holds_one_parameter():
    """The address carries nothing beside the seal."""
    assert [name for name, _ in parse_qsl(urlsplit("?" + sealed(identified(), make="BMW")).query)] == [
        "sealed"
    ]


def test_launch_asks_identify_with_the_native_request():
    """identify gets the framework's request."""
    seen = []
    site = Site(identify=lambda native: seen.append(native))
    perform(site.connect.launch(Browser(site, native="native").request()))
    assert seen == ["native"]
