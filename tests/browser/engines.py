"""A person's browser, whichever engine it is: Chromium and Firefox by Playwright, WebKitGTK by WebDriver.

A test that speaks to a `Window` runs in all three. Their pop-up blockers are on, and an engine that is missing
fails the test. WebKitGTK is not Safari: what holds in the one is no claim for the other.
"""

import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, expect
from selenium.common.exceptions import NoSuchWindowException
from selenium.webdriver import WebKitGTK, WebKitGTKOptions
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.webkitgtk.service import Service

SECONDS = 20


class Window(ABC):
    """One window. What is done in it waits until a person could do it.

    Selectors are CSS, and find what stands in the button's shadow tree too.
    """

    @property
    @abstractmethod
    def address(self) -> str: ...

    @abstractmethod
    def go(self, address: str) -> None: ...

    @abstractmethod
    def arrives(self, address: str) -> None:
        """Wait until it is there."""

    @abstractmethod
    def reload(self) -> None: ...

    @abstractmethod
    def press(self, selector: str) -> None:
        """Click. The window may be gone by the time it returns."""

    @abstractmethod
    def open(self, selector: str) -> "Window":
        """Click, and the window that this opens."""

    @abstractmethod
    def write(self, selector: str, text: str) -> None: ...

    @abstractmethod
    def reads(self, selector: str, text: str) -> None:
        """Wait until this text stands there."""

    @abstractmethod
    def run(self, expression: str) -> Any:
        """The value of an expression in JavaScript."""

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def gone(self) -> None:
        """Wait until it has closed itself."""


Person = Callable[[], Window]  # opens one more window of the same browser, which share what it knows
Engine = Callable[..., AbstractContextManager[Person]]  # scripts=False: the person has no JavaScript


class PlaywrightWindow(Window):
    def __init__(self, page: Page, scripts: bool) -> None:
        self._page = page
        # Without JavaScript Firefox can't tell whether an element stands still.
        self._at_once = not scripts

    @property
    def address(self) -> str:
        return self._page.url

    def go(self, address: str) -> None:
        self._page.goto(address)

    def arrives(self, address: str) -> None:
        self._page.wait_for_url(address)

    def reload(self) -> None:
        self._page.reload()

    def press(self, selector: str) -> None:
        try:
            self._page.click(selector, force=self._at_once, no_wait_after=True)
        except Error as error:
            if "has been closed" not in str(error):
                raise

    def open(self, selector: str) -> Window:
        with self._page.expect_popup() as opened:
            self.press(selector)
        return PlaywrightWindow(opened.value, not self._at_once)

    def write(self, selector: str, text: str) -> None:
        self.press(selector)
        self._page.keyboard.insert_text(text)

    def reads(self, selector: str, text: str) -> None:
        expect(self._page.locator(selector)).to_have_text(text, timeout=SECONDS * 1000)

    def run(self, expression: str) -> Any:
        return self._page.evaluate(expression)

    def close(self) -> None:
        self._page.close()

    def gone(self) -> None:
        if not self._page.is_closed():
            self._page.wait_for_event("close")


def chromium(browser: Browser) -> Engine:
    """Chromium, or another browser of Playwright's."""

    @contextmanager
    def profile(*, scripts: bool = True) -> Iterator[Person]:
        with browser.new_context(java_script_enabled=scripts) as context:
            context.set_default_timeout(SECONDS * 1000)
            yield lambda: PlaywrightWindow(context.new_page(), scripts)

    return profile


@contextmanager
def firefox(playwright: Playwright) -> Iterator[Engine]:
    """Debian's Firefox. It has JavaScript as a setting of the whole browser, so there may be two."""
    found = executable("firefox-esr", "firefox-esr")
    engines: dict[bool, Engine] = {}
    with ExitStack() as browsers:

        def profile(*, scripts: bool = True) -> AbstractContextManager[Person]:
            if scripts not in engines:
                browser = playwright.firefox.launch(
                    channel="moz-firefox",
                    executable_path=found,
                    firefox_user_prefs={"dom.disable_open_during_load": True, "javascript.enabled": scripts},
                )
                engines[scripts] = chromium(browsers.enter_context(browser))
            return engines[scripts](scripts=scripts)

        yield profile


# The first match: the element, its text, whether it is shown on a page that is complete, and its place.
LOOK = """
const selector = arguments[0];
const found = [document, document.querySelector("smartcar-connect")?.shadowRoot]
  .map((root) => root?.querySelector(selector)).find((element) => element);
if (!found) return [null, "", false];
const { x, y, width, height } = found.getBoundingClientRect();
const shown = document.readyState === "complete" && width * height > 0;
return [found, found.textContent, shown, x, y, width, height];
"""


class WebKitWindow(Window):
    def __init__(self, driver: WebKitGTK, handle: str) -> None:
        self._driver = driver
        self._handle = handle

    @property
    def _here(self) -> WebKitGTK:
        self._driver.switch_to.window(self._handle)
        return self._driver

    def _look(self, selector: str) -> list[Any]:
        found: list[Any] = self._here.execute_script(LOOK, selector)
        return found

    def _element(self, selector: str) -> WebElement:
        """Once it stands still: WebDriver clicks where an element was, wherever the page's layout has moved it."""
        looks = [self._look(selector)]

        def stands_still() -> bool:
            looks.append(self._look(selector))
            return looks[-1][2] and looks[-1] == looks[-2]

        until(f"{selector} stands still", stands_still)
        element: WebElement = looks[-1][0]
        return element

    @property
    def address(self) -> str:
        return self._here.current_url

    def go(self, address: str) -> None:
        self._here.get(address)

    def arrives(self, address: str) -> None:
        until(f"the window is at {address}", lambda: self.address == address)

    def reload(self) -> None:
        self._here.refresh()

    def press(self, selector: str) -> None:
        try:
            self._element(selector).click()
        except NoSuchWindowException:
            pass

    def open(self, selector: str) -> Window:
        before = set(self._driver.window_handles)
        self.press(selector)
        (handle,) = until("a window opens", lambda: set(self._driver.window_handles) - before)
        return WebKitWindow(self._driver, handle)

    def write(self, selector: str, text: str) -> None:
        self._element(selector).send_keys(text)

    def reads(self, selector: str, text: str) -> None:
        until(f"{selector} reads {text!r}", lambda: self._look(selector)[1] == text)

    def run(self, expression: str) -> Any:
        return self._here.execute_script(f"return ({expression})")

    def close(self) -> None:
        self._here.close()

    def gone(self) -> None:
        until("the window has closed", lambda: self._handle not in self._driver.window_handles)


@contextmanager
def webkit() -> Iterator[Engine]:
    """WebKitGTK's MiniBrowser on a screen that nobody sees, started anew for each person."""
    driver_path = executable("WebKitWebDriver", "webkit2gtk-driver")
    # The driver would find it by itself, but give it no arguments.
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser")) or [missing("webkit2gtk-driver")]
    ours, theirs = os.pipe()
    screen = subprocess.Popen(
        [executable("Xvfb", "xvfb"), "-displayfd", str(theirs), "-screen", "0", "1280x1000x24"],
        pass_fds=[theirs],
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    with os.fdopen(ours) as said:
        display = {**os.environ, "DISPLAY": f":{said.readline().strip()}"}

    @contextmanager
    def profile(*, scripts: bool = True) -> Iterator[Person]:
        options = WebKitGTKOptions()
        options.binary_location = str(browsers[-1])
        options.add_argument("--automation")
        options.add_argument(f"--enable-javascript={str(scripts).lower()}")
        driver = WebKitGTK(options=options, service=Service(driver_path, env=display))

        def window() -> Window:
            driver.switch_to.new_window("window")
            return WebKitWindow(driver, driver.current_window_handle)

        yield window
        driver.quit()

    yield profile
    screen.terminate()
    screen.wait(10)


def until(what: str, happened: Callable[[], Any]) -> Any:
    """Wait for something true; it, or a failure that says what was missed."""
    deadline = time.monotonic() + SECONDS
    while not (found := happened()):
        assert time.monotonic() < deadline, f"Not within {SECONDS} seconds: {what}."
        time.sleep(0.02)
    return found


def executable(name: str, package: str) -> str:
    """Where a program is; without it the test fails."""
    return shutil.which(name) or missing(package)


def missing(package: str) -> Any:
    pytest.fail(f"These tests need {package}: apt-get install {package} (make test does it).", pytrace=False)
