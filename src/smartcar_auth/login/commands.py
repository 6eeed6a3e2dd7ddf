"""The commands `login` and `url`: their options, and what becomes of errors."""

import json
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smartcar_auth import AuthorizationResponse, ConfigurationError, SmartcarAuthError

from . import result, settings

if TYPE_CHECKING:
    from .waiting import Display


class Mode(StrEnum):
    """Smartcar's modes."""

    live = "live"
    simulated = "simulated"
    test = "test"


class ResponseType(StrEnum):
    """What Connect answers with."""

    code = "code"
    none = "none"


_APPLICATION, _OWNER, _WAY = "The application", "What Connect asks the owner", "The way"


def _option(panel: str, text: str, *names: str, variable: str | list[str] | None = None) -> Any:
    return typer.Option(*names, help=text, envvar=variable, show_default=False, rich_help_panel=panel)


ApplicationId = Annotated[
    str | None,
    _option(
        _APPLICATION,
        "Application ID, as shown in the Smartcar dashboard.",
        variable=["SMARTCAR_APPLICATION_ID", "SMARTCAR_CLIENT_ID"],
    ),
]
RedirectUri = Annotated[
    str | None,
    _option(_APPLICATION, "Redirect URI, exactly as registered.", variable="SMARTCAR_REDIRECT_URI"),
]
ModeOption = Annotated[
    Mode | None, _option(_APPLICATION, "Unless given: live.", "--mode", variable="SMARTCAR_MODE")
]
ResponseTypeOption = Annotated[
    ResponseType | None,
    _option(
        _APPLICATION, "Unless given: code. For applications with API credentials: none.", "--response-type"
    ),
]
ConnectOrigin = Annotated[
    str | None,
    _option(
        _APPLICATION,
        "Where Connect is, such as http://127.0.0.1:8010 for a sandbox.",
        variable="SMARTCAR_CONNECT_ORIGIN",
    ),
]
Config = Annotated[
    Path | None,
    _option(
        _APPLICATION,
        f"TOML with settings. Unless given: {settings.shown_default_path()}, if it is there.",
        variable="SMARTCAR_CONFIG",
    ),
]
Scope = Annotated[
    list[str] | None,
    _option(
        _OWNER,
        "A permission, such as required:read_vin. May be given several times.",
        variable="SMARTCAR_SCOPE",
    ),
]
ExternalId = Annotated[str | None, _option(_OWNER, "Your own id for the owner.")]
User = Annotated[str | None, _option(_OWNER, "Your own id for the owner, for Smartcar's statistics.")]
Make = Annotated[str | None, _option(_OWNER, "Skip the choice of the brand, such as TESLA.")]
Vin = Annotated[str | None, _option(_OWNER, "Offer the vehicle with this VIN only.")]
SingleSelect = Annotated[bool, _option(_OWNER, "Let the owner choose one vehicle only.", "--single-select")]
Flag = Annotated[list[str] | None, _option(_OWNER, "Such as country:DE. May be given several times.")]
ForcePrompt = Annotated[bool, _option(_OWNER, "Ask even if access was granted before.", "--force-prompt")]


def register(app: typer.Typer) -> None:
    """Add the two commands."""
    app.command()(login)
    app.command()(url)


def login(
    application_id: ApplicationId = None,
    redirect_uri: RedirectUri = None,
    port: Annotated[
        list[int] | None,
        _option(
            _APPLICATION,
            "Port of a registered http://localhost:PORT/... redirect URI. May be given several times: the first free "
            "one is taken. Unless given: the redirect URI's; without one 8000, or any with a sandbox.",
            variable="SMARTCAR_PORTS",
        ),
    ] = None,
    mode: ModeOption = None,
    response_type: ResponseTypeOption = None,
    connect_origin: ConnectOrigin = None,
    config: Config = None,
    scope: Scope = None,
    external_id: ExternalId = None,
    user: User = None,
    make: Make = None,
    vin: Vin = None,
    single_select: SingleSelect = False,
    flag: Flag = None,
    force_prompt: ForcePrompt = False,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser/--no-browser",
            help="Open a browser. The address is shown in any case.",
            rich_help_panel=_WAY,
        ),
    ] = True,
    paste: Annotated[
        bool, _option(_WAY, "Hold no port: take the address at which a browser anywhere ends.", "--paste")
    ] = False,
    qr: Annotated[
        bool,
        _option(
            _WAY,
            "Show a QR code, to go on with another device. With SMARTCAR_API_CLIENT_ID and "
            "SMARTCAR_API_CLIENT_SECRET its end is learnt from Smartcar's API.",
            "--qr",
        ),
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How long to wait.", rich_help_panel=_WAY)
    ] = 600,
    as_json: Annotated[
        bool, _option(_WAY, "Print the result as JSON, the authorization code included.", "--json")
    ] = False,
) -> None:
    """Connect a car: open Smartcar Connect, wait for the owner, print the outcome.

    Exit status: 0 where the owner granted access, 1 where it ended another
    way, 2 for a mistake in the settings, 130 after Ctrl-C.
    """
    given = dict(locals())
    # A job in the background inherits an ignored Ctrl-C; and whoever is terminated shall leave a clean terminal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    from .waiting import Display  # not at the top: the other commands needn't wait for it

    display = Display()
    with result.standard_output() as output:
        try:
            response, used = _connect(given, display)
        except KeyboardInterrupt:
            display.say("Given up.")
            raise typer.Exit(130) from None
        except (ConfigurationError, ImportError) as error:
            raise _refused(error) from None
        except SmartcarAuthError as error:
            if as_json:
                output.write(result.failed(error) + "\n")
            display.say(str(error), "bold red")
            raise typer.Exit(1) from None
        output.write(result.granted(response, used, as_json=as_json) + "\n")


def url(
    application_id: ApplicationId = None,
    redirect_uri: RedirectUri = None,
    mode: ModeOption = None,
    response_type: ResponseTypeOption = None,
    connect_origin: ConnectOrigin = None,
    config: Config = None,
    scope: Scope = None,
    external_id: ExternalId = None,
    user: User = None,
    make: Make = None,
    vin: Vin = None,
    single_select: SingleSelect = False,
    flag: Flag = None,
    force_prompt: ForcePrompt = False,
    state: Annotated[
        str | None,
        typer.Option(help="Unless given: a fresh one, 32 random bytes.", show_default=False),
    ] = None,
    qr: Annotated[bool, typer.Option("--qr", help="Show a QR code of it, too.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print address and state as JSON, to check the answer with.")
    ] = False,
) -> None:
    """Print the address that opens Smartcar Connect, and wait for nothing."""
    given = dict(locals())
    try:
        found, options = _gathered(given)
        request = settings.smartcar(found).authorization_request(state, **options)
        if qr:
            from .waiting import Display

            Display().show_code(request.url)
    except (ConfigurationError, ImportError) as error:
        raise _refused(error) from None
    typer.echo(json.dumps({"url": request.url, "state": request.state}, indent=2) if as_json else request.url)


def _connect(given: dict[str, Any], display: "Display") -> tuple[AuthorizationResponse, str | None]:
    """Wait on the road that was asked for; the response, and the redirect URI that was used."""
    from . import waiting

    found, options = _gathered(given)
    smartcar = settings.smartcar(found)
    timeout, code, paste = given["timeout"], given["qr"], given["paste"]
    credentials = settings.credentials(found)
    if code and not paste and credentials is not None:
        return waiting.on_another_device(smartcar, credentials, timeout, options, display=display)
    ports = [] if paste else settings.ports(found)
    browser = given["browser"] and not code and not paste
    return waiting.here(smartcar, ports, timeout, options, browser=browser, code=code, display=display)


def _gathered(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings, and what this one attempt asks for."""
    application = {name: given.get(name) for name in settings.NAMES} | {"ports": given.get("port") or None}
    application["scope"] = " ".join(given["scope"]).split() if given["scope"] else None
    options = {
        "make": given["make"],
        "single_select": given["single_select"] or None,
        "single_select_vin": given["vin"],
        "flags": given["flag"] or None,
        "user": given["user"],
        "force_prompt": given["force_prompt"],
    }
    return settings.gather(application, given["config"]), options


def _refused(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(2)
