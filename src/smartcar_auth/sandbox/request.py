"""Reading the authorize URL: what an application asks of Connect, or why it is refused.

Two kinds of no, as at Smartcar (docs/wire.md): before the redirect URI is validated a page without an
Exit button, `Refused`; afterwards a page with one, `ConnectRequest.problem`. Both come with a hint.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import unquote_plus

from smartcar_auth.client import CLEAR
from smartcar_auth.errors import ConfigurationError
from smartcar_auth.origin import parse_origin

from .brands import COUNTRIES, brand_of_vin
from .permissions import DEFAULT_SCOPE, WORDS, Permission, read_scope
from .settings import Settings

AUTHORIZE, REAUTHENTICATE, BATTERY_CAPACITY = "authorize", "reauthenticate", "battery-capacity"
_CHOICES = {  # the first is the default
    "mode": ("live", "simulated", "test"),
    "approval_prompt": ("auto", "force"),
    "single_select": ("false", "true"),
}
_KNOWN = [
    "response_type",
    "client_id",
    "application_id",
    "redirect_uri",
    "scope",
    "state",
    "approval_prompt",
    "mode",
    "make",
    "single_select",
    "single_select_vin",
    "flags",
    "user",
    "external_id",
    "app_origin",
    "sdk_platform",
    "sdk_version",
    "vehicle_id",
    "token",
]
QUERY_LIMIT = 16_384
_SHOWN_LIMIT = 120

# Second-hand, like everything known about it (docs/wire.md, "What is not certain").
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
VIN = re.compile(r"[A-Za-z0-9]{17}", re.A)
_TEST_VIN_PREFIX = "0SC"
_APP_ONLY = frozenset({"FORD", "LINCOLN", "RIVIAN"})
_RESPONSE_TYPES = {
    AUTHORIZE: ("code", "none"),
    REAUTHENTICATE: ("vehicle_id", "none"),
    BATTERY_CAPACITY: ("vehicle_id",),
}


class Refused(ValueError):
    """A request that Connect can't answer on the redirect URI: said on a page, with a hint for developers."""

    def __init__(self, message: str, hint: str, status: int = 400) -> None:
        super().__init__(f"{message} {hint}")
        self.message = message
        self.hint = hint
        self.status = status


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake that the person is shown on a page with an Exit; the hint is for developers."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """A URL of one of the three entries, whose application and redirect URI are known to be good."""

    entry: str
    application_id: str
    response_type: str
    redirect_uri: str | None
    state: str | None
    permissions: tuple[Permission, ...]
    mode: str
    make: str
    single_select: bool
    vin: str | None
    force: bool
    country: str
    external_id: str | None  # "" takes a stored one back
    vehicle_id: str | None  # the one it is about; None when connecting
    app_origin: str | None  # of the page that waits for a message, where there is no redirect URI
    battery_token: str
    problem: Problem | None
    remarks: tuple[str, ...]  # what was read leniently, for the developer

    @property
    def required(self) -> tuple[Permission, ...]:
        """The permissions without which the application can't work."""
        return tuple(permission for permission in self.permissions if permission.required)


def read_request(query: bytes, settings: Settings, entry: str = AUTHORIZE) -> ConnectRequest:
    """Read the query of `/oauth/authorize`, `/oauth/reauthenticate` or `/battery-capacity`.

    Raises:
        Refused: the application or the redirect URI is not acceptable, so nothing may be sent there.
    """
    parameters, remarks = _parameters(query)
    if settings.strict:
        _refuse_unknown(parameters)
    application_id = _application_id(parameters, settings)
    response_type = parameters.get("response_type", "")
    redirect_uri = _redirect_uri(parameters, settings, application_id, response_type)
    mode = parameters.get("mode", "live").lower()
    single_select = parameters.get("single_select", "").lower() == "true"
    vin = _single_select_vin(parameters, single_select, remarks)
    external_id = _external_id(parameters, remarks)
    permissions = read_scope(parameters.get("scope", "") or DEFAULT_SCOPE)
    remarks += [
        f"Unknown permission {permission.name}." for permission in permissions if permission.name not in WORDS
    ]
    if "scope" not in parameters:
        remarks.append("No scope: the permissions are the sandbox's stand-in for your dashboard's.")
    remarks += _more_remarks(mode, parameters.get("make", ""))
    vehicle_id = None if entry == AUTHORIZE else parameters.get("vehicle_id", "")
    return ConnectRequest(
        entry=entry,
        application_id=application_id,
        response_type=response_type,
        redirect_uri=redirect_uri,
        state=parameters.get("state"),
        permissions=permissions,
        mode=mode,
        make=parameters.get("make", "").strip(),
        single_select=single_select,
        vin=vin,
        force=parameters.get("approval_prompt", "auto").lower() == "force",
        country=_country(parameters, remarks),
        external_id=external_id,
        vehicle_id=vehicle_id,
        app_origin=_app_origin(parameters, remarks) if redirect_uri is None else None,
        battery_token=parameters.get("token", ""),
        problem=_problem(parameters, entry, mode, vin),
        remarks=tuple(remarks),
    )


def read_pairs(encoded: bytes, *, limit: int = 2_000) -> list[tuple[str, str]]:
    """Form-encoded pairs. Bytes that are not UTF-8 survive as surrogates, so `state` goes back as it came.

    Raises:
        ValueError: more than `limit` pairs.
    """
    # As parse_qsl does it, which decodes also what needs no decoding; a flow spent a fifth of its time there.
    pieces = encoded.decode("ascii", "surrogateescape").split("&")
    if len(pieces) > limit:
        raise ValueError("more parameters than anybody sends")
    pairs = (piece.partition("=") for piece in pieces if piece)
    return [(_decoded(name), _decoded(value)) for name, _, value in pairs]


def _decoded(text: str) -> str:
    if "%" in text or "+" in text:
        return unquote_plus(text, errors="surrogateescape")
    return text


def _parameters(query: bytes) -> tuple[dict[str, str], list[str]]:
    if len(query) > QUERY_LIMIT:
        hint = f"The query is {len(query)} bytes long; the sandbox reads up to {QUERY_LIMIT}. Send a shorter state."
        raise Refused("414: Request URI too long.", hint, status=414)
    try:
        pairs = read_pairs(query, limit=100)
    except ValueError:
        raise Refused("400: Too many parameters.", "Send each parameter of Connect at most once.") from None
    parameters: dict[str, str] = {}
    remarks = []
    for name, value in pairs:
        if name in parameters:
            remarks.append(f"{name[:_SHOWN_LIMIT]} was sent more than once; the first one counts.")
        # RFC 6749, 3.1: parameters sent without a value MUST be treated as if they were omitted.
        elif value:
            parameters[name] = value
    return parameters, remarks


def _refuse_unknown(parameters: dict[str, str]) -> None:
    for name in parameters:
        if name not in _KNOWN:
            near = get_close_matches(name, _KNOWN, 1)
            hint = f"Did you mean {near[0]}?" if near else "Connect has no such parameter."
            hint += " The sandbox can be told to ignore it: strict=False, or --lenient."
            raise Refused(f"400: Invalid parameter {name[:_SHOWN_LIMIT]}.", hint)


def _application_id(parameters: dict[str, str], settings: Settings) -> str:
    name = "application_id" if "application_id" in parameters else "client_id"
    application_id = parameters.get(name, "")
    if settings.knows_application(application_id):
        return application_id
    message = f"400: Invalid parameter {name}: {application_id[:_SHOWN_LIMIT]}."
    if not application_id:
        raise Refused(message, "Send your Application ID as application_id (or client_id).")
    if application_id.startswith("client_"):
        hint = (
            "This is the id of M2M credentials. Send the Application ID from the dashboard, a UUID, instead."
        )
        raise Refused(message, hint)
    raise Refused(message, "This sandbox was started with a list of applications, and this one is not in it.")


def _redirect_uri(
    parameters: dict[str, str], settings: Settings, application_id: str, response_type: str
) -> str | None:
    redirect_uri = parameters.get("redirect_uri")
    if redirect_uri is None:
        if response_type == "none":
            return None  # the attempt ends on a page of ours
        if settings.redirect_uris:
            return settings.redirect_uris[0]  # the first registered one is the default
        hint = "Send a redirect_uri; a default one exists only where redirect URIs are registered."
        raise Refused("400: Unauthorized redirect_uri", hint)
    refusal = settings.refusal_of(redirect_uri, application_id)
    if refusal is not None:
        raise Refused("400: Unauthorized redirect_uri", f"{redirect_uri[:300]} can't be used. {refusal}")
    return redirect_uri


def _single_select_vin(parameters: dict[str, str], single_select: bool, remarks: list[str]) -> str | None:
    vin = parameters.get("single_select_vin")
    if vin is None or single_select:
        return vin
    remarks.append("single_select_vin was ignored: it needs single_select=true.")
    return None


def _external_id(parameters: dict[str, str], remarks: list[str]) -> str | None:
    external_id = parameters.get("external_id")
    if external_id is None:
        return None
    if external_id == CLEAR:
        return ""
    if _EXTERNAL_ID.fullmatch(external_id):
        return external_id
    remarks.append("external_id was ignored: 1 to 100 letters, digits, dots, underscores and hyphens only.")
    return None


def _country(parameters: dict[str, str], remarks: list[str]) -> str:
    for flag in parameters.get("flags", "").split():
        name, _, value = flag.partition(":")
        if name == "country" and value.upper() in COUNTRIES:
            return value.upper()
        if name == "country":
            remarks.append(
                f"The sandbox knows no country {value[:_SHOWN_LIMIT]}; it shows the United States."
            )
    return "US"


def _app_origin(parameters: dict[str, str], remarks: list[str]) -> str | None:
    """Of the page that opened Connect; a message is posted to nobody else."""
    app_origin = parameters.get("app_origin")
    if app_origin is None:
        return None
    try:
        return parse_origin(app_origin, "app_origin")
    except ConfigurationError as error:
        remarks.append(f"No message will be posted. {error}")
        return None


def _more_remarks(mode: str, make: str) -> list[str]:
    """What works here and may not at Smartcar."""
    remarks = []
    if mode == "test":
        remarks.append("mode=test is deprecated at Smartcar. Use mode=simulated.")
    if make.upper() in _APP_ONLY:
        remarks.append(
            f"{make.upper()} can't be connected from a web page at Smartcar, only from a mobile SDK."
        )
    return remarks


def _problem(parameters: dict[str, str], entry: str, mode: str, vin: str | None) -> Problem | None:
    """The first mistake that Connect shows the person."""
    allowed = _CHOICES | {"response_type": _RESPONSE_TYPES[entry]}
    for name, choices in allowed.items():
        value = parameters.get(name, "" if name == "response_type" else choices[0])
        if value.lower() not in choices:
            return _invalid(name, value, f"{name} is one of: {', '.join(choices)}.")
    for flag in parameters.get("flags", "").split():
        if ":" not in flag:
            return _invalid(
                "flags", flag, "flags are name:value, with spaces between them, such as country:DE."
            )
    if entry != AUTHORIZE and not parameters.get("vehicle_id"):
        return Problem("Missing parameter vehicle_id.", "Send the id of the vehicle that this is about.")
    if vin is None:
        return None
    if not VIN.fullmatch(vin):
        return _invalid("single_select_vin", vin, "A VIN has 17 letters and digits.")
    if not vin.upper().startswith(_TEST_VIN_PREFIX):
        return None
    if mode == "live":
        message = "You have entered a test mode VIN in live mode. Use a real VIN, or change the mode."
        return Problem(message, "VINs that begin with 0SC work with mode=simulated.")
    if brand_of_vin(vin) is None:
        return Problem("You have entered an invalid test mode VIN.", "A test VIN reads 0SC and then a brand.")
    return None


def _invalid(name: str, value: str, hint: str) -> Problem:
    return Problem(f"Invalid parameter {name}: {value[:_SHOWN_LIMIT]}.", hint)
