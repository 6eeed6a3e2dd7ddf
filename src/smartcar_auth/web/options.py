"""What a launch may ask for: options in the query, which the page chooses, and sealed ones, which it can't.

Also `return_to`, the one address in the whole flow that a visitor could bend: it is a path on this site
and nothing else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit, urlunsplit

from smartcar_auth.errors import ConfigurationError

from .seal import Sealer

SEALED_SECONDS = 900
MOST_FIELDS = 50
LONGEST_RETURN_TO = 1024
LONGEST_MAKE = 64
LARGEST_STATE = 512
LONGEST_SUBJECT = 256

# What a page may choose per click: it changes what the person sees first, never whose car it is,
# which one, or what is asked for.
FREE = frozenset({"make", "single_select", "force_prompt"})
SEALED_ONLY = frozenset({"single_select_vin", "flags", "external_id", "user", "state", "scope", "mode"})


# As browsers write an origin. What a visitor names gets into a page and a log only in this form.
_ORIGIN = re.compile(r"https?://[a-z0-9._:\[\]-]{1,253}")


class Refused(Exception):
    """A launch that is answered with a page in words instead of Connect.

    Args:
        status: The HTTP status.
        reason: What is wrong and what to do, for the person who reads the page.
        code: The error's code for the waiting page.
    """

    def __init__(self, status: int, reason: str, code: str = "invalid_configuration") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.code = code


@dataclass(slots=True)
class LaunchOptions:
    """One launch, checked. `connect` holds keyword arguments of `Smartcar.get_auth_url`."""

    attempt: str | None = None
    popup: bool = False
    page_origin: str | None = None
    stable_asset: bool = False
    return_to: str | None = None
    connect: dict[str, Any] = field(default_factory=dict)
    external_id: str | None = None
    app_state: dict[str, Any] | None = None
    sealed_for: str | int | None = None
    is_sealed: bool = False


def read_launch(options: LaunchOptions, query: bytes, sealer: Sealer, now: float) -> None:
    """Read a launch's query into `options`; what was read before a refusal stays, so that a page is told.

    Raises:
        Refused: Something in it is not to be had this way.
    """
    try:
        pairs = _read_pairs(query.decode("ascii"))
    except ValueError:  # not ASCII, not UTF-8 behind the percent signs, or too many fields
        raise Refused(400, "The address of this link is damaged. Go back and try again.") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise Refused(400, "An option stands twice in the address of this link.")
    options.attempt = given.get("attempt")
    options.popup = given.get("display") == "popup"
    if "origin" in given:
        if not is_origin(given["origin"]):
            raise Refused(400, "The page that asks has no address that an answer could be sent to.")
        options.page_origin = given["origin"]
    options.stable_asset = given.get("module") == "connect.js"
    for name in SEALED_ONLY & given.keys():
        raise Refused(
            400, f"The option {name} can't be chosen by a page. The application seals it with launch_url()."
        )
    chosen = {name: given[name] for name in FREE & given.keys()}
    if "sealed" in given:
        if chosen:
            raise Refused(400, f"This link is sealed; {min(chosen)} can't be added to it.")
        _read_sealed(options, given["sealed"], sealer, now)
    else:
        for name, value in chosen.items():
            options.connect[name] = _read_make(value) if name == "make" else _read_boolean(name, value)
    if options.return_to is None and "return_to" in given:
        options.return_to = given["return_to"]
    if options.return_to is not None and not is_local_path(options.return_to):
        raise Refused(400, "The address to return to is not a path on this site, such as /garage.")


def _read_pairs(query: str) -> list[tuple[str, str]]:
    """A query's names and values; as `parse_qsl`, in half the time, and strict.

    Raises:
        ValueError: Too many, or no UTF-8 behind the percent signs.
    """
    pieces = [piece for piece in query.split("&") if piece]
    if len(pieces) > MOST_FIELDS:
        raise ValueError
    pairs = []
    for piece in pieces:
        name, _, value = piece.partition("=")
        pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    return unquote_to_bytes(text).decode() if "%" in text else text


def _read_make(value: str) -> str:
    if not 0 < len(value) <= LONGEST_MAKE:  # it goes into a header: no room for a visitor's 100 kB
        raise Refused(400, f"The option make has 1 to {LONGEST_MAKE} characters.")
    return value


def _read_boolean(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise Refused(400, f"The option {name} is neither true nor false.")
    return value == "true"


def _read_sealed(options: LaunchOptions, token: str, sealer: Sealer, now: float) -> None:
    content = sealer.open_options(token)
    if not isinstance(content, dict):
        raise Refused(403, "This link was altered, or it was made for another application.")
    if now > content["issued"] + SEALED_SECONDS:
        raise Refused(
            403, "This link has expired; it is good for 15 minutes. Go back, reload the page and try again."
        )
    options.is_sealed = True
    options.sealed_for = content["for"]
    options.connect = content["connect"]
    options.external_id = content.get("external_id")
    options.app_state = content.get("state")
    options.return_to = content.get("return_to")


def seal_launch(
    sealer: Sealer,
    now: float,
    *,
    subject: str | int | None,
    connect: dict[str, Any],
    return_to: str | None,
    external_id: str | None,
    state: Mapping[str, Any] | None,
) -> str:
    """The `sealed` parameter of a launch address: options that the page may read but not choose.

    Raises:
        ConfigurationError: `return_to` is not a path on this site, or `state` is no JSON object of at
            most 512 bytes.
    """
    content: dict[str, Any] = {"issued": int(now), "for": subject, "connect": connect}
    if return_to is not None:
        if not is_local_path(return_to):
            raise ConfigurationError("return_to must be a path on this site, such as '/garage'.")
        content["return_to"] = return_to
    if external_id is not None:
        content["external_id"] = external_id
    if state is not None:
        content["state"] = _checked_state(state)
    return sealer.seal_options(content)


def _checked_state(state: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(state, Mapping):
        raise ConfigurationError(f"state must be a JSON object (a dict), not {type(state).__name__}.")
    try:
        text = json.dumps(dict(state), separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        raise ConfigurationError("state must hold JSON values only: text, numbers, lists, dicts.") from None
    if len(text.encode()) > LARGEST_STATE:
        raise ConfigurationError(
            f"state has {len(text.encode())} bytes as JSON; at most {LARGEST_STATE} travel with an attempt. "
            "Keep the rest in your database and seal its key."
        )
    sealed: dict[str, Any] = json.loads(text)
    return sealed


def is_origin(text: str) -> bool:
    """Whether a text reads like an origin; whose it is, is another question."""
    return _ORIGIN.fullmatch(text) is not None


def is_local_path(path: str) -> bool:
    """Whether a browser that follows `path` stays on this site, however often it is decoded on the way.

    Browsers read "//host", "/\\host" and "/<tab>/host" as another site's address (WHATWG URL, "special
    authority slashes"); proxies and frameworks on the way may decode once more than expected.
    """
    try:
        path.encode()
    except UnicodeEncodeError:  # a lone surrogate has no place in an address
        return False
    # Measured as it lies in the attempt's cookie, which browsers drop when it is too long.
    if not 2 < len(json.dumps(path)) <= LONGEST_RETURN_TO + 2:
        return False
    for _ in range(4):
        if not path.startswith("/") or path.startswith("//") or "\\" in path:
            return False
        if any(character < " " or character == "\x7f" for character in path):
            return False
        decoded = unquote(path.partition("?")[0], errors="replace")
        if decoded == path.partition("?")[0]:
            # "/.//host" and "/a/..//host" become "//host" once dots are resolved.
            segments = path.partition("?")[0].split("/")
            return not ("" in segments[1:-1] and ("." in segments or ".." in segments))
        path = decoded
    return False


def with_outcome(path: str, code: str) -> str:
    """`path` with `smartcar=CODE` in its query, once, safe for a Location header."""
    parts = urlsplit(path)
    kept = [
        one for one in _quoted(parts.query).split("&") if one and unquote(one.partition("=")[0]) != "smartcar"
    ]
    query = "&".join([*kept, "smartcar=" + quote(code, safe="")])
    return urlunsplit(("", "", _quoted(parts.path), query, _quoted(parts.fragment)))


def _quoted(text: str) -> str:
    return quote(text, safe="/?:@!$&'()*+,;=-._~%[]")
