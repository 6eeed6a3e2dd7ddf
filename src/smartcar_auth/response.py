"""The authorization response: what comes back on the redirect URI, read and checked.

An AuthorizationResponse exists only after its state was checked. Two steps, so that a host with its own
proof of state can stand between them: `read_parameters` (readable, nothing twice), then the state, then
`read_checked` (error before fields). Nothing from outside reaches a message or a repr.
"""

from . import errors
from ._platform import Frozen, decode, decode_lossy, encode, fill, plain, unquote
from .errors import ConfigurationError, InvalidResponse
from .origin import is_https_url
from .state import states_equal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, NoReturn, Protocol

    class _Items(Protocol):
        def items(self) -> "Iterable[tuple[str, Any]]": ...

    ResponseSource = str | bytes | Mapping[str, Any] | _Items | Iterable[tuple[str, str]]

#: Parameters that mean something to us: twice is once too often. Any other one is the application's own
#: business.
KNOWN = (
    "code",
    "state",
    "error",
    "error_description",
    "user_id",
    "external_id",
    "virtual_key_url",
    "vehicle_id",
    "vin",
    "make",
    "model",
    "year",
    "status_code",
    "error_message",
)


class RawParameters(dict):  # type: ignore[type-arg]
    """All parameters as they came, the first of each name; the repr shows names only."""

    def __repr__(self) -> "str":
        return "<" + ", ".join(sorted([repr(name) for name in self.keys()])) + ">"

    def __str__(self) -> "str":
        return self.__repr__()


class Parameters(Frozen):
    """A readable answer without doubles, *not yet believed*: its state hasn't been checked."""

    __slots__ = ("raw",)
    raw: "dict[str, str]"

    def __init__(self, raw: "dict[str, str]") -> None:
        fill(self, (("raw", raw),))

    def get(self, name: "str") -> "str | None":
        """The value, or None when it is absent or empty."""
        return self.raw.get(name) or None

    @property
    def state(self) -> "str | None":
        """The state that came, or None."""
        return self.get("state")

    def __repr__(self) -> "str":
        return f"Parameters({self.raw!r})"


class AuthorizationResponse(Frozen):
    """What Connect answered, after its state was checked.

    Comes only from `AuthorizationRequest.receive`, `Smartcar.read_response` or a host. Exchange `code` on the
    server within ten minutes. Every field is None when Connect sent none; `raw` holds all parameters. The
    repr holds no value.
    """

    __slots__ = (
        "app_state",
        "code",
        "external_id",
        "raw",
        "state",
        "subject",
        "user_id",
        "vehicle_id",
        "virtual_key_url",
    )
    code: "str | None"
    state: "str | None"
    user_id: "str | None"
    external_id: "str | None"
    virtual_key_url: "str | None"
    vehicle_id: "str | None"
    raw: "dict[str, str]"
    subject: "str | int | None"
    app_state: "dict[str, Any] | None"

    def __init__(self, *args: "object", **kwargs: "object") -> None:
        raise TypeError(
            "An AuthorizationResponse cannot be made by hand, because it stands for a checked state: "
            "use AuthorizationRequest.receive() or Smartcar.read_response()."
        )

    def __repr__(self) -> "str":
        present = [name for name in self.raw.keys() if name in KNOWN and self.raw[name]]  # noqa: SIM118
        return "<AuthorizationResponse with " + (", ".join(sorted(present)) or "nothing") + ">"

    def __reduce__(self) -> "tuple[object, ...]":
        return (_make, (self.raw, self.code, self.subject, self.app_state))


def read_response(source: "ResponseSource", state: "str", requires: "str | None") -> "AuthorizationResponse":
    """Read and check an answer against the state that was kept.

    Raises:
        ConfigurationError: the kept state is empty or no text.
        ConnectError: Connect said no.
        InvalidResponse: the answer cannot be trusted or read.
    """
    if not isinstance(state, str) or not state:
        raise ConfigurationError(
            "state must be the text that was kept for this attempt; without one no answer can be checked."
        )
    parameters = read_parameters(source)
    received = parameters.state
    # RFC 6749, 10.12, and before "error": an error without our state is as forged as a code without it.
    if received is None:
        raise errors.StateMismatch(
            "The response carries no state, so it cannot be tied to this attempt; start a new one.",
            cause="missing",
        )
    if not states_equal(received, state):
        raise errors.StateMismatch(
            "The response's state is not the one of this attempt; start a new one.", cause="altered"
        )
    return read_checked(parameters, requires=requires)


def read_parameters(source: "ResponseSource") -> "Parameters":
    """Step one: the parameters, readable and none of ours twice. Believe nothing yet.

    Args:
        source: an address (absolute, relative, custom scheme) or query as text or bytes, a mapping (values
            may be lists; None is absent), a framework's multi-dict, or pairs.

    Raises:
        InvalidResponse: no such thing, or known parameters that are no UTF-8.
        DuplicateParameter: one of ours came twice.
    """
    raw = RawParameters()
    for name, value in _pairs(source):
        if name in raw:
            if name in KNOWN:
                raise errors.DuplicateParameter(
                    f"The response has {name} twice, so it cannot be trusted; start a new attempt."
                )
            continue
        raw[name] = value
    return Parameters(raw)


def read_checked(
    parameters: "Parameters",
    *,
    requires: "str | None",
    subject: "str | int | None" = None,
    app_state: "dict[str, Any] | None" = None,
) -> "AuthorizationResponse":
    """Step two, *after the caller has checked the state*: yes, no, or neither.

    Args:
        requires: the parameter without which a success is none ("code", "vehicle_id"), or None.
        subject: who connects, from a host that knows.
        app_state: the application's own state, from a host that sealed it.

    Raises:
        AmbiguousResponse: a code and an error.
        ConnectError: Connect said no.
        MissingParameter: the required parameter is absent or empty.
    """
    code = parameters.get("code")
    if parameters.get("error") is not None:
        if code is not None:
            raise errors.AmbiguousResponse()
        _raise_connect_error(parameters, _make(parameters.raw, None, subject, app_state))
    if requires is not None and parameters.get(requires) is None:
        raise errors.MissingParameter(
            f"The response has neither an error nor a value for {requires}; start a new attempt."
        )
    return _make(parameters.raw, code, subject, app_state)


def _make(
    raw: "dict[str, str]", code: "str | None", subject: "str | int | None", app_state: "dict[str, Any] | None"
) -> "AuthorizationResponse":
    response: AuthorizationResponse = object.__new__(AuthorizationResponse)
    key_url = raw.get("virtual_key_url")
    fill(
        response,
        (
            ("code", code),
            ("state", raw.get("state") or None),
            ("user_id", raw.get("user_id") or None),
            ("external_id", raw.get("external_id") or None),
            # Pages turn it into a link: javascript: and its kin must not get that far.
            ("virtual_key_url", key_url if key_url and is_https_url(key_url) else None),
            ("vehicle_id", raw.get("vehicle_id") or None),
            ("raw", raw),
            ("subject", subject),
            ("app_state", app_state),
        ),
    )
    return response


def _raise_connect_error(parameters: "Parameters", response: "AuthorizationResponse") -> "NoReturn":
    error = parameters.get("error") or ""
    description = parameters.get("error_description")
    kind = errors.CONNECT_ERRORS.get(error, errors.UnknownConnectError)
    if kind is errors.VehicleIncompatible:
        vin, make, model, year = [parameters.get(name) for name in ("vin", "make", "model", "year")]
        shared = vin or make or model or year
        vehicle_info = errors.VehicleInfo(vin, make, model, _whole_number(year)) if shared else None
        raise errors.VehicleIncompatible(
            error=error, description=description, response=response, vehicle_info=vehicle_info
        )
    if kind is errors.ApplicationConfigurationError:
        raise errors.ApplicationConfigurationError(
            error=error,
            description=description,
            response=response,
            status_code=_whole_number(parameters.get("status_code")),
            error_message=parameters.get("error_message"),
        )
    raise kind(error=error, description=description, response=response)


def _whole_number(text: "str | None") -> "int | None":
    # Digits are spelled out: int() also takes "1_0", " 1" and other alphabets' digits, but not on every
    # Python.
    if text is None or len(text) > 9 or not all(character in "0123456789" for character in text):
        return None
    return int(text)


def _pairs(source: "Any") -> "Iterator[tuple[str, str]]":
    """Names and values in the order they came, decoded."""
    if isinstance(source, (bytes, bytearray)):
        source = _text_of(bytes(source))
    if isinstance(source, str):
        return _query_pairs(_query_of(plain(source)))
    if hasattr(source, "multi_items"):  # Starlette, httpx
        return _value_pairs(source.multi_items())
    if hasattr(source, "lists"):  # Django, Werkzeug
        return _value_pairs(source.lists())
    if hasattr(source, "items"):  # mappings; aiohttp's repeats what is repeated
        return _value_pairs(source.items())
    try:
        return _value_pairs(iter(source))
    except TypeError:
        raise InvalidResponse(
            "The response must be an address or query (text or bytes), a mapping or pairs, "
            f"not {type(source).__name__}; pass str(request.url), for example."
        ) from None


def _text_of(raw: "bytes") -> "str":
    try:
        return decode(raw)
    except UnicodeError:
        raise InvalidResponse(
            "The response's query is no UTF-8, so it cannot be read; start a new attempt."
        ) from None


def _query_of(text: "str") -> "str":
    """The query of an address; a text that is no address is a query itself, with or without its `?`."""
    text = text.partition("#")[0]
    before, mark, after = text.partition("?")
    if mark and (not before or _looks_like_address(before) or not ("=" in before or "&" in before)):
        return after
    return "" if not mark and _looks_like_address(text) else text


def _looks_like_address(text: "str") -> "bool":
    # In a bare query "://" can only stand in a value, so after a "=".
    return text.startswith("/") or "://" in text.partition("=")[0].partition("&")[0]


def _query_pairs(query: "str") -> "Iterator[tuple[str, str]]":
    try:
        encode(query)  # refuses lone surrogates, also where nothing below would meet them
        for piece in query.split("&"):
            if not piece:
                continue
            name, _, value = piece.partition("=")
            if "%" in piece or "+" in piece:
                name = decode_lossy(unquote(name))
                raw = unquote(value)
                value = decode(raw) if name in KNOWN else decode_lossy(raw)
            yield name, value
    except UnicodeError:
        raise InvalidResponse(
            "The response's parameters are no UTF-8, so they cannot be read; start a new attempt."
        ) from None


def _value_pairs(pairs: "Any") -> "Iterator[tuple[str, str]]":
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[0], str):
            raise InvalidResponse("The response's pairs must be (name, value), both text.")
        name, values = plain(pair[0]), pair[1]
        if values is None:  # a handler's optional argument, passed on
            continue
        for value in values if isinstance(values, (list, tuple)) else (values,):
            if not isinstance(value, str):
                raise InvalidResponse(
                    f"The response's values must be text or lists of text, not {type(value).__name__}."
                )
            value = plain(value)
            if name in KNOWN:
                require_text(value)
            yield name, value


def require_text(value: "str") -> "None":
    """A text that has a UTF-8 form.

    Raises:
        InvalidResponse: it has none.
    """
    try:
        encode(value)
    except UnicodeError:
        raise InvalidResponse("The response holds a lone surrogate, so it cannot be read.") from None
