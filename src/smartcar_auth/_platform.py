"""Where Pythons differ: percent-encoding, random bytes, comparison, the page, environment, warnings, frozen values.

The only module of the core that asks which Python is running. CPython, Pyodide and PyScript's MicroPython
1.27 must give the same answers; no rule of Connect belongs here. Everything dear to import is imported
where it is used: a program that starts in milliseconds stays one.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

MICROPYTHON = sys.implementation.name == "micropython"

if MICROPYTHON:
    import hashlib  # where it is used, the import statement would take longer than the digest

# RFC 3986, 2.3: "ALPHA / DIGIT / "-" / "." / "_" / "~"": what percent-encoding leaves alone, and nothing
# else.
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

_ENCODED: "list[str]" = [chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in range(256)]
_HEX = {digit: index for index, digit in enumerate("0123456789abcdef")}
_warned: "dict[str, object]" = {}


class Frozen:
    """An object that doesn't change once made; its maker fills it with `fill`."""

    __slots__ = ()

    def __setattr__(self, name: "str", value: "object") -> "NoReturn":
        raise AttributeError(
            f"{type(self).__name__} cannot be changed (tried to set {name!r}); make a new one"
        )

    def __delattr__(self, name: "str") -> "NoReturn":
        raise AttributeError(
            f"{type(self).__name__} cannot be changed (tried to delete {name!r}); make a new one"
        )


def fill(frozen: "object", pairs: "object") -> "None":
    """Set the attributes of an object under construction, frozen or not."""
    for name, value in pairs:  # type: ignore[attr-defined]
        object.__setattr__(frozen, name, value)


def plain(text: "str") -> "str":
    """The same text as an exact str: subclasses such as Markup change what `+` does."""
    if type(text) is str:
        return text
    return str(text) if MICROPYTHON else str.__str__(text)


def encode(text: "str") -> "bytes":
    """UTF-8, strict on every Python.

    Raises:
        UnicodeError: a lone surrogate, which has no UTF-8 form.
    """
    raw = text.encode()
    if MICROPYTHON and b"\xed" in raw:  # MicroPython encodes surrogates (ED A0..BF xx) without a word
        _refuse_surrogates(raw)
    return raw


def decode(raw: "bytes") -> "str":
    """UTF-8 to text, strict on every Python.

    Raises:
        UnicodeError: bytes that are no UTF-8.
    """
    text = raw.decode()
    if MICROPYTHON:  # lets surrogates, overlong forms and numbers beyond Unicode through
        _refuse_surrogates(raw)
        if sum([_utf8_length(ord(character)) for character in text]) != len(raw):
            raise UnicodeError("no UTF-8")
    return text


def decode_lossy(raw: "bytes") -> "str":
    """UTF-8 to text, with U+FFFD for what is none: for parameters that nobody will believe anyway."""
    try:
        return decode(raw)
    except UnicodeError:
        # decode(errors=...) is missing on MicroPython; one rule for all keeps answers equal everywhere.
        return "".join([chr(byte) if byte < 0x80 else "\ufffd" for byte in raw])


def joined(text: "str") -> "str":
    """The text with pairs of surrogates as the characters that they stand for.

    MicroPython's json leaves the halves apart; elsewhere a text has no such pairs.
    """
    characters: list[str] = []
    high = 0
    for character in text:
        number = ord(character)
        if high and 0xDC00 <= number < 0xE000:
            characters[-1] = chr(0x10000 + ((high - 0xD800) << 10) + number - 0xDC00)
            high = 0
        else:
            characters.append(character)
            high = number if 0xD800 <= number < 0xDC00 else 0
    return "".join(characters)


def quote(text: "str") -> "str":
    """Percent-encode everything but RFC 3986's unreserved characters.

    Raises:
        UnicodeError: a lone surrogate.
    """
    if MICROPYTHON:
        raw = encode(text)
    else:
        raw = text.encode()
        # Almost every real value is made of unreserved characters, and passes after two C calls.
        rest = raw.translate(None, UNRESERVED)  # which MicroPython's bytes don't have
        if not rest:
            return text
        others = set(rest)
        if len(others) <= 4:
            # A flag's colon, a redirect URI's slashes: replacing beats spelling out byte by byte.
            others.discard(37)
            raw = raw.replace(b"%", b"%25")  # first, or it would catch what the others become
            for byte in others:
                raw = raw.replace(bytes((byte,)), b"%%%02X" % byte)
            return raw.decode()
    return "".join([_ENCODED[byte] for byte in raw])


def unquote(text: "str") -> "bytes":
    """The bytes behind one name or value of a query: `+` and `%20` are both a space.

    A `%` without two hexadecimal digits stays as it is, as in every browser.

    Raises:
        UnicodeError: a lone surrogate.
    """
    raw = encode(text)
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" not in raw:
        return raw
    pieces = raw.split(b"%")
    decoded = [pieces[0]]
    for piece in pieces[1:]:
        digits = "".join([chr(byte) for byte in piece[:2]]).lower()
        if len(digits) == 2 and digits[0] in _HEX and digits[1] in _HEX:
            decoded.append(bytes([_HEX[digits[0]] * 16 + _HEX[digits[1]]]) + piece[2:])
        else:
            decoded.append(b"%" + piece)
    return b"".join(decoded)


def random_bytes(count: "int") -> "bytes | None":
    """Bytes from the system's CSPRNG, or None when this Python has none: never anything weaker."""
    if not MICROPYTHON:
        import os

        return os.urandom(count)
    try:
        import js  # type: ignore[import-not-found]

        array = js.Uint8Array.new(count)
        js.crypto.getRandomValues(array)
        return bytes([array[index] for index in range(count)])
    except (ImportError, AttributeError, TypeError):
        return None


def equal_in_constant_time(one: "bytes", other: "bytes") -> "bool":
    """Whether two byte strings are equal, in a time that doesn't tell where they differ."""
    if not MICROPYTHON:
        import hmac

        return hmac.compare_digest(one, other)
    # Of digests, for which nobody can choose where they differ; a loop in Python takes ten times as long.
    return hashlib.sha256(one).digest() == hashlib.sha256(other).digest()


def page() -> "Any":
    """The page's window, or None where this Python runs in none: on a server, in Node, in a worker."""
    try:
        import js
    except ImportError:
        return None
    return js.window if hasattr(js, "open") else None  # PyScript lends its workers a document, and no open


def call(target: "Any", name: "str", *arguments: "Any") -> "Any":
    """`target.name(*arguments)`, for the window's functions, and those that other targets share with it.

    MicroPython 1.27 has one object for such a function, which is bound or not as whoever asked for it last:
    after `element.addEventListener(...)`, or `js.window.open(...)`, it calls `js.addEventListener`, or
    `js.open`, on the first argument. This neither suffers from that nor causes it.
    """
    if not MICROPYTHON:
        return getattr(target, name)(*arguments)
    import js

    return js.Reflect.apply(getattr(js, name), target, js.Array.of(*arguments))


def is_null(value: "Any") -> bool:
    """Whether JavaScript has nothing there: Pyodide has an object for null."""
    if value is None or MICROPYTHON:
        return value is None
    from pyodide import ffi  # type: ignore[import-not-found]

    return value is getattr(ffi, "jsnull", None)


def to_js(function: "Callable[..., None]") -> "Any":
    """The function as JavaScript may keep it; one object, so that what was added can be removed again."""
    if MICROPYTHON:
        from jsffi import create_proxy  # type: ignore[import-not-found]
    else:
        from pyodide.ffi import create_proxy  # type: ignore[import-not-found]
    return create_proxy(function)


def release(proxy: "Any") -> "None":
    """Let go of what `to_js` made: Pyodide would keep it for ever, MicroPython collects it like any object."""
    if not MICROPYTHON:
        proxy.destroy()


def environment() -> "dict[str, str] | None":
    """The environment variables, or None when this Python has none (MicroPython)."""
    import os

    found = getattr(os, "environ", None)
    return None if found is None else dict(found)


def warn_deprecated(text: "str") -> "None":
    """Say once that something is deprecated, at the line of the first caller outside this package.

    Once per set of warning filters: a program hears it once, and so does each block of
    `warnings.catch_warnings()`, which has a list of filters of its own. Silent on MicroPython, which has no
    warnings.
    """
    if MICROPYTHON:
        return
    import warnings

    if _warned.get(text) is warnings.filters:
        return
    _warned[text] = warnings.filters
    level = 1
    frame = sys._getframe(0)
    package = __name__.partition(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame = frame.f_back
        level += 1
    warnings.warn(text, DeprecationWarning, stacklevel=level)


def _utf8_length(number: "int") -> "int":
    # RFC 3629, 3: each number has one form, and none lies beyond 10FFFF.
    for length, end in ((1, 0x80), (2, 0x800), (3, 0x10000), (4, 0x110000)):
        if number < end:
            return length
    raise UnicodeError("no character")


def _refuse_surrogates(raw: "bytes") -> "None":
    for index in range(len(raw) - 1):
        if raw[index] == 0xED and raw[index + 1] >= 0xA0:
            raise UnicodeError("surrogates not allowed")
