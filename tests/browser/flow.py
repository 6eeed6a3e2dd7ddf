"""What a person does: click the button, walk through Connect, read what the button says."""

from collections.abc import Callable
from itertools import count
from typing import Any

from playwright.sync_api import BrowserContext, Error, Locator, Page, expect

_people = count(1)


def until(page: Page, holds: Callable[[], Any]) -> Any:
    """Wait, with the page's events going on, until something holds; what that is.

    Also for what `holds` evaluates in the page: Playwright's `wait_for_function` needs eval from its second look on,
    and under a policy that forbids it fails whenever the first look came too early.
    """
    for _ in range(400):
        if found := holds():
            return found
        page.wait_for_timeout(25)
    raise AssertionError("It did not come to hold within 10 seconds.")


def press(page: Page, selector: str, *, by: str = "mouse") -> None:
    """Click what ends a page or its window; that the window has gone by then is no failure."""
    try:
        if by == "keyboard":
            page.keyboard.press(selector)
        else:
            page.click(selector, no_wait_after=True)
    except Error as error:
        if "has been closed" not in str(error):
            raise


def connect_as(
    popup: Page,
    email: str | None = None,
    *,
    decision: str = "#approval-button",
    brand: str | None = None,
) -> None:
    """Walk through Connect to the end, or to the screen that this account meets.

    Args:
        popup: The window that shows Connect.
        email: Magic addresses end in errors; None is somebody whom Connect has never seen, for whoever
            allowed once is not asked again.
        decision: The button to press last, or "" to stay before it.
        brand: Choose it on the brand screen; None where the application chose it.
    """
    popup.click("#continue-button")
    if brand is not None:
        popup.fill("#brand-search", brand)
        popup.click(f"#{brand}")
    popup.fill("#username", email or f"owner-{next(_people)}@example.com")
    popup.fill("#password", "any")
    popup.click("#sign-in-button")
    if decision:
        press(popup, decision)


class Garage:
    """A page with the button, as a person meets it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    @property
    def element(self) -> Locator:
        return self.page.locator("smartcar-connect").first

    @property
    def button(self) -> Locator:
        return self.page.get_by_role("button", name="Connect your car", exact=True).first

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status").first

    @property
    def reopen(self) -> Locator:
        return self.page.get_by_role("button", name="Reopen")

    @property
    def cancel(self) -> Locator:
        return self.page.get_by_role("button", name="Cancel")

    def open(self, trigger: Locator | None = None) -> Page:
        """Click the button; the pop-up."""
        with self.page.expect_popup() as opened:
            (trigger or self.button).click()
        return opened.value

    def open_and_close(self) -> None:
        """Click the button and close Connect; before it is there the application knows of no attempt."""
        popup = self.open()
        popup.wait_for_selector("#continue-button")
        popup.close()

    @property
    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate("events")
        return found

    def ended(self, name: str) -> dict[str, Any]:
        """The detail of the event that ends the attempt, once it is there."""
        event = until(self.page, lambda: next((one for one in self.events if one["name"] == name), None))
        detail: dict[str, Any] = event["detail"]
        return detail

    def says(self, text: str) -> None:
        expect(self.status).to_have_text(text)
