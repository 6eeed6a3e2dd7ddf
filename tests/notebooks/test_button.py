"""The widget without a browser: what a page may say, what becomes of it, and who is told."""

import asyncio
import json
import socket
import time
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from browser.engines import until
from smartcar_auth import (
    AccessDenied,
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    PopupBlocked,
    PortUnavailable,
    SmartcarAuthError,
    hosted_redirect_uri,
)
from smartcar_auth.message import FIELDS, NAME
from smartcar_auth.origin import HOSTED_PAGE

HERE = "http://localhost:8888"
HOSTED = {"redirect_uri": hosted_redirect_uri(HERE)}
PASTED = {"redirect_uri": "https://app.example/callback"}


def ends(front, outcome):
    """Wait for the end, which has to be this."""
    until("the attempt ends", lambda: front.button.status not in ("ready", "waiting"))
    assert front.button.outcome == outcome
    assert front.told("end")


def query_of(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def message_of(address):
    """What Smartcar's hosted page posts: absent parameters are null."""
    query = query_of(address)
    return {"name": NAME, **{field: query.get(parameter) for field, parameter in FIELDS}}


def by_port(front, address):
    with urlopen(address) as answer:
        assert answer.status == 200


def by_message(front, address):
    front.sends("message", origin=HOSTED_PAGE, message=message_of(address))


def by_hand(front, address):
    front.sends("paste", text=f"  {address}\n")


WAYS = {
    "loopback": ({"ports": [0]}, by_port),
    "loopback, pasted": ({"ports": [0]}, by_hand),
    "hosted": ({"application": HOSTED}, by_message),
    "paste": ({"application": PASTED}, by_hand),
}


@pytest.fixture(params=WAYS)
def way(request, front):
    """A button on each transport, and how an answer gets to it."""
    options, brings = WAYS[request.param]
    made = front(**options)
    assert made.button.transport == request.param.partition(",")[0]
    return made, lambda address: brings(made, address)


def test_owner_allows(way, sandbox):
    """The response is here, and nothing of it in what the widget shares with pages."""
    front, brings = way
    url = front.clicks()
    assert front.button.status == "waiting"
    brings(sandbox.approve(url))
    ends(front, "granted")
    assert front.button.text == "Your car is connected"
    response = asyncio.run(front.button.result())
    assert response is front.button.response
    shared = json.dumps(front.button.get_state(), default=str) + json.dumps(front.line.published, default=str)
    assert response.code not in shared
    assert query_of(url)["state"] not in json.dumps(front.button.get_state(), default=str)


def test_owner_denies(way, sandbox):
    """Connect's error is raised, once; then the next attempt counts."""
    front, brings = way
    brings(sandbox.approve(front.clicks(), outcome="access_denied"))
    ends(front, "access_denied")
    assert front.button.text == "No access was given"
    with pytest.raises(AccessDenied):
        asyncio.run(front.button.result())
    brings(sandbox.approve(front.clicks()))
    assert asyncio.run(front.button.result()).code


def test_vehicle_is_incompatible(way, sandbox):
    """The error holds all that Connect said of the car."""
    front, brings = way
    brings(sandbox.approve(front.clicks(), outcome="vehicle_incompatible", parameters={"make": "TESLA"}))
    with pytest.raises(SmartcarAuthError) as raised:
        asyncio.run(front.button.result())
    assert raised.value.code == "vehicle_incompatible"
    assert raised.value.vehicle_info.make == "TESLA"


@pytest.mark.parametrize("name", ["loopback, pasted", "hosted", "paste"])
def test_answer_to_another_attempt_changes_nothing(front, sandbox, name):
    """It is said; the rightful one counts afterwards."""
    options, brings = WAYS[name]
    made, other = front(**options), front(**options)
    strange = sandbox.approve(other.clicks())
    url = made.clicks()
    brings(made, strange)
    until("it is refused", lambda: made.button.text)
    assert made.button.text == "That isn’t the answer to this attempt, so it was ignored."
    assert (made.button.status, made.button.outcome) == ("waiting", "")
    brings(made, sandbox.approve(url))
    ends(made, "granted")


@pytest.mark.parametrize("nonsense", ["hello", "", "?code=forged", "http://localhost/callback?state=%ff", 7])
def test_pasted_nonsense_changes_nothing(front, nonsense):
    """Whatever a person may have in the clipboard."""
    made = front(application=PASTED)
    made.clicks()
    made.sends("paste", text=nonsense)
    until("it is refused", lambda: made.button.text)
    assert made.button.status == "waiting"


@pytest.mark.parametrize(
    "origin",
    ["https://javascript-sdk.smartcar.co", "https://evil.example", "http://localhost:8888", "", None, 7],
)
def test_message_from_another_origin_changes_nothing(front, sandbox, origin):
    """Even with the right state, for then somebody else knows that."""
    made = front(application=HOSTED)
    answer = message_of(sandbox.approve(made.clicks()))
    made.sends("message", origin=origin, message=answer)
    until("it is refused", lambda: made.button.text)
    assert made.button.status == "waiting"


def test_messages_of_others_are_no_matter(front):
    """What pages post all the time is not even refused."""
    made = front(application=HOSTED)
    made.clicks()
    for message in ("hello", None, 7, [], {"name": "another"}, {"name": None}):
        made.sends("message", origin=HOSTED_PAGE, message=message)
    for content in (None, "open", 7, [], {}, {"kind": None}, {"kind": ["open"]}):
        made.line.front_end_sends({"method": "custom", "content": content})
    assert (made.button.status, made.button.text) == ("waiting", "")


def test_page_sets_no_trait(front):
    """What it says of the outcome is no outcome, and another script is not taken over."""
    made = front(ports=[0])
    before = made.button.get_state()
    made.sets(**dict.fromkeys(before, "granted"))
    assert made.button.get_state() == before
    assert made.button.status == "ready"


def test_traits_are_read_only(front):
    """Not even by mistake."""
    made = front(ports=[0])
    with pytest.raises(Exception, match="read-only"):
        made.button.status = "granted"


def test_click_on_an_attempt_opens_the_same_one(front):
    """Reopening, or a second view of the same button."""
    made = front(ports=[0])
    assert made.clicks() == made.clicks()


def test_person_cancels(way):
    """From the page."""
    front, _ = way
    front.clicks()
    front.sends("cancel")
    ends(front, "cancelled")
    with pytest.raises(Cancelled):
        asyncio.run(front.button.result())


def test_program_cancels(way):
    """From another cell; a second time is nothing."""
    front, _ = way
    front.clicks()
    front.button.cancel()
    ends(front, "cancelled")
    front.button.cancel()


def test_time_is_over(front):
    """Nobody comes back; what was refused meanwhile is the cause."""
    made = front(application=PASTED, timeout_seconds=0.3)
    made.clicks()
    made.sends("paste", text="?code=forged&state=guessed")
    ends(made, "timeout")
    with pytest.raises(ConnectTimeout) as raised:
        asyncio.run(made.button.result())
    assert raised.value.__cause__.cause == "altered"


def test_late_answer_is_not_believed(front, sandbox):
    """After Cancel the attempt stays cancelled."""
    made = front(application=PASTED)
    url = made.clicks()
    made.sends("cancel")
    ends(made, "cancelled")
    made.sends("paste", text=sandbox.approve(url))
    assert made.button.outcome == "cancelled"
    assert made.button.response is None


def test_window_is_blocked(front):
    """Where the window must tell us, that is the end; elsewhere a link will do."""
    made = front(application=HOSTED)
    made.sends("open", click="a-click", origin=HERE, blocked=True)
    ends(made, "popup_blocked")
    with pytest.raises(PopupBlocked):
        asyncio.run(made.button.result())
    other = front(ports=[0])
    assert other.clicks(blocked=True)


def test_port_is_taken(front):
    """By another program: the end, in words, and a second click fails as visibly."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        made = front(ports=[taken.getsockname()[1]])
        for count in (1, 2):
            made.sends("open", click="a-click", origin=HERE)
            ends(made, "port_unavailable")
            assert len(made.told("end")) == count
            assert "could be held" in made.button.text
            with pytest.raises(PortUnavailable):
                asyncio.run(made.button.result())


def test_newer_click_takes_the_port_over(front, sandbox):
    """A cell that ran again left the old button's attempt behind."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    old, new = front(ports=[port]), front(ports=[port])
    old.clicks()
    url = new.clicks()
    ends(old, "cancelled")
    by_port(new, sandbox.approve(url))
    ends(new, "granted")


def test_newer_click_leaves_attempts_without_a_port_alone(front):
    """They hold nothing that it could want."""
    other = front(application=PASTED)
    other.clicks()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        made = front(ports=[taken.getsockname()[1]])
        made.sends("open", click="a-click", origin=HERE)
        ends(made, "port_unavailable")
    assert other.button.status == "waiting"


@pytest.mark.parametrize("name", ["loopback, pasted", "hosted", "paste"])
def test_answer_makes_no_sense(front, name):
    """With the right state it was Connect: the end, and no word of a wrong answer."""
    options, brings = WAYS[name]
    made = front(**options)
    query = query_of(made.clicks())
    seen = []
    made.button.observe(lambda change: seen.append(change["new"]), "text")
    mark = "&" if "?" in query["redirect_uri"] else "?"
    brings(made, f"{query['redirect_uri']}{mark}state={query['state']}")
    ends(made, "missing_parameter")
    assert not [text for text in seen if "ignored" in text]


def test_no_ports_are_named(front):
    """An empty list is none, and not a wait for nobody: it is said what to name."""
    made = front(ports=[])
    made.sends("open", click="a-click", origin=HERE)
    ends(made, "invalid_configuration")
    assert "No port is known" in made.button.text


def test_notebook_is_elsewhere_than_the_redirect_uri_says(front):
    """Said in words that name what to register."""
    made = front(application={"redirect_uri": hosted_redirect_uri("http://localhost:8889")})
    made.sends("open", click="a-click", origin=HERE)
    ends(made, "invalid_configuration")
    assert hosted_redirect_uri(HERE) in made.button.text


def test_redirect_uri_that_is_registered_encoded(front):
    """It goes out as registered, byte for byte."""
    uri = "https://javascript-sdk.smartcar.com/v2/redirect?app_origin=http%3A%2F%2Flocalhost%3A8888"
    made = front(application={"redirect_uri": uri})
    assert query_of(made.clicks())["redirect_uri"] == uri


def test_hosted_page_without_a_redirect_uri(front):
    """The page's origin makes it."""
    made = front(transport="hosted")
    assert query_of(made.clicks())["redirect_uri"] == hosted_redirect_uri(HERE)


def test_page_elsewhere_changes_the_transport(front, sandbox):
    """Its "localhost" is another machine than the kernel's."""
    made = front(ports=[0])
    made.sends("hello", origin="https://hub.example")
    assert made.told("heard")
    assert made.button.transport == "paste"
    assert "can’t reach" in made.button.way
    made.sends("hello", origin="http://localhost:8888")
    assert made.button.transport == "loopback"
    made.clicks()
    made.sends("hello", origin="https://hub.example")
    assert made.button.transport == "loopback"  # somebody is on the way


def test_another_device(front, sandbox):
    """Link and code; a waiter learns of the end."""
    brought = []
    made = front(waiter=lambda handoff, seconds: brought.pop() if brought else until_asked(seconds))
    assert (made.button.transport, made.button.as_link) == ("device", True)
    url = made.clicks()
    assert made.told("go")[0]["code"].startswith("data:image/svg+xml")
    brought.append({"user_id": "a-user", "external_id": query_of(url)["external_id"]})
    ends(made, "granted")
    assert made.button.response.user_id == "a-user"


def until_asked(seconds):
    time.sleep(min(seconds, 0.02))


def test_waiter_breaks(front):
    """An end as visible as any, with the reason as its cause."""

    def broken(handoff, seconds):
        raise RuntimeError("no network")

    made = front(waiter=broken)
    made.clicks()
    ends(made, "smartcar_auth_error")
    with pytest.raises(SmartcarAuthError) as raised:
        asyncio.run(made.button.result())
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_device_without_a_waiter(front):
    """Nobody would ever know."""
    made = front(transport="device")
    made.sends("open", click="a-click", origin=HERE)
    ends(made, "invalid_configuration")


@pytest.mark.parametrize(
    "options", [{"transport": "pigeon"}, {"timeout_seconds": 0}, {"single_select": "yes"}, {"flags": "x"}]
)
def test_option_that_cannot_work(front, options):
    """Said in the cell, before there is a button."""
    with pytest.raises(ConfigurationError):
        front(**options)


@pytest.mark.anyio
async def test_cell_awaits_the_end(front, sandbox):
    """Two cells, even; and who was interrupted is not told."""
    made = front(application=PASTED)
    first, second, third = (asyncio.ensure_future(made.button.result()) for _ in range(3))
    await asyncio.sleep(0)
    third.cancel()
    made.sends("paste", text=sandbox.approve(made.clicks()))
    assert (await first) is (await second) is made.button.response


@pytest.mark.anyio
async def test_handlers_are_told_in_the_loop(front, sandbox):
    """Smartcar's own, and others: functions and coroutine functions."""
    loop, told = asyncio.get_running_loop(), asyncio.Queue()

    def own(error, response):
        told.put_nowait(("own", error, response, asyncio.get_running_loop()))

    made = front(application={**PASTED, "on_complete": own})

    @made.button.on_complete
    async def later(error, response):
        await asyncio.sleep(0)
        told.put_nowait(("later", error, response, asyncio.get_running_loop()))

    made.sends("paste", text=sandbox.approve(made.clicks()))
    assert [(await told.get())[:3] for _ in range(2)] == [
        (name, None, made.button.response) for name in ("own", "later")
    ]
    made.sends("paste", text=sandbox.approve(made.clicks(), outcome="access_denied"))
    first, second = await told.get(), await told.get()
    assert [first[0], second[0]] == ["own", "later"]
    for _, error, response, where in (first, second):
        assert isinstance(error, AccessDenied)
        assert response is None
        assert where is loop


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_handler_fails(front, sandbox, capsys, kind):
    """The person reads that the app could not finish; the developer sees why, under the cell."""

    def plain(error, response):
        raise RuntimeError("disk full")

    async def later(error, response):
        plain(error, response)

    made = front(application=PASTED)
    made.button.on_complete(plain if kind == "function" else later)
    made.sends("paste", text=sandbox.approve(made.clicks()))
    until("the handler fails", lambda: made.button.outcome == "handler_failed")
    assert made.button.status == "failed"
    assert made.button.text == "Your car was not added"
    assert "disk full" in capsys.readouterr().err


def test_observers_see_the_traits_change(front, sandbox):
    """With the means of every widget."""
    made = front(application=PASTED)
    seen = []
    made.button.observe(lambda change: seen.append(change["new"]), "status")
    made.sends("paste", text=sandbox.approve(made.clicks()))
    ends(made, "granted")
    assert seen == ["waiting", "granted"]
