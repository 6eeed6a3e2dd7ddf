"""What a sandbox is told when it is made: applications, redirect URIs, clock, randomness.

Everything that changes while it runs lives in `records`; nothing here does.
"""

import os
import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from secrets import token_urlsafe
from urllib.parse import urlsplit

from .users import User

_PRINTABLE = re.compile(r"[!-\[\]-~]+", re.A)  # ASCII without space, control characters and backslash
API_CLIENT_PREFIX = "client_"  # of M2M credentials; an Application ID is a UUID
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Clock:
    """The time in a sandbox, in seconds since 1970, which a test can move."""

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._real() + self._ahead

    def move(self, seconds: float) -> None:
        """Let time pass, for codes, tokens and attempts to expire."""
        self._ahead += seconds

    def reset(self) -> None:
        """Show the real time again."""
        self._ahead = 0.0


class Ids:
    """Makes the ids of one sandbox: unguessable without a seed, repeatable with one."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """Begin the sequence again."""
        self._random = None if self._seed is None else random.Random(self._seed)  # noqa: S311 (asked for)

    def uuid(self) -> str:
        """A version 4 UUID: codes, tokens and request ids look like this at Smartcar."""
        if self._random is not None:
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        digits = os.urandom(16).hex()  # uuid.uuid4 takes three times as long to say the same
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def path_segment(self) -> str:
        """128 bits that are safe in a URL path: who knows it can steer that attempt."""
        if self._random is None:
            return token_urlsafe(16)
        return f"{self._random.getrandbits(128):032x}"


@dataclass(frozen=True, slots=True)
class Settings:
    """One sandbox's configuration, the counterpart of Smartcar's dashboard."""

    applications: Mapping[str, str] | None = None
    redirect_uris: tuple[str, ...] | None = None
    application_name: str = "Sample app"
    keeps: bool = False  # whether it has a file that outlives it
    management_token: str | None = None  # the AMT; None accepts any
    strict: bool = True  # whether an unknown parameter is refused, for it is a misspelt one
    clock: Clock = field(default_factory=Clock)
    ids: Ids = field(default_factory=Ids)
    users: Mapping[str, User] = field(default_factory=dict)  # by name, beside those who may log in anyway

    def knows_application(self, application_id: str) -> bool:
        """Whether Connect would show this application; M2M ids never are one."""
        if not application_id or application_id.startswith(API_CLIENT_PREFIX):
            return False
        return self.applications is None or application_id in self.applications

    def knows_secret(self, application_id: str, secret: str) -> bool:
        """Whether the token endpoint accepts these credentials."""
        if not self.knows_application(application_id):
            return False
        # A sandbox on one's own machine: the secret guards nothing, so comparing in plain time is fine.
        return self.applications is None or self.applications[application_id] == secret

    def knows_api_client(self, client_id: str, secret: str) -> bool:
        """Whether these are M2M credentials that get a token."""
        if not client_id.startswith(API_CLIENT_PREFIX) or not secret:
            return False
        return self.applications is None or self.applications.get(client_id) == secret

    def refusal_of(self, redirect_uri: str, application_id: str) -> str | None:
        """Why this redirect URI may not be used, in words for a developer; None if it may.

        A given list matches byte for byte, as the dashboard's does.
        """
        if self.redirect_uris is not None:
            return None if redirect_uri in self.redirect_uris else _not_registered(self.redirect_uris)
        return malformed(redirect_uri, application_id)


def _not_registered(registered: tuple[str, ...]) -> str:
    uris = ", ".join(registered) or "none"
    return f"It must equal a registered redirect URI, character for character. Registered here: {uris}."


@lru_cache(maxsize=256)
def malformed(redirect_uri: str, application_id: str) -> str | None:
    """Why no dashboard would register this redirect URI; None if one would.

    Printable ASCII only: a line break would split the Location header, and browsers read a
    backslash as a slash, so `https://good.example\\@evil.example` names another host to them than to us.
    """
    if not _PRINTABLE.fullmatch(redirect_uri):
        return "It contains a space, a backslash, a control character or a letter outside ASCII."
    if "#" in redirect_uri:
        return "It must not contain a fragment (#)."
    try:
        parts = urlsplit(redirect_uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "It is not a URL."
    scheme = parts.scheme.lower()
    if scheme == "https" and host:
        return None
    if scheme == "http" and host:
        return None if host in LOOPBACK else "Off localhost it must start with https://."
    if scheme == f"sc{application_id}".lower() and redirect_uri[len(scheme) :].startswith("://"):
        return None
    return "It must start with https://, with http://localhost, or with sc<application id>://."
