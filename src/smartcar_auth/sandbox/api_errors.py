"""The errors of API v2.0: type, code, status, words. Raised by `vehicles`, written as the documented JSON."""

from typing import Any

DOCS = "https://smartcar.com/docs/errors/api-errors"

# (type, code) -> status, description, resolution, what a developer may show to the vehicle owner
_TABLE: dict[tuple[str, str | None], tuple[int, str, str | None, str | None]] = {
    ("AUTHENTICATION", None): (
        401,
        "The authorization header is missing or malformed, or it contains invalid or expired authentication "
        "credentials. Please check for missing parameters, spelling and casing mistakes, and other syntax issues.",
        None,
        None,
    ),
    ("PERMISSION", None): (
        403,
        "Your application has insufficient permissions to access the requested resource. "
        "Please prompt the user to re-authenticate using Smartcar Connect.",
        "REAUTHENTICATE",
        "Your consent is required to use this feature. Please log in and give it.",
    ),
    ("VALIDATION", None): (
        400,
        "Request invalid or malformed. Please check for missing parameters.",
        None,
        None,
    ),
    ("VALIDATION", "PARAMETER"): (
        400,
        "Request invalid or malformed. Please check for missing parameters, spelling and casing mistakes.",
        None,
        None,
    ),
    ("RESOURCE_NOT_FOUND", "PATH"): (404, "The requested path does not exist. Please check it.", None, None),
    ("RESOURCE_NOT_FOUND", "VERSION"): (
        404,
        "The requested version does not exist. Please check it.",
        None,
        None,
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "ACCOUNT_ISSUE"): (
        400,
        "Action needed in the user's connected services account.",
        "ACTION_REQUIRED",
        "Your connected services account needs your attention. Please log in to it and follow its instructions.",
    ),
    ("CONNECTED_SERVICES_ACCOUNT", "SUBSCRIPTION"): (
        400,
        "The user's connected services subscription has expired or is not active.",
        "ACTION_REQUIRED",
        "Your vehicle's subscription isn't active. Please renew it and try again.",
    ),
    ("VEHICLE_STATE", "UNKNOWN"): (
        409,
        "The vehicle was unable to perform the request due to an unknown issue.",
        "RETRY_LATER",
        "Your vehicle couldn't do this right now. Please try again.",
    ),
    ("VEHICLE_STATE", "DOOR_OPEN"): (
        409,
        "The vehicle is unable to perform this request because a door is open.",
        "ACTION_REQUIRED",
        "Please close your vehicle's doors and try again.",
    ),
    ("VEHICLE_STATE", "TRUNK_OPEN"): (
        409,
        "The vehicle is unable to perform this request because the trunk is open.",
        "ACTION_REQUIRED",
        "Please close your vehicle's trunk and try again.",
    ),
    ("VEHICLE_STATE", "HOOD_OPEN"): (
        409,
        "The vehicle is unable to perform this request because the hood is open.",
        "ACTION_REQUIRED",
        "Please close your vehicle's hood and try again.",
    ),
    ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE"): (
        501,
        "The vehicle does not support this feature.",
        None,
        "Your vehicle doesn't support this feature.",
    ),
    ("SERVER", "INTERNAL"): (500, "An internal server error has occurred.", "CONTACT_SUPPORT", None),
}


class ApiRefusal(Exception):
    """A request to the API that is answered with an error."""

    def __init__(self, kind: str, code: str | None = None, *, field: str = "", message: str = "") -> None:
        super().__init__(f"{kind}:{code}")
        self.kind = kind
        self.code = code
        self.field = field
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _TABLE[self.kind, self.code][0]

    def body(self, request_id: str) -> dict[str, Any]:
        """The documented error body."""
        status, description, resolution, words = _TABLE[self.kind, self.code]
        anchor = self.kind.lower().replace("_", "-")
        body: dict[str, Any] = {
            "type": self.kind,
            "code": self.code,
            "description": description,
            "docURL": f"{DOCS}/{anchor}-errors"
            + (f"#{self.code.lower().replace('_', '-')}" if self.code else ""),
            "statusCode": status,
            "requestId": request_id,
            "resolution": {"type": resolution},
        }
        if words is not None:
            body["suggestedUserMessage"] = words
        if self.field:
            body["detail"] = [{"field": self.field, "message": self.message}]
        return body
