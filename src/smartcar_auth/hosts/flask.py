"""Flask: Connect as an extension and a blueprint, its button in Jinja, its signals, its command.

`SmartcarConnect` holds what the code says: options and functions. Registering its blueprint, which is all that
`init_app` does, joins them with one application's configuration into a `Connect` of that application, kept
in `app.extensions["smartcar"]`. So one object serves several applications, and needs none of them to exist
when the functions are decorated. The translation is the plain WSGI host's. The `session` is not touched.
"""

from collections.abc import Callable
from typing import Any, cast
from weakref import WeakSet

try:
    import click
    from flask import Blueprint, Flask, Request, current_app
    from flask.blueprints import BlueprintSetupState
    from flask.cli import with_appcontext
    from markupsafe import Markup
except ImportError as error:
    raise ImportError('smartcar_auth.hosts.flask needs Flask: pip install "smartcar-auth[flask]"') from error

from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.web import Connect
from smartcar_auth.web.application import Function
from smartcar_auth.web.connect import ROUTES
from smartcar_auth.web.doctor import Finding, report
from smartcar_auth.web.seal import SHORTEST_KEY

from ._flask import SEGMENT, AppConnect, current_request, smartcar_connected, smartcar_failed

__all__ = ["SmartcarConnect", "smartcar_connected", "smartcar_failed"]

_OF_SMARTCAR = ("application_id", "redirect_uri", "scope", "mode", "connect_origin")
_OF_CONNECT = ("secret_keys", "public_url", "allowed_origins", "store", "attempt_seconds")


class SmartcarConnect:
    """Connect for Flask applications: `connect.init_app(app)`, or register `connect.blueprint` yourself.

    What isn't given here comes from the application's configuration: SMARTCAR_APPLICATION_ID,
    SMARTCAR_REDIRECT_URI and so on, SMARTCAR_SECRET_KEYS or else SECRET_KEY and SECRET_KEY_FALLBACKS.
    The functions receive Flask's `Request`, inside the application's and the request's context.

    Args:
        smartcar: Which application asks, for what.
        app: Calls `init_app` at once; may stand first, too.
        identify: `identify(request)` gives the person's id, or None; it may `abort(401)`.
        options: Those of `smartcar_auth.web.Connect`: secret_keys, public_url, allowed_origins, store,
            attempt_seconds, clock.

    Raises:
        ConfigurationError: An option can't be right; the message says what to do.
    """

    def __init__(
        self,
        smartcar: Smartcar | Flask | None = None,
        app: Flask | None = None,
        *,
        identify: Callable[[Request], Any] | None = None,
        **options: Any,
    ) -> None:
        if isinstance(smartcar, Flask):
            smartcar, app = None, smartcar
        self._smartcar = smartcar
        self._options = {name: value for name, value in options.items() if value is not None}
        self._options["identify"] = identify
        # What is given here is checked here, with stand-ins for what the application will add.
        stand_ins: dict[str, Any] = {"secret_keys": "-" * SHORTEST_KEY}
        self._given = Connect(
            smartcar or Smartcar(application_id="not known yet"), **{**stand_ins, **self._options}
        )
        self._connects: WeakSet[AppConnect] = WeakSet()
        self.blueprint = Blueprint("smartcar", __name__)
        self.blueprint.record(self._register)
        self.blueprint.add_app_template_global(self.button, "smartcar_button")
        self.blueprint.add_app_template_global(self.callback_script, "smartcar_callback_script")
        self.blueprint.cli.add_command(_doctor_command(self))
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register the blueprint under SMARTCAR_URL_PREFIX, which is /smartcar unless configured."""
        app.register_blueprint(
            self.blueprint, url_prefix=app.config.setdefault("SMARTCAR_URL_PREFIX", "/smartcar")
        )

    def on_complete(self, function: Function) -> Function:
        """Register the function for a granted attempt, called as `function(request, response)`, once.

        What it returns is JSON for the waiting page, or None, or a response such as `redirect(...)`.
        """
        self._given.on_complete(function)
        for connect in self._connects:
            connect.on_complete(function)
        return function

    def on_error(self, function: Function) -> Function:
        """Register the function for every other end, called as `function(request, error)`."""
        self._given.on_error(function)
        for connect in self._connects:
            connect.on_error(function)
        return function

    def launch_url(self, request: Request | None = None, **options: Any) -> str:
        """An address of the launch route whose options nobody but the application chose.

        Good for 15 minutes and for the person whom `identify` names now; of the current request unless given.

        Args:
            request: The request in whose name the link is made.
            options: make, single_select, single_select_vin, flags, force_prompt, return_to; and, with
                `identify`, external_id, user and state (a JSON object of at most 512 bytes, which comes
                back as `response.app_state`).

        Raises:
            ConfigurationError: An option can't be right, or needs `identify`.
        """
        return self._here.launch_url(current_request() if request is None else request, **options)

    def button(self, *label: Any, **options: Any) -> Markup:
        """The button's markup, for a template; options as in `Connect.markup`.

        Args:
            label: What the button reads. The request may stand before it, as other frameworks need it.
        """
        words = [one for one in label if not isinstance(one, Request)]
        words = words or [options.pop("label", "Connect your car")]
        return Markup(self._here.button(*words, **options))  # noqa: S704 (every value is escaped)

    def callback_script(self, request: Request | None = None, *, text: str | None = None) -> Markup:
        """The script for a page of your own at the end of the pop-up, in either mode.

        Args:
            request: Not needed; other frameworks have it there.
            text: What the script says where it can't close the window, when it isn't to be the English sentence.
        """
        return Markup(self._here.callback_script(text))  # noqa: S704 (every value is escaped)

    def doctor(self, *urls: str) -> list[Finding]:
        """What the settings alone say, in an application's context; `flask smartcar doctor` prints it."""
        return self._here.doctor(*urls)

    @property
    def _here(self) -> AppConnect:
        try:
            connect: AppConnect = current_app.extensions["smartcar"][self]
        except KeyError:
            raise ConfigurationError(
                "Connect's routes are not in this application: connect.init_app(app), or "
                'app.register_blueprint(connect.blueprint, url_prefix="/smartcar").'
            ) from None
        return connect

    def _register(self, state: BlueprintSetupState) -> None:
        """Runs when the blueprint is registered, nested or not, once for each name it gets."""
        app = cast(Flask, state.app)
        here = app.extensions.setdefault("smartcar", {})
        connect = here.get(self)
        if connect is None:
            # The first registration is the one that links lead to.
            endpoint = ".".join(filter(None, (state.name_prefix, state.name, "launch")))
            connect = here[self] = self._configured(app, endpoint)
        for route in ROUTES:
            state.add_url_rule(
                f"/{route.path}" + f"/<{SEGMENT}>" * route.named,
                route.name,
                connect.view(route),
                methods=[route.method],
            )

    def _configured(self, app: Flask, endpoint: str) -> AppConnect:
        options = {**_from_config(app, _OF_CONNECT), **self._options}
        if "secret_keys" not in options:
            options["secret_keys"] = _keys_of(app)
        smartcar = self._smartcar or _smartcar_of(app)
        connect = AppConnect(app, endpoint, smartcar, **options)
        connect._complete, connect._error = self._given._complete, self._given._error
        self._connects.add(connect)
        return connect


def _from_config(app: Flask, names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: app.config.get(f"SMARTCAR_{name.upper()}") for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _smartcar_of(app: Flask) -> Smartcar:
    options = _from_config(app, _OF_SMARTCAR)
    if "application_id" not in options:
        raise ConfigurationError(
            'Set app.config["SMARTCAR_APPLICATION_ID"] to the Application ID shown in the Smartcar dashboard, '
            "before the routes are registered; or give SmartcarConnect a Smartcar."
        )
    return Smartcar(**options)


def _keys_of(app: Flask) -> list[str | bytes]:
    """Flask's own keys. An old one that is too short sealed nothing here, so it may stay for the session."""
    key = app.config.get("SECRET_KEY")
    if not key or _length(key) < SHORTEST_KEY:
        raise ConfigurationError(
            f'app.config["SECRET_KEY"] has {_length(key or "")} bytes, and Connect needs at least {SHORTEST_KEY}. '
            "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))' and set it before the "
            "routes are registered, with the old one in SECRET_KEY_FALLBACKS; or set SMARTCAR_SECRET_KEYS to a "
            "list of keys for Connect alone."
        )
    older = app.config.get("SECRET_KEY_FALLBACKS") or []
    return [key, *(one for one in older if _length(one) >= SHORTEST_KEY)]


def _length(key: str | bytes) -> int:
    return len(key.encode() if isinstance(key, str) else key)


def _doctor_command(connect: SmartcarConnect) -> click.Command:
    @click.command("doctor")
    @click.argument("urls", nargs=-1)
    @with_appcontext
    def doctor(urls: tuple[str, ...]) -> None:
        """Say whether Connect can work with these settings. URLS: the routes as browsers know them."""
        findings = connect.doctor(*urls)
        click.echo(report(findings))
        if any(finding.level == "problem" for finding in findings):
            raise SystemExit(1)

    return doctor
