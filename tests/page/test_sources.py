"""Whose message ends an attempt: our redirect page's, Smartcar's hosted page's, Connect's own; and nobody else's."""

import json
from base64 import b64decode

import pytest

from page.lab import GRANTED
from page.test_endings import AWAITED, failure
from smartcar_auth import hosted_redirect_uri
from smartcar_auth.origin import HOSTED_PAGE

pytestmark = pytest.mark.browser

ALL = (
    "code=c-1&user_id=u-1&external_id=me%20%26%20you&vehicle_id=v-1"
    "&virtual_key_url=https%3A%2F%2Fwww.tesla.com%2F_ak%2Fsmartcar.com"
)


def test_redirect_page_answers(lab):
    """Ours, at the application's own origin: every field arrives."""
    lab.grant(lab.click("smartcar.open_dialog(state='mine')"), ALL)
    assert lab.told() == [
        {
            "code": "c-1",
            "state": "mine",
            "user_id": "u-1",
            "external_id": "me & you",
            "vehicle_id": "v-1",
            "virtual_key_url": "https://www.tesla.com/_ak/smartcar.com",
        }
    ]


def test_hosted_page_answers(lab):
    """Smartcar's, which hands the answer to the page at app_origin."""
    lab.smartcar(redirect_uri=hosted_redirect_uri(lab.site.origin))
    popup = lab.click("smartcar.open_dialog(state='mine')")
    lab.send(popup, f"app_origin={lab.site.origin}&{ALL}&state={lab.state}", f"{HOSTED_PAGE}/v2/redirect")
    lab.gone(popup)
    (told,) = lab.told()
    assert (told["code"], told["state"], told["user_id"]) == ("c-1", "mine", "u-1")


@pytest.mark.parametrize(
    "redirect_uri", [hosted_redirect_uri("http://127.0.0.1:8000"), f"{HOSTED_PAGE}/v2/redirect"]
)
def test_answer_for_another_page_is_foreseen(lab, redirect_uri):
    """The classic first failure, localhost and 127.0.0.1: said in the console before anybody waits."""
    lab.smartcar(redirect_uri=redirect_uri)
    lab.run("smartcar.add_click_handler(id='connect')")
    assert f"but this page is at {lab.site.origin}" in "".join(lab.noise)
    lab.noise.clear()


def redirectless(lab):
    """A Smartcar that has nowhere to redirect to, with its window at Connect."""
    lab.smartcar(redirect_uri=None, response_type="none", external_id="me")
    popup = lab.click(AWAITED.format("state='mine'"))
    assert lab.connect.asked[-1]["app_origin"] == lab.site.origin
    assert "redirect_uri" not in lab.connect.asked[-1]
    return popup


def test_connect_itself_answers(lab):
    """Without a redirect URI Connect posts to the page; then there is no code."""
    popup = redirectless(lab)
    lab.post(popup, lab.message(code=None, userId="u-1", externalId="me"))
    lab.gone(popup)
    assert lab.told() == [{**GRANTED, "code": None, "state": "mine", "user_id": "u-1", "external_id": "me"}]


def test_redirect_page_is_no_source_when_there_is_no_redirect(lab):
    """Then Connect's origin alone counts, and the page's own doesn't."""
    popup = redirectless(lab)
    lab.stand_in(popup)
    lab.post(popup, lab.message(code=None, userId="u-1"))
    lab.nothing_told()


@pytest.mark.parametrize("hosted", [False, True], ids=["own", "hosted"])
def test_either_redirect_page_may_be_the_dashboard_s_default(lab, hosted):
    """Without a redirect URI nobody here knows which is registered: both that could reach this page count."""
    lab.smartcar(redirect_uri=None)
    popup = lab.click("smartcar.open_dialog()")
    if hosted:
        lab.send(
            popup,
            f"app_origin={lab.site.origin}&code=a-code&state={lab.state}",
            f"{HOSTED_PAGE}/v2/redirect",
        )
        lab.gone(popup)
    else:
        lab.grant(popup)
    assert lab.told() == [GRANTED]


def test_response_without_a_code_is_enough_for_none(lab):
    """response_type="none" with a redirect URI: the state is what counts."""
    lab.smartcar(response_type="none")
    lab.grant(lab.click("smartcar.open_dialog()"), "user_id=u-1")
    assert lab.told() == [{**GRANTED, "code": None, "user_id": "u-1"}]


def test_own_redirect_route_answers(lab):
    """A page of the application with the helper script, as the original describes it."""
    lab.smartcar(redirect_uri=f"{lab.site.origin}/own-redirect")
    popup = lab.click("smartcar.open_dialog()")
    lab.send(popup, f"code=a-code&state={lab.state}", f"{lab.site.origin}/own-redirect")
    lab.gone(popup)
    assert lab.told() == [GRANTED]


def test_lost_query_is_told(lab):
    """A redirect route that lost the query: the window says so, and the attempt ends."""
    popup = lab.click(AWAITED.format(""))
    lab.send(popup, "")
    assert lab.told() == [failure("MissingParameter", "missing_parameter")]
    lab.gone(popup)


def test_lost_query_on_the_hosted_page_is_told(lab):
    """Smartcar's script posts its message without a single value."""
    lab.smartcar(redirect_uri=hosted_redirect_uri(lab.site.origin))
    popup = lab.click("smartcar.open_dialog()")
    lab.send(popup, f"app_origin={lab.site.origin}", f"{HOSTED_PAGE}/v2/redirect")
    lab.gone(popup)
    assert lab.told() == [failure("MissingParameter", "missing_parameter")]


@pytest.mark.parametrize(
    ("query", "kind", "code", "more"),
    [
        ("code=a&code=b&state=STATE", "DuplicateParameter", "duplicate_parameter", {}),
        ("code=a&state=STATE&state=STATE", "DuplicateParameter", "duplicate_parameter", {}),
        ("code=a&error=access_denied&state=STATE", "AmbiguousResponse", "ambiguous_response", {}),
        ("state=STATE", "MissingParameter", "missing_parameter", {}),
        ("code=&state=STATE", "MissingParameter", "missing_parameter", {}),
        ("user_id=u&state=STATE", "MissingParameter", "missing_parameter", {}),
        ("code=a", "StateMismatch", "state_mismatch", {"cause": "missing"}),
        ("code=a&state=another", "StateMismatch", "state_mismatch", {"cause": "altered"}),
        ("code=a&state=STATEx", "StateMismatch", "state_mismatch", {"cause": "altered"}),
        ("error=access_denied", "StateMismatch", "state_mismatch", {"cause": "missing"}),
    ],
)
def test_broken_answer_in_the_attempt_s_own_window_ends_it(lab, query, kind, code, more):
    """Nothing better can come from there; nothing of it is believed."""
    popup = lab.click(AWAITED.format(""))
    lab.send(popup, query.replace("STATE", lab.state))
    assert lab.told() == [failure(kind, code, **more)]
    lab.gone(popup)


@pytest.mark.parametrize(
    "message",
    [
        {"code": 7},
        {"code": ["a"]},
        {"state": {"a": 1}},
        {"error": True},
        {"year": 2019.5, "error": "vehicle_incompatible"},
        {"statusCode": {}, "error": "configuration_error"},
        {"code": "\ud800"},
    ],
    ids=str,
)
def test_unreadable_message_is_an_invalid_response(lab, message):
    """What is no text ends the attempt in our error, and never in a crash of the interpreter."""
    popup = lab.click(AWAITED.format(""))
    lab.stand_in(popup)
    lab.post(popup, lab.message(**message))
    (told,) = lab.told()
    assert told["kind"] in ("InvalidResponse", "StateMismatch")


def test_message_may_hold_anything_else(lab):
    """What structured clone carries and JSON doesn't, beside the fields that count."""
    popup = lab.click(AWAITED.format(""))
    lab.stand_in(popup)
    popup.run(
        f"""void (() => {{
          const message = {{ ...{json.dumps(lab.message())}, vin: null, map: new Map() }};
          message.big = 10n ** 30n;
          message.itself = message;
          opener.postMessage(message, "*");
        }})()"""
    )
    assert lab.told() == [GRANTED]


def test_other_origins_are_not_heard(lab):
    """Origins are compared whole, even in the attempt's own window and with its state."""
    own = lab.site.origin
    popup = lab.click(AWAITED.format(""))
    for origin in (
        own[:-1],
        own.rpartition(":")[0],
        own.replace("http:", "https:"),
        own.replace("localhost", "127.0.0.1"),
        own.replace("localhost", "localhost.example.com"),
        HOSTED_PAGE,
    ):
        lab.page.context.route(
            f"{origin}/stranger",
            lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"),
        )
        lab.stand_in(popup, f"{origin}/stranger")
        lab.post(popup, lab.message())
        lab.nothing_told()
    lab.grant(popup)
    assert lab.told() == [GRANTED]


def test_origin_like_smartcar_s_is_not_heard(lab):
    """Nor one that begins like that of the hosted page."""
    lab.smartcar(redirect_uri=hosted_redirect_uri(lab.site.origin))
    popup = lab.click("smartcar.open_dialog()")
    lab.page.context.route(
        "https://javascript-sdk.smartcar.co/", lambda route: route.fulfill(body="", content_type="text/html")
    )
    lab.stand_in(popup, "https://javascript-sdk.smartcar.co/")
    lab.post(popup, lab.message())
    lab.nothing_told()


def test_connect_is_not_heard_when_there_is_a_redirect(lab):
    """A page of a brand, in the window, has no business answering."""
    popup = lab.click(AWAITED.format(""))
    lab.post(popup, lab.message())
    lab.nothing_told()


@pytest.mark.parametrize("source", ["the page itself", "a frame", "another window"])
def test_other_window_of_the_right_origin_is_not_heard(lab, source):
    """Even with the right state: the answer is in the attempt's own window, or on its channel."""
    popup = lab.click(AWAITED.format(""))
    message = json.dumps(lab.message())
    if source == "the page itself":
        lab.window.run(f"void postMessage({message}, location.origin)")
    elif source == "a frame":
        lab.window.run(
            f"""void (() => {{
              const frame = document.createElement("iframe");
              frame.src = "/blank";
              frame.onload = () => {{
                frame.contentWindow.eval(`parent.postMessage({message}, "*")`);
                frame.contentWindow.eval("window.posted = true");
              }};
              document.body.append(frame);
            }})()"""
        )
        lab.page.wait_for_function("frames[0]?.posted")
    else:
        with lab.page.expect_popup() as opened:
            lab.window.run("void open('/blank', '', 'popup')")
        opened.value.wait_for_load_state()
        opened.value.evaluate(f"opener.postMessage({message}, '*')")
        opened.value.close()
    lab.nothing_told()
    lab.grant(popup)
    assert lab.told() == [GRANTED]


def test_channel_of_another_attempt_is_not_heard(lab):
    """Its name carries the attempt's random id, and the message must carry its state."""
    popup = lab.click(AWAITED.format(""))
    name = "smartcar-auth-" + json.loads(b64decode(lab.state))["instanceId"]
    lab.stand_in(popup)
    message = json.dumps(lab.message())
    for channel, content in (
        ("smartcar-auth", message),
        (name + "x", message),
        (name, '{"name": "SmartcarAuthMessage"}'),
    ):
        popup.run(f"void new BroadcastChannel({json.dumps(channel)}).postMessage({content})")
    lab.nothing_told()
    popup.run(f"void new BroadcastChannel({json.dumps(name)}).postMessage({message})")
    lab.gone(popup)
    assert lab.told() == [GRANTED]
