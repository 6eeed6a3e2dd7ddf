"""Dash: Connect's routes on the app's Flask server, and the button as a component with a property to listen to.

The routes are the Flask host's. The component is a few lines of React around the module's element: what its events
tell becomes its property `outcome`, with a claim and without the code; a callback turns that into the response.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

try:
    from dash import Dash
    from dash.development.base_component import Component
    from dash.exceptions import PreventUpdate
    from flask import Flask, Request
except ImportError as error:
    raise ImportError('smartcar_auth.hosts.dash needs Dash: pip install "smartcar-auth[dash]"') from error

from smartcar_auth import (
    AuthorizationResponse,
    ConfigurationError,
    Smartcar,
    SmartcarAuthError,
)
from smartcar_auth import __version__ as __version__  # of the script's address, which is cached for a year
from smartcar_auth.hosts._flask import AppConnect, current_request
from smartcar_auth.hosts.flask import SmartcarConnect as FlaskConnect
from smartcar_auth.web.claims import Claims, for_person, keys_or_own, not_this_browser
from smartcar_auth.web.connect import checked_prefix

__all__ = ["SmartcarButton", "SmartcarConnect"]

MOST_ENDS = 10_000  # that are remembered, so that none is handled twice


class SmartcarConnect(FlaskConnect):
    """Connect for a Dash app: `connect = SmartcarConnect(app)`, and its routes and the button's script are there.

    What isn't given comes from the server's configuration, as in Flask, or from SMARTCAR_* in the environment.

    Args:
        app: The Dash app, once it has its Flask server.
        smartcar: Which application asks, for what.
        secret_keys: As in `smartcar_auth.web.Connect`; else SMARTCAR_SECRET_KEYS, separated by spaces, or Flask's
            SECRET_KEY; else a key that lasts as long as the process, as pending results do.
        prefix: Where the routes are, below Dash's own prefix.
        identify: `identify(request)` gives the person's id, or None; `request` is Flask's.
        on_complete, on_error: For several worker processes: `on_complete(request, response)` receives the response
            in whichever process Connect's answer comes to, and what it returns is the `data` of the button's
            `outcome`; then there is no `result`.
        options: The others of `smartcar_auth.web.Connect`.

    Raises:
        ConfigurationError: The app's server isn't Flask, or an option can't be right.
    """

    def __init__(
        self,
        app: Dash,
        smartcar: Smartcar | None = None,
        *,
        secret_keys: Any = None,
        prefix: str = "/smartcar",
        identify: Callable[[Request], Any] | None = None,
        on_complete: Callable[[Request, AuthorizationResponse], Any] | None = None,
        on_error: Callable[[Request, SmartcarAuthError], Any] | None = None,
        **options: Any,
    ) -> None:
        server = app.server
        if not isinstance(server, Flask):
            raise ConfigurationError(
                "SmartcarConnect(app) needs a Dash app that has its server, and that is Flask."
            )
        config = server.config
        if smartcar is None and "SMARTCAR_APPLICATION_ID" not in config:
            smartcar = Smartcar.from_environment()
        if secret_keys is None and not (config.get("SMARTCAR_SECRET_KEYS") or config.get("SECRET_KEY")):
            secret_keys = keys_or_own(None)
        super().__init__(smartcar, identify=identify, secret_keys=secret_keys, **options)
        prefix = checked_prefix(prefix)
        config["SMARTCAR_URL_PREFIX"] = app.config.routes_pathname_prefix.rstrip("/") + prefix
        self.init_app(server)
        self._connect: AppConnect = server.extensions["smartcar"][self]
        self._claims: Claims | None = None
        self._lock = threading.Lock()
        self._ends: OrderedDict[bytes, None] = OrderedDict()
        if on_complete is None:
            self._claims = Claims()
            self._claims.serve(self._connect)
        else:
            self.on_complete(on_complete)
            if on_error is not None:
                self.on_error(on_error)
        routes = app.config.requests_pathname_prefix.rstrip("/") + prefix
        app.scripts.append_script(  # type: ignore[no-untyped-call]
            {
                "namespace": __name__,
                "relative_package_path": "button.js",
                "attributes": {
                    "data-launch": f"{routes}/launch",
                    "data-module": f"{routes}/keep.js",
                },
            }
        )

    def result(self, outcome: Any) -> AuthorizationResponse:
        """What became of an attempt, once, in a callback: `connect.result(outcome)`.

        Args:
            outcome: The button's property `outcome`, as it came from the page: nothing in it is believed.

        Raises:
            PreventUpdate: There is none yet, or it was collected: Dash calls back when it shows something, too.
            SmartcarAuthError: The attempt failed; which error says why. `StateMismatch` where this browser did
                not make it, another person is logged in by now, or the result is not here any more.
            ConfigurationError: It went to `on_complete`.
        """
        if outcome is None:
            raise PreventUpdate
        if self._claims is None:
            raise ConfigurationError("on_complete has the response; outcome['data'] is what it returned.")
        native = current_request()
        refused = not_this_browser(
            outcome, self._connect._cookies(self._connect._read(native.environ, "", native))
        )
        if refused is not None:
            raise refused
        if self._is_told_again(outcome):
            raise PreventUpdate
        result = self._claims.collect(outcome)
        if self._connect._identify is not None:
            result = for_person(result, self._connect._identify(native))
        if isinstance(result, SmartcarAuthError):
            raise result
        return result

    def _is_told_again(self, outcome: Any) -> bool:
        told = hashlib.sha256(json.dumps(outcome, sort_keys=True).encode()).digest()
        with self._lock:
            if told in self._ends:
                return True
            self._ends[told] = None
            if len(self._ends) > MOST_ENDS:
                self._ends.popitem(last=False)
        return False


class SmartcarButton(Component):
    """A button that opens Connect in a pop-up. Listen to `Input(id, "outcome")`.

    Args:
        children: What it reads.
        id: As of every component, patterns included.
        make: Such as "TESLA", to skip the choice of brand.
        single_select: Whether the person picks a single vehicle.
        launch: From `connect.launch_url(...)`, for options that the page may not choose; then the two above don't
            count. Good for 15 minutes: let a callback renew it where a page stays open longer.
        return_to: Path on this site where a flow without pop-up ends; this page unless given.
        window_options: Such as "width=500,height=800".
        className, style: As of every component; data-* and aria-*, too.

    Attributes:
        outcome: How the last attempt ended, for `connect.result`; None before. Written by the page.
    """

    _namespace = "smartcar_auth"
    _type = "SmartcarButton"
    _base_nodes = ["children"]  # noqa: RUF012 (as Dash declares it)
    _prop_names = [  # noqa: RUF012
        "children",
        "id",
        "make",
        "single_select",
        "launch",
        "return_to",
        "window_options",
        "className",
        "style",
        "outcome",
    ]
    _valid_wildcard_attributes = available_wildcard_properties = ["data-", "aria-"]  # noqa: RUF012

    def __init__(self, children: Any = "Connect your car", id: Any = None, **properties: Any) -> None:
        given = {"children": children, "id": id, **properties}
        super().__init__(  # type: ignore[no-untyped-call]
            **{name: value for name, value in given.items() if value is not None}
        )
