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
from itsdangerous.signer import SigningAlgorithm

from smartcar_auth.errors import ConfigurationError

SHORTEST_KEY = 32

# ASCII, because a lone surrogate in an application's own text has no UTF-8 form, but can be written in JSON.
to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


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
            # Each purpose has keys of its own, derived here once: itsdangerous would do it for every seal.
            salt = f"smartcar-auth/{purpose}/{application_id}".encode()
            derived = [hmac.digest(key, salt, "sha256") for key in keys]
            return Signer(derived, salt=salt, key_derivation="none", algorithm=_HmacSha256())

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


class _HmacSha256(SigningAlgorithm):
    """HMAC with SHA-256 in one call, three times as fast as the library's own, which makes an object for it."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha256")


def _seal(signer: Signer, content: bytes) -> str:
    return signer.sign(to_text(content)).decode()


def _seal_json(signer: Signer, content: Any) -> str:
    return _seal(signer, to_json(content).encode())


def _open_json(signer: Signer, sealed: str) -> Any:
    content = _open(signer, sealed)
    return None if content is None else json.loads(content)


def _open(signer: Signer, sealed: str) -> bytes | None:
    try:
        return to_bytes(signer.unsign(sealed).decode()) if _is_canonical(sealed) else None
    except (BadData, ValueError):  # ValueError: not encodable, or not base64
        return None


def _is_canonical(sealed: str) -> bool:
    """Whether the signature is spelled as we spell it: base64 has spare bits, and Python skips what is none."""
    signature = sealed.rpartition(".")[2]
    return to_text(to_bytes(signature)) == signature


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
    return b2a_base64(content, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def to_bytes(text: str) -> bytes:
    """What `to_text` wrote.

    Raises:
        ValueError: No base64.
    """
    return a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"==")


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
