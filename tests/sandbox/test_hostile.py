"""The hostile switches over HTTP: what each puts on the wire, from code and from the sandbox controls."""

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from smartcar_auth.sandbox.plan import SWITCHES, SWITCHES_AT, Plan, plan_of
from smartcar_auth.sandbox.stops import STOPS

from .conftest import Person, received

EVERY = [(switch.name, value) for switch in SWITCHES for value in switch.choices]


def plan_in(person: Person) -> Plan:
    """The plan of the person's attempt."""
    return person.sandbox._records.attempts[person.attempt.rsplit("/", 1)[1]].plan


def turns(person: Person, **values: str) -> Any:
    """Use the sandbox controls on the screen where the person is."""
    form = {"screen": person.screen, **values}
    return person.follows(person.client.post(f"{person.attempt}/controls", data=form))


@pytest.mark.parametrize(("name", "value"), EVERY)
def test_switch_from_the_controls(person: Person, name: str, value: str) -> None:
    """Each switch of the controls is what the same option is in code, and the screen shows it turned."""
    person.opens()
    page = turns(person, **{name: value})
    assert person.screen == "welcome"
    assert plan_in(person) == plan_of({name: value})  # type: ignore[misc]
    field = page.text.partition(f'id="sandbox-{name}"')[2].partition("</select>")[0]
    assert f'<option value="{value}" selected>' in field
    assert '<details class="controls" lang="en" open>' in page.text


@pytest.mark.parametrize("screen", ["two-factor", "pin", "battery-capacity", "virtual-key"])
def test_extra_screen_from_the_controls(person: Person, screen: str) -> None:
    """Extra screens are asked for in the controls as in code."""
    person.reaches("login")
    turns(person, screens=screen)
    page = person.submits(username="owner@example.com", password="x")
    if person.screen == "grant":
        person.approves(page)
    assert person.screen == screen


def test_controls_turned_back(person: Person) -> None:
    """A form without values turns everything off again, and unknown values are nothing."""
    person.opens()
    turns(person, state="dropped", coop="login", screens="pin")
    assert plan_in(person).hostile
    turns(person, state="nonsense", coop="", screens="captcha", unheard="of")
    assert plan_in(person) == Plan()


def test_controls_keep_how_it_ends(person: Person) -> None:
    """The controls bend an answer that is chosen there, too."""
    person.opens()
    turns(person, state="dropped")
    answer = received(person.client.post(f"{person.attempt}/end", data={"error": "access_denied"}))
    assert answer["error"] == "access_denied"
    assert "state" not in answer


def test_screens_where_a_window_can_close_exist() -> None:
    """Every screen that a person passes is one at which the window can close."""
    from smartcar_auth.sandbox.flow import SCREENS

    assert set(SWITCHES_AT) == SCREENS.keys() - STOPS.keys() - {"problem"}


@pytest.mark.parametrize(
    ("where", "screens"), [("connect", {"welcome", "brands", "login", "grant"}), ("login", {"login"})]
)
def test_coop_on_the_pages_it_is_for(person: Person, where: str, screens: set[str]) -> None:
    """The header is on every answer of Connect, or on the brand's login alone."""
    person.sandbox.next(coop=where)
    person.opens()
    seen = set()
    for form in ({}, {"brand": "KIA"}, {"username": "a@b.example", "password": "x"}):
        if "cross-origin-opener-policy" in person.client.get(person.path).headers:
            seen.add(person.screen)
        page = person.submits(**form)
    if page.headers.get("cross-origin-opener-policy") == "same-origin":
        seen.add(person.screen)
    assert seen == screens
    answer = person.approves(page)
    assert ("cross-origin-opener-policy" in answer.headers) is (where == "connect")


def test_no_coop_otherwise(person: Person) -> None:
    """Connect as it is sends no such header."""
    assert "cross-origin-opener-policy" not in person.reaches("login").headers


@pytest.mark.parametrize("answer", ["twice", "other_browser"])
def test_answer_on_a_page(person: Person, answer: str) -> None:
    """The answer is shown instead of followed, and is the whole one."""
    person.sandbox.next(outcome="granted", answer=answer)
    person.client.headers["accept-language"] = "de"
    page = person.opens()
    assert person.screen == "answer"
    assert '<html lang="en">' in page.text
    address = html.unescape(re.findall(r'id="answer-link"[^>]* href="([^"]+)"', page.text)[0])
    told = parse_qs(urlsplit(address).query)
    assert told["state"] == ["the state"]
    assert person.exchanges(told["code"][0]).status_code == 200


def test_answer_page_before_there_is_one(person: Person) -> None:
    """Who asks for the answer too early is led to the screen that is due."""
    person.opens()
    person.follows(person.client.get(f"{person.attempt}/answer"))
    assert person.screen == "welcome"


@pytest.mark.parametrize("screen", ["welcome", "brands"])
def test_window_closes_on_its_screen_only(person: Person, screen: str) -> None:
    """The page says to its script where the window closes."""
    person.sandbox.next(closes_at=screen)
    page = person.opens()
    assert ("data-closes" in page.text) is (screen == "welcome")
    assert ("data-closes" in person.submits().text) is (screen == "brands")


def test_form_that_fails_loses_nothing(person: Person) -> None:
    """A failure switched on in the controls meets the next form once, which can then be sent again."""
    person.reaches("login")
    assert turns(person, connect="503").status_code == 200
    failed = person.submits(username="owner@example.com", password="x")
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "5")
    assert "approval-button" in person.submits(username="owner@example.com", password="x").text


def test_offline_under_a_server_that_is_not_ours(person: Person) -> None:
    """Where the connection isn't ours to end, offline is a 503."""
    person.sandbox.next(connect="offline")
    assert person.opens().status_code == 503


@pytest.mark.parametrize("state", ["a", "AAAA", "é%", "x" * 500])
def test_altered_state_differs_in_one_character(person: Person, state: str) -> None:
    """An altered state has the same length and exactly one other character."""
    person.sandbox.next(outcome="granted", state="altered")
    altered = received(person.opens(state=state))["state"]
    assert len(altered) == len(state)
    assert sum(a != b for a, b in zip(state, altered, strict=True)) == 1


@pytest.mark.parametrize("how", ["dropped", "altered", "doubled"])
def test_no_state_to_spoil(person: Person, how: str) -> None:
    """Where none was sent none comes back."""
    person.sandbox.next(outcome="granted", state=how)
    assert "state" not in received(person.opens(state=None))


@pytest.mark.parametrize(("name", "value"), EVERY)
def test_switch_documented(name: str, value: str) -> None:
    """docs/sandbox.md says what each value of each switch does."""
    guide = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in guide.splitlines() if line.startswith(f"| `{name}=")]
    values = " ".join(rows) + (guide.partition("The screens at which")[2] if name == "closes_at" else "")
    assert re.search(rf'[="`]{value}["`]', values), rows


def test_messages_of_the_flow_without_redirect(person: Person) -> None:
    """Without a redirect URI the page that opened Connect is told, if it is an origin; else nobody is."""
    asked = {"response_type": "none", "redirect_uri": None}
    person.sandbox.next(outcome="granted")
    page = person.opens(app_origin="http://localhost:8000", **asked).text
    assert 'data-app-origin="http://localhost:8000"' in page
    assert "SmartcarAuthMessage" in page
    person.sandbox.next(outcome="granted")
    assert "data-app-origin" not in person.opens(app_origin="*", **asked).text
    assert "No message will be posted" in person.opens(app_origin="javascript:1", **asked).text
