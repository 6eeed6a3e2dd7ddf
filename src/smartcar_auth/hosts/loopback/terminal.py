"""Waiting together with a person at a terminal: says the address and how to get here, and takes what they paste.

Both roads stay open to the end: the answer may come to the port or to the prompt. Without a port it is the prompt.
"""

from __future__ import annotations

import sys
import threading
from time import monotonic

from smartcar_auth import BrowserUnavailable, Cancelled, ConfigurationError, InvalidResponse

from .browser import open_browser, ways
from .typed import Typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from smartcar_auth import AuthorizationResponse

    from .attempt import Attempt
    from .browser import Browser

_SLICE_SECONDS = 0.1
_PATIENCE_SECONDS = 20  # by then, whoever sees no page has come back to the terminal


def to_stderr(text: str) -> None:
    """Show a text where it doesn't mix with a program's output."""
    print(text, file=sys.stderr, flush=True)


def accompany(
    attempt: Attempt,
    *,
    browser: Browser | None = "system",
    paste: bool | None = None,
    say: Callable[[str], object] | None = to_stderr,
    tick: Callable[[float], None] | None = None,
) -> AuthorizationResponse:
    """Open Connect in a browser and wait for the answer, together with the person.

    Args:
        attempt: The caller closes it.
        browser: "system" is the person's own; "app" a window without tabs, where a browser has such; None opens none.
        paste: Whether the person may paste the address at which a browser elsewhere ends. None: if standard input is a
            terminal and this is the main thread.
        say: Shows the address, and how to reach this program, to the person. None: nobody reads.
        tick: Told the remaining seconds, several times in each; for a progress display.

    Raises:
        SmartcarAuthError: As `Attempt.poll`.
        BrowserUnavailable: No browser opens, and nobody could be told the address.
        ConfigurationError: There is no such way to open one; or the attempt holds no port, and nothing can be pasted.
    """
    typed = Typed() if say and _may_read(paste) else None
    if attempt.port is None and typed is None:
        raise ConfigurationError(
            "Without a port the answer has to be pasted: name ports, or pass paste=True where somebody reads."
        )
    opening = open_browser(attempt.url, browser) if browser else None
    if say:
        introduction = "Smartcar Connect opens in your browser. If it doesn't, open" if opening else "Open"
        say(f"{introduction} this address:\n\n{attempt.url}\n")
    patience = min(_PATIENCE_SECONDS, attempt.remaining_seconds / 4) if opening and attempt.port else 0
    help_at: float | None = monotonic() + patience
    while True:
        failed = opening is not None and opening.failed
        if failed and say is None:
            attempt.cancel(BrowserUnavailable())
        if say and help_at is not None and (failed or monotonic() >= help_at):
            help_at = None
            say(_how(attempt, failed, typed is not None))
        response = attempt.poll(_SLICE_SECONDS)
        if response is None and typed and say:
            _read_pasted(attempt, typed, say)
        if response is not None:
            return response
        if tick:
            tick(attempt.remaining_seconds)


def _may_read(paste: bool | None) -> bool:
    if paste is not None:
        return paste
    # A program may use its terminal while another thread of it waits for the answer.
    return (
        sys.stdin is not None and sys.stdin.isatty() and threading.current_thread() is threading.main_thread()
    )


def _how(attempt: Attempt, failed: bool, may_paste: bool) -> str:
    text = "No browser opens here. " if failed else ""
    if attempt.port is None:
        return f"{text}Then paste here the address at which it ends, even if no page loads there:"
    if attempt.proxied:
        text += (
            f"The answer comes to {attempt.redirect_uri}, which is passed on to port {attempt.port} here.\n"
        )
    else:
        text += f"The answer comes to port {attempt.port} of this machine. From a browser elsewhere:\n"
        text += ways(attempt.port)
    if may_paste:
        text += "  anywhere        paste here the address at which the browser ends, even if no page loads there\n"
    return text


def _read_pasted(attempt: Attempt, typed: Typed, say: Callable[[str], object]) -> None:
    line = typed.line()
    try:
        if line:
            attempt.receive(line)
        elif typed.ended and attempt.port is None:
            attempt.cancel(Cancelled("The input has ended without the address of an answer."))
    except InvalidResponse:
        if attempt.ended:  # it was Connect that made no sense
            raise
        say("That isn't the address at which this attempt ends: copy all that is in the address bar.")
