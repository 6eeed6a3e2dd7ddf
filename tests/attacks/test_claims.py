"""Claims, in a data app: guessed, overheard, fixed beforehand, used twice, forged, poisoned, and very many.

The application is one in Gradio, served as Gradio serves it. Its listeners are asked as its page asks them, by anybody
who can send a request.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from playwright.sync_api import expect

from attacks.wire import Visitor
from browser.application import KEYS, Server
from dataapps.serving import HERE, serving
from smartcar_auth import Smartcar
from smartcar_auth.hosts.fastapi import SmartcarConnect
from smartcar_auth.web.claims import Claims
from web.browser import attempt_id

ATTEMPT = attempt_id(7)
QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def garage(sandbox):
    """The data app: its page says `granted CODE` or `failed ERROR_CODE`, and nobody is logged in."""
    with serving(lambda port: [sys.executable, HERE / "gradio_app.py", str(port)], sandbox, **QUIET) as app:
        yield SimpleNamespace(origin=app.origin, server=SimpleNamespace(port=urlsplit(app.origin).port))


class Session(Visitor):
    """A visitor's browser with a page of the app."""

    def __init__(self, app, **jar):
        super().__init__(app, **jar)
        self.hash = token_urlsafe(8)

    def connects(self, attempt=ATTEMPT, **answer):
        """Go through an attempt; what the page is told."""
        state = self.launch({"attempt": attempt, "display": "popup"}).state
        self.answer(state, **answer)
        return {"attempt": attempt, **json.loads(self.status(attempt).body)}

    def tells(self, detail, event="connected"):
        """Have the app's listener called; what it returns, or None where it was not reached."""
        config = json.loads(self.ask("/config", usual={}).body)
        (listener,) = [one for one in config["dependencies"] if one["targets"][0][1] == event]
        asked = {
            "data": [],
            "event_data": detail,
            "fn_index": listener["id"],
            "trigger_id": listener["targets"][0][0],
            "session_hash": self.hash,
        }
        body = json.dumps(asked).encode()
        joined = self.ask(
            "/gradio_api/queue/join", "POST", body=body, usual={}, content_type="application/json"
        )
        assert joined.status == 200, joined.text
        stream = self.ask(f"/gradio_api/queue/data?session_hash={self.hash}", usual={}).text
        messages = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
        (end,) = [one for one in messages if one["msg"] == "process_completed"]
        return end["output"]["data"][0] if end["success"] else None


@pytest.mark.parametrize(
    "claim",
    [
        "",
        "A" * 32,
        "__proto__",
        None,
        ["KNOWN"],
        {"claim": "KNOWN"},
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        "x" * 100_000,
        "\x00\ud800",
    ],
    ids=["empty", "guessed", "prototype", "none", "list", "object", "file", "long", "junk"],
)
def test_claim_is_made_up(garage, claim):
    """His session hands in what might be one. He gets nothing, and hers is still there for her."""
    victim, attacker = Session(garage), Session(garage)
    told = victim.connects(code="the-code")
    own = attacker.connects(attempt_id(8), code="a-code-of-his")
    for attempt in (ATTEMPT, own["attempt"]):
        assert attacker.tells({"outcome": "granted", "attempt": attempt, "data": {"claim": claim}}) is None
    assert victim.tells(told) == "granted the-code"


def test_claim_is_overheard(garage):
    """He knows all that her page was told, before it hands it in, and has an attempt of the same name himself."""
    victim, attacker = Session(garage), Session(garage)
    told = victim.connects(code="the-code")
    assert attacker.tells(told) is None
    attacker.launch({"attempt": ATTEMPT})
    assert attacker.tells(told) is None
    other = Session(garage)
    own = other.connects(code="a-code-of-his")
    assert other.tells({**own, "data": told["data"]}) is None
    assert other.tells(told, "failed") == "failed state_mismatch"
    assert victim.tells(told) == "granted the-code"


def test_claim_is_kept_with_its_cookie_for_later(garage):
    """He restores her profile after she was served: it is spent."""
    victim = Session(garage)
    told = victim.connects(code="the-code")
    copy = Session(garage, **victim.jar)
    assert victim.tells(told) == "granted the-code"
    assert copy.tells(told) is None


def test_attempt_id_fixation_to_collect(garage):
    """She is made to launch under a name that he chose. Her browser alone is told the claim; his waits for ever."""
    victim, attacker = Session(garage), Session(garage)
    attacker.launch({"attempt": ATTEMPT, "display": "popup"})
    told = victim.connects(code="the-code")
    assert json.loads(attacker.status(ATTEMPT).body)["outcome"] == "pending"
    for data in (None, {}, {"claim": ATTEMPT}):
        assert attacker.tells({"outcome": "granted", "attempt": ATTEMPT, "data": data}) is None
    assert victim.tells(told) == "granted the-code"


def test_claim_is_used_twice(garage):
    """Again, in another of her tabs, as another event: a result is given once."""
    victim = Session(garage)
    told = victim.connects(code="the-code")
    assert victim.tells(told) == "granted the-code"
    assert victim.tells(told) is None
    assert Session(garage, **victim.jar).tells(told) is None
    assert victim.tells(told, "failed") == "failed state_mismatch"


def test_claim_is_used_at_the_same_instant(garage):
    """Eight tabs of hers at once: between finding and taking there is no gap."""
    victim = Session(garage)
    told = victim.connects(code="the-code")
    tabs = [Session(garage, **victim.jar) for _ in range(8)]
    together = threading.Barrier(len(tabs))

    def tell(tab):
        together.wait(20)
        return tab.tells(told)

    with ThreadPoolExecutor(len(tabs)) as pool:
        results = list(pool.map(tell, tabs))
    assert sorted(map(str, results)) == ["None"] * 7 + ["granted the-code"]


def test_page_forges_a_grant(garage):
    """Without an attempt, beside a pending one, and of a denial: the function for grants is not reached."""
    forger = Session(garage)
    forged = {"outcome": "granted", "attempt": ATTEMPT, "code": None, "data": None}
    assert forger.tells(forged) is None
    forger.launch({"attempt": ATTEMPT, "display": "popup"})
    assert forger.tells(forged) is None
    told = forger.connects(attempt_id(8), error="access_denied")
    assert told["outcome"] == "failed"
    assert forger.tells({**told, "outcome": "granted", "code": None}) is None
    for junk in (None, [], "granted", 1, {"outcome": {}}, {"data": []}):
        assert forger.tells(junk) is None


def test_listeners_are_no_part_of_the_api(garage):
    """Who reads what the app offers to programs is not shown them, and cannot call them by name."""
    attacker = Session(garage)
    info = json.loads(attacker.ask("/gradio_api/info", usual={}).body)
    assert (info["named_endpoints"], info["unnamed_endpoints"]) == ({}, {})
    for name in ("save", "explain", "connected"):
        body = json.dumps({"data": []}).encode()
        called = attacker.ask(
            f"/gradio_api/call/{name}", "POST", body=body, usual={}, content_type="application/json"
        )
        assert "granted" not in called.text


@pytest.mark.browser
def test_markup_in_what_a_page_tells(garage, page):
    """The listener's words stand in the page as markup, as an app's may; none of what the page told is among them."""
    markup = '<img src=x onerror="window.pwned = 1">'
    page.goto(garage.origin)
    element = page.locator("smartcar-connect")
    expect(element).to_be_visible(timeout=20_000)
    details = [  # and what the page says next
        ({"outcome": "failed", "code": markup, "attempt": markup, "data": None}, "smartcar_auth_error"),
        ({"outcome": markup, "code": "cancelled", "data": None}, "state_mismatch"),
        ({"outcome": "failed", "code": "cancelled", "data": {"message": markup}}, "cancelled"),
        ({"outcome": "failed", "code": "cancelled", "data": {"claim": markup}}, "state_mismatch"),
    ]
    for detail, said in details:
        element.evaluate(
            "(one, detail) => one.dispatchEvent(new CustomEvent('smartcar-failed', { detail }))", detail
        )
        expect(page.locator("#result")).to_have_text(f"failed {said}", timeout=20_000)
        assert page.locator("#result *").count() == 0
    assert page.evaluate("window.pwned") is None


@pytest.fixture
def mailbox():
    """A small one, behind the routes that every data app has."""
    claims = Claims(capacity=20)
    connect = SmartcarConnect(
        Smartcar(application_id="an-application", connect_origin="http://127.0.0.1:9"), secret_keys=KEYS
    )
    claims.serve(connect)
    app = FastAPI(openapi_url=None)
    app.include_router(connect.router, prefix="/smartcar")
    server = Server(app)
    yield SimpleNamespace(server=server, claims=claims)
    server.stop()


def test_flood_of_results_that_nobody_collects(mailbox):
    """He finishes one attempt after another: so many wait and no more, and what has gone is refused in words."""
    told = [
        Session(mailbox).connects(attempt_id(number), **answer)
        for number in range(30)
        for answer in ({"code": f"code-{number}"}, {"error": "access_denied"})
    ]
    assert len(mailbox.claims) == 20
    assert "not here" in str(mailbox.claims.collect(told[0]))
    assert mailbox.claims.collect(told[-2]).code == "code-29"
    for number in range(1000):
        mailbox.claims.collect({"outcome": "granted", "data": {"claim": f"claim-{number}"}})
        mailbox.claims.collect({"outcome": "failed", "code": "cancelled", "data": None})
    assert len(mailbox.claims) == 19
