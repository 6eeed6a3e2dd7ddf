"""An answer delivered again: reloaded, copied, in another browser, at the same instant."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from attacks.wire import Visitor


def test_replay_in_the_same_browser(site):
    """She reloads, or somebody sends her the address again: the same page, and no function runs."""
    victim = Visitor(site)
    state = victim.launch().state
    first = victim.answer(state)
    for code in ("the-code", "another-code"):
        again = victim.answer(state, code=code)
        assert (again.status, again.text) == (200, first.text)
    assert [response.code for response in site.granted] == ["the-code"]


def test_replay_with_a_copied_cookie(site):
    """He restores a profile, or a proxy's log gave him the cookie: the attempt is pending there, and yet spent."""
    victim = Visitor(site)
    state = victim.launch().state
    copy = Visitor(site, **victim.jar)
    victim.answer(state)
    assert copy.answer(state, code="another-code").status == 400
    assert [error.cause for error in site.errors] == ["replayed"]
    assert len(site.granted) == 1


def test_replay_in_another_browser(site):
    """He opens the callback's address, from a history or a log, in a browser of his own."""
    victim, attacker = Visitor(site, person="victim"), Visitor(site, person="attacker")
    state = victim.launch().state
    attacker.launch()
    for _ in range(2):  # before and after she came back
        assert attacker.answer(state).status == 400
        victim.answer(state)
    assert {error.cause for error in site.errors} == {"other_browser"}
    assert [response.subject for response in site.granted] == ["victim"]


def test_replay_of_a_denial_as_a_grant(site):
    """She denied; he has her cookie and makes the same state a code."""
    victim = Visitor(site)
    state = victim.launch().state
    copy = Visitor(site, **victim.jar)
    victim.answer(state, error="access_denied")
    assert copy.answer(state, code="a-code").status == 400
    assert victim.answer(state, code="a-code").status == 200  # the page of the denial
    assert site.granted == []


def test_replay_at_the_same_instant(site):
    """Sixteen deliveries at once: between looking and claiming there is no gap."""
    victim = Visitor(site)
    state = victim.launch().state
    copies = [Visitor(site, **victim.jar) for _ in range(16)]
    together = threading.Barrier(16)

    def deliver(copy):
        together.wait(20)
        return copy.answer(state).status

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(deliver, copies))
    assert statuses == [200] + [400] * 15
    assert len(site.granted) == 1


@pytest.mark.browser
def test_code_does_not_stay_in_address_or_history(site, page):
    """Who uses the computer next looks at the address bar and presses the back button."""
    page.goto(f"{site.origin}/smartcar/launch?display=popup")
    state = page.evaluate("new URLSearchParams(location.search).get('state')")
    page.goto(f"{site.origin}/smartcar/callback?code=a-secret-code&user_id=secret-user&state={state}")
    expect(page).to_have_url(f"{site.origin}/smartcar/callback?state={state}")
    page.goto(site.url)
    page.go_back()
    expect(page.locator("h1")).to_have_text("Your car is connected")
    assert page.url == f"{site.origin}/smartcar/callback?state={state}"
    assert "secret" not in page.content()
    assert len(site.granted) == 1


@pytest.mark.browser
def test_back_button_after_a_flow_without_popup(site, page):
    """Without a pop-up the callback is a redirect: it enters no history at all."""
    page.goto(f"{site.origin}/smartcar/launch?return_to=/garage")
    state = page.evaluate("new URLSearchParams(location.search).get('state')")
    page.goto(f"{site.origin}/smartcar/callback?code=a-secret-code&state={state}")
    assert page.url == f"{site.origin}/garage?smartcar=granted"
    cdp = page.context.new_cdp_session(page)
    addresses = [entry["url"] for entry in cdp.send("Page.getNavigationHistory")["entries"]]
    assert not [address for address in addresses if "secret" in address]
