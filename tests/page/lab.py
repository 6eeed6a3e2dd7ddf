"""A page with Python in it, as a test sees it: it runs code there, opens the pop-up, and lets Connect answer."""

import json
import time
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Error, Page

from browser.engines import PlaywrightWindow, Window, until
from page.site import Connect, Site

LOADING_SECONDS = 60
CONNECT_SHOWS = "document.querySelector('#continue-button')?.checkVisibility()"
GRANTED = {
    "code": "a-code",
    "state": None,
    "user_id": None,
    "external_id": None,
    "virtual_key_url": None,
    "vehicle_id": None,
}


def page_of(window: Window) -> Page:
    """Playwright's page, for what only it can do."""
    assert isinstance(window, PlaywrightWindow)
    return window._page


def holds(window: Window, expression: str) -> bool:
    """Whether this is so in a window that may be on its way to another page."""
    try:
        return bool(window.run(expression))
    except Error:
        return False


class Lab:
    """One page. `smartcar` is there, made for the site's own redirect page.

    Args:
        window: Where the page is.
        site: What it comes from.
        connect: Where its pop-ups go.
        path: Its own, which ends in the Python's name.
    """

    def __init__(self, window: Window, site: Site, connect: Connect, path: str) -> None:
        self.window = window
        self.site = site
        self.connect = connect
        self.python = path.rpartition("/")[2]
        self.noise: list[str] = []  # what the page's console said
        window.go(f"{site.origin}/{path}")
        deadline = time.monotonic() + LOADING_SECONDS
        while not window.run("window.ready === true"):
            assert time.monotonic() < deadline, f"{self.python} didn't load within {LOADING_SECONDS} seconds."
            time.sleep(0.05)

    def run(self, code: str) -> None:
        """Run Python. In Chromium it may open one window, as in a click."""
        self.window.run(f"void python({json.dumps(code)})")

    def value(self, expression: str) -> Any:
        """The value of an expression in Python."""
        self.run(f"answer({expression})")
        return json.loads(self.window.run("window.answer"))

    def until(self, expression: str) -> Any:
        """Wait for something true in Python; it."""
        return until(f"{expression} in Python", lambda: self.value(expression))

    def smartcar(self, name: str = "smartcar", on_complete: str = "on_complete", **options: Any) -> None:
        """Make a Smartcar there; its on_complete is a function's name. An option that is None is left out."""
        given = {
            "application_id": "an-application",
            "redirect_uri": self.site.redirect_uri,
            "connect_origin": self.connect.server.origin,
            **options,
        }
        made = {key: value for key, value in given.items() if value is not None}
        self.run(f"{name} = Smartcar(on_complete={on_complete}, **{made!r})\nsmartcars.append({name})")

    def click(self, code: str) -> Window:
        """Run Python in a click; the window that this opens, with Connect in it."""
        self.run(f"def act(*event):\n    global attempt\n    {code}\n")
        return self.opened("#act")

    def opened(self, selector: str) -> Window:
        """Click; the window that this opens, with Connect in it."""
        before = len(self.connect.asked)
        popup = self.window.open(selector)
        there = f"location.origin === {json.dumps(self.connect.server.origin)} && document.readyState === 'complete'"
        until("Connect shows a page", lambda: holds(popup, there))
        assert len(self.connect.asked) == before + 1
        return popup

    @property
    def page(self) -> Page:
        return page_of(self.window)

    @property
    def state(self) -> str:
        """The one that Connect was last asked with."""
        return self.connect.asked[-1]["state"]

    def send(self, popup: Window, query: str, address: str | None = None) -> None:
        """Connect sends the window back, with this query."""
        target = json.dumps(f"{address or self.site.redirect_uri}?{query}")
        popup.run(f"void setTimeout(() => location.assign({target}))")

    def grant(self, popup: Window, query: str = "code=a-code", state: str | None = None) -> None:
        """Connect sends the window back with the attempt's state, and it closes."""
        self.send(popup, f"{query}&state={quote(state or self.state)}")
        self.gone(popup)

    def gone(self, popup: Window) -> None:
        """Wait until the window has closed itself."""
        if isinstance(popup, PlaywrightWindow):
            # Waiting for the event misses one that has come but wasn't looked at.
            until("the window has closed", lambda: page_of(popup).is_closed() or holds(self.window, "false"))
        else:
            popup.gone()

    def told(self, count: int = 1) -> list[Any]:
        """What on_complete was told, once it was told so often."""
        self.until(f"len(told) >= {count}")
        found: list[Any] = self.value("told")
        assert len(found) == count
        return found

    def nothing_told(self, *, after: int = 0) -> None:
        """Nothing more than this was told, and all that was on its way has arrived."""
        self.window.run("void (window.settled = false, setTimeout(() => (settled = true), 50))")
        until("what was posted has arrived", lambda: self.window.run("settled"))
        assert len(self.value("told")) == after

    def stand_in(self, popup: Window, address: str | None = None) -> None:
        """Bring the window to a page of the site that does nothing, from which a test speaks."""
        target = address or f"{self.site.origin}/blank"
        # By itself: where a browser is told to go, it may cut the opener off.
        popup.run(f"void setTimeout(() => location.assign({json.dumps(target)}))")
        until("the window is there", lambda: holds(popup, f"location.href === {json.dumps(target)}"))

    def post(self, popup: Window, *messages: object) -> None:
        """The window posts these to its opener, which is no matter whose it is."""
        popup.run(f"void {json.dumps(messages)}.forEach((message) => opener.postMessage(message, '*'))")

    def message(self, **fields: object) -> dict[str, object]:
        """What a redirect page posts at the end of the attempt opened last."""
        return {"name": "SmartcarAuthMessage", "code": "a-code", "error": None, "state": self.state, **fields}

    def reset(self) -> None:
        """Back to a page with nothing open."""
        self.run("reset()")
        self.noise.clear()
