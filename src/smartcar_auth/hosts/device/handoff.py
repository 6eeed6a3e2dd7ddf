"""One attempt that ends on another device: its link, its id, and the wait for whoever learns of the end.

Nothing is asked here and nothing received: that is the waiter's part, which an application can play itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from time import monotonic
from typing import Any

from smartcar_auth import (
    AuthorizationResponse,
    Cancelled,
    ConfigurationError,
    ConnectTimeout,
    MissingParameter,
    Smartcar,
    SmartcarAuthError,
)
from smartcar_auth.state import new_state

from . import qr

_SLICE_SECONDS = 0.5
# Second-hand, like everything known of it (docs/wire.md, "What is not certain").
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)

#: Asked again and again: given the attempt and how many seconds to take at most, the parameters of its connection
#: (`user_id`, `external_id`, and `vehicle_id` if there is one vehicle), or None if there is none yet. What it raises
#: ends the wait.
Waiter = Callable[["HandOff", float], "Mapping[str, str] | None"]


class HandOff:
    """One attempt for another device: show `url` as link or code, then `wait`.

    Whoever opens the link decides whose car it is; ask the person before you rely on it. Only the grant can be
    learnt of: of a refusal nobody is told, and the wait ends with its time.

    Args:
        smartcar: Its redirect URI is not used. If it has an external id, `external_id` begins with that. Its
            `on_complete`, if it has one, is told how the attempt ended, once.
        options: make, single_select, single_select_vin, flags, user, force_prompt, as in `Smartcar.get_auth_url`.

    Raises:
        ConfigurationError: An option can't work.
    """

    def __init__(self, smartcar: Smartcar, **options: Any) -> None:
        # As unguessable as a state, because it takes the place of one.
        fresh = new_state()
        if smartcar.external_id is not None:
            fresh = f"{smartcar.external_id}.{fresh}"
        if not _EXTERNAL_ID.fullmatch(fresh):
            raise ConfigurationError(
                "external_id must be at most 56 letters, digits, dots, underscores and hyphens here: 44 more "
                "characters are added to it."
            )
        self._smartcar = smartcar.replace(response_type="none", redirect_uri=None, external_id=fresh)
        self.external_id = fresh
        self.mode = smartcar.mode
        #: Connect's address, for the other device.
        self.url = self._smartcar.get_auth_url(None, app_origin=None, **options)
        self._given_up: SmartcarAuthError | None = None

    def qr_text(self, *, coloured: bool = True) -> str:
        """The address as a QR code for a terminal.

        Args:
            coloured: Black on white whatever the terminal's colours are; False for what is no terminal.

        Raises:
            ImportError: segno isn't installed.
        """
        return qr.text(self.url, coloured=coloured)

    def qr_svg(self, *, scale: int = 4) -> str:
        """The address as a QR code for a page: an `<svg>` element that a strict policy allows.

        Args:
            scale: Pixels to a module.

        Raises:
            ImportError: segno isn't installed.
        """
        return qr.svg(self.url, scale=scale)

    def qr_image(self, *, scale: int = 4) -> str:
        """The address as a QR code for an `<img>`: an SVG in a `data:` address.

        Args:
            scale: Pixels to a module.

        Raises:
            ImportError: segno isn't installed.
        """
        return qr.image(self.url, scale=scale)

    def wait(
        self,
        waiter: Waiter,
        *,
        timeout_seconds: float = 900,
        tick: Callable[[float], object] | None = None,
    ) -> AuthorizationResponse:
        """The response, once the waiter knows of the connection: `user_id`, and `vehicle_id` if there is one vehicle.

        In an event loop: `await asyncio.to_thread(handoff.wait, waiter)`.

        Args:
            waiter: `Connections`, `Webhook`, or a function of your own.
            timeout_seconds: How long the person may take.
            tick: Told the remaining seconds, several times in each; for a progress display.

        Raises:
            ConnectTimeout: The time is over. Its cause is what kept the waiter from knowing more, if it said so.
            Cancelled: `cancel` was called.
            InvalidResponse: The waiter brought another attempt's connection, or one without a user.
            ConfigurationError: The waiter can't work, such as with wrong credentials.
        """
        try:
            response = self._wait(waiter, timeout_seconds, tick)
        except SmartcarAuthError as error:
            self._tell(error, None)
            raise
        except KeyboardInterrupt:
            self._tell(Cancelled(), None)
            raise
        self._tell(None, response)
        return response

    def cancel(self) -> None:
        """Give up: whoever waits is told within a moment. From any thread."""
        self._given_up = Cancelled()

    def _wait(
        self, waiter: Waiter, timeout_seconds: float, tick: Callable[[float], object] | None
    ) -> AuthorizationResponse:
        until = monotonic() + timeout_seconds
        while self._given_up is None:
            remaining = until - monotonic()
            if remaining <= 0:
                error = ConnectTimeout()
                error.__cause__ = getattr(waiter, "trouble", None)
                raise error
            found = waiter(self, min(_SLICE_SECONDS, remaining))
            if found is not None:
                return self._read(found)
            if tick is not None:
                tick(max(0.0, until - monotonic()))
        raise self._given_up

    def _read(self, found: Mapping[str, str]) -> AuthorizationResponse:
        parameters = {**found, "state": found.get("external_id", "")}
        response = self._smartcar.read_response(parameters, state=self.external_id)
        if response.user_id is None:
            raise MissingParameter("The connection names no user, so it can't be used; start a new attempt.")
        return response

    def _tell(self, error: SmartcarAuthError | None, response: AuthorizationResponse | None) -> None:
        if self._smartcar.on_complete is not None:
            self._smartcar.on_complete(error, response)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """How a notebook shows it: the code, and the link for who is on the right device already."""
        link = f'<a href="{escape(self.url)}" target="_blank" rel="noopener">Connect your car</a>'
        return {"text/html": f"<p>{self.qr_svg()}</p><p>{link}</p>", "text/plain": self.url}

    def __repr__(self) -> str:
        return f"HandOff({self._smartcar!r})"
