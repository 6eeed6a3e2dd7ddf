"""What a person sees: the button is clicked in a real browser, Connect is walked through, the page must tell.

Playwright drives it. It is no dependency of this package; without it these checks are left out.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .application import Application
from .check import Failed, NotApplicable, check

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_OPEN_SECONDS = 15
_LABEL = re.compile("smartcar|connect|your car", re.IGNORECASE)
_ROLE = re.compile(r"^\s*- [a-z]+:?")
_RECORD = """(() => {
  const heard = [];
  Object.defineProperty(window, "smartcarHeard", { value: heard });
  addEventListener("message", (event) => { try { heard.push(JSON.stringify(event.data)); } catch {} }, true);
})()"""
_STORES = "() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, window.smartcarHeard])"


class NoBrowser(Exception):
    """There is no browser to use; the message says what is missing."""


@contextmanager
def chromium(path: str | None = None) -> Iterator[Any]:
    """A Chromium with its pop-up blocker on.

    Args:
        path: Of its program; None looks for one.

    Raises:
        NoBrowser: There is none, or Playwright isn't installed.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise NoBrowser("they need Playwright and Chromium: pip install playwright") from None
    found = path or next(filter(None, map(shutil.which, _NAMES)), None)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=found,
                args=["--no-sandbox"] if root else [],  # Chromium's own sandbox refuses to work for root
                ignore_default_args=["--disable-popup-blocking"],
            )
        except Error:
            said = f"{found} doesn't start as a Chromium" if found else "there is no Chromium"
            raise NoBrowser(f"{said}: install it, or run playwright install chromium") from None
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """One person's browser at the page with the button.

    Args:
        app: The application.
        scripts: More that every page runs first.
    """

    def __init__(self, app: Application, *scripts: str) -> None:
        self.app = app
        self.context = app.chromium.new_context()
        for script in (_RECORD, *scripts):
            self.context.add_init_script(script)
        for pair in app.cookies:
            name, _, value = pair.partition("=")
            self.context.add_cookies([{"name": name, "value": value, "url": app.origin}])
        self.console: list[str] = []
        self.codes: set[str] = set()
        self.context.on("console", lambda message: self.console.append(message.text))
        self.context.on("request", lambda request: self._note(request.url))
        self.page = self.context.new_page()
        self.popup: Any = None
        self.page.on("popup", self._opened)
        self.page.goto(app.url)
        self.address = self.page.url
        self.before = said(self.page)
        self.waiting = ""

    def _note(self, url: str) -> None:
        if url.startswith(self.app.origin + "/"):
            self.codes.update(parse_qs(urlsplit(url).query).get("code", ()))

    def _opened(self, popup: Any) -> None:
        self.popup = popup

    def until(self, holds: Callable[[], Any], seconds: float) -> bool:
        """Wait until something holds; whether it came to."""
        for _ in range(int(seconds * 20)):
            if holds():
                return True
            self.page.wait_for_timeout(50)
        return bool(holds())

    def _trigger(self) -> Any:
        page, app = self.page, self.app
        if app.click is not None:
            return page.locator(app.click).first
        element = page.locator("smartcar-connect")
        path = app.link or (urlsplit(app.launch_address).path if app.launch_address else "")
        candidates = [
            element.get_by_role("button"),
            element.get_by_role("link"),
            page.get_by_role("button", name=_LABEL),
            page.locator('a[href*="/oauth/authorize"]'),
            *([page.locator(f"a[href*={json.dumps(path)}]")] if path else []),
            page.get_by_role("link", name=_LABEL),
        ]
        found = next((one for one in candidates if one.count()), None)
        if found is None:
            raise NotApplicable(
                "There is nothing in the page that looks like the button; --click says what it is."
            )
        return found.first

    def click(self) -> None:
        """Click the button."""
        trigger = self._trigger()
        trigger.click(no_wait_after=True)

    @property
    def connect(self) -> Any:
        """The page that shows Connect."""
        return self.popup or self.page

    def open(self) -> None:
        """Click the button, and be at Connect.

        Raises:
            Failed: It didn't come.
        """
        self.click()
        assert self.app.sandbox is not None  # noqa: S101 (checked by `_window`)
        port = urlsplit(self.app.sandbox.origin).port
        if not self.until(lambda: urlsplit(self.connect.url).port == port, _OPEN_SECONDS):
            raise Failed(
                "After a click on the button Connect doesn't come, neither in a pop-up nor in this tab."
            )
        self.connect.wait_for_selector("#continue-button")
        self.waiting = said(self.page) if self.popup else self.before

    def walk(self, decision: str) -> None:
        """Go through Connect's screens; `decision` is the last button's id."""
        page = self.connect
        page.click("#continue-button")
        page.wait_for_selector("#brand-search, #username")
        if page.locator("#brand-search").count():
            page.click("#TESLA")
        page.fill("#username", f"{os.urandom(6).hex()}@example.com")
        page.fill("#password", "any")
        page.click("#sign-in-button")
        page.wait_for_selector(decision)
        try:
            page.click(decision, no_wait_after=True)
        except Exception as error:  # Playwright's, which isn't imported here
            if "closed" not in str(error):
                raise

    def told(self) -> str | None:
        """What the person can read after the attempt and couldn't before; None if that is nothing."""
        if not self.until(self._new, self.app.seconds):
            return None
        return self._new()

    def _new(self) -> str | None:
        if self.page.is_closed():
            return None
        words = said(self.page) if self._is_here(self.page) else ""
        pieces = [words] if words and words != self.waiting else []
        if self.popup and not self.popup.is_closed() and self._is_here(self.popup):
            pieces.append(said(self.popup))
        return "\n".join(filter(None, pieces)) or None

    def _is_here(self, page: Any) -> bool:
        return str(page.url).startswith(self.app.origin)


def said(page: Any) -> str:
    """What a page says, to a screen reader too; "" while it changes."""
    try:
        snapshot = str(page.locator("body").aria_snapshot(timeout=2_000))
    except Exception:  # Playwright's: the page is on its way elsewhere, or has no body yet
        return ""
    # Without the roles and attributes, so that an empty paragraph says nothing.
    lines = (_ROLE.sub("", line).strip() for line in snapshot.splitlines() if "- /" not in line)
    return "\n".join(filter(None, (re.sub(r" *\[[^\]]*\]:?$", "", line) for line in lines)))


@contextmanager
def _window(app: Application, *scripts: str, **plan: Any) -> Iterator[Window]:
    if app.chromium is None:
        raise NotApplicable("No browser was given.")
    if app.sandbox is None or not app.is_pointed_here(app.browser().launch().authorize):
        raise NotApplicable("The app doesn't lead to the sandbox.")
    app.sandbox.reset()
    if plan:
        app.sandbox.next(**plan)
    window = Window(app, *scripts)
    try:
        yield window
    finally:
        window.context.close()


def _after_a_grant(app: Application) -> str:
    """What the person can read after a grant, looked at once for all checks."""
    if app.shown is None:
        app.shown = _ended(app, "#approval-button")
    return app.shown


def _ended(app: Application, decision: str, **plan: Any) -> str:
    """What the person can read after this decision."""
    with _window(app, **plan) as window:
        window.open()
        window.walk(decision)
        told = window.told()
        if told is not None:
            return told
        if window.popup is None or window.popup.is_closed():
            raise Failed("Connect is gone, and the page says nothing.")
        raise Failed("An empty window stays, and the page says nothing.")


@check(
    "browser-granted",
    "After the owner allows, the window is gone or says so, or the page does.",
    why="The person doesn't know whether the car is connected, and clicks again.",
    fix="Let the callback's page tell the page that opened it, or say in words that the car is connected.",
    in_browser=True,
)
def browser_granted(app: Application) -> None:
    _after_a_grant(app)


@check(
    "browser-denied",
    "After the owner denies, the page or the window says it, in other words than after a grant.",
    why="The person is left with an empty window, or believes that a car is connected.",
    fix="Tell the page that opened the pop-up of errors too, and show them.",
    in_browser=True,
)
def browser_denied(app: Application) -> None:
    if _ended(app, "#deny-button") == _after_a_grant(app):
        raise Failed("The person reads the same as after a grant.")


@check(
    "browser-opener-cut",
    "It ends just as well where Connect cuts the pop-up off from the page, as brands' logins do.",
    why="With Cross-Origin-Opener-Policy on one page in between, window.opener is null: a blank window stays.",
    fix="Tell the page by BroadcastChannel, or let it ask the server; don't rely on window.opener.",
    in_browser=True,
)
def browser_opener_cut(app: Application) -> None:
    _ended(app, "#approval-button", coop="connect")


@check(
    "browser-closed",
    "If the person closes the window, the page says something.",
    why="The page waits for ever, often with its button disabled.",
    fix="Look now and then whether the window is closed, then ask the server, and offer to begin again.",
    in_browser=True,
)
def browser_closed(app: Application) -> None:
    with _window(app) as window:
        window.open()
        if window.popup is None:
            raise NotApplicable("Connect comes in the same tab.")
        window.popup.close()
        if window.told() is None:
            raise Failed(
                f"{app.seconds:g} seconds after the window was closed the page says what it said before."
            )


@check(
    "browser-blocked",
    "Where the browser blocks the pop-up, the page says so, or goes on in this tab.",
    why="Nothing happens after a click, and nobody knows why.",
    fix="Look at what window.open returns; null means blocked.",
    in_browser=True,
)
def browser_blocked(app: Application) -> None:
    with _window(app, "window.open = () => null") as window:
        window.click()

        def goes_on() -> bool:
            return window.page.url.partition("#")[0] != window.address or said(window.page) != window.before

        if not window.until(goes_on, app.seconds):
            raise Failed("window.open gave null, and the page says what it said before.")


@check(
    "browser-code",
    "No script of the page's can read the code: not in the page, its stores, its messages or the console.",
    why="Every script in the page, of whoever it is, can exchange it first.",
    fix="Exchange it on the server, and tell the page the outcome only.",
    in_browser=True,
)
def browser_code(app: Application) -> None:
    with _window(app) as window:
        window.open()
        window.walk("#approval-button")
        window.told()
        if not window.codes:
            raise NotApplicable("No code came back to the app.")
        places = [("The console", "\n".join(window.console))]
        for page in (window.page, window.popup):
            if page is not None and not page.is_closed():
                places += [
                    ("The page's address", page.url),
                    ("The page", page.content()),
                    ("A message or a store of the page's", page.evaluate(_STORES)),
                ]
        for place, text in places:
            if any(code in text for code in window.codes):
                raise Failed(f"{place} holds the code.")
