"""Recorded requests, and assertions about them that explain themselves."""

import asyncio

import httpx2 as httpx
import pytest

from smartcar_auth.sandbox import Recorded, Requests, Sandbox

from .conftest import APPLICATION_ID, Person


def requests_of(person: Person) -> Requests:
    """What this person's sandbox has recorded."""
    return person.sandbox.requests


def test_whole_flow_recorded(person: Person) -> None:
    """Every request of a flow is recorded, in order, with its parameters and the answer's status."""
    person.exchanges(person.connects(make="TESLA")["code"])
    recorded = requests_of(person)
    assert [(one.method, one.status) for one in recorded.to("/oauth/authorize")] == [("GET", 303)]
    exchange = recorded[-1]
    assert (exchange.path, exchange.status) == ("/oauth/token", 200)
    assert exchange.parameters["grant_type"] == "authorization_code"
    assert exchange.headers["authorization"].startswith("Basic ")
    assert len(recorded[:2]) == 2
    assert [one.at for one in recorded] == sorted(one.at for one in recorded)


def test_files_and_health_not_recorded(person: Person) -> None:
    """What every page loads, and a probe, is nobody's request."""
    person.client.get("/static/sandbox.css")
    person.client.get("/health")
    assert len(requests_of(person)) == 0


def test_one_found(person: Person) -> None:
    """The one request is returned, and None stands for a parameter that didn't come."""
    person.opens(make="TESLA")
    found = requests_of(person).one("/oauth/authorize", make="TESLA", user=None)
    assert found.parameters["response_type"] == "code"


def test_one_of_none_explains(person: Person) -> None:
    """The message says what was wanted, what there was, and what differs, without a secret."""
    person.opens(make="BMW", state="a-secret-state")
    with pytest.raises(AssertionError) as raised:
        requests_of(person).one("/oauth/authorize", make="TESLA", state="another-secret", user="u")
    text = str(raised.value)
    assert "Expected one request to /oauth/authorize with make='TESLA', state=***, user='u', found 0." in text
    assert "GET /oauth/authorize -> 303" in text
    assert "make is 'BMW', not 'TESLA'" in text
    assert "state is another one" in text
    assert "user is missing, not 'u'" in text
    assert "secret" not in text


def test_one_of_two_explains(person: Person) -> None:
    """Two where one was wanted is a failure, too."""
    person.opens()
    person.opens()
    with pytest.raises(AssertionError, match="found 2"):
        requests_of(person).one("/oauth/authorize")


def test_none_explains(person: Person) -> None:
    """Whoever asked although nobody should is named."""
    requests_of(person).none("/oauth/token")
    person.exchanges("no-code")
    with pytest.raises(
        AssertionError, match=r"Expected no request to /oauth/token, found 1(.|\n)*400"
    ) as raised:
        requests_of(person).none("/oauth/token")
    assert "no-code" not in str(raised.value)


def test_nothing_recorded_explains(person: Person) -> None:
    """An application that asks somebody else is the likely reason, and is named."""
    with pytest.raises(AssertionError, match="connect_origin"):
        requests_of(person).one("/oauth/authorize")


def test_no_secret_in_any_text(person: Person) -> None:
    """Neither repr nor str of a request shows a code, a state or a credential."""
    answer = person.connects("mail@example.com", state="the-state")
    person.exchanges(answer["code"])
    text = "".join(f"{one!r}{one}" for one in requests_of(person))
    for secret in (answer["code"], "the-state", "mail@example.com", "Basic"):
        assert secret not in text


@pytest.mark.parametrize("body", [b"\xff=%00&a", b"a=1&" * 3000, b"x" * 200_000])
def test_hostile_body_recorded(person: Person, body: bytes) -> None:
    """A body that nobody can read is recorded as far as it goes."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    person.client.post("/oauth/token", content=body, headers=headers)
    assert isinstance(requests_of(person)[-1].parameters, dict)


def test_record_bounded() -> None:
    """Only the last two thousand are kept."""
    sandbox = Sandbox()
    kept = sandbox._records.requests
    for number in range(2_500):
        kept.append(Recorded(float(number), "GET", "/", 200))
    assert [sandbox.requests[0].at, len(sandbox.requests)] == [500.0, 2_000]


def test_real_server_records() -> None:
    """Behind a real server the connection's end is what it is: the status is of the answer."""
    with Sandbox() as sandbox:
        httpx.get(f"{sandbox.origin}/oauth/authorize", params={"application_id": APPLICATION_ID})
        assert str(sandbox.requests.one("/oauth/authorize")).startswith("GET /oauth/authorize -> 400")


def test_request_recorded_before_its_answer_is_out() -> None:
    """Whoever has the answer finds the request, with no need to wait for it."""
    sandbox = Sandbox()
    seen: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        seen.append(len(sandbox.requests))

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/oauth/authorize",
        "raw_path": b"/oauth/authorize",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "scheme": "http",
        "http_version": "1.1",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
        "root_path": "",
    }
    asyncio.run(sandbox.app(scope, receive, send))
    assert seen == [1, 1], "head and body"
