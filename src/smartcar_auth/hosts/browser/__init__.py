"""Connect in a pop-up that Python in the page opens: PyScript and Pyodide, on Pyodide or on MicroPython.

The original's API, `@smartcar/auth`, with an ending for every attempt. Here is what an application calls; one
attempt, from window to answer, is `attempt`'s. The page is touched when something is opened or added, never at
import.
"""

import smartcar_auth as core
from smartcar_auth import ConfigurationError
from smartcar_auth._platform import call, release, to_js, warn_deprecated
from smartcar_auth.envelope import new_instance_id, write_envelope
from smartcar_auth.origin import HOSTED_PAGE, origin_of

from .attempt import Attempt, address, run, the_window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypedDict, Unpack

    from smartcar_auth import AuthorizationResponse, SmartcarAuthError
    from smartcar_auth.client import Mode, ResponseType
    from smartcar_auth.request import RequestOptions

    class ApplicationOptions(TypedDict, total=False):
        application_id: str | None
        redirect_uri: str | None
        scope: str | Sequence[str] | None
        mode: Mode
        response_type: ResponseType
        external_id: str | None
        on_complete: Callable[[SmartcarAuthError | None, AuthorizationResponse | None], Any] | None
        connect_origin: str | None
        client_id: str | None
        test_mode: bool | None

    class DialogOptions(RequestOptions, total=False):
        state: str | None
        window_options: Mapping[str, object] | None
        timeout_seconds: float
        signal: Any
        on_closed: Callable[["Attempt"], Any] | None


__all__ = ["Attempt", "Smartcar"]


class Smartcar:
    """One application at Connect, in this page.

    `on_complete(error, response)`, plain or async, is told once how each attempt ended. Several on one page
    don't hear each other, and one with nothing open listens to nothing.

    Args:
        options: those of `smartcar_auth.Smartcar`. Answers count from the redirect URI's origin; without one,
            from Connect itself with response_type="none", else from this page's origin and Smartcar's hosted
            redirect page.

    Raises:
        ConfigurationError: an option that cannot work, in words.
    """

    def __init__(self, **options: "Unpack[ApplicationOptions]") -> None:
        application = core.Smartcar(**options)
        redirect_uri = application.redirect_uri or ""
        if redirect_uri and origin_of(redirect_uri) is None:
            raise ConfigurationError("redirect_uri must be a web address: no page hears from another scheme.")
        if redirect_uri.startswith(HOSTED_PAGE + "/redirect-"):
            warn_deprecated("redirect_uri has an outdated form; register and pass hosted_redirect_uri(...).")
        self._application = application
        self._open: list[Attempt] = []
        self._clicks: list[tuple[Any, Any]] = []  # element, listener

    def get_auth_url(self, state: "str | None" = None, **options: "Unpack[RequestOptions]") -> "str":
        """The address that opens Connect, for a link whose answer a server reads; `open_dialog` has its own.

        Args:
            state: any text; it travels in an envelope, which `smartcar_auth.read_envelope` opens.
            options: those of `smartcar_auth.Smartcar.get_auth_url`.

        Raises:
            ConfigurationError: an option that cannot work.
        """
        return address(self._application, write_envelope(new_instance_id(), state), options)

    def open_dialog(self, **options: "Unpack[DialogOptions]") -> "Attempt":
        """Open Connect in a window, in this very call: make it in a click handler, before any `await`.

        Await what it returns for the response; a failure is raised there. If nobody awaits it, only
        `on_complete` hears of a failure, and never before this call is over.

        Args:
            options: those of `smartcar_auth.Smartcar.get_auth_url`, and:
                state: any text; the response has it again.
                window_options: width, height, top and left, as numbers or text. Usually 30 % x 75 % of the
                    screen, and never less than 100.
                timeout_seconds: how long to wait; an hour unless given.
                signal: an AbortSignal, which cancels the attempt.
                on_closed: called once with the attempt when the window reads closed. Ask whether to go on:
                    the person has closed it, or is on a page that cut it off from this one.

        Raises:
            ConfigurationError: an option that cannot work.
        """
        attempt = Attempt(self._application, self._ended, **options)
        self._open.append(attempt)
        attempt._open()
        return attempt

    def add_click_handler(
        self, *, id: "str | None" = None, selector: "str | None" = None, **options: "Unpack[DialogOptions]"
    ) -> None:
        """Let clicks on these elements open Connect, instead of what they do by themselves.

        While the window is open a click brings it to the front. Once it reads closed, a click opens a new one
        and ends the earlier attempt as Cancelled. Of several calls for one element the last one counts.

        Args:
            id: of one element, with or without "#".
            selector: of any number of elements, as in CSS.
            options: those of `open_dialog`.

        Raises:
            ConfigurationError: no such element, or an option that cannot work.
        """
        redirect_uri = self._application.redirect_uri
        if self._application.on_complete is None and redirect_uri and origin_of(redirect_uri) == HOSTED_PAGE:
            raise ConfigurationError("on_complete must be given: nobody else is told what Connect answered.")
        window = the_window()
        selectors = ["#" + window.CSS.escape(id[1:] if id[0] == "#" else id)] if id else []
        if selector:
            selectors.append(selector)
        found = [window.document.querySelectorAll(one) for one in selectors]
        elements = [nodes.item(index) for nodes in found for index in range(nodes.length)]
        if not elements:
            raise ConfigurationError(
                f"id={id!r}, selector={selector!r}: no element is there to click; add it to the page first."
            )
        Attempt(self._application, self._ended, **options)  # a bad option fails here, not at somebody's click
        current: Attempt | None = None

        def clicked(event: "Any") -> None:
            nonlocal current
            event.preventDefault()
            if current is None or not current.to_front():
                earlier, current = current, self.open_dialog(**options)
                if earlier is not None:
                    earlier.cancel()

        for element in elements:
            self._remove_clicks(element)
            listener = to_js(clicked)
            call(element, "addEventListener", "click", listener)
            self._clicks.append((element, listener))

    def unmount(self) -> None:
        """Remove all click handlers and cancel all attempts. A second time does nothing; new ones may follow."""
        self._remove_clicks()
        failures = []
        for attempt in list(self._open):
            try:
                attempt.cancel()
            except Exception as failure:  # of on_complete: it must not spare the others
                failures.append(failure)
        if failures:
            raise failures[0]

    def _remove_clicks(self, only: "Any" = None) -> None:
        kept = []
        for element, listener in self._clicks:
            if only is None or element == only:
                call(element, "removeEventListener", "click", listener)
                release(listener)
            else:
                kept.append((element, listener))
        self._clicks = kept

    def _ended(
        self,
        attempt: "Attempt",
        error: "SmartcarAuthError | None",
        response: "AuthorizationResponse | None",
    ) -> None:
        if attempt in self._open:
            self._open.remove(attempt)
        if self._application.on_complete is not None:
            run(self._application.on_complete(error, response))
