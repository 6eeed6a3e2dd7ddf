"""One table of outcomes for data apps: what a person does, and what Python says of it on the same page.

It knows neither the framework nor the engine. An app passes that shows, at `/`, a button made with `make="TESLA"`
and an element `#result`, which reads `nothing yet`, `granted CODE` with the authorization code that Python received,
or `failed ERROR_CODE`, followed by the car's make where `vehicle_info` names one.
"""

import os
from collections.abc import Callable
from itertools import count
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Request

from browser.engines import PlaywrightWindow, Window, until
from browser.outcomes import ALLOW, DENY, open_and_close
from dataapps.serving import App

BUTTON = "smartcar-connect [part~=button]"
STATUS = "smartcar-connect [role=status]"
CANCEL = f"{STATUS} ~ button:last-of-type"
HERE = f"{STATUS} ~ a"
RESULT = "#result"

ROUNDS = int(os.environ.get("SMARTCAR_ROUNDS", "3"))  # by hand: SMARTCAR_ROUNDS=50

_people = count(1)  # whoever allowed once is not asked again

# Clicks with no person behind it, as soon as there is an element to click, once in a tab: the window is blocked.
AT_LOAD = """
const find = (root) => {
  for (const element of root.querySelectorAll("*")) {
    const found = element.localName === "smartcar-connect" ? element : element.shadowRoot && find(element.shadowRoot);
    if (found) return found;
  }
};
const look = () => {
  const element = find(document);
  if (!element?.shadowRoot) return setTimeout(look, 20);
  sessionStorage.clicked = true;
  element.click();
  console.info("clicked");
};
if (!sessionStorage.clicked) look();
"""

# What a page may tell by itself.
FORGED = """
(element) => {
  const detail = { outcome: "granted", attempt: "x".repeat(22), data: { claim: "made-up" } };
  element.dispatchEvent(new CustomEvent("smartcar-granted", { detail, bubbles: true, composed: true }));
}
"""


class Somebody:
    """One person's browser, and the codes that Connect sent through it."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self.codes: list[str] = []
        context.on("request", self._note)

    def _note(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.path.endswith("/smartcar/callback"):
            self.codes += parse_qs(address.query).get("code", [])

    def visit(self, app: App, *, script: str | None = None) -> "Visit":
        """The app in a new tab, once Python has said its first word."""
        page = self._context.new_page()
        if script is None:
            page.goto(app.origin)
        else:
            page.add_init_script(script)
            # Not looked at before: what a driver evaluates in a page is as good as a click.
            with page.expect_console_message(lambda message: message.text == "clicked"):
                page.goto(app.origin)
        return Visit(page, self)


class Visit(PlaywrightWindow):
    """The app's page."""

    def __init__(self, page: Page, somebody: Somebody) -> None:
        super().__init__(page, scripts=True)
        self.page = page
        self._somebody = somebody

    def says(self, result: str) -> None:
        self.reads(RESULT, result)

    def says_granted(self, *, code: int = 0) -> str:
        """Wait for the code that this browser brought, the first or another; it."""

        def come() -> list[str]:
            self.page.wait_for_timeout(10)  # Playwright tells of requests while one waits for it
            return self._somebody.codes[code:]

        until("the answer comes", come)
        self.says(f"granted {self._somebody.codes[code]}")
        return self._somebody.codes[code]


Anybody = Callable[[], Somebody]  # one more person's browser


def sign_in(window: Window, email: str | None = None) -> None:
    """Through Connect to its question, or to the screen that this account meets."""
    window.press("#continue-button")
    window.write("#username", email or f"owner-{next(_people)}@example.com")
    window.write("#password", "any")
    window.press("#sign-in-button")


def allow(anybody: Anybody, app: App) -> None:
    """Python has the very code that this browser brought."""
    page = anybody().visit(app)
    page.says("nothing yet")
    popup = page.open(BUTTON)
    sign_in(popup)
    popup.press(ALLOW)
    popup.gone()
    page.says_granted()
    page.reads(STATUS, "Connected.")


def deny(anybody: Anybody, app: App) -> None:
    page = anybody().visit(app)
    popup = page.open(BUTTON)
    sign_in(popup)
    popup.press(DENY)
    popup.gone()
    page.says("failed access_denied")
    page.reads(STATUS, "You did not give access. Nothing was connected.")


def bring_a_car_that_is_incompatible(anybody: Anybody, app: App) -> None:
    """What its owner agreed to share arrives in Python, and needn't pass through the page."""
    page = anybody().visit(app)
    popup = page.open(BUTTON)
    sign_in(popup, "smartcar@vehicle-incompatible.com")
    popup.press("#share-vehicle-details")
    popup.press("#back-to-application-button")
    popup.gone()
    page.says("failed vehicle_incompatible TESLA")


def close_and_cancel(anybody: Anybody, app: App) -> None:
    """Closing ends nothing; the person does."""
    page = anybody().visit(app)
    open_and_close(page, BUTTON)
    page.reads(STATUS, "Still connecting?")
    page.says("nothing yet")
    page.press(CANCEL)
    page.says("failed cancelled")


def try_again(anybody: Anybody, app: App) -> None:
    """One attempt after another on one page: each result takes the place of the one before."""
    page = anybody().visit(app)
    for number, outcome in enumerate(("access_denied", "granted", "no_vehicles", "granted")):
        app.sandbox.next(outcome=outcome)
        page.press(BUTTON)
        if outcome == "granted":
            page.says_granted(code=number // 2)
        else:
            page.says(f"failed {outcome}")


def be_blocked_at_load(anybody: Anybody, app: App) -> Visit:
    """The page opens the window while it loads, with no click behind it; Python hears, and the link leads around."""
    page = anybody().visit(app, script=AT_LOAD)
    page.says("failed popup_blocked")
    page.reads(STATUS, "Your browser blocked the window.")
    app.sandbox.next(outcome="granted")
    page.press(HERE)
    page.arrives(f"{app.origin}/?smartcar=granted")
    return page


def go_on_in_the_tab(anybody: Anybody, app: App) -> None:
    """After the way around Python has the code, on the page that the person came back to."""
    be_blocked_at_load(anybody, app).says_granted()


def reload_while_pending(anybody: Anybody, app: App) -> None:
    """The page forgets the attempt and says so: nothing yet, and a button that is ready for the next one."""
    page = anybody().visit(app)
    popup = page.open(BUTTON)
    sign_in(popup)
    popup.reads(ALLOW, "Allow")
    page.reload()
    page.says("nothing yet")
    page.reads(STATUS, "")
    popup.press(ALLOW)
    popup.gone()
    app.sandbox.next(outcome="granted")
    page.press(BUTTON)
    page.says_granted(code=1)


def reload_and_go_on(anybody: Anybody, app: App) -> None:
    """The tab knows its attempt: the page asks whether to go on waiting, and the answer arrives, once."""
    page = anybody().visit(app)
    popup = page.open(BUTTON)
    sign_in(popup)
    popup.reads(ALLOW, "Allow")
    page.reload()
    page.reads(STATUS, "Still connecting?")
    page.says("nothing yet")
    popup.press(ALLOW)
    page.says_granted()
    page.reload()
    page.says("nothing yet")
    app.sandbox.next(outcome="granted")
    page.press(BUTTON)
    page.says_granted(code=1)


def hear_of_an_outcome_that_nobody_saw(anybody: Anybody, app: App) -> None:
    """A claim that was made up is refused, in words, and spoils nothing."""
    page = anybody().visit(app)
    page.says("nothing yet")
    page.page.locator("smartcar-connect").evaluate(FORGED)
    page.says("failed state_mismatch")
    app.sandbox.next(outcome="granted")
    page.press(BUTTON)
    page.says_granted()


def connect_in_two_tabs(anybody: Anybody, app: App) -> None:
    """Each of one person's tabs shows the end of its own attempt, and the other one doesn't."""
    somebody = anybody()
    first, second = (somebody.visit(app) for _ in range(2))
    popup = first.open(BUTTON)
    sign_in(popup)
    app.sandbox.next(outcome="granted")
    second.press(BUTTON)
    second.says_granted()
    first.says("nothing yet")
    popup.press(DENY)
    first.says("failed access_denied")
    second.says_granted()


def connect_beside_another(anybody: Anybody, app: App) -> None:
    """Two people at once, again and again: each sees the code that came through this very browser."""
    people = [anybody() for _ in range(2)]
    pages = [person.visit(app) for person in people]
    for number in range(ROUNDS):
        for _ in people:
            app.sandbox.next(outcome="granted")
        for page in pages:
            page.press(BUTTON)
        first, second = (page.says_granted(code=number) for page in pages)
        assert first != second
    for page in pages:
        page.says_granted(code=ROUNDS - 1)


class Row(NamedTuple):
    """One outcome.

    Args:
        walk: What the person does and sees.
        everywhere: Whether it is a main one, also tried in Firefox.
    """

    walk: Callable[[Anybody, App], object]
    everywhere: bool = False

    @property
    def name(self) -> str:
        return self.walk.__name__


OUTCOMES = [
    Row(allow, everywhere=True),
    Row(deny, everywhere=True),
    Row(bring_a_car_that_is_incompatible),
    Row(close_and_cancel),
    Row(try_again),
    Row(be_blocked_at_load),
    Row(reload_while_pending),
    Row(hear_of_an_outcome_that_nobody_saw),
    Row(connect_in_two_tabs),
    Row(connect_beside_another),
]

# Where the button has `keep`, and finds the end of an attempt that came while its page was not there.
_KEPT = {be_blocked_at_load: go_on_in_the_tab, reload_while_pending: reload_and_go_on}
KEPT = [Row(_KEPT.get(walk, walk), everywhere) for walk, everywhere in OUTCOMES]
MAIN = [row for row in OUTCOMES if row.everywhere]


def check(row: Row, anybody: Anybody, app: App) -> None:
    """Walk through it, as if nothing had happened before."""
    app.sandbox.reset()
    row.walk(anybody, app)


class EveryApp:
    """The table, for the fixture `app` of the module that has a class of this kind."""

    @pytest.mark.parametrize("row", KEPT, ids=lambda row: row.name)
    def test_outcome(self, row: Row, anybody: Anybody, app: App) -> None:
        """Page and Python are told what the row says."""
        check(row, anybody, app)

    @pytest.mark.parametrize("row", MAIN, ids=lambda row: row.name)
    def test_outcome_in_firefox(self, row: Row, anybody_with_firefox: Anybody, app: App) -> None:
        """The main rows there too."""
        check(row, anybody_with_firefox, app)
