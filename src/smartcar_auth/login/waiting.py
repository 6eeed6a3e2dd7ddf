"""The roads to an answer, each with a person at the terminal: a browser here or elsewhere, or another device."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

from smartcar_auth import AuthorizationResponse, Smartcar
from smartcar_auth.hosts.loopback import Attempt, accompany

_ON_A_PHONE = (
    "On a phone the last page does not load, for localhost is the phone itself there: bring its address here and "
    "paste it. With SMARTCAR_API_CLIENT_ID and SMARTCAR_API_CLIENT_SECRET there is nothing to bring."
)


class Display:
    """Standard error, as the person sees it: remarks, and on a terminal a spinner with the time that is left."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._status: Status | None = None

    def say(self, text: str, style: str = "") -> None:
        """Show a text as it is: an address that were broken into lines could be neither clicked nor copied."""
        self._console.print(Text(text, style), soft_wrap=True)

    def show_code(self, address: str) -> None:
        """Show the address as a QR code, black on white whatever the terminal's colours are."""
        from smartcar_auth.hosts.device import qr  # here and below: who opens a browser needn't wait for it

        self.say(qr.text(address, coloured=False), "color(16) on color(231)")

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The spinner, as long as this lasts."""
        shown = self._console.is_terminal
        with self._console.status("Waiting for you at Connect.") if shown else nullcontext() as self._status:
            yield

    def tick(self, remaining_seconds: float) -> None:
        """Say how much time is left."""
        if self._status is not None:
            minutes, seconds = divmod(round(remaining_seconds), 60)
            self._status.update(f"Waiting for you at Connect. {minutes}:{seconds:02} left; Ctrl-C gives up.")


def here(
    smartcar: Smartcar,
    ports: list[int] | None,
    timeout_seconds: float,
    options: dict[str, Any],
    *,
    browser: bool,
    code: bool,
    display: Display,
) -> tuple[AuthorizationResponse, str | None]:
    """The answer comes to a port of this machine, or to the prompt; with the redirect URI that was used.

    Args:
        ports: As for `Attempt`: with an empty list the prompt is all there is.

    Raises:
        SmartcarAuthError: As `accompany`.
    """
    with Attempt(smartcar, ports=ports, timeout_seconds=timeout_seconds, **options) as attempt:
        if smartcar.redirect_uri is None and attempt.port is not None:
            display.say(f"The redirect URI is {attempt.redirect_uri}, and has to be registered exactly so.")
        if code:
            display.show_code(attempt.url)
            if attempt.port is not None:
                display.say(_ON_A_PHONE)
        paste = True if attempt.port is None else None
        with display.waiting():
            response = accompany(
                attempt,
                browser="system" if browser else None,
                paste=paste,
                say=display.say,
                tick=display.tick,
            )
    return response, attempt.redirect_uri


def on_another_device(
    smartcar: Smartcar,
    credentials: dict[str, Any],
    timeout_seconds: float,
    options: dict[str, Any],
    *,
    display: Display,
) -> tuple[AuthorizationResponse, str | None]:
    """The answer is asked for at Smartcar's API, with credentials of the application.

    Raises:
        SmartcarAuthError: As `HandOff.wait`.
    """
    from smartcar_auth.hosts.device import Connections, HandOff

    handoff = HandOff(smartcar, **options)
    connections = Connections(**credentials)
    display.show_code(handoff.url)
    display.say(f"Scan the code with a phone, or open this address on any device:\n\n{handoff.url}\n")
    with display.waiting():
        response = handoff.wait(connections, timeout_seconds=timeout_seconds, tick=display.tick)
    return response, None
