"""The authorization request: the address that opens Connect, its parameters, and the state that proves the
answer.

Here are the rules for single parameters (application id, text, scope, flags) and how they are written. Which
application asks, and with which defaults, is `client`'s; nothing here opens a window.
"""

from ._platform import MICROPYTHON, Frozen, encode, fill, plain, quote
from .errors import ConfigurationError
from .response import read_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypedDict

    from .response import AuthorizationResponse, ResponseSource

    Flags = str | Sequence[str] | Mapping[str, object]

    class RequestOptions(TypedDict, total=False):
        """What one attempt asks for, as in `Smartcar.get_auth_url`; for hosts that pass it on."""

        force_prompt: bool
        make: str | None
        single_select: bool | None
        single_select_vin: str | None
        flags: Flags | None
        user: str | None


_REMEDY = {
    "user": " Pass str(user.id), for example.",
    "external_id": " Pass str(user.id), for example.",
    "state": " Leave it out to send none, or pass text such as secrets.token_urlsafe().",
}


class AuthorizationRequest(Frozen):
    """One request, ready to be shown: send the person to `url`, then give what comes back to `receive`.

    `state` ties the answer to this request: keep it where only this person's browser can bring it back. The
    repr holds neither.
    """

    __slots__ = ("_requires", "state", "url")
    url: "str"
    state: "str"
    _requires: "str | None"

    def __init__(self, url: "str", state: "str", *, requires: "str | None") -> None:
        fill(self, (("url", url), ("state", state), ("_requires", requires)))

    def receive(self, source: "ResponseSource") -> "AuthorizationResponse":
        """Read the answer to this request, checked.

        Args:
            source: the address Connect came back to, its query, a mapping, or pairs.

        Raises:
            ConnectError: Connect said no.
            InvalidResponse: the answer cannot be trusted or read; nothing of it was used.
        """
        return read_response(source, self.state, self._requires)

    def __repr__(self) -> "str":
        return "AuthorizationRequest(url=..., state=...)"

    def __reduce__(self) -> "tuple[object, ...]":
        return (_restore, (self.url, self.state, self._requires))


def quoted(what: "str", text: "str") -> "str":
    """A caller's text, checked and percent-encoded.

    Raises:
        ConfigurationError: no text, empty, or a lone surrogate.
    """
    if type(text) is str and text:
        try:
            return quote(text)
        except UnicodeError:
            pass  # check_text below says so in words
    return quote(check_text(what, text))


def check_text(what: "str", text: "str") -> "str":
    """A caller's text as an exact str, or a ConfigurationError that says what to pass."""
    if not isinstance(text, str):
        raise ConfigurationError(f"{what} must be text, not {type(text).__name__}.{_REMEDY.get(what, '')}")
    if not text:
        raise ConfigurationError(f"{what} must not be empty.{_REMEDY.get(what, ' Leave it out instead.')}")
    text = plain(text)
    try:
        encode(text)
    except UnicodeError:
        raise ConfigurationError(f"{what} holds a lone surrogate, which no address can carry.") from None
    return text


def check_application_id(application_id: "str | None") -> "str":
    """The Application ID, opaque but for the mistakes that Connect would answer with a bare 400.

    Raises:
        ConfigurationError: none, white space around it, or the id of M2M credentials.
    """
    where = "the Application ID (a UUID) shown in the Smartcar dashboard under your application's settings"
    if not isinstance(application_id, str) or not application_id.strip():
        raise ConfigurationError(f"application_id must be {where}.")
    application_id = check_text("application_id", application_id)
    if application_id != application_id.strip():
        raise ConfigurationError("application_id must not have white space around it.")
    if application_id.startswith("client_"):
        # The classic first failure: Connect then says "400: Invalid parameter client_id" and offers no way
        # back.
        raise ConfigurationError(
            'application_id is a "client_..." id, which belongs to API credentials (M2M) and which Connect '
            f"refuses: pass {where}."
        )
    return application_id


def check_scope(scope: "str | Sequence[str] | None") -> "tuple[str, ...] | None":
    """Permissions as a tuple; None leaves the choice to the dashboard, an empty one asks for nothing.

    Raises:
        ConfigurationError: neither text nor a list of texts, or an item that is empty or holds white space.
    """
    if scope is None:
        return None
    if isinstance(scope, str):
        return tuple(_words("scope", scope, "read_odometer read_vehicle_info"))
    if not isinstance(scope, (list, tuple)):
        raise ConfigurationError(
            f'scope must be a list of permissions such as ["read_odometer"], not {type(scope).__name__}.'
        )
    return tuple([_word("scope", item) for item in scope])


def check_flags(flags: "Flags") -> "str":
    """Flags as Connect reads them: `name:value` with spaces between.

    Args:
        flags: a list of "name:value", one text with spaces between, or a mapping (True and False become
            words).

    Raises:
        ConfigurationError: another type, an item without a colon, or one with white space.
    """
    if isinstance(flags, str):
        items = _words("flags", flags, "country:DE")
    elif isinstance(flags, (list, tuple)):
        items = [_word("flags", item) for item in flags]
    elif hasattr(flags, "items"):
        pairs = [check_text("flags", name) + ":" + _flag_value(value) for name, value in flags.items()]
        items = [_word("flags", pair) for pair in pairs]
    else:
        raise ConfigurationError(
            f'flags must be a list such as ["country:DE"] or a mapping, not {type(flags).__name__}.'
        )
    for item in items:
        name, colon, value = item.partition(":")
        if not (name and colon and value):
            raise ConfigurationError(
                f'flags: {item!r} is not of the form "name:value", such as "country:DE".'
            )
    return " ".join(items)


def quoted_flags(flags: "Flags") -> "str":
    """The flags, checked and percent-encoded.

    Raises:
        ConfigurationError: as `check_flags`.
    """
    if not MICROPYTHON and type(flags) is list:
        # The usual ones are letters, digits and a colon: read in one go, a third of the time below.
        parts = []
        for item in flags:
            if type(item) is not str:
                break
            name, _, value = item.partition(":")
            if not (name and value and item.isascii() and (name + value).replace("_", "").isalnum()):
                break
            parts.append(name + "%3A" + value)
        else:
            return "%20".join(parts)
    return quote(check_flags(flags))


def check_single_select(single_select: "bool | None", vin: "str | None") -> "str":
    """The parameters for choosing one vehicle, ready to append.

    Raises:
        ConfigurationError: another type, or False together with a VIN.
    """
    if single_select is not None and single_select is not True and single_select is not False:
        raise ConfigurationError(
            "single_select must be True, False or None; a VIN goes to single_select_vin."
        )
    if vin is None:
        return "&single_select=true" if single_select else "&single_select=false"
    if single_select is False:
        raise ConfigurationError("single_select=False contradicts single_select_vin; leave one of them out.")
    return "&single_select_vin=" + quoted("single_select_vin", vin) + "&single_select=true"


def _flag_value(value: "object") -> "str":
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return plain(value)
    raise ConfigurationError(f"flags: a value must be text, True or False, not {type(value).__name__}.")


def _words(what: "str", text: "str", example: "str") -> "list[str]":
    words = plain(text).split()
    if not words:
        raise ConfigurationError(f'{what} must not be blank: write "{example}", None or an empty list.')
    return [check_text(what, word) for word in words]


def _word(what: "str", item: "str") -> "str":
    item = check_text(what, item)
    if len(item.split()) != 1 or item != item.strip():
        raise ConfigurationError(f"{what}: {item!r} holds white space; make each one an item of the list.")
    return item


def _restore(url: "str", state: "str", requires: "str | None") -> "AuthorizationRequest":
    return AuthorizationRequest(url, state, requires=requires)
