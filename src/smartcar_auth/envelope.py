"""The envelope in which a page's state travels through Connect, and how a server opens it.

`{"instanceId": ..., "originalState": ...}` as JSON in base64: the official front-end SDK's shape, so that its
redirect page and ours know whose answer it is. An envelope proves nothing by itself; the page that made it
compares the whole of it.
"""

from ._platform import encode, joined
from .errors import ConfigurationError, InvalidResponse
from .request import check_text
from .state import unguessable

INSTANCE_BYTES = 16
#: Of an envelope, in characters; few servers take an address that is longer.
MAX_LENGTH = 16_384

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def new_instance_id() -> "str":
    """The name of one attempt: 16 random bytes, so that no other page can guess it.

    Raises:
        ConfigurationError: this Python has no source of unguessable bytes.
    """
    return unguessable(INSTANCE_BYTES)


def write_envelope(instance_id: "str", original: "str | None" = None) -> "str":
    """The envelope around the caller's own state, in letters and digits only.

    Args:
        instance_id: of this attempt.
        original: any text; None for none.

    Raises:
        ConfigurationError: the state is no text, empty, too long, or holds a lone surrogate.
    """
    text = '{"instanceId":' + _quoted(instance_id)
    if original is not None:
        text += ',"originalState":' + _quoted(check_text("state", original))
    text += "}"
    # Blanks instead of base64's "=" at the end, which strict readers want and addresses would have to escape.
    envelope = _base64(text + " " * (-len(text) % 3))
    if len(envelope) > MAX_LENGTH:
        raise ConfigurationError(
            "state is too long for an address; keep the text yourself and pass a short name of it."
        )
    return envelope


def read_envelope(state: "str") -> "str | None":
    """The text that a page's own code gave as its state, or None if it gave none.

    For a server that receives Connect's answer to a page's attempt, and for the official SDK's pages too. It
    isn't proof of anything: whoever writes an answer may write an envelope.

    Args:
        state: as it came, percent-decoded; spaces that a server made of "+" are mended.

    Raises:
        InvalidResponse: no envelope, or too long for one.
    """
    found = _opened(state)
    if isinstance(found, dict) and isinstance(found.get("instanceId"), str):
        original = found.get("originalState")
        if original is None:
            return None
        if isinstance(original, str):
            try:
                encode(joined(original))
                return joined(original)
            except UnicodeError:
                pass
    raise InvalidResponse("The state is no envelope of a page's attempt, so nothing can be read from it.")


def _quoted(text: "str") -> "str":
    """Text as JSON whose base64 has neither + nor /: one alphabet for atob and base64url, for any server."""
    pieces = []
    for character in text:
        number = ord(character)
        if number > 0xFFFF:
            number -= 0x10000
            pieces.append(_escape(0xD800 + (number >> 10)) + _escape(0xDC00 + (number & 0x3FF)))
        elif 0x20 <= number < 0x7F and character not in '"\\>?~':
            pieces.append(character)
        else:
            pieces.append(_escape(number))
    return '"' + "".join(pieces) + '"'


def _escape(number: "int") -> "str":
    return f"\\u{number:04x}"


def _base64(text: "str") -> "str":
    import binascii

    return binascii.b2a_base64(text.encode()).decode().rstrip("\n")


def _opened(state: "str") -> "object":
    """The JSON inside, or None."""
    import binascii
    import json

    if not isinstance(state, str) or len(state) > MAX_LENGTH:
        return None
    # The original puts base64 into the address as it is, so its "+" comes out of many servers as a space.
    text = state.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    if len(text) % 4 == 1 or not all(character in _BASE64 for character in text):
        return None
    try:
        raw = binascii.a2b_base64((text + "=" * (-len(text) % 4)).encode())
        content = "".join([chr(byte) for byte in raw])  # Latin-1, as btoa writes; our own is ASCII
        # Nothing nests in an envelope, and what nests deeply ends Pyodide for good.
        outside = "".join(content.replace("\\\\", "").replace('\\"', "").split('"')[::2])
        found: object = json.loads(content) if outside.count("{") == 1 and "[" not in outside else None
        return found
    except ValueError:
        return None
