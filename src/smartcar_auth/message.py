"""The message with which a redirect page tells its opener how Connect ended, and whose message counts.

Reads the `SmartcarAuthMessage` of our redirect page, of Smartcar's hosted one and of Connect itself. It gives
parameters in wire names and believes nothing: the state is checked by whoever kept it. Other messages are
everyday on a page, so they are no error.
"""

from ._platform import plain
from .errors import ConfigurationError, InvalidResponse, UntrustedOrigin
from .origin import parse_origin
from .response import RawParameters, require_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = "SmartcarAuthMessage"

#: Field of the message, and the parameter that it carries. The original's pages leave the last three out.
FIELDS = (
    ("code", "code"),
    ("error", "error"),
    ("errorDescription", "error_description"),
    ("state", "state"),
    ("vin", "vin"),
    ("make", "make"),
    ("model", "model"),
    ("year", "year"),
    ("virtualKeyUrl", "virtual_key_url"),
    ("userId", "user_id"),
    ("externalId", "external_id"),
    ("vehicleId", "vehicle_id"),
    ("statusCode", "status_code"),
    ("errorMessage", "error_message"),
)
_NUMBERS = ("year", "status_code")


def read_message(
    message: "object", *, origin: "str", trusted_origins: "Iterable[str]"
) -> "dict[str, str] | None":
    """The parameters of a `SmartcarAuthMessage`, not yet believed, or None for any other message.

    Give them to `AuthorizationRequest.receive` or `Smartcar.read_response`, which check the state. On
    UntrustedOrigin keep listening: whoever sends such a message must not be able to end the attempt.

    Args:
        message: what was posted, as a dict or as JSON text.
        origin: where it came from, as the browser says (`event.origin`).
        trusted_origins: whose messages count; compared whole, never by prefix.

    Raises:
        ConfigurationError: a trusted origin is none.
        UntrustedOrigin: it has the right name and comes from somewhere else.
        InvalidResponse: it has the right name and can't be read.
    """
    if isinstance(trusted_origins, str):
        raise ConfigurationError("trusted_origins must be a list of origins, not one text.")
    trusted = [parse_origin(one, "trusted_origins") for one in trusted_origins]
    if isinstance(message, str):
        message = _parsed(message)
    if not isinstance(message, dict) or message.get("name") != NAME:
        return None
    if not isinstance(origin, str) or origin not in trusted:
        raise UntrustedOrigin()
    return parameters_of(message)


def parameters_of(message: "Mapping[str, object]") -> "dict[str, str]":
    """The parameters of such a message, whoever sent it, for a caller that has looked at that itself.

    Raises:
        InvalidResponse: it can't be read.
    """
    raw = RawParameters()
    for field, parameter in FIELDS:
        value = message.get(field)
        if value is not None:
            raw[parameter] = _text(parameter, value)
    return raw


def _parsed(text: "str") -> "object":
    """The JSON, or None: other people's messages are often text, and seldom worth parsing."""
    if NAME not in text:
        return None
    import json

    try:
        parsed: object = json.loads(text)
    except (ValueError, RuntimeError):  # RuntimeError: nested deeper than the interpreter's stack
        return None
    return parsed


def _text(parameter: "str", value: "object") -> "str":
    # The shape of the message that Connect itself sends isn't documented: its numbers may be numbers.
    if parameter in _NUMBERS and type(value) is int and 0 <= value < 1_000_000:
        return str(value)
    if isinstance(value, str):
        value = plain(value)
        require_text(value)
        return value
    raise InvalidResponse(
        f"The message's value for {parameter} is no text, so it cannot be read; start a new attempt."
    )
