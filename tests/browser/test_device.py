"""Connect on another device, in Chromium: the code on a page, the link on a phone, and the program that waits."""

import threading

import pytest
from playwright.sync_api import expect

from browser.flow import connect_as
from smartcar_auth import Smartcar
from smartcar_auth.hosts.device import Connections, HandOff

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def handoff(sandbox):
    return HandOff(Smartcar(application_id="an-application", connect_origin=sandbox.origin))


def test_code_on_a_page_with_a_strict_policy(handoff, page, serve):
    """It is shown in its size, and nothing violates `default-src 'none'`."""

    async def kiosk(scope, receive, send):
        headers = [(b"content-type", b"text/html"), (b"content-security-policy", b"default-src 'none'")]
        body = f"<!doctype html><html lang=en><title>Kiosk</title>{handoff.qr_svg(scale=4)}"
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})

    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(serve(kiosk).origin)
    code = page.get_by_role("img", name="QR code of the address of Smartcar Connect")
    expect(code).to_be_visible()
    box = code.bounding_box()
    assert box["width"] == box["height"] >= 4 * 57
    assert [text for text in said if "favicon" not in text] == []


def test_owner_connects_on_a_phone(handoff, browser, sandbox):
    """Connect ends on a page of its own; the program that waits has the user."""
    responses = []
    waiter = Connections(
        "client_01ABC", "any", every_seconds=0.1, iam_origin=sandbox.origin, api_origin=sandbox.origin
    )
    waiting = threading.Thread(target=lambda: responses.append(handoff.wait(waiter, timeout_seconds=60)))
    waiting.start()
    with browser.new_context(**PHONE) as phone:
        window = phone.new_page()
        window.goto(handoff.url)
        connect_as(window, brand="TESLA")
        window.wait_for_url("**/done")
    waiting.join(60)
    assert [response.external_id for response in responses] == [handoff.external_id]
    assert responses[0].user_id
