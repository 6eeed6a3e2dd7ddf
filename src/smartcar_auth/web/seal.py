"""Sealing: everything that leaves the server and is believed when it comes back carries a signature here.

Three kinds of seal, each with a salt of its own, so that one can never be passed off as another: the
state parameter, the attempt's cookie, and launch options. Sealed text is signed, not encrypted: the
person's own browser could read it, and it holds nothing that the person may not see.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer

from smartcar_auth.errors import ConfigurationError

SHORTEST_KEY = 32


class Sealer:
    """Signs with the first key and accepts any of them.

    Args:
        secret_keys: Text or bytes of at least 32 bytes each, newest first.
        application_id: Part of every salt: a seal made for one application is nothing to another.
    """

    def __init__(self, secret_keys: str | bytes | Iterable[str | bytes], application_id: str) -> None:
        keys = _checked_keys(secret_keys)
        keys.reverse()  # itsdangerous wants the newest last

        def salt(purpose: str) -> str:
            return f"smartcar-auth/{purpose}/{application_id}"

        def serializer(purpose: str) -> URLSafeSerializer:
            return URLSafeSerializer(
                keys,
                salt=salt(purpose),
                # A lone surrogate in an application's own text has no UTF-8 form, but is JSON in ASCII.
                serializer_kwargs={"ensure_ascii": True},
                signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
            )

        self._states = Signer(keys, salt=salt("state"), digest_method=hashlib.sha256, key_derivation="hmac")
        self._cookies = serializer("cookie")
        self._options = serializer("launch")

    def seal_state(self, content: bytes) -> str:
        return self._states.sign(to_text(content)).decode()

    def open_state(self, state: str) -> bytes | None:
        """The content, or None when the signature is not ours."""
        try:
            return to_bytes(self._states.unsign(state).decode()) if _is_canonical(state) else None
        except (BadData, ValueError):  # ValueError: not encodable, or not base64
            return None

    def seal_cookie(self, content: list[Any]) -> str:
        sealed: str | bytes = self._cookies.dumps(content)
        return sealed if isinstance(sealed, str) else sealed.decode()

    def open_cookie(self, value: str) -> Any:
        return _open(self._cookies, value)

    def seal_options(self, content: dict[str, Any]) -> str:
        sealed: str | bytes = self._options.dumps(content)
        return sealed if isinstance(sealed, str) else sealed.decode()

    def open_options(self, value: str) -> Any:
        return _open(self._options, value)


def _open(serializer: URLSafeSerializer, value: str) -> Any:
    try:
        return serializer.loads(value) if _is_canonical(value) else None
    except (BadData, ValueError):
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


def to_text(content: bytes) -> str:
    """base64url without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def to_bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
