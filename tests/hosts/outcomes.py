"""One table of outcomes that every web host must pass, over its framework's real test client.

A host's own test says only how to make an application (`Host`); what must come out stands here.
"""

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from smartcar_auth import Smartcar
from smartcar_auth.web import ProcessStore, assets

APPLICATION_ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
ORIGIN = "http://localhost:8000"
ATTEMPT = "A" * 21 + "Q"
CODE = "0f4d3b4c-code"
VIN = "5YJSA1CN5CFP01657"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 1_800_000_000

    def __call__(self):
        return self.now


def options(**more):
    """The arguments of every host's SmartcarConnect: its clock and store are handed in."""
    clock = Clock()
    given = {"secret_keys": ["k" * 32], "clock": clock, "store": ProcessStore(clock=clock)}
    return {"smartcar": Smartcar(application_id=APPLICATION_ID), **given, **more}


@dataclass
class Host:
    """An application in one framework, its routes under /smartcar, and a browser in front of it.

    Args:
        client: Asks like httpx: `get` and `post` with `headers`, `cookies`, no redirects followed.
        clock: What its `SmartcarConnect` goes by.
        completed: What on_complete was called with: (request, response).
        failed: What on_error was called with: (request, error).
        person: A list of one: whom `identify` names.
    """

    client: Any
    clock: Clock
    completed: list[tuple[Any, Any]] = field(default_factory=list)
    failed: list[tuple[Any, Any]] = field(default_factory=list)
    person: list[str | None] = field(default_factory=lambda: ["user-1"])
    result: Any = None

    def launch(self, query="", **headers):
        """The launch route's answer."""
        return self.client.get(f"/smartcar/launch?{query}", headers=headers)

    def state(self, query=f"attempt={ATTEMPT}&display=popup&origin={ORIGIN}"):
        """Launch, and the state that went to Connect."""
        answer = self.launch(query)
        assert answer.status_code == 303, answer.text
        return parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]

    def callback(self, query):
        """The callback route's answer."""
        return self.client.get(f"/smartcar/callback?{query}")

    def status(self, attempt=ATTEMPT, **headers):
        """The status route's answer."""
        return self.client.get(f"/smartcar/status/{attempt}", headers=headers)

    def cancel(self, attempt=ATTEMPT, origin=ORIGIN):
        """The cancel route's answer."""
        return self.client.post(f"/smartcar/cancel/{attempt}", headers={"origin": origin})

    def carried(self):
        """The browser's cookies, to be restored later."""
        return {one.name: one.value for one in self.client.cookies.jar}

    def restore(self, cookies):
        """The browser carries these cookies and no others."""
        self.client.cookies.clear()
        self.client.cookies.update(cookies)


def told(answer):
    """What a page tells the window that waits."""
    root = re.search(r"<html([^>]*)>", answer.text).group(1)
    return {name: html.unescape(value) for name, value in re.findall(r'data-([a-z-]+)="([^"]*)"', root)}


def grant(host, state):
    """The owner allows."""
    return host.callback(f"code={CODE}&user_id=u-1&state={state}")


def says(query):
    """Connect answers with this query and the right state."""
    return lambda host, state: host.callback(f"{query}&state={state}")


def altered(host, state):
    """A state that is not ours."""
    return host.callback(f"code={CODE}&state={state[:-4]}AAAA")


def late(host, state):
    """The answer comes after attempt_seconds."""
    host.clock.now += 3601
    return grant(host, state)


def elsewhere(host, state):
    """The answer comes in another browser."""
    host.client.cookies.clear()
    return grant(host, state)


def other_person(host, state):
    """Somebody else has logged in meanwhile."""
    host.person[0] = "user-2"
    return grant(host, state)


def nobody(host, state):
    """The session cookie stayed behind."""
    host.person[0] = None
    return grant(host, state)


def replayed(host, state):
    """A copied cookie brings the answer again."""
    cookies = host.carried()
    grant(host, state)
    host.completed.clear()
    host.restore(cookies)
    return grant(host, state)


def reloaded(host, state):
    """The same browser again."""
    grant(host, state)
    return grant(host, state)


def cancelled(host, state):
    """The page gave up first."""
    host.cancel()
    return grant(host, state)


def failing(host, state):
    """on_complete raises."""
    host.result = ValueError(CODE)
    return grant(host, state)


@dataclass(frozen=True)
class Row:
    """One outcome: what happens, and what page, status and functions see of it.

    `code` is None for granted, a text for failed, and "refused" for an answer that isn't believed.
    """

    name: str
    answer: Callable[[Host, str], Any]
    status: int = 200
    code: str | None = None
    completed: int = 0
    failed: tuple[str, ...] = ()


def denied(error, code=None, **parameters):
    """A row for one of Connect's errors."""
    query = "&".join(f"{name}={quote(value)}" for name, value in {"error": error, **parameters}.items())
    return Row(error, says(query), code=code or error, failed=(code or error,))


def refused(name, answer, cause=None, completed=0):
    """A row for an answer that proves nothing."""
    return Row(name, answer, 400, "refused", completed, (cause or name,))


OUTCOMES = [
    Row("granted", grant, completed=1),
    Row("granted to nobody logged in", nobody, completed=1),
    Row("reloaded", reloaded, completed=1),
    denied("access_denied", error_description="User denied access to application."),
    denied("vehicle_incompatible", vin=VIN, make="TESLA"),
    denied("invalid_subscription"),
    denied("no_vehicles"),
    denied("configuration_error", status_code="400", error_message="<script>"),
    denied("server_error"),
    denied("oem_cancelled_login"),
    denied("user_manually_returned_to_application", "user_exited"),
    denied("something_new", "unknown_error"),
    Row("cancelled", cancelled, code="cancelled", failed=("cancelled",)),
    Row("handler_failed", failing, 500, "handler_failed", 1),
    refused("missing", lambda host, state: host.callback(f"code={CODE}")),
    refused("altered", altered),
    refused("expired", late),
    refused("other_browser", elsewhere),
    refused("other_person", other_person),
    refused("replayed", replayed),
    refused("doubled", says(f"code={CODE}&code={CODE}"), "duplicate_parameter"),
    refused("both", says(f"code={CODE}&error=access_denied"), "ambiguous_response"),
    refused("neither", says("user_id=u"), "missing_parameter"),
    refused("no UTF-8", says("code=%ff"), "invalid_response"),
]

HOSTILE = [
    "/smartcar/launch?make=" + "A" * 60_000,
    "/smartcar/launch?return_to=%2f%5cevil.example",
    "/smartcar/launch?attempt=%00%0d%0a",
    "/smartcar/launch?make=%ff%fe",
    "/smartcar/launch?" + "&".join(f"a{number}=1" for number in range(1000)),
    "/smartcar/callback?code=%3C/script%3E%3Cscript%3E&state=%0d%0aX:y",
    "/smartcar/callback?state=" + "A" * 60_000,
    "/smartcar/callback?" + "&".join(["state=x"] * 1000),
    "/smartcar/status/%ff%00%0d%0a",
    "/smartcar/status/" + "A" * 10_000,
    "/smartcar/assets/..%2f__init__.py",
    "/smartcar/redirect?app_origin=%22%3E%3Cscript%3E&code=%3Cscript%3E&state=x",
    "/smartcar/redirect?error=%3Cscript%3E&code=%0d%0aX:y&state=x",
    "/smartcar/redirect?state=" + "A" * 60_000,
]


def check_outcome(host, row):
    """With a page that waits: the pop-up's page, the status and the functions agree with the row."""
    answer = row.answer(host, host.state())
    assert answer.status_code == row.status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert CODE not in answer.text
    assert VIN not in answer.text
    assert "<script>" not in answer.text
    assert len(host.completed) == row.completed
    for _, response in host.completed:
        assert (response.code, response.user_id, response.subject) == (CODE, "u-1", "user-1")
    assert tuple(getattr(error, "cause", None) or error.code for _, error in host.failed) == row.failed
    if row.code == "refused":
        assert told(answer) == {}
        assert "set-cookie" not in answer.headers
    else:
        outcome = "granted" if row.code is None else "failed"
        assert (told(answer)["outcome"], told(answer)["code"]) == (outcome, row.code or "")
        status = host.status()
        assert status.status_code == 200
        assert status.json() == {
            "outcome": outcome,
            "code": row.code,
            "data": json.loads(told(answer)["data"]),
        }


def check_redirect(host, row):
    """Without a pop-up: a redirect that names the outcome, or the refusal in words."""
    answer = row.answer(host, host.state(f"attempt={ATTEMPT}&return_to=/garage?a=1"))
    if row.code == "refused":
        assert answer.status_code == 400
        assert "location" not in answer.headers
    elif row.name in (
        "reloaded",
        "cancelled",
    ):  # the browser knows the outcome already: a page, as on every reload
        assert answer.status_code == 200
        assert f"smartcar={row.code or 'granted'}" in answer.text
    else:
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/garage?a=1&smartcar={row.code or 'granted'}"
        assert answer.headers["cache-control"] == "no-store"


def check_hostile(host, path):
    """Bad input: refused, escaped, and no attempt opened."""
    answer = host.client.get(path)
    assert 400 <= answer.status_code < 500
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert "<script>" not in answer.text
    assert "evil.example" not in answer.text
    assert host.completed == []


def check_stranger_requests(host):
    """HEAD, prefetch, frame and other sites open nothing; an id in use is refused; another origin can't cancel."""
    assert host.client.head("/smartcar/launch").status_code == 200
    assert host.launch(**{"sec-purpose": "prefetch;prerender"}).status_code == 503
    assert host.launch(**{"sec-fetch-dest": "iframe"}).status_code == 403
    asked = host.launch(**{"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"})
    assert asked.status_code == 200
    assert "Connect your car?" in asked.text
    assert host.carried() == {}
    host.state()
    assert host.launch(f"attempt={ATTEMPT}").status_code == 409
    assert host.cancel(origin="https://evil.example").status_code == 403
    assert host.status().json()["outcome"] == "pending"
    assert host.client.get(f"/smartcar/cancel/{ATTEMPT}").status_code == 405
    assert host.client.post("/smartcar/callback").status_code == 405


def check_front_end_mode(host):
    """The redirect page for this site's own script, without the answer; and the script, cached by its tag."""
    page = host.client.get(f"/smartcar/redirect?app_origin={ORIGIN}&code={CODE}&state=x")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cross-origin-opener-policy"] == "unsafe-none"
    assert f'src="assets/{assets.REDIRECT.name}"' in page.text
    assert f'data-smartcar-origins="{ORIGIN}"' in page.text
    assert CODE not in page.text
    assert host.client.get(f"/smartcar/assets/{assets.REDIRECT.name}").content == assets.REDIRECT.content
    script = host.client.get("/smartcar/redirect.js")
    assert script.content == assets.REDIRECT.content
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    tag = {"if-none-match": script.headers["etag"]}
    assert host.client.get("/smartcar/redirect.js", headers=tag).status_code == 304
    assert host.client.post("/smartcar/redirect").status_code == 405
    assert (host.carried(), host.completed, host.failed) == ({}, [], [])


class EveryHost:
    """The tests that every host passes; a host's own class says only how to `make` it."""

    make: Callable[..., Host]

    @pytest.mark.parametrize("row", OUTCOMES, ids=lambda row: row.name)
    def test_outcome_with_a_waiting_page(self, row):
        """Every row of the table, in a pop-up."""
        check_outcome(self.make(), row)

    @pytest.mark.parametrize("row", OUTCOMES, ids=lambda row: row.name)
    def test_outcome_without_a_waiting_page(self, row):
        """Every row of the table, by redirects."""
        check_redirect(self.make(), row)

    @pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path[:40])
    def test_hostile_address_is_refused(self, path):
        """Bad input gets a 4xx and leaves nothing behind."""
        check_hostile(self.make(), path)

    def test_front_end_mode_is_served(self):
        """The page's own JavaScript may have the answer; the server handles nothing then."""
        check_front_end_mode(self.make())

    def test_strangers_open_nothing(self):
        """What no person asked for changes nothing."""
        check_stranger_requests(self.make())
