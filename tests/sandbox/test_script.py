"""The sandbox scripted from a test: attempts that are settled beforehand, answers without a browser."""

import threading
from collections.abc import Iterator
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest

from smartcar_auth import AccessDenied, AuthorizationRequest, Smartcar, SmartcarAuthError, StateMismatch
from smartcar_auth.sandbox import Options, Sandbox
from smartcar_auth.sandbox.outcomes import ERRORS
from smartcar_auth.sandbox.plan import Plan

from .conftest import APPLICATION_ID, REDIRECT_URI, SCOPE


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """One running sandbox for this module."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """The same as new."""
    running.reset()
    return running


def asked(sandbox: Sandbox, **options: Any) -> AuthorizationRequest:
    """What an application asks of this sandbox."""
    smartcar = Smartcar(
        application_id=APPLICATION_ID,
        redirect_uri=REDIRECT_URI,
        scope=SCOPE.split(),
        connect_origin=sandbox.origin,
    )
    return smartcar.authorization_request(**options)


def told(address: str) -> dict[str, list[str]]:
    """The parameters of an answer."""
    return parse_qs(urlsplit(address).query, keep_blank_values=True)


def exchanged(sandbox: Sandbox, code: str) -> httpx.Response:
    """What the application's server gets for a code."""
    data = {"grant_type": "authorization_code", "code": code}
    return httpx.post(sandbox.token_url, data=data, auth=(APPLICATION_ID, "secret"))


def vehicles(sandbox: Sandbox, code: str) -> list[str]:
    """The VINs of the vehicles that the code's token reaches."""
    token = exchanged(sandbox, code).json()["access_token"]
    with httpx.Client(base_url=f"{sandbox.origin}/v2.0", headers={"authorization": f"Bearer {token}"}) as api:
        return [
            api.get(f"/vehicles/{one}/vin").json()["vin"] for one in api.get("/vehicles").json()["vehicles"]
        ]


def test_approve_gives_an_answer_that_is_believed(sandbox: Sandbox) -> None:
    """approve() is Connect without a browser: the core believes its answer, and the code is worth a token."""
    request = asked(sandbox, state="s")
    response = request.receive(sandbox.approve(request.url))
    assert response.state == "s"
    assert response.user_id
    assert exchanged(sandbox, str(response.code)).status_code == 200


@pytest.mark.parametrize("error", ERRORS)
def test_approve_with_an_error(sandbox: Sandbox, error: str) -> None:
    """Every error of Connect can be asked for, and arrives as the core's typed error."""
    request = asked(sandbox)
    with pytest.raises(SmartcarAuthError) as raised:
        request.receive(sandbox.approve(request.url, outcome=error))
    assert getattr(raised.value, "error", None) == error


def test_approve_follows_the_test_accounts(sandbox: Sandbox) -> None:
    """A test account leads where it leads a person."""
    answer = told(sandbox.approve(asked(sandbox).url, user="smartcar@no-vehicles.com"))
    assert answer["error"] == ["no_vehicles"]


def test_approve_through_every_extra_screen(sandbox: Sandbox) -> None:
    """Extra screens appear when they are asked for, and are passed."""
    screens = ["two-factor", "pin", "battery-capacity", "virtual-key"]
    answer = told(sandbox.approve(asked(sandbox).url, screens=screens))
    assert answer["virtual_key_url"]


def test_approve_some_vehicles(sandbox: Sandbox) -> None:
    """The vehicles are chosen by VIN."""
    first = told(sandbox.approve(asked(sandbox).url, user="3-vehicles@smartcar.com", make="KIA"))
    vins = vehicles(sandbox, first["code"][0])
    assert len(vins) == 3
    again = asked(sandbox, force_prompt=True)
    chosen = told(sandbox.approve(again.url, user="3-vehicles@smartcar.com", make="KIA", vehicles=vins[1:]))
    assert vehicles(sandbox, chosen["code"][0]) == vins[1:]


def test_approve_more_parameters(sandbox: Sandbox) -> None:
    """Parameters are added to the answer, or replace its own."""
    answer = told(
        sandbox.approve(asked(sandbox).url, parameters={"virtual_key_url": "javascript:1", "user_id": "u"})
    )
    assert (answer["virtual_key_url"], answer["user_id"]) == (["javascript:1"], ["u"])


def test_approve_reauthentication(sandbox: Sandbox) -> None:
    """The other entries of Connect are answered, too."""
    smartcar = Smartcar(
        application_id=APPLICATION_ID, redirect_uri=REDIRECT_URI, connect_origin=sandbox.origin
    )
    request = smartcar.reauthentication_request(vehicle_id="a-vehicle")
    assert request.receive(sandbox.approve(request.url)).vehicle_id == "a-vehicle"


def test_approve_address_of_the_real_connect(sandbox: Sandbox) -> None:
    """An application that asks the real Connect can be answered as well: only path and query count."""
    smartcar = Smartcar(application_id=APPLICATION_ID, redirect_uri=REDIRECT_URI)
    request = smartcar.authorization_request()
    assert request.url.startswith("https://connect.smartcar.com/")
    assert request.receive(sandbox.approve(request.url)).code


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"user": "smartcar@invalid-credentials.com"},
            "The screen login says: This email address and password",
        ),
        ({"vehicles": ["NOBODYS"]}, "has no vehicle NOBODYS. This account has: "),
        ({"vehicles": []}, "The screen grant says: Choose at least one vehicle"),
        ({"coop": "login"}, "coop needs somebody who opens Connect: use next"),
        ({"outcome": "denied"}, "outcome='denied' isn't possible. Choose one of: granted, access_denied, "),
        ({"screens": ["captcha"]}, "screens='captcha' isn't possible"),
        ({"exchange": 418}, "exchange='418' isn't possible"),
    ],
)
def test_approve_that_cannot_be(sandbox: Sandbox, options: Options, words: str) -> None:
    """What can't be is a ValueError that says what could."""
    with pytest.raises(ValueError, match=words.replace("(", "\\(")):
        sandbox.approve(asked(sandbox).url, **options)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://example.com/login?x=1", "'/login' is no entry of Connect. There are: /oauth/authorize"),
        ("/oauth/authorize?response_type=code", "Send your Application ID"),
        (
            "/oauth/authorize?response_type=none&application_id=a",
            "no redirect_uri: the attempt ends on a page",
        ),
    ],
)
def test_approve_address_that_cannot_be(sandbox: Sandbox, address: str, words: str) -> None:
    """An address that Connect doesn't have, refuses, or wouldn't redirect from says so."""
    with pytest.raises(ValueError, match=words):
        sandbox.approve(address)


@pytest.mark.parametrize(
    ("options", "words"), [({"otcome": "x"}, "no option otcome"), ({"vehicles": "VIN"}, "is a list")]
)
def test_options_misspelt(sandbox: Sandbox, options: Any, words: str) -> None:
    """A misspelt option is a TypeError at once, and nothing is planned."""
    with pytest.raises(TypeError, match=words):
        sandbox.next(**options)
    assert httpx.get(asked(sandbox).url).status_code == 303


def test_options_are_those_of_a_plan() -> None:
    """What type checkers are told is what there is."""
    assert Options.__annotations__.keys() == {field.name for field in fields(Plan)}


def test_person_without_an_outcome(sandbox: Sandbox) -> None:
    """Who connects is said together with how it ends: otherwise it would be silently ignored."""
    with pytest.raises(ValueError, match="Say how it ends"):
        sandbox.next(user="ada@example.com")


def test_next_settles_one_attempt_each(sandbox: Sandbox) -> None:
    """Planned attempts answer at once, in order; after them a person decides again."""
    sandbox.next(outcome="granted", user="ada@example.com")
    sandbox.next(outcome="access_denied")
    answers = [httpx.get(asked(sandbox).url) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 303]
    assert told(answers[0].headers["location"])["code"]
    assert told(answers[1].headers["location"])["error"] == ["access_denied"]
    assert answers[2].headers["location"].endswith("/welcome")


def test_next_is_not_used_up_by_a_refused_request(sandbox: Sandbox) -> None:
    """A request that Connect refuses takes no plan with it."""
    sandbox.next(outcome="access_denied")
    assert httpx.get(f"{sandbox.origin}/oauth/authorize").status_code == 400
    request = asked(sandbox)
    with pytest.raises(AccessDenied):
        request.receive(httpx.get(request.url).headers["location"])


def test_next_that_can_not_happen(sandbox: Sandbox) -> None:
    """A plan that meets a complaint is told on a page, in the words of the complaint."""
    sandbox.next(outcome="granted", vehicles=["NOBODYS"])
    page = httpx.get(asked(sandbox).url)
    assert page.status_code == 400
    assert "has no vehicle NOBODYS" in page.text


def test_state_altered_dropped_doubled(sandbox: Sandbox) -> None:
    """The core refuses each of the three."""
    for state, copies in (("dropped", 0), ("altered", 1), ("doubled", 2)):
        request = asked(sandbox)
        answer = sandbox.approve(request.url, state=state)
        assert len(told(answer).get("state", [])) == copies
        with pytest.raises(SmartcarAuthError) as raised:
            request.receive(answer)
        assert raised.value.code in {"state_mismatch", "duplicate_parameter"}, state


def test_error_without_state(sandbox: Sandbox) -> None:
    """An error that proves nothing is no denial."""
    request = asked(sandbox)
    with pytest.raises(StateMismatch):
        request.receive(sandbox.approve(request.url, outcome="access_denied", state="dropped"))


@pytest.mark.parametrize("exchange", ["expired", "used", "other_application"])
def test_code_that_is_no_good(sandbox: Sandbox, exchange: str) -> None:
    """A code that has expired, was used or belongs to another application is refused as Smartcar refuses it."""
    code = told(sandbox.approve(asked(sandbox).url, exchange=exchange))["code"][0]
    answer = exchanged(sandbox, code)
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request", "error_description": f"Invalid code: {code}."}


@pytest.mark.parametrize(("status", "retry_after"), [(429, "7"), (500, None)])
def test_exchange_that_fails_once(sandbox: Sandbox, status: int, retry_after: str | None) -> None:
    """The token endpoint fails once, and the code is still good afterwards."""
    code = told(sandbox.approve(asked(sandbox).url, exchange=status, retry_after=7))["code"][0]
    refused = exchanged(sandbox, code)
    assert refused.status_code == status
    assert refused.headers.get("retry-after") == retry_after
    assert refused.json().keys() == {"error", "error_description"}
    assert exchanged(sandbox, code).status_code == 200


@pytest.mark.parametrize(("status", "retry_after"), [(429, "9"), (503, "9"), (500, None)])
def test_connect_that_fails_once(sandbox: Sandbox, status: int, retry_after: str | None) -> None:
    """Connect fails once; whoever reloads gets the attempt as it was planned."""
    sandbox.next(outcome="granted", connect=status, retry_after=9)
    url = asked(sandbox).url
    failed = httpx.get(url)
    assert (failed.status_code, failed.headers.get("retry-after")) == (status, retry_after)
    assert httpx.get(url).status_code == 302


def test_connect_offline_once(sandbox: Sandbox) -> None:
    """Offline means a connection that ends without an answer; it is recorded as such."""
    sandbox.next(connect="offline", outcome="granted")
    url = asked(sandbox).url
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url)
    assert httpx.get(url).status_code == 302
    assert [one.status for one in sandbox.requests.to("/oauth/authorize")] == [0, 302]


def test_connect_slow(sandbox: Sandbox) -> None:
    """A slow Connect outlasts the patience of a client, and forgets an attempt that nobody waits for."""
    sandbox.next(connect="slow", slow_seconds=3600)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(asked(sandbox).url, timeout=0.5)
    sandbox.next(connect="slow", slow_seconds=0.01)
    assert httpx.get(asked(sandbox).url).status_code == 303


def test_clock_moved(sandbox: Sandbox) -> None:
    """A code is good for ten minutes, of which a test need not wait one."""
    early, late = (told(sandbox.approve(asked(sandbox).url))["code"][0] for _ in range(2))
    sandbox.clock.move(599)
    assert exchanged(sandbox, early).status_code == 200
    sandbox.clock.move(2)
    assert exchanged(sandbox, late).status_code == 400


def test_seed_repeats_after_reset() -> None:
    """With a seed the ids are the same after every reset, and other ones without it."""
    with Sandbox(seed="a") as sandbox:
        codes = []
        for _ in range(2):
            codes.append(told(sandbox.approve(asked(sandbox).url))["code"])
            sandbox.reset()
        assert codes[0] == codes[1]


def test_reset_forgets_everything(sandbox: Sandbox) -> None:
    """After a reset there is no plan, no code, no request and no moved clock."""
    code = told(sandbox.approve(asked(sandbox).url))["code"][0]
    before = sandbox.clock()
    sandbox.clock.move(7200)
    sandbox.next(outcome="granted")
    sandbox.reset()
    assert len(sandbox.requests) == 0
    assert exchanged(sandbox, code).status_code == 400
    assert httpx.get(asked(sandbox).url).status_code == 303
    assert sandbox.clock() < before + 7200


def test_approve_where_nothing_runs() -> None:
    """Without a server, answers are made all the same."""
    sandbox = Sandbox()
    query = f"response_type=code&application_id=a&redirect_uri={REDIRECT_URI}"
    assert told(sandbox.approve(f"/oauth/authorize?{query}"))["code"]


def test_approve_in_the_thread_that_owns_the_records() -> None:
    """Answers are made, and forgotten, where requests are answered: no two of them at once."""
    threads = []

    def clock() -> float:
        threads.append(threading.current_thread())
        return 1_790_000_000.0

    with Sandbox(clock=clock) as sandbox:
        httpx.get(asked(sandbox).url)
        answering = set(threads)
        threads.clear()
        sandbox.approve(asked(sandbox).url)
        assert set(threads) == answering
        assert threading.current_thread() not in answering
