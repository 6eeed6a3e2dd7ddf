"""An attempt: one try at connecting, from launch to outcome, and how it travels.

Nothing about a pending attempt is kept on the server. Two sealed values carry it, and only together
are they worth anything: the state goes to Connect and back, the cookie stays in the browser that
launched. The cookie holds a digest of its state, because an attempt's id is chosen by the page and
therefore known to others; somebody who launches with the same id gets another state.
"""

import hashlib
import json
import re
import secrets
from typing import Any, NamedTuple

from .seal import Sealer, to_bytes, to_json, to_text

ID_BYTES = 16
ID_LENGTH = 22  # in base64url
NONCE_BYTES = 12
LARGEST_DATA = 1024
OUTCOME_SECONDS = 300


class Outcome(NamedTuple):
    """How an attempt ended.

    Args:
        outcome: "granted" or "failed".
        code: None when granted, else an error's code or "handler_failed".
        data: JSON that the application's function returned for the page, or None.
    """

    outcome: str
    code: str | None = None
    data: Any = None


PENDING = Outcome("pending")
UNKNOWN = Outcome("unknown")


class Attempt(NamedTuple):
    """What is known of one attempt, read back from its cookie.

    Args:
        id: 16 bytes as base64url, made by the page; a name, not a secret.
        issued: When it was launched, seconds since 1970.
        digest: Of the state that belongs to it.
        subject: What `identify` said at launch.
        return_to: Path on this site, or None.
        app_state: JSON object sealed by the application, or None.
        page_origin: Origin of the page that waits for the outcome, or None without a pop-up.
        stable_asset: The page loaded the module under its stable name.
        outcome: None while pending.
    """

    id: str
    issued: int
    digest: str
    subject: str | int | None = None
    return_to: str | None = None
    app_state: dict[str, Any] | None = None
    page_origin: str | None = None
    stable_asset: bool = False
    outcome: Outcome | None = None

    def ended(self, outcome: Outcome) -> "Attempt":
        """This attempt with its outcome."""
        return Attempt(*self[:-1], outcome)


def make_id() -> str:
    return to_text(secrets.token_bytes(ID_BYTES))


def is_id(text: str) -> bool:
    """Exactly the base64url of 16 bytes: safe as part of a cookie's name and of a path."""
    return _ID(text) is not None


# The last of 22 characters carries four bits; any other there would be a second spelling of the same id.
_ID = re.compile("[A-Za-z0-9_-]{21}[AQgw]").fullmatch


def make_state(sealer: Sealer, attempt: str, issued: int) -> str:
    """A state for this attempt: its id, a nonce, the time, and the signature over them."""
    return sealer.seal_state(to_bytes(attempt) + secrets.token_bytes(NONCE_BYTES) + issued.to_bytes(4, "big"))


def open_state(sealer: Sealer, state: str) -> tuple[str, int] | None:
    """The attempt's id and the time of launch, or None when the state is not ours."""
    content = sealer.open_state(state)
    if content is None or len(content) != ID_BYTES + NONCE_BYTES + 4:
        return None
    return to_text(content[:ID_BYTES]), int.from_bytes(content[-4:], "big")


def read_issued(state: str) -> int | None:
    """When a state says that it was made, whoever sealed it; None where it is no state of ours."""
    try:
        content = to_bytes(state.partition(".")[0])
    except ValueError:
        return None
    return int.from_bytes(content[-4:], "big") if len(content) == ID_BYTES + NONCE_BYTES + 4 else None


def digest_of(state: str) -> str:
    return to_text(hashlib.sha256(state.encode()).digest()[:15])


def record_of(attempt: Attempt) -> str:
    """The attempt's name in the store. With the digest, for somebody else may have launched with its id."""
    return f"{attempt.id}.{attempt.digest}"


def seal(sealer: Sealer, attempt: Attempt) -> str:
    """The cookie's value. Once there is an outcome, the person and the application's state are left out."""
    common = [
        attempt.id,
        attempt.issued,
        attempt.digest,
        attempt.return_to,
        attempt.page_origin,
        attempt.stable_asset,
    ]
    if attempt.outcome is None:
        return sealer.seal_cookie([*common, attempt.subject, attempt.app_state])
    return sealer.seal_cookie([*common, _values(attempt.outcome)])


def unseal(sealer: Sealer, attempt_id: str, value: str) -> Attempt | None:
    """The attempt of a cookie, or None when the seal is not ours or names another attempt."""
    content = sealer.open_cookie(value)
    try:
        id_, issued, digest, return_to, page_origin, stable_asset, *rest = content
    except (TypeError, ValueError):  # no seal of ours, or the cookie of another version of this package
        return None
    if id_ != attempt_id:
        return None
    subject, app_state = rest if len(rest) == 2 else (None, None)
    outcome = Outcome(*rest[0]) if len(rest) == 1 else None
    return Attempt(id_, issued, digest, subject, return_to, app_state, page_origin, stable_asset, outcome)


def write_outcome(outcome: Outcome) -> str:
    """As text, for a store; data that is too large for a cookie stays behind."""
    return to_json(_values(outcome))


def read_outcome(text: str) -> Outcome:
    return Outcome(*json.loads(text))


def _values(outcome: Outcome) -> list[Any]:
    data = outcome.data
    if data is not None and len(to_json(data)) > LARGEST_DATA:
        data = None
    return [outcome.outcome, outcome.code, data]
