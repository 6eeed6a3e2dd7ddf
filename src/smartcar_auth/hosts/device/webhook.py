"""A waiter that is told by Smartcar's webhooks: the application's route hands their bodies in, unbelieved.

What is known of the payloads stands in docs/wire.md. Only what is signed with the application management token counts.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from threading import Condition
from typing import TYPE_CHECKING, Any

from smartcar_auth import ConfigurationError, InvalidResponse

from .reading import at

if TYPE_CHECKING:
    from .handoff import HandOff

_MANY_DELIVERIES = 1_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


class Webhook:
    """Takes deliveries in one thread and lets any number of waits in others know. Within one process.

    With several processes let the route write to your database, and wait with a function that reads it there.

    Args:
        management_token: The application management token, which Smartcar signs with.

    Raises:
        ConfigurationError: It is empty.
    """

    def __init__(self, management_token: str) -> None:
        if not management_token:
            raise ConfigurationError(
                "management_token must be the application management token of the Smartcar dashboard."
            )
        self._key = management_token.encode()
        self._arrived = Condition()
        self._found: dict[str, dict[str, str]] = {}

    def receive(self, body: bytes, signature: str | None) -> dict[str, str]:
        """Take what came to the route, and get what it answers as JSON, with status 200.

        Args:
            body: As it came, undecoded.
            signature: The field SC-Signature.

        Raises:
            InvalidResponse: It isn't signed by Smartcar, or can't be read: answer with status 401 and believe nothing.
        """
        event = _event(body)
        challenge = _challenge(event)
        if challenge is not None:  # not signed: the answer proves to Smartcar that the token is known here
            return {"challenge": self._digest(challenge.encode())}
        given = (signature or "").encode(errors="replace")
        if not hmac.compare_digest(self._digest(body).encode(), given):
            raise InvalidResponse("This webhook is not signed by Smartcar, so nothing of it was used.")
        found = _parameters(event)
        if found is not None:
            with self._arrived:
                self._found[found["external_id"]] = found
                if len(self._found) > _MANY_DELIVERIES:
                    del self._found[next(iter(self._found))]
                self._arrived.notify_all()
        return {}

    def __call__(self, handoff: HandOff, seconds: float) -> Mapping[str, str] | None:
        """The parameters of the attempt's connection if they are told within `seconds`, else None."""
        with self._arrived:
            self._arrived.wait_for(lambda: handoff.external_id in self._found, seconds)
            return self._found.pop(handoff.external_id, None)

    def _digest(self, content: bytes) -> str:
        return hmac.new(self._key, content, "sha256").hexdigest()


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise InvalidResponse("This webhook is no JSON object, so nothing of it was used.")
    return event


def _challenge(event: dict[str, Any]) -> str | None:
    """The challenge, if this is one.

    Raises:
        InvalidResponse: It is one that Smartcar would not send.
    """
    for kind, name, content in (("eventType", "VERIFY", "data"), ("eventName", "verify", "payload")):
        if event.get(kind) == name:
            challenge = at(event, content, "challenge")
            # Anybody may ask, and is answered with a signature. Were any text signed, he would send the body of a
            # delivery as the challenge, and then deliver it.
            if isinstance(challenge, str) and _TOKEN.fullmatch(challenge):
                return challenge
            raise InvalidResponse(
                "This webhook asks to sign more than a challenge, so nothing of it was used."
            )
    return None


def _parameters(event: dict[str, Any]) -> dict[str, str] | None:
    """What a redirect would have said; None if this delivery names no user with an external id.

    Each delivery is about one vehicle, which says nothing of how many were connected.
    """
    external_id, user_id = (at(event, "data", "user", name) for name in ("externalId", "id"))
    if not isinstance(external_id, str) or not isinstance(user_id, str):
        return None
    return {"external_id": external_id, "user_id": user_id}
