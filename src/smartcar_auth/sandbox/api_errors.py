"""The errors of Smartcar's API: type, code, status, words; as API v2.0 and API v3 write them (docs/wire.md)."""

from dataclasses import dataclass
from typing import Any

DOCS = "https://smartcar.com/docs/errors/api-errors"


@dataclass(frozen=True, slots=True)
class Words:
    """What an error says: to the developer, about the way out, and to the vehicle's owner."""

    status: int
    description: str
    resolution: str | None = None
    for_owner: str | None = None


def _account(description: str, for_owner: str, resolution: str = "ACTION_REQUIRED") -> Words:
    return Words(400, description, resolution, for_owner)


def _state(reason: str, for_owner: str = "", resolution: str = "ACTION_REQUIRED") -> Words:
    return Words(409, f"The vehicle can't do this now: {reason}.", resolution, for_owner or _TRY_AGAIN)


def _billing(description: str) -> Words:
    return Words(430, description, "CONTACT_SUPPORT")


def _upstream(description: str, resolution: str = "RETRY_LATER") -> Words:
    return Words(502, description, resolution, _TRY_AGAIN)


_TRY_AGAIN = "Your vehicle couldn't do this right now. Please try again later."
_ABSENT = "Your vehicle doesn't support this feature."

TABLE: dict[tuple[str, str | None], Words] = {
    ("AUTHENTICATION", None): Words(
        401,
        "The authorization header is missing or malformed, or it contains invalid or expired authentication "
        "credentials. Please check for missing parameters, spelling and casing mistakes, and other syntax issues.",
    ),
    ("PERMISSION", None): Words(
        403,
        "Your application has insufficient permissions to access the requested resource. "
        "Please prompt the user to re-authenticate using Smartcar Connect.",
        "REAUTHENTICATE",
        "Your consent is required to use this feature. Please log in and give it.",
    ),
    ("VALIDATION", None): Words(400, "Request invalid or malformed. Please check for missing parameters."),
    ("VALIDATION", "PARAMETER"): Words(
        400,
        "Request invalid or malformed. Please check for missing parameters, spelling and casing mistakes.",
    ),
    ("RESOURCE_NOT_FOUND", "PATH"): Words(404, "The requested path does not exist. Please check it."),
    ("RESOURCE_NOT_FOUND", "VERSION"): Words(404, "The requested version does not exist. Please check it."),
    ("CONNECTED_SERVICES_ACCOUNT", "ACCOUNT_ISSUE"): _account(
        "Action needed in the user's connected services account.",
        "Your connected services account needs your attention. Please log in to it and follow its instructions.",
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED"): _account(
        "The user's connected services credentials don't work any more. Please prompt the user to log in again.",
        "We can't log in to your connected services account. Please connect your vehicle again.",
        "REAUTHENTICATE",
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "NO_VEHICLES"): _account(
        "There is no vehicle in the user's connected services account.",
        "There are no vehicles in your connected services account. Please add yours and try again.",
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "PERMISSION"): _account(
        "The user's connected services account doesn't allow this on the vehicle.",
        "Your connected services account doesn't allow this. Please ask the account's primary user.",
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "SUBSCRIPTION"): _account(
        "The user's connected services subscription has expired or is not active.",
        "Your vehicle's subscription isn't active. Please renew it and try again.",
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "VEHICLE_MISSING"): _account(
        "The vehicle is no longer in the user's connected services account.",
        "Your vehicle is no longer in your connected services account. Please add it and try again.",
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "VIRTUAL_KEY_REQUIRED"): _account(
        "The vehicle's owner has not added the virtual key that this needs.",
        "Please add the virtual key to your vehicle, then try again.",
    ),
    ("VEHICLE_STATE", "ASLEEP"): _state("it is asleep", resolution="RETRY_LATER"),
    ("VEHICLE_STATE", "CHARGE_FAULT"): _state(
        "there is a fault in charging", "Please check the cable and the charger."
    ),
    ("VEHICLE_STATE", "CHARGING_IN_PROGRESS"): _state(
        "it is charging", "Please stop charging and try again."
    ),
    ("VEHICLE_STATE", "CHARGING_PLUG_CONNECTED"): _state(
        "the charging plug is connected", "Please unplug your vehicle and try again."
    ),
    ("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED"): _state(
        "the charging plug is not connected", "Please plug your vehicle in and try again."
    ),
    ("VEHICLE_STATE", "DOOR_OPEN"): _state(
        "a door is open", "Please close your vehicle's doors and try again."
    ),
    ("VEHICLE_STATE", "FULLY_CHARGED"): _state("it is fully charged", "Your vehicle is fully charged."),
    ("VEHICLE_STATE", "HOOD_OPEN"): _state(
        "the hood is open", "Please close your vehicle's hood and try again."
    ),
    ("VEHICLE_STATE", "IGNITION_ON"): _state(
        "the ignition is on", "Please turn your vehicle off and try again."
    ),
    ("VEHICLE_STATE", "IN_MOTION"): _state("it is moving", "Please park your vehicle and try again."),
    ("VEHICLE_STATE", "NOT_CHARGING"): _state("it is not charging", "Your vehicle isn't charging."),
    ("VEHICLE_STATE", "REMOTE_ACCESS_DISABLED"): _state(
        "remote access is off", "Please allow remote access in your vehicle and try again."
    ),
    ("VEHICLE_STATE", "TRUNK_OPEN"): _state(
        "the trunk is open", "Please close your vehicle's trunk and try again."
    ),
    ("VEHICLE_STATE", "UNKNOWN"): _state("the reason is unknown", resolution="RETRY_LATER"),
    ("VEHICLE_STATE", "UNREACHABLE"): _state(
        "it can't be reached", "Please move your vehicle to where it has reception and try again."
    ),
    ("VEHICLE_STATE", "VEHICLE_OFFLINE_FOR_SERVICE"): _state("it is in service", resolution="RETRY_LATER"),
    ("RATE_LIMIT", "SMARTCAR_API"): Words(
        429, "Your application has made too many requests. Please slow down.", "RETRY_LATER"
    ),
    ("RATE_LIMIT", "VEHICLE"): Words(
        429, "This vehicle has had too many requests. Please wait.", "RETRY_LATER", _TRY_AGAIN
    ),
    ("BILLING", "ACCOUNT_SUSPENDED"): _billing("Your account is suspended."),
    ("BILLING", "INVALID_PLAN"): _billing("Your plan doesn't include this."),
    ("BILLING", "VEHICLE_LIMIT"): _billing("Your plan allows no more vehicles."),
    ("BILLING", "VEHICLE_REQUEST_LIMIT"): _billing("Your plan allows no more requests to this vehicle."),
    ("SERVER", "INTERNAL"): Words(500, "An internal server error has occurred.", "CONTACT_SUPPORT"),
    ("SERVER", "MULTIPLE_RECORDS_FOUND"): Words(
        500, "There is more than one such record.", "CONTACT_SUPPORT"
    ),
    ("SERVER", "RECORD_NOT_FOUND"): Words(500, "There is no such record.", "CONTACT_SUPPORT"),
    ("COMPATIBILITY", "MAKE_NOT_COMPATIBLE"): Words(501, "This make isn't supported.", None, _ABSENT),
    ("COMPATIBILITY", "PLATFORM_NOT_CAPABLE"): Words(
        501, "The vehicle's platform doesn't support this feature.", None, _ABSENT
    ),
    ("COMPATIBILITY", "SMARTCAR_NOT_CAPABLE"): Words(
        501, "This feature isn't supported for the vehicle's make yet.", None, _ABSENT
    ),
    ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE"): Words(
        501, "The vehicle does not support this feature.", None, _ABSENT
    ),
    ("UPSTREAM", "INVALID_DATA"): _upstream("The brand's service answered with data that can't be right."),
    ("UPSTREAM", "KNOWN_ISSUE"): _upstream("The brand's service has a known issue."),
    ("UPSTREAM", "NO_RESPONSE"): _upstream("The brand's service didn't answer."),
    ("UPSTREAM", "RATE_LIMIT"): _upstream("The brand's service has had too many requests."),
    ("UPSTREAM", "UNKNOWN_ISSUE"): _upstream("The brand's service has an unknown issue.", "CONTACT_SUPPORT"),
}
RETRY_AFTER_SECONDS = 60

# API v3 has names for what v2.0 leaves without one.
_CODES_OF_V3 = {
    ("AUTHENTICATION", None): "UNAUTHORIZED",
    ("VALIDATION", None): "INVALID_INPUT_FORMAT",
    ("VALIDATION", "PARAMETER"): "INVALID_INPUT_FORMAT",
}


class ApiRefusal(Exception):
    """A request to the API that is answered with an error.

    Args:
        kind, code: which of `TABLE`.
        field, message: the parameter that is wrong, and what it should be.
        url: where the person can put it right.
        hint: for developers, in our own words.
    """

    def __init__(
        self,
        kind: str,
        code: str | None = None,
        *,
        field: str = "",
        message: str = "",
        url: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(f"{kind}:{code}")
        self.kind = kind
        self.code = code
        self.field = field
        self.message = message
        self.url = url
        self.hint = hint

    @property
    def words(self) -> Words:
        """What it says."""
        return TABLE[self.kind, self.code]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.words.status

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait, if waiting helps."""
        return RETRY_AFTER_SECONDS if self.status == 429 else None

    def body(self, request_id: str) -> dict[str, Any]:
        """The error of API v2.0."""
        words = self.words
        body: dict[str, Any] = {
            "type": self.kind,
            "code": self.code,
            "description": words.description,
            "docURL": self._documentation(),
            "statusCode": words.status,
            "requestId": request_id,
            "resolution": self._resolution(),
        }
        if words.for_owner is not None:
            body["suggestedUserMessage"] = words.for_owner
        if self.field:
            body["detail"] = [{"field": self.field, "message": self.message}]
        return body

    def resource(self) -> dict[str, Any]:
        """The error of API v3: one of its list `errors`."""
        words, code = self.words, self.code
        error: dict[str, Any] = {
            "status": str(words.status),
            "type": self.kind,
            "code": _CODES_OF_V3.get((self.kind, code), code),
            "title": (code or self.kind).replace("_", " ").capitalize(),
            "detail": f"{self.field} {self.message}." if self.field else words.description,
            "resolution": self._resolution(),
            "links": {"about": self._documentation()},
        }
        if words.for_owner is not None:
            error["suggestedUserMessage"] = words.for_owner
        return error

    def _resolution(self) -> dict[str, str | None]:
        resolution: dict[str, str | None] = {"type": self.words.resolution}
        return resolution | ({"url": self.url} if self.url else {})

    def _documentation(self) -> str:
        page = f"{DOCS}/{_dashed(self.kind)}-errors"
        return f"{page}#{_dashed(self.code)}" if self.code else page


def _dashed(name: str) -> str:
    return name.lower().replace("_", "-")
