"""Who asks, and what they may reach: credentials read, tokens looked up. The API's answers stand elsewhere."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from .api_errors import ApiRefusal
from .records import Connection, Grant, Records
from .settings import API_CLIENT_PREFIX, Settings


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Name and secret of an `Authorization: Basic` header; None if it holds none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, secret) if colon else None


def bearer_token(header: str) -> str:
    """The token of an `Authorization: Bearer` header; "" if it holds none."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Caller:
    """An application, as itself or in one user's name.

    Attributes:
        user_id: whom it speaks about; None for everybody.
        grant: of its token, if that is a user's.
    """

    user_id: str | None
    grant: Grant | None


class Access:
    """Looks up who may do what."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.settings = settings
        self.records = records

    def grant(self, authorization: str) -> Grant:
        """The grant behind a user's access token.

        Raises:
            ApiRefusal: there is none, or it isn't good any more.
        """
        text = bearer_token(authorization)
        token = self.records.access_tokens.get(text)
        now = self.settings.clock()
        if token is not None and token.expires_at > now:
            return token.grant
        raise ApiRefusal("AUTHENTICATION", hint=self._why_not(text, now))

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who makes this call to API v3: with a user's token, or an application's and `sc-user-id`.

        Raises:
            ApiRefusal: the token isn't good, or it is one user's and the header names another.
        """
        text = bearer_token(headers.get("authorization", ""))
        user_id = headers.get("sc-user-id") or None
        if self.records.application_tokens.get(text, 0.0) > self.settings.clock():
            return Caller(user_id, None)
        grant = self.grant(headers.get("authorization", ""))
        if user_id not in (None, grant.user_id):
            raise ApiRefusal("PERMISSION", hint="The token is one user's, and sc-user-id names another.")
        return Caller(grant.user_id, grant)

    def connections(self, caller: Caller) -> list[Connection]:
        """The connections that this caller may see, the latest first."""
        return [each for each in self.records.connections_by_age() if self._reaches(caller, each)]

    def manages(self, token: str) -> bool:
        """Whether this is the application management token (AMT)."""
        wanted = self.settings.management_token
        if wanted is not None:
            return token == wanted
        return bool(token) and token not in self.records.access_tokens  # a likely mistake

    def _reaches(self, caller: Caller, connection: Connection) -> bool:
        if caller.grant is not None:
            return self.records.connection(caller.grant, connection.vehicle_id) is connection
        return caller.user_id in (None, connection.user_id)

    def _why_not(self, token: str, now: float) -> str:
        if not token:
            return "Send the access token as Authorization: Bearer <token>."
        until = self.records.application_tokens.get(token)
        if token in self.records.access_tokens or (until is not None and until <= now):
            return "This token has expired. Get a new one."
        if until is not None:
            return "This is an application's token. API v2.0 wants a user's; API v3 takes it with sc-user-id."
        if token in self.records.refresh_tokens:
            return "This is a refresh token. Exchange it at /oauth/token."
        if token in self.records.codes:
            return "This is an authorization code. Exchange it at /oauth/token."
        if token.startswith(API_CLIENT_PREFIX):
            return "This is a client id. Get a token at /oauth2/token."
        return "No such token was given out here."
