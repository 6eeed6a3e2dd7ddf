"""One table of outcomes: what a person does, what the page says, what the application's functions are given.

It knows neither the framework that serves the site nor the engine that shows it.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from browser.engines import Person, Window, until
from browser.sites import Site

Anybody = Callable[..., Person]  # one more person's browser; scripts=False is one without JavaScript

BUTTON = "[part~=button]"
STATUS = "[role=status]"
CANCEL = "[role=status] ~ button:last-of-type"
HERE = "[role=status] ~ a"
ALLOW = "#approval-button"
DENY = "#deny-button"

# Connect's error -> the code that the application and the page are told.
ERRORS = {
    "access_denied": "access_denied",
    "vehicle_incompatible": "vehicle_incompatible",
    "invalid_subscription": "invalid_subscription",
    "no_vehicles": "no_vehicles",
    "configuration_error": "configuration_error",
    "server_error": "server_error",
    "oem_cancelled_login": "oem_cancelled_login",
    "user_manually_returned_to_application": "user_exited",
    "user_cancelled": "user_exited",
    "battery_capacity_no_selection": "unknown_error",
}


def visit(person: Person, site: Site, page: str) -> Window:
    window = person()
    window.go(f"{site.origin}/{page}")
    return window


def sign_in(window: Window) -> None:
    """Through Connect to its question."""
    window.press("#continue-button")
    window.write("#username", "owner@example.com")
    window.write("#password", "any")
    window.press("#sign-in-button")


def open_and_close(page: Window, button: str = BUTTON) -> None:
    """Click the button and close Connect; before it is there the application knows of no attempt."""
    popup = page.open(button)
    popup.reads("#continue-button", "Continue")
    popup.close()


def tells(page: Window, *codes: str) -> None:
    """The page's events so far: "opened", "granted", or why it failed."""
    told = "events.map(({ name, detail }) => detail.code ?? name)"
    until(f"the page tells {codes}", lambda: len(page.run(told)) >= len(codes))
    assert page.run(told) == list(codes)


def allow(anybody: Anybody, site: Site) -> None:
    """The session cookie is Strict and stays behind on the way back; the car is still Ann's."""
    page = visit(anybody(), site, "as-ann-strictly")
    popup = page.open(BUTTON)
    sign_in(popup)
    popup.press(ALLOW)
    popup.gone()
    page.reads(STATUS, "Added to the garage.")
    tells(page, "opened", "granted")


def allow_without_scripts(anybody: Anybody, site: Site) -> None:
    """The button is a link, and redirects lead back to where it says."""
    tab = visit(anybody(scripts=False), site, "as-ann")
    tab.press("smartcar-connect a")
    sign_in(tab)
    tab.press(ALLOW)
    tab.arrives(f"{site.origin}/garage?smartcar=granted")


def deny(anybody: Anybody, site: Site) -> None:
    """Calm words, and the button is ready for another try."""
    page = visit(anybody(), site, "garage")
    popup = page.open(BUTTON)
    sign_in(popup)
    popup.press(DENY)
    popup.gone()
    page.reads(STATUS, "You did not give access. Nothing was connected.")
    tells(page, "opened", "access_denied")


def meet_every_error(anybody: Anybody, site: Site) -> None:
    """One after another on one page."""
    page = visit(anybody(), site, "garage")
    told: list[str] = []
    for error, code in ERRORS.items():
        site.sandbox.next(outcome=error)
        page.press(BUTTON)
        told += ["opened", code]
        tells(page, *told)


def cancel_while_signing_in(anybody: Anybody, site: Site) -> None:
    """Connect's COOP makes the window read closed and keeps the page from closing it: who goes on there reads so."""
    site.sandbox.next(coop="connect")
    page = visit(anybody(), site, "garage")
    popup = page.open(BUTTON)
    page.reads(STATUS, "Still connecting?")
    page.press(CANCEL)
    page.reads(STATUS, "Cancelled. Nothing was connected.")
    tells(page, "opened", "cancelled")
    sign_in(popup)
    popup.press(ALLOW)
    popup.reads("h1", "This attempt was cancelled")


def close_and_cancel(anybody: Anybody, site: Site) -> None:
    """Closing ends nothing; the person does."""
    page = visit(anybody(), site, "garage")
    open_and_close(page)
    page.reads(STATUS, "Still connecting?")
    tells(page, "opened")
    assert site.errors == []
    page.press(CANCEL)
    page.reads(STATUS, "Cancelled. Nothing was connected.")
    tells(page, "opened", "cancelled")


def be_blocked_at_load(anybody: Anybody, site: Site) -> None:
    """The page opens the window while it loads, with no click behind it; the link leads around."""
    go_on_in_the_tab(visit(anybody(), site, "at-load"), site)


def be_blocked_late(anybody: Anybody, site: Site) -> None:
    """The same where the click was too long ago."""
    page = visit(anybody(), site, "late")
    page.press("h1")
    time.sleep(9)  # and touch nothing: what a driver does on the page is as good as a click
    go_on_in_the_tab(page, site)


def go_on_in_the_tab(page: Window, site: Site) -> None:
    page.reads(STATUS, "Your browser blocked the window.")
    tells(page, "popup_blocked")
    page.press(HERE)
    sign_in(page)
    page.press(ALLOW)
    page.arrives(f"{site.origin}/garage?smartcar=granted")


def meet_a_function_that_fails(anybody: Anybody, site: Site) -> None:
    """The person gave access, and is told that the app could not finish."""
    site.result = RuntimeError("The database is away.")
    site.sandbox.next(outcome="granted")
    page = visit(anybody(), site, "garage")
    page.open(BUTTON).gone()
    page.reads(STATUS, "You gave access, but the app could not finish. Please try again.")
    tells(page, "opened", "handler_failed")


def meet_a_function_with_a_page_of_its_own(anybody: Anybody, site: Site) -> None:
    """The window stays with it; the other page learns the outcome when it asks."""
    site.result = site.native("<h1>One more question</h1>", {"Content-Type": "text/html"})
    site.sandbox.next(outcome="granted")
    page = visit(anybody(), site, "garage")
    page.open(BUTTON).reads("h1", "One more question")
    page.run("dispatchEvent(new Event('focus'))")
    page.reads(STATUS, "Connected.")
    tells(page, "opened", "granted")


def log_in_as_another_before_allowing(anybody: Anybody, site: Site) -> None:
    """Ann's car never lands with Ben, and Ann's page still waits."""
    person = anybody()
    page = visit(person, site, "as-ann")
    popup = page.open(BUTTON)
    sign_in(popup)
    visit(person, site, "as-ben")
    popup.press(ALLOW)
    popup.reads("h1", "Somebody else is logged in now")
    tells(page, "opened")


def allow_in_another_browser(anybody: Anybody, site: Site) -> None:
    """Connect's address taken to another browser: the answer lands where the attempt isn't known."""
    page = visit(anybody(), site, "garage")
    popup = page.open(BUTTON)
    sign_in(popup)
    popup.reads(ALLOW, "Allow")
    elsewhere = anybody()()
    elsewhere.go(popup.address)
    elsewhere.press(ALLOW)
    elsewhere.reads("h1", "This attempt began somewhere else")
    tells(page, "opened")


def reload_the_callback_page(anybody: Anybody, site: Site) -> None:
    """The same page again; the function doesn't run again."""
    site.sandbox.next(outcome="granted")
    tab = visit(anybody(), site, "smartcar/launch")
    tab.reads("h1", "Your car is connected")
    for _ in range(2):
        tab.reload()
        tab.reads("h1", "Your car is connected")


def connect_in_two_tabs(anybody: Anybody, site: Site) -> None:
    """Two attempts of one person end in the other order, each on its own page."""
    person = anybody()
    first, second = (visit(person, site, "as-ann") for _ in range(2))
    popup = first.open(BUTTON)
    sign_in(popup)
    site.sandbox.next(outcome="granted")
    second.open(BUTTON).gone()
    tells(second, "opened", "granted")
    tells(first, "opened")
    popup.press(DENY)
    tells(first, "opened", "access_denied")


def allow_in_a_window_cut_off(anybody: Anybody, site: Site, name: str) -> None:
    page = visit(anybody(), site, name)
    popup = page.open(BUTTON)
    page.reads(STATUS, "Still connecting?")
    sign_in(popup)
    popup.press(ALLOW)
    popup.gone()
    page.reads(STATUS, "Added to the garage.")
    tells(page, "opened", "granted")


def allow_cut_off_by_the_page(anybody: Anybody, site: Site) -> None:
    """COOP makes the window read closed while the person still signs in; yet its outcome arrives, and it closes."""
    allow_in_a_window_cut_off(anybody, site, "severed")


def allow_cut_off_by_connect(anybody: Anybody, site: Site) -> None:
    """The same with Connect's COOP."""
    site.sandbox.next(coop="connect")
    allow_in_a_window_cut_off(anybody, site, "garage")


def allow_cut_off_by_both(anybody: Anybody, site: Site) -> None:
    """The same with both."""
    site.sandbox.next(coop="connect")
    allow_in_a_window_cut_off(anybody, site, "severed")


def allow_under_a_policy(anybody: Anybody, site: Site, name: str) -> list[tuple[str, str]]:
    """Allow, after the page has asked for the status; what violated its policy, and with which address."""
    page = visit(anybody(), site, name)
    popup = page.open(BUTTON)
    page.run("dispatchEvent(new Event('focus'))")
    sign_in(popup)
    popup.press(ALLOW)
    popup.gone()
    page.reads(STATUS, "Added to the garage.")
    tells(page, "opened", "granted")
    return [(directive, address) for directive, address in page.run("violations")]


def allow_under_a_strict_policy(anybody: Anybody, site: Site) -> None:
    """The documented policy is enough, Trusted Types included: nothing violates it."""
    assert allow_under_a_policy(anybody, site, "strict") == []


def allow_where_nothing_may_be_asked(anybody: Anybody, site: Site) -> None:
    """Without `connect-src` asking for the status is all that is refused; the other roads remain."""
    violations = allow_under_a_policy(anybody, site, "unasked")
    assert {directive for directive, _ in violations} == {"connect-src"}
    assert all(address.startswith(f"{site.origin}/smartcar/status/") for _, address in violations)


class Row(NamedTuple):
    """One outcome.

    Args:
        walk: What the person does and sees.
        granted: For each run of `on_complete`, whose the car is.
        errors: What `on_error` was told: a code, or a mismatch's cause.
        everywhere: Whether it is a main one, also tried in Firefox and WebKitGTK.
    """

    walk: Callable[[Anybody, Site], object]
    granted: tuple[str | None, ...] = ()
    errors: tuple[str, ...] = ()
    everywhere: bool = False

    @property
    def name(self) -> str:
        return self.walk.__name__


OUTCOMES = [
    Row(allow, ("ann",), everywhere=True),
    Row(allow_without_scripts, ("ann",), everywhere=True),
    Row(deny, errors=("access_denied",), everywhere=True),
    Row(meet_every_error, errors=tuple(ERRORS.values())),
    Row(cancel_while_signing_in, errors=("cancelled",), everywhere=True),
    Row(close_and_cancel, errors=("cancelled",), everywhere=True),
    Row(be_blocked_at_load, (None,)),
    Row(meet_a_function_that_fails, (None,)),
    Row(meet_a_function_with_a_page_of_its_own, (None,)),
    Row(log_in_as_another_before_allowing, errors=("other_person",)),
    Row(allow_in_another_browser, errors=("other_browser",)),
    Row(reload_the_callback_page, (None,)),
    Row(connect_in_two_tabs, ("ann",), ("access_denied",)),
]
BLOCKED_LATE = Row(be_blocked_late, (None,))
POLICIES = [
    Row(allow_cut_off_by_the_page, (None,)),
    Row(allow_cut_off_by_connect, (None,)),
    Row(allow_cut_off_by_both, (None,)),
    Row(allow_under_a_strict_policy, (None,)),
    Row(allow_where_nothing_may_be_asked, (None,)),
]


def check(row: Row, anybody: Anybody, site: Site) -> None:
    """What the row says became of it."""
    site.anew()
    row.walk(anybody, site)
    assert tuple(site.granted) == row.granted
    assert tuple(site.errors) == row.errors
