"""The screens in a real browser: by keyboard alone, without JavaScript, on a phone, in light and dark."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from smartcar_auth.sandbox import Sandbox

from .conftest import APPLICATION_ID, SCOPE

pytestmark = pytest.mark.browser

# The contrast of every visible text with what is behind it (WCAG 2.2, 1.4.3), as [ratio, text] of the worst.
WORST_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => {
    const v = c[i] / 255;
    return sum + w * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  }, 0);
  let worst = [21, ""];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, walker.currentNode.data.trim()];
  }
  return worst;
}"""

# Controls that are too small to hit (WCAG 2.2, 2.5.8 asks for 24; we want 44), or without a name.
POOR_CONTROLS = """() => [...document.querySelectorAll("a, button, input, select, summary")].filter((e) => {
  if (!e.checkVisibility() || e.closest("pre, dd, p:not(.aside)")) return false;
  const box = (e.closest("label") ?? e).getBoundingClientRect();
  const name = e.labels?.length || e.textContent.trim();
  return box.height < 44 || !name;
}).map((e) => e.outerHTML)"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for this module."""
    with Sandbox(application_name="Volt Planner") as running:
        yield running


def address(sandbox: Sandbox, **parameters: str) -> str:
    """The authorize URL of an application on another origin, which happens to answer 404."""
    landing = sandbox.origin.replace("127.0.0.1", "localhost") + "/landed"
    asked = {
        "response_type": "code",
        "application_id": APPLICATION_ID,
        "redirect_uri": landing,
        "scope": SCOPE,
    }
    asked |= {"state": "s", "approval_prompt": "force", **parameters}
    return f"{sandbox.origin}/oauth/authorize?{urlencode(asked)}"


def landed(page: Page) -> dict[str, list[str]]:
    """What the application received."""
    page.wait_for_url("**/landed?*")
    return parse_qs(urlsplit(page.url).query)


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, as a person without a mouse does."""
    target = page.locator(selector)
    for _ in range(80):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} can't be reached with the Tab key")


def test_whole_way_by_keyboard(sandbox: Sandbox, browser: Browser) -> None:
    """Everything from the preamble to the application can be done with the keyboard."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address(sandbox))
        tab_to(page, "#continue-button")
        page.keyboard.press("Enter")
        tab_to(page, "#brand-search")
        page.keyboard.type("chevy")
        expect(page.locator("#brand-count")).to_have_text("1 brand found")
        tab_to(page, "#CHEVROLET")
        page.keyboard.press("Enter")
        tab_to(page, "#username")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Enter your email address")
        expect(page.locator("#username")).to_be_focused()
        page.keyboard.type("keyboard@example.com")
        tab_to(page, "#password")
        page.keyboard.type("secret")
        page.keyboard.press("Enter")
        tab_to(page, "input[name=vehicle] >> nth=1")
        page.keyboard.press("Space")
        tab_to(page, "#approval-button")
        page.keyboard.press("Enter")
        assert landed(page).keys() == {"code", "user_id", "state"}


def test_controls_by_keyboard(sandbox: Sandbox, browser: Browser) -> None:
    """The sandbox controls open, choose and end the attempt by keyboard."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address(sandbox))
        tab_to(page, ".controls summary")
        page.keyboard.press("Enter")
        tab_to(page, "#sandbox-error")
        page.keyboard.type("user_cancelled")
        tab_to(page, "#sandbox-end-button")
        page.keyboard.press("Enter")
        assert landed(page)["error"] == ["user_cancelled"]


def test_whole_way_without_javascript(sandbox: Sandbox, browser: Browser) -> None:
    """Without JavaScript the search is a form, and everything else works as it does with it."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address(sandbox))
        page.click("#continue-button")
        page.fill("#brand-search", "merc")
        page.click(".search-button")
        expect(page.locator(".brand-list-item")).to_have_count(1)
        page.click("#MERCEDES")
        page.fill("#username", "plain@example.com")
        page.fill("#password", "x")
        page.click("#sign-in-button")
        page.click("#approval-button")
        page.wait_for_url("**/landed?*")


def test_back_reload_and_approve_again(sandbox: Sandbox, browser: Browser) -> None:
    """Reload, the back button and a second approval break nothing."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address(sandbox, make="TESLA"))
        page.click("#continue-button")
        page.wait_for_url("**/login")
        page.go_back()
        page.go_forward()
        page.fill("#username", "back@example.com")
        page.fill("#password", "x")
        page.click("#sign-in-button")
        page.wait_for_url("**/grant")
        page.reload()
        page.click("#approval-button")
        first = landed(page)
        page.go_back()
        page.click("#approval-button")
        second = landed(page)
        assert first["user_id"] == second["user_id"]
        assert first["code"] != second["code"]


def test_screens_as_a_screen_reader_meets_them(sandbox: Sandbox, browser: Browser) -> None:
    """What can be chosen has a role and a name, groups have theirs, and what changes is announced."""
    sandbox.next(screens=["pin", "battery-capacity"])
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address(sandbox))
        expect(page.get_by_role("combobox", name="Country of your vehicle")).to_be_visible()
        expect(page.get_by_role("button", name="English")).to_have_attribute("aria-current", "true")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("searchbox", name="Search brands").fill("vdub")
        expect(page.get_by_role("status")).to_have_text("1 brand found")
        expect(
            page.get_by_role("list", name="Brands in the United States").get_by_role("button")
        ).to_have_count(1)
        page.get_by_role("button", name="Volkswagen").click()
        page.get_by_role("textbox", name="Email address or phone number").fill("owner@example.com")
        page.get_by_role("textbox", name="Password").fill("x")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("textbox", name="PIN")).to_have_accessible_description(
            re.compile("Enter the four digits")
        )
        page.get_by_role("textbox", name="PIN").fill("1234")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("group", name="Vehicles").get_by_role("checkbox")).to_have_count(2)
        page.get_by_role("button", name="Allow", exact=True).click()
        page.get_by_role("group", name="Capacity").get_by_role("radio", name="58 kWh").check()
        page.get_by_role("button", name="Continue").click()
        assert landed(page)["code"]


def walk(page: Page, sandbox: Sandbox) -> Iterator[str]:
    """Every kind of screen, one after the other."""
    page.goto(address(sandbox, mode="simulated"))
    page.click(".controls summary")
    yield "welcome"
    page.click("#continue-button")
    yield "brands"
    page.fill("#brand-search", "zzz")
    yield "no brand"
    page.fill("#brand-search", "")
    page.click("#RENAULT")
    yield "coming later"
    page.click("#again-button")
    page.click("#other-brand-button")
    yield "not listed"
    page.click("#again-button")
    page.click("#KIA")
    page.click(".test-accounts summary")
    yield "login"
    page.click("#sign-in-button")
    yield "login with a complaint"
    page.fill("#username", "smartcar@two-factor.com")
    page.fill("#password", "x")
    page.click("#sign-in-button")
    yield "two-factor"
    page.fill("#verification-code", "123456")
    page.click("#verify-button")
    yield "grant"
    for box in page.locator("input[name=vehicle]").all():
        box.uncheck()
    page.click("#approval-button")
    yield "grant with a complaint"
    sandbox.next(screens=["pin", "battery-capacity", "virtual-key"])
    page.goto(address(sandbox, make="TESLA"))
    page.click("#language-de")
    yield "another language"
    page.click("#continue-button")
    page.fill("#username", "owner@example.com")
    page.fill("#password", "x")
    page.click("#sign-in-button")
    yield "PIN"
    page.fill("#verification-code", "1234")
    page.click("#verify-button")
    page.click("#approval-button")
    yield "battery capacity"
    page.click("#capacity-button")
    yield "battery capacity with a complaint"
    page.click("#unknown-capacity-button")
    yield "virtual key"
    sandbox.next(outcome="granted", user="smartcar@missing-permission.com", answer="other_browser")
    page.goto(address(sandbox))
    yield "answer in another browser"
    page.goto(address(sandbox, single_select="true", single_select_vin="0SCAUDI037A5ADB1C"))
    yield "problem"
    page.goto(address(sandbox, redirect_uri="http://evil.example/" + "x" * 200))
    yield "refused"
    page.goto(sandbox.origin)
    yield "landing"


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (570, "light"), (1280, "dark")])
def test_screens_readable_and_reachable(sandbox: Sandbox, browser: Browser, width: int, scheme: str) -> None:
    """No screen scrolls sideways, has pale text, small or nameless controls, or breaks its own CSP.

    And the window's title tells the screens apart, and says that this is the sandbox.
    """
    said: list[str] = []
    titles: set[str] = set()
    options = {
        "viewport": {"width": width, "height": 800},
        "color_scheme": scheme,
        "reduced_motion": "reduce",
    }
    with browser.new_context(**options) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        for screen in walk(page, sandbox):
            expect(page, screen).to_have_title(re.compile("Sandbox$"))
            titles.add(page.title())
            assert page.locator("h1").count() == 1, screen
            assert page.locator("main").count() == 1, screen
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), screen
            ratio, text = page.evaluate(WORST_CONTRAST)
            assert ratio >= 4.5, (screen, text, ratio)
            assert page.evaluate(POOR_CONTROLS) == [], screen
    assert [text for text in said if "400 (Bad Request)" not in text] == []
    assert len(titles) >= 14
