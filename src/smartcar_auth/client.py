"""Smartcar: which application asks, and for what. Builds authorization requests and reads responses.

A value: made once, checked whole, shared by all threads. Nothing is kept per attempt, and no window, socket
or framework is known here. Longer than other core modules because the options of a request are spelled out
twice, for editors and type checkers, and half of it is their documentation.
"""

from . import _platform
from ._platform import Frozen, fill, plain
from .errors import ConfigurationError
from .origin import check_redirect_uri, parse_origin
from .request import (
    AuthorizationRequest,
    check_application_id,
    check_scope,
    check_single_select,
    check_text,
    quoted,
    quoted_flags,
)
from .response import read_response
from .state import new_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from .request import Flags
    from .response import AuthorizationResponse, ResponseSource

    Mode = Literal["live", "simulated", "test"]
    ResponseType = Literal["code", "none"]

#: Pass as external_id: clears the value that Smartcar keeps for the connection (None leaves it alone).
CLEAR = "null"

CONNECT_ORIGIN = "https://connect.smartcar.com"
MODES = ("live", "simulated", "test")
RESPONSE_TYPES = ("code", "none")

_OPTIONS = (
    "application_id",
    "redirect_uri",
    "scope",
    "mode",
    "response_type",
    "external_id",
    "on_complete",
    "connect_origin",
)
_COPIED = _OPTIONS + ("_auto", "_forced")  # noqa: RUF005  (MicroPython has no starred tuples)


class _Default(str):
    """A default that can be told from the same text when given: test_mode=True and mode="live" contradict."""


_LIVE: "Mode" = _Default("live")  # type: ignore[assignment]


class Smartcar(Frozen):
    """One application at Connect: its options, checked, and the requests and responses that follow from them.

    Frozen, hashable, comparable and safe to share between threads; make one at start-up. `replace` gives a
    changed copy.

    Args:
        application_id: the Application ID of the dashboard (a UUID), not the "client_..." id of API
            credentials.
        redirect_uri: where Connect sends the person back; byte for byte one of those registered. None: the
            dashboard's default.
        scope: permissions such as ["read_odometer", "required:read_vin"], or one text with spaces. None: the
            dashboard's.
        mode: "live", "simulated" or "test".
        response_type: "code", or "none" for applications that call Smartcar with tokens of their own.
        external_id: your own id for the vehicle owner; CLEAR removes a stored one, None leaves it alone.
        on_complete: `on_complete(error, response)`, for hosts that wait in the same program.
        connect_origin: where Connect lives: the sandbox in tests; https, or http on this machine.
        client_id: older name of application_id (deprecated).
        test_mode: older form of mode="test" (deprecated).

    Raises:
        ConfigurationError: an option that cannot work, in words.

    https://smartcar.com/docs/connect/redirect-to-connect
    """

    __slots__ = (
        "_auto",
        "_forced",
        "_tail",
        "application_id",
        "connect_origin",
        "external_id",
        "mode",
        "on_complete",
        "redirect_uri",
        "response_type",
        "scope",
    )
    application_id: "str"
    redirect_uri: "str | None"
    scope: "tuple[str, ...] | None"
    mode: "Mode"
    response_type: "ResponseType"
    external_id: "str | None"
    on_complete: "Callable[..., Any] | None"
    connect_origin: "str"
    _auto: "str"
    _forced: "str"
    _tail: "str"

    def __init__(
        self,
        *,
        application_id: "str | None" = None,
        redirect_uri: "str | None" = None,
        scope: "str | Sequence[str] | None" = None,
        mode: "Mode" = _LIVE,
        response_type: "ResponseType" = "code",
        external_id: "str | None" = None,
        on_complete: "Callable[..., Any] | None" = None,
        connect_origin: "str | None" = None,
        client_id: "str | None" = None,
        test_mode: "bool | None" = None,
    ) -> None:
        application_id = _application_id(application_id, client_id)
        if redirect_uri is not None:
            redirect_uri = check_redirect_uri(redirect_uri, application_id)
        if on_complete is not None and not callable(on_complete):
            raise ConfigurationError("on_complete must be a function: on_complete(error, response).")
        origin = CONNECT_ORIGIN if connect_origin is None else parse_origin(connect_origin, "connect_origin")
        values = (
            application_id,
            redirect_uri,
            check_scope(scope),
            _mode(mode, test_mode),
            _one_of("response_type", response_type, RESPONSE_TYPES),
            external_id,
            on_complete,
            origin,
        )
        fill(self, zip(_OPTIONS, values))  # noqa: B905  (MicroPython's zip has no strict)
        fill(self, _external(external_id))
        # All that is the same in every request is written once; get_auth_url only appends.
        fill(self, (("_auto", self._prefix("auto")), ("_forced", self._prefix("force"))))

    @classmethod
    def from_environment(cls, **overrides: "Any") -> "Smartcar":
        """A Smartcar with options from environment variables.

        They are SMARTCAR_APPLICATION_ID (or SMARTCAR_CLIENT_ID), SMARTCAR_REDIRECT_URI, SMARTCAR_MODE and
        SMARTCAR_CONNECT_ORIGIN; an empty one counts as absent.

        Args:
            overrides: any option of Smartcar; it wins over the variable.

        Raises:
            ConfigurationError: an option that cannot work, or a Python without environment variables
                (MicroPython).
        """
        variables = _platform.environment()
        if variables is None:
            raise ConfigurationError(
                "This Python has no environment variables; pass the options to Smartcar(...) instead."
            )
        options = dict(overrides)
        if "application_id" not in options and "client_id" not in options:
            # SMARTCAR_CLIENT_ID is what the official back-end SDK reads: no deprecation, it's in use.
            application_id = variables.get("SMARTCAR_APPLICATION_ID") or variables.get("SMARTCAR_CLIENT_ID")
            if not application_id:
                raise ConfigurationError(
                    "No application id: set SMARTCAR_APPLICATION_ID to the Application ID shown in the "
                    "Smartcar dashboard, or pass application_id=."
                )
            options["application_id"] = application_id
        for name in ("redirect_uri", "mode", "connect_origin"):
            value = variables.get("SMARTCAR_" + name.upper())
            if value and name not in options and not (name == "mode" and "test_mode" in options):
                options[name] = value
        return cls(**options)

    def replace(self, **changes: "Any") -> "Smartcar":
        """A copy with other options, checked like a new one.

        Raises:
            ConfigurationError: an option that cannot work.
        """
        if list(changes) == ["external_id"] and type(self) is Smartcar:
            # Hosts do this for every person; all else was checked already, and the prefixes stay true.
            copy = object.__new__(Smartcar)
            fill(copy, [(name, getattr(self, name)) for name in _COPIED])
            fill(copy, _external(changes["external_id"]))
            return copy
        options: dict[str, Any] = {}
        for name in _OPTIONS:
            if not (name == "application_id" and "client_id" in changes) and not (
                name == "mode" and "test_mode" in changes
            ):
                options[name] = getattr(self, name)
        options.update(changes)
        return type(self)(**options)

    def get_auth_url(
        self,
        state: "str | None" = None,
        *,
        force_prompt: "bool" = False,
        make: "str | None" = None,
        single_select: "bool | None" = None,
        single_select_vin: "str | None" = None,
        flags: "Flags | None" = None,
        user: "str | None" = None,
        app_origin: "str | None" = None,
    ) -> "str":
        """The address that opens Connect; `authorization_request` adds the state and the reading.

        Args:
            state: sent as it is, and comes back with the answer; None sends none. Without one no answer can
                be trusted: keep it, and give it to `read_response`.
            force_prompt: show the permissions even if this person granted them before.
            make: skip the brand selection, such as "TESLA".
            single_select: let the person choose one vehicle only.
            single_select_vin: offer only the vehicle with this VIN; implies single_select=True.
            flags: ["country:DE"], a mapping, or one text with spaces.
            user: your own id for the vehicle owner, for Smartcar's analytics; it doesn't come back.
            app_origin: where Connect posts its message, with response_type="none" and no redirect URI only.

        Raises:
            ConfigurationError: an option that cannot work.

        https://smartcar.com/docs/connect/redirect-to-connect
        """
        # Written out, not looped: this runs for every visitor. The order is the official SDK's.
        if force_prompt is False:
            url = self._auto
        elif force_prompt is True:
            url = self._forced
        else:
            raise ConfigurationError("force_prompt must be True or False.")
        if single_select is not None or single_select_vin is not None:
            url += check_single_select(single_select, single_select_vin)
        if state is not None:
            url += "&state=" + quoted("state", state)
        if make is not None:
            url += "&make=" + quoted("make", make)
        if flags is not None:
            url += "&flags=" + quoted_flags(flags)
        if user is not None:
            url += "&user=" + quoted("user", user)
        url += self._tail
        if app_origin is not None:
            url += "&app_origin=" + _platform.quote(self._app_origin(app_origin))
        return url

    def authorization_request(
        self,
        state: "str | None" = None,
        *,
        force_prompt: "bool" = False,
        make: "str | None" = None,
        single_select: "bool | None" = None,
        single_select_vin: "str | None" = None,
        flags: "Flags | None" = None,
        user: "str | None" = None,
        app_origin: "str | None" = None,
    ) -> "AuthorizationRequest":
        """A request with its state, made if not given, that reads its own answer.

        Args: those of `get_auth_url`.

        Raises:
            ConfigurationError: an option that cannot work.
        """
        state = new_state() if state is None else check_text("state", state)
        url = self.get_auth_url(
            state,
            force_prompt=force_prompt,
            make=make,
            single_select=single_select,
            single_select_vin=single_select_vin,
            flags=flags,
            user=user,
            app_origin=app_origin,
        )
        return AuthorizationRequest(url, state, requires=self._requires)

    def reauthentication_request(
        self, *, vehicle_id: "str", state: "str | None" = None, user: "str | None" = None
    ) -> "AuthorizationRequest":
        """A request to log in again for one vehicle whose connection was lost.

        Its answer has `vehicle_id`.

        Args:
            vehicle_id: Smartcar's id of the vehicle.
            state: made if not given.
            user: your own id for the vehicle owner.

        Raises:
            ConfigurationError: an option that cannot work, or no redirect URI (needed unless response_type is
                "none").

        https://smartcar.com/docs/connect/re-auth/redirect-to-connect
        """
        if self.redirect_uri is None and self.response_type != "none":
            raise ConfigurationError(
                "Re-authentication needs a redirect URI: make this Smartcar with one of those registered."
            )
        state = new_state() if state is None else check_text("state", state)
        url = self.connect_origin + "/oauth/reauthenticate?response_type="
        url += "none" if self.response_type == "none" else "vehicle_id"
        # The name documented for this path is the older one.
        url += "&client_id=" + quoted("application_id", self.application_id)
        url += "&vehicle_id=" + quoted("vehicle_id", vehicle_id)
        if self.redirect_uri is not None:
            url += "&redirect_uri=" + quoted("redirect_uri", self.redirect_uri)
        url += "&state=" + quoted("state", state)
        if user is not None:
            url += "&user=" + quoted("user", user)
        return AuthorizationRequest(url + self._tail, state, requires="vehicle_id")

    def read_response(self, source: "ResponseSource", *, state: "str") -> "AuthorizationResponse":
        """Read and check what Connect sent back, when only the state was kept.

        Args:
            source: the address Connect came back to, its query, a mapping, or pairs.
            state: the state that was sent for this person's attempt, from where only their browser can
                bring it.

        Raises:
            ConfigurationError: the kept state is empty or no text.
            ConnectError: Connect said no.
            InvalidResponse: the answer cannot be trusted or read; nothing of it was used.

        RFC 6749, 4.1.2 and 10.12.
        """
        return read_response(source, state, self._requires)

    def __eq__(self, other: "object") -> "bool":
        return isinstance(other, Smartcar) and self._values() == other._values()

    def __hash__(self) -> "int":
        # Without on_complete: any callable will do there, hashable or not.
        return hash((self.application_id, self.redirect_uri, self.scope, self.mode, self.connect_origin))

    def __repr__(self) -> "str":
        return f"Smartcar(application_id={self.application_id!r}, mode={self.mode!r})"

    def __reduce__(self) -> "tuple[object, ...]":
        return (_restore, (type(self), self._values()))

    @property
    def _requires(self) -> "str | None":
        # "none": Connect answers with user_id today and documents no parameter as certain; only state is.
        return "code" if self.response_type == "code" else None

    def _values(self) -> "tuple[Any, ...]":
        return tuple([getattr(self, name) for name in _OPTIONS])

    def _prefix(self, approval_prompt: "str") -> "str":
        url = self.connect_origin + "/oauth/authorize?response_type=" + self.response_type
        url += "&application_id=" + quoted("application_id", self.application_id)
        if self.redirect_uri is not None:
            url += "&redirect_uri=" + quoted("redirect_uri", self.redirect_uri)
        url += "&approval_prompt=" + approval_prompt
        if self.scope is not None:
            url += "&scope=" + _platform.quote(" ".join(self.scope))
        return url + "&mode=" + self.mode

    def _app_origin(self, app_origin: "str") -> "str":
        if self.response_type != "none" or self.redirect_uri is not None:
            raise ConfigurationError(
                'app_origin goes only with response_type="none" and no redirect_uri; otherwise leave it out.'
            )
        return parse_origin(app_origin, "app_origin")


def _application_id(application_id: "str | None", client_id: "str | None") -> "str":
    if client_id is not None:
        if application_id is not None and application_id != client_id:
            raise ConfigurationError(
                "application_id and client_id name one thing, but differ here; pass application_id alone."
            )
        _platform.warn_deprecated("client_id is the older name of application_id; pass application_id.")
        application_id = client_id
    return check_application_id(application_id)


def _external(external_id: "str | None") -> "tuple[tuple[str, str | None], ...]":
    if external_id is None:
        return (("external_id", None), ("_tail", ""))
    external_id = check_text("external_id", external_id)
    return (("external_id", external_id), ("_tail", "&external_id=" + quoted("external_id", external_id)))


def _mode(mode: "Mode", test_mode: "bool | None") -> "str":
    if test_mode is None:
        return "live" if mode is _LIVE else _one_of("mode", mode, MODES)
    if test_mode is not True and test_mode is not False:
        raise ConfigurationError('test_mode must be True or False; better, write mode="test" or mode="live".')
    meant = "test" if test_mode else "live"
    _platform.warn_deprecated('test_mode is deprecated; write Smartcar(mode="test") or leave it out.')
    if mode is not _LIVE and mode != meant:
        raise ConfigurationError(f"test_mode={test_mode} contradicts mode={mode!r}; pass mode alone.")
    return meant


def _one_of(what: "str", value: "str", allowed: "tuple[str, ...]") -> "str":
    if not isinstance(value, str) or value not in allowed:
        raise ConfigurationError(
            f"{what} must be one of " + ", ".join([f'"{name}"' for name in allowed]) + "."
        )
    return plain(value)


def _restore(kind: "type[Smartcar]", values: "tuple[Any, ...]") -> "Smartcar":
    options: dict[str, Any] = dict(zip(_OPTIONS, values))  # noqa: B905  (MicroPython's zip has no strict)
    return kind(**options)
