"""Sealing: everything that leaves the server and is believed when it comes back carries a signature here.

Three kinds of seal, each with a salt of its own, so that one can never be passed off as another: the
state parameter, the attempt's cookie, and launch options. Sealed text is signed, not encrypted: the
person's own browser could read it, and it holds nothing that the person may not see.
"""

import hmac
import json
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from typing import Any

from itsdangerous import BadData, Signer

from smartcar_auth.errors import ConfigurationError

SHORTEST_KEY = 32

# ASCII, because a lone surrogate in an application's own text has no UTF-8 form, but can be written in JSON.
to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_DECODER = json.JSONDecoder()


class Sealer:
    """Signs with the first key and accepts any of them.

    Args:
        secret_keys: Text or bytes of at least 32 bytes each, newest first.
        application_id: Part of every salt: a seal made for one application is nothing to another.
    """

    def __init__(self, secret_keys: str | bytes | Iterable[str | bytes], application_id: str) -> None:
        keys = _checked_keys(secret_keys)
        self.key_count = len(keys)
        self.placeholders = sum(
            map(_looks_like_placeholder, keys)
        )  # told here: the keys themselves aren't kept
        keys.reverse()  # itsdangerous wants the newest last

        def signer(purpose: str) -> Signer:
            salt = f"smartcar-auth/{purpose}/{application_id}".encode()
            return _Signer([hmac.digest(key, salt, "sha256") for key in keys])

        self._states = signer("state")
        self._cookies = signer("cookie")
        self._options = signer("launch")

    def seal_state(self, content: bytes) -> str:
        return _seal(self._states, content)

    def open_state(self, state: str) -> bytes | None:
        """The content, or None when the signature is not ours."""
        return _open(self._states, state)

    def seal_cookie(self, content: list[Any]) -> str:
        return _seal_json(self._cookies, content)

    def open_cookie(self, value: str) -> Any:
        return _open_json(self._cookies, value)

    def seal_options(self, content: dict[str, Any]) -> str:
        return _seal_json(self._options, content)

    def open_options(self, value: str) -> Any:
        return _open_json(self._options, value)


class _Signer(Signer):
    """itsdangerous's seal, under keys derived once and not for every seal.

    Signatures are compared as they are spelled: base64 has spare bits, and Python skips what is none of it, so
    that more than one text stands for the same bytes.

    Args:
        keys: Of 32 bytes, the newest last.
    """

    def __init__(self, keys: list[bytes]) -> None:
        super().__init__(keys)
        # What the padded keys do to the hash "can be precomputed only once at the time of generation of the key"
        # (RFC 2104, section 4); for each seal such an object is copied.
        self._newest_first = [hmac.new(key, digestmod="sha256") for key in reversed(keys)]

    def get_signature(self, value: bytes) -> bytes:  # type: ignore[override]
        return _signature(self._newest_first[0], value)

    def verify_signature(self, value: bytes, sig: bytes) -> bool:  # type: ignore[override]
        for mac in self._newest_first:  # noqa: SIM110 (a generator for one key takes as long as half a signature)
            if hmac.compare_digest(_signature(mac, value), sig):
                return True
        return False


def _signature(keyed: hmac.HMAC, value: bytes) -> bytes:
    mac = keyed.copy()
    mac.update(value)
    return _base64url(mac.digest())


def _seal(signer: Signer, content: bytes) -> str:
    return signer.sign(_base64url(content)).decode()


def _seal_json(signer: Signer, content: Any) -> str:
    return _seal(signer, to_json(content).encode())


def _open_json(signer: Signer, sealed: str) -> Any:
    content = _open(signer, sealed)
    return (
        None if content is None else _DECODER.raw_decode(content.decode())[0]
    )  # nothing of ours comes after it


def _open(signer: Signer, sealed: str) -> bytes | None:
    try:
        return _from_base64url(signer.unsign(sealed))
    except (BadData, UnicodeEncodeError):
        return None


def _checked_keys(secret_keys: str | bytes | Iterable[str | bytes]) -> list[bytes]:
    try:
        keys = [secret_keys] if isinstance(secret_keys, str | bytes) else list(secret_keys)
    except TypeError:
        raise ConfigurationError(
            f"secret_keys must be a key or a list of keys, not {type(secret_keys).__name__}."
        ) from None
    checked = []
    for position, key in enumerate(keys):
        if not isinstance(key, str | bytes):
            raise ConfigurationError(
                f"secret_keys[{position}] must be text or bytes, not {type(key).__name__}."
            )
        raw = key.encode() if isinstance(key, str) else key
        if len(raw) < SHORTEST_KEY:
            raise ConfigurationError(
                f"secret_keys[{position}] has {len(raw)} bytes; at least {SHORTEST_KEY} are needed. "
                "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        checked.append(raw)
    if not checked:
        raise ConfigurationError("secret_keys is empty; give at least one key, the newest first.")
    return checked


def _looks_like_placeholder(key: bytes) -> bool:
    """Whether a key is rather a sentence, or one letter over and over, than random."""
    return len(set(key)) < 8 or _PLACEHOLDER.search(key) is not None


# Long enough that a random key holds one by chance once in a million.
_PLACEHOLDER = re.compile(
    rb"change|default|dummy|example|insecure|password|placeholder|replace|secret|your[-_ ]|32[-_ ]?bytes",
    re.IGNORECASE,
)


def to_text(content: bytes) -> str:
    """base64url without padding (RFC 4648, section 5)."""
    return _base64url(content).decode()


def _base64url(content: bytes) -> bytes:
    return b2a_base64(content, newline=False).translate(_TO_URL).rstrip(b"=")


def to_bytes(text: str) -> bytes:
    """What `to_text` wrote.

    Raises:
        ValueError: No base64.
    """
    return _from_base64url(text.encode("ascii"))


def _from_base64url(text: bytes) -> bytes:
    return a2b_base64(text.translate(_FROM_URL) + b"==")


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
