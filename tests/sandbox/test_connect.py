"""The screens over HTTP: order, reload, back, headers, hostile input."""

import re

import pytest

from .conftest import REDIRECT_URI, Person, preselected, received

SECURITY = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def test_connect_ordinary_person(person: Person) -> None:
    """An ordinary e-mail address leads through welcome, brands, login and grant to a code."""
    person.opens()
    seen = [person.screen]
    for form in ({"country": "US"}, {"brand": "TESLA"}, {"username": "a@b.example", "password": "x"}):
        page = person.submits(**form)
        seen.append(person.screen)
    assert seen == ["welcome", "brands", "login", "grant"]
    response = person.approves(page)
    assert response.headers["location"].startswith(f"{REDIRECT_URI}?code=")
    answer = received(response)
    assert answer.keys() == {"code", "user_id", "state"}
    assert answer["state"] == "the state"


@pytest.mark.parametrize(
    ("screen", "ids"),
    [
        ("welcome", ["continue-button", "country"]),
        ("brands", ["brand-search", "TESLA", "CHEVROLET", "KIA", "other-brand-button"]),
        ("login", ["username", "password", "sign-in-button"]),
        ("grant", ["approval-button", "deny-button"]),
    ],
)
def test_screen_ids_as_in_the_official_suites(person: Person, screen: str, ids: list[str]) -> None:
    """Each screen has the ids that the official SDKs' browser tests click on."""
    page = person.reaches(screen)
    for name in ids:
        assert page.text.count(f'id="{name}"') == 1
    assert "page-content" in page.text


def test_pages_security_headers(person: Person) -> None:
    """Pages allow no foreign or inline content, can't be framed and aren't kept, but name no form-action."""
    page = person.opens()
    policy = page.headers["content-security-policy"]
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert page.headers.items() >= SECURITY.items()


@pytest.mark.parametrize("screen", ["welcome", "brands", "login", "grant"])
def test_pages_nothing_inline(person: Person, screen: str) -> None:
    """No page has an inline script, an inline style or an event handler attribute."""
    html = person.reaches(screen).text
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", html)


def test_screen_reloaded(person: Person) -> None:
    """A reload shows the same screen."""
    page = person.reaches("grant")
    assert person.client.get(person.path).text == page.text


def test_screen_not_reached(person: Person) -> None:
    """Who jumps ahead by changing the address is led back to the screen that is due."""
    person.opens()
    person.follows(person.client.get(f"{person.attempt}/grant"))
    assert person.screen == "welcome"
    person.follows(person.client.post(f"{person.attempt}/grant", data={"decision": "allow"}))
    assert person.screen == "welcome"


def test_screen_unknown_name(person: Person) -> None:
    """A screen that doesn't exist leads back to one that does."""
    person.reaches("login")
    person.follows(person.client.get(f"{person.attempt}/no-such-screen"))
    assert person.screen == "login"


def test_attempt_unknown(person: Person) -> None:
    """An attempt that the sandbox doesn't know is explained in words."""
    for response in (
        person.client.get("/connect/nobody/welcome"),
        person.client.post("/connect/nobody/welcome", data={}),
        person.client.post("/connect/nobody/end", data={}),
        person.client.get("/connect/nobody/done"),
    ):
        assert response.status_code == 404
        assert "This attempt has ended" in response.text


def test_attempt_expired(person: Person, clock) -> None:
    """An attempt older than an hour has ended."""
    person.opens()
    clock.move(3601)
    assert person.client.get(person.path).status_code == 404


def test_attempt_other_than_mine(person: Person) -> None:
    """Two attempts at the same time don't know each other."""
    person.reaches("grant")
    first = person.path
    person.opens()
    assert person.attempt not in first
    assert person.client.get(first).status_code == 200


def test_approval_twice(person: Person) -> None:
    """Going back and approving again gives another good code, and the first one stays good."""
    page = person.reaches("grant")
    codes = [received(person.approves(page))["code"] for _ in range(2)]
    assert codes[0] != codes[1]
    assert [person.exchanges(code).status_code for code in codes] == [200, 200]


def test_denial_after_approval(person: Person) -> None:
    """Going back and denying after all is answered as a denial."""
    page = person.reaches("grant")
    person.approves(page)
    assert received(person.submits(decision="deny"))["error"] == "access_denied"


def test_brand_changed_by_going_back(person: Person) -> None:
    """Who goes back and takes another brand logs in again; the first brand's vehicles are gone."""
    page = person.reaches("grant")
    person.path = f"{person.attempt}/brands"
    person.submits(brand="TESLA")
    response = person.client.post(f"{person.attempt}/grant", data={"vehicle": preselected(page)})
    assert response.headers["location"] == f"{person.attempt}/login"


def test_form_too_long(person: Person) -> None:
    """A form longer than any of ours is refused in words."""
    person.opens()
    response = person.client.post(person.path, content=b"country=" + b"x" * 300_000)
    assert response.status_code == 400
    assert "Unreadable form" in response.text


def test_form_with_too_many_fields(person: Person) -> None:
    """Thousands of fields are refused in words."""
    person.opens()
    assert person.client.post(person.path, content=b"a=1&" * 3000).status_code == 400


def test_form_not_utf8(person: Person) -> None:
    """Bytes that are not UTF-8 are shown as question marks."""
    person.reaches("login")
    response = person.client.post(person.path, content=b"username=\xff%fe%00&password=")
    assert "?" in person.follows(response).text


HOSTILE = '"><script>alert(1)</script>'


@pytest.mark.parametrize(
    "name", ["make", "state", "scope", "mode", "flags", "external_id", "user", "response_type"]
)
def test_hostile_parameter_escaped(person: Person, name: str) -> None:
    """Markup in a parameter is text on every screen."""
    page = person.opens(**{name: HOSTILE, "single_select": "true"})
    pages = [page.text]
    if person.screen == "welcome":
        pages.append(person.submits().text)
    assert not any("<script>alert" in text for text in pages)


@pytest.mark.parametrize(
    "name", ["state", "make", "scope", "redirect_uri", "application_id", "flags", "anything"]
)
@pytest.mark.parametrize(
    "value", ["%ff%fe", "%00", "%0d%0aset-cookie:a=b", "%ed%a0%80", "x" * 60_000, "%", "\\u2028"]
)
def test_garbage_parameter_never_a_failure(person: Person, name: str, value: str) -> None:
    """No parameter, however long or malformed, makes the sandbox fail."""
    query = "response_type=code&application_id=a&redirect_uri=http%3A%2F%2Flocalhost%2F"
    first = person.client.get(f"/oauth/authorize?{name}={value}&{query}")
    assert first.status_code in {303, 400, 414}
    assert "set-cookie" not in first.headers
    assert person.follows(first).status_code in {200, 400, 414}


def test_too_many_parameters(person: Person) -> None:
    """Hundreds of parameters are refused in words."""
    response = person.client.get("/oauth/authorize?" + "a=1&" * 500)
    assert response.status_code == 400


@pytest.mark.parametrize("state", ["%FF", "%F0%9F%9A%97", "a%20b%2Bc%26d%3De", "%00", "%C3%A9"])
def test_state_back_byte_for_byte(person: Person, state: str) -> None:
    """The state returns with the bytes it came with, UTF-8 or not."""
    query = "response_type=code&application_id=a&redirect_uri=http%3A%2F%2Flocalhost%2F&make=bmw"
    person.follows(person.client.get(f"/oauth/authorize?{query}&state={state}"))
    person.submits()
    page = person.submits(username="a@b.example", password="x")
    location = person.approves(page).headers["location"]
    assert location.endswith(f"&state={state}")


def test_controls_end_the_attempt(person: Person) -> None:
    """The sandbox controls end an attempt with any error of Connect."""
    errors = person.opens().text.partition('id="sandbox-error"')[2].partition("</select>")[0]
    for error in re.findall(r'<option value="([a-z_]+)"', errors):
        answer = received(person.client.post(f"{person.attempt}/end", data={"error": error}))
        assert answer["error"] == error
        assert answer["error_description"]
        assert answer["state"] == "the state"


def test_controls_unknown_error(person: Person) -> None:
    """An error that Connect doesn't have leads back to the start."""
    person.opens()
    response = person.client.post(f"{person.attempt}/end", data={"error": "nonsense"})
    assert response.headers["location"] == f"{person.attempt}/welcome"


def test_completion_page_without_redirect_uri(person: Person) -> None:
    """Without a redirect URI an M2M attempt ends on a page of Connect, and no code is made."""
    page = person.reaches("grant", response_type="none", redirect_uri=None)
    response = person.approves(page)
    assert person.screen == "done"
    assert "Your car is connected" in response.text


def test_completion_page_after_denial(person: Person) -> None:
    """The page of Connect says so too when nothing was connected."""
    person.reaches("grant", response_type="none", redirect_uri=None)
    assert "isn&#39;t connected" in person.submits(decision="deny").text or person.screen == "done"
