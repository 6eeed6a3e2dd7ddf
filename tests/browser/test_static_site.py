"""The official SDK from npm, unchanged, with the redirect page that `smartcar-auth static` writes."""

import pytest
from playwright.sync_api import expect

from browser.flow import connect_as, until
from browser.front_end import OfficialPage, official_page
from chromium import start_chromium_with_smartcar
from smartcar_auth.sandbox import Sandbox
from static_site import served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(playwright):
    """One that finds smartcar.com here."""
    with Sandbox(tls=True) as smartcar_com:
        started = start_chromium_with_smartcar(playwright, smartcar_com)
        yield started
        started.close()


@pytest.mark.parametrize("serving", [served.plainly, served.with_headers])
@pytest.mark.parametrize("decision", ["#approval-button", "#deny-button"])
def test_official_page_completes(page, serve, tmp_path, serving, decision):
    """From another port than the files', through Connect; no policy is broken, and the window closes."""
    front = serve(official_page())
    broken = []
    page.context.on("console", lambda message: broken.append(message.text))
    with serving(served.write(tmp_path, front.origin)) as origin:
        redirect_uri = f"{origin}/redirect.html?app_origin={front.origin}"
        official = OfficialPage(page, front.origin, {"redirectUri": redirect_uri}, state="garage=7")
        connect_as(official.open(), decision=decision)
        told = official.told()
    if decision == "#approval-button":
        assert told["error"] is None
        assert told["code"]
        assert told["state"] == "garage=7"
    else:
        assert told["error"]["kind"] == "AccessDenied"
    assert broken == []


@pytest.mark.parametrize("serving", [served.plainly, served.with_headers])
def test_script_is_fetched_once(page, serve, tmp_path, serving):
    """Whoever sets the headers has it sent for ahead of the page, and the page uses that."""
    front = serve(official_page())
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    with serving(served.write(tmp_path, front.origin)) as origin:
        page.goto(f"{origin}/redirect.html?code=c&state=s&app_origin={front.origin}")
        until(page, lambda: "code=" not in page.url)
    assert len([one for one in asked if one.endswith(".js")]) == 1
    assert said == []


def test_official_page_of_a_stranger_is_told_nothing(page, serve, tmp_path):
    """The original posts to whatever `app_origin` says; ours to what the list says, and stays open otherwise."""
    stranger = serve(official_page())
    with served.plainly(served.write(tmp_path, "https://app.example.com")) as origin:
        redirect_uri = f"{origin}/redirect.html?app_origin={stranger.origin}"
        official = OfficialPage(page, stranger.origin, {"redirectUri": redirect_uri})
        popup = official.open()
        connect_as(popup)
        expect(popup.get_by_role("heading", name="You can close this window")).to_be_visible()
        expect(popup.get_by_role("link")).to_have_attribute("href", "./")
        until(popup, lambda: "code=" not in popup.url)
        assert official.messages() == []
        assert official.completed == []
