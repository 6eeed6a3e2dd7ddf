"""Every error of this package, in one tree, by whose move it is.

    SmartcarAuthError
    +-- ConfigurationError          the caller's mistake, found early (also a ValueError)
    +-- ConnectError                Connect said no
    |   +-- AccessDenied            access_denied
    |   +-- VehicleIncompatible     vehicle_incompatible
    |   +-- InvalidSubscription     invalid_subscription
    |   +-- NoVehicles              no_vehicles
    |   +-- ApplicationConfigurationError    configuration_error
    |   +-- ServerError             server_error
    |   +-- OemLoginCancelled       oem_cancelled_login
    |   +-- UserExited              user_manually_returned_to_application, user_cancelled, user_exited
    |   +-- UnknownConnectError     anything else
    +-- InvalidResponse             the answer cannot be trusted or read
    |   +-- StateMismatch           .cause says how
    |   +-- MissingParameter
    |   +-- DuplicateParameter
    |   +-- AmbiguousResponse
    |   +-- UntrustedOrigin
    +-- NotCompleted                no answer arrived
        +-- PopupBlocked
        +-- Cancelled
        +-- ConnectTimeout          (also a TimeoutError)
        +-- BrowserUnavailable
        +-- PortUnavailable

Messages never repeat what came from outside (codes, states, VINs, Connect's description): they get logged.
"""

from ._platform import MICROPYTHON, Frozen, fill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .response import AuthorizationResponse

# "Also a ValueError" helps code that catches built-in errors; MicroPython refuses a second built-in base.
if TYPE_CHECKING or not MICROPYTHON:
    _AlsoValueError = ValueError
    _AlsoTimeoutError = TimeoutError
else:

    class _AlsoValueError:
        pass

    class _AlsoTimeoutError:
        pass


class SmartcarAuthError(Exception):
    """The root: catch this one to catch them all.

    `code` is stable and fit for a switch, a log or a query parameter. `error`, `description` and `response`
    are what Connect said, word for word, and None when Connect said nothing.
    """

    code = "smartcar_auth_error"
    sentence = "The attempt to connect a vehicle failed."

    def __init__(
        self,
        message: "str | None" = None,
        *,
        error: "str | None" = None,
        description: "str | None" = None,
        response: "AuthorizationResponse | None" = None,
    ) -> None:
        super().__init__(message or self.sentence)
        self.error = error
        self.description = description
        self.response = response


class ConfigurationError(SmartcarAuthError, _AlsoValueError):
    """The caller's mistake: an option that cannot work, found before anything is shown."""

    code = "invalid_configuration"
    sentence = "An option cannot work as given."


class ConnectError(SmartcarAuthError):
    """Connect said no: the vehicle's owner, their brand or the application's settings stopped the attempt.

    `error` and `description` are Connect's, verbatim; `response` holds the rest of the answer, never a code.
    """

    code = "unknown_error"
    sentence = "Connect ended the attempt with an error."
    wire_errors: "tuple[str, ...]" = ()

    def __init__(self, message: "str | None" = None, **said: "Any") -> None:
        super().__init__(message, **said)
        if self.error is None and self.wire_errors:
            self.error = self.wire_errors[0]


class AccessDenied(ConnectError):
    """The vehicle owner pressed Deny."""

    code = "access_denied"
    wire_errors = ("access_denied",)
    sentence = "The vehicle owner denied access (access_denied); offer to try again."


class VehicleIncompatible(ConnectError):
    """The vehicle cannot be connected; `vehicle_info` says which, if its owner agreed to share that."""

    code = "vehicle_incompatible"
    wire_errors = ("vehicle_incompatible",)
    sentence = "The vehicle is not compatible with Smartcar (vehicle_incompatible); another vehicle may be."

    def __init__(
        self,
        message: "str | None" = None,
        *,
        vehicle_info: "VehicleInfo | None" = None,
        **said: "Any",
    ) -> None:
        super().__init__(message, **said)
        self.vehicle_info = vehicle_info


class InvalidSubscription(ConnectError):
    """The vehicle is compatible, but its owner's connected-services subscription is not active."""

    code = "invalid_subscription"
    wire_errors = ("invalid_subscription",)
    sentence = (
        "The vehicle has no active connected-services subscription (invalid_subscription); "
        "its owner renews that with the brand."
    )


class NoVehicles(ConnectError):
    """The owner's account with the brand holds no vehicle."""

    code = "no_vehicles"
    wire_errors = ("no_vehicles",)
    sentence = (
        "The account has no vehicles (no_vehicles); its owner adds one in the brand's app and tries again."
    )


class ApplicationConfigurationError(ConnectError):
    """Connect refused the application's settings.

    `status_code` and `error_message` are what the person saw.
    """

    code = "configuration_error"
    wire_errors = ("configuration_error",)
    sentence = (
        "Connect refused the application's configuration (configuration_error); compare mode, VIN and "
        "permissions with the Smartcar dashboard. The attributes status_code and error_message say more."
    )

    def __init__(
        self,
        message: "str | None" = None,
        *,
        status_code: "int | None" = None,
        error_message: "str | None" = None,
        **said: "Any",
    ) -> None:
        super().__init__(message, **said)
        self.status_code = status_code
        self.error_message = error_message


class ServerError(ConnectError):
    """Something broke at Smartcar."""

    code = "server_error"
    wire_errors = ("server_error",)
    sentence = "Connect had an unexpected error (server_error); try again later."


class OemLoginCancelled(ConnectError):
    """The person left the brand's own login page."""

    code = "oem_cancelled_login"
    wire_errors = ("oem_cancelled_login",)
    sentence = "The login at the vehicle's brand was not completed (oem_cancelled_login); offer to try again."


class UserExited(ConnectError):
    """The person left Connect before deciding; `error` says which of three wire names Connect used."""

    code = "user_exited"
    wire_errors = ("user_exited", "user_manually_returned_to_application", "user_cancelled")
    sentence = "The person left Connect before granting access (user_exited); offer to try again."


class UnknownConnectError(ConnectError):
    """Connect said no with an error that this version doesn't know; `error` keeps its name."""

    code = "unknown_error"
    sentence = "Connect ended the attempt with an error unknown to this version of smartcar-auth"

    def __init__(self, message: "str | None" = None, **said: "Any") -> None:
        if message is None:
            error = said.get("error")
            # Only a plain token is repeated: anything else may be text that an attacker wrote for the log.
            message = self.sentence + (
                f" ({error})." if _is_plain_token(error) else "; its name is in .error."
            )
        super().__init__(message, **said)


class InvalidResponse(SmartcarAuthError):
    """The answer cannot be trusted or read; treat it as if nothing came and let the person start again."""

    code = "invalid_response"
    sentence = "The authorization response cannot be read; start a new attempt."


class StateMismatch(InvalidResponse):
    """The answer doesn't belong to this attempt.

    `cause` is one of `missing`, `altered`, `expired`, `other_browser`, `other_person`, `replayed`.
    """

    code = "state_mismatch"
    sentence = "The response does not belong to this attempt; start a new attempt in the same browser."

    CAUSES = ("missing", "altered", "expired", "other_browser", "other_person", "replayed")

    def __init__(self, message: "str | None" = None, cause: "str" = "altered") -> None:
        if cause not in self.CAUSES:
            raise ConfigurationError("StateMismatch: cause must be one of " + ", ".join(self.CAUSES))
        super().__init__(message)
        self.cause = cause


class MissingParameter(InvalidResponse):
    """A parameter that the answer must have is absent or empty."""

    code = "missing_parameter"
    sentence = "The response lacks a parameter that it must have; start a new attempt."


class DuplicateParameter(InvalidResponse):
    """A parameter came twice, so nobody can say which one is meant."""

    code = "duplicate_parameter"
    sentence = "The response has a parameter twice, so it cannot be trusted; start a new attempt."


class AmbiguousResponse(InvalidResponse):
    """The answer says both yes and no."""

    code = "ambiguous_response"
    sentence = "The response holds both a code and an error, so it cannot be trusted; start a new attempt."


class UntrustedOrigin(InvalidResponse):
    """A message came from an origin that has no business sending one."""

    code = "untrusted_origin"
    sentence = "The response came from an origin that is not trusted; nothing of it was used."


class NotCompleted(SmartcarAuthError):
    """No answer arrived."""

    code = "not_completed"
    sentence = "The attempt ended without an answer from Connect; offer to try again."


class PopupBlocked(NotCompleted):
    """The browser refused to open the pop-up."""

    code = "popup_blocked"
    sentence = (
        "The browser blocked the pop-up; open it directly in a click handler, or ask the person to allow it."
    )


class Cancelled(NotCompleted):
    """The person, or the program, gave the attempt up."""

    code = "cancelled"
    sentence = "The attempt was cancelled; offer to try again."


class ConnectTimeout(NotCompleted, _AlsoTimeoutError):
    """The time given for the attempt passed without an answer."""

    code = "timeout"
    sentence = "Connect did not answer in time; offer to try again, or allow more time."


class BrowserUnavailable(NotCompleted):
    """No browser could be opened on this machine."""

    code = "browser_unavailable"
    sentence = "No browser could be opened here; show the address to the person to open it elsewhere."


class PortUnavailable(NotCompleted):
    """The port of the redirect URI is taken by another program."""

    code = "port_unavailable"
    sentence = "The port of the redirect URI is in use; stop the other program or register another port."


class VehicleInfo(Frozen):
    """The incompatible vehicle, as far as its owner shared it: each of the four is None when absent.

    Reads as attributes or by name: `info.make`, `info["make"]`, `dict(info)`. The VIN stays out of the repr.
    """

    __slots__ = ("make", "model", "vin", "year")
    vin: "str | None"
    make: "str | None"
    model: "str | None"
    year: "int | None"

    def __init__(
        self,
        vin: "str | None" = None,
        make: "str | None" = None,
        model: "str | None" = None,
        year: "int | None" = None,
    ) -> None:
        fill(self, (("vin", vin), ("make", make), ("model", model), ("year", year)))

    def keys(self) -> "tuple[str, ...]":
        """The four names, so that `dict(info)` works."""
        return ("vin", "make", "model", "year")

    def __getitem__(self, name: "str") -> "str | int | None":
        if name not in self.keys():
            raise KeyError(name)
        return getattr(self, name)  # type: ignore[no-any-return]

    def __eq__(self, other: "object") -> "bool":
        return isinstance(other, VehicleInfo) and self._values() == other._values()

    def __hash__(self) -> "int":
        return hash(self._values())

    def __repr__(self) -> "str":
        hidden = None if self.vin is None else "..."
        return f"VehicleInfo(vin={hidden}, make={self.make!r}, model={self.model!r}, year={self.year!r})"

    def __reduce__(self) -> "tuple[object, ...]":
        return (VehicleInfo, self._values())

    def _values(self) -> "tuple[str | None, str | None, str | None, int | None]":
        return (self.vin, self.make, self.model, self.year)


#: Which class stands for which wire error.
CONNECT_ERRORS: "dict[str, type[ConnectError]]" = {
    wire_error: kind
    for kind in (
        AccessDenied,
        VehicleIncompatible,
        InvalidSubscription,
        NoVehicles,
        ApplicationConfigurationError,
        ServerError,
        OemLoginCancelled,
        UserExited,
    )
    for wire_error in kind.wire_errors
}


def _is_plain_token(text: "str | None") -> "bool":
    return (
        text is not None
        and 0 < len(text) <= 64
        and all(character in "abcdefghijklmnopqrstuvwxyz0123456789_" for character in text)
    )
