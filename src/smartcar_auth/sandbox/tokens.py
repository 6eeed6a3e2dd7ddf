"""The token endpoint: codes and refresh tokens in, access tokens out (docs/wire.md)."""

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .connect import FormTooLong, read_body
from .pages import json_answer
from .records import (
    ACCESS_TOKEN_SECONDS,
    REFRESH_GRACE_SECONDS,
    REFRESH_TOKEN_SECONDS,
    Grant,
    Records,
    Token,
)
from .request import read_pairs
from .settings import Settings

_HEADERS = {"cache-control": "no-store"}
_BODY_LIMIT = 65_536


class TokenRefusal(Exception):
    """A token request answered with an OAuth error (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400, retry_after: int = 0) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.retry_after = retry_after


class Tokens:
    """The token endpoint of one sandbox."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.settings = settings
        self.records = records
        # The official SDKs disagree about the path: they all find it here.
        self.routes = [
            Route(path, self.answer, methods=["POST"]) for path in ("/oauth/token", "/oauth/token/", "/")
        ]
        self._grants = {"authorization_code": self._exchange, "refresh_token": self._refresh}

    async def answer(self, request: Request) -> Response:
        """Exchange a code or a refresh token."""
        try:
            body = await read_body(request, _BODY_LIMIT)
            return json_answer(self._answer(request, body), 200, _HEADERS)
        except TokenRefusal as refusal:
            body_json = {"error": refusal.error, "error_description": refusal.description}
            headers = {**_HEADERS, "www-authenticate": "Basic"} if refusal.status == 401 else dict(_HEADERS)
            if refusal.retry_after:
                headers["retry-after"] = str(refusal.retry_after)
            return json_answer(body_json, refusal.status, headers)
        except (FormTooLong, ClientDisconnect):
            body_json = {"error": "invalid_request", "error_description": "The request body is too long."}
            return json_answer(body_json, 413, _HEADERS)

    def _answer(self, request: Request, body: bytes) -> dict[str, Any]:
        form = _form(request, body)
        application_id = self._application(request, form)
        grant_type = form.get("grant_type", "")
        if not grant_type:
            raise TokenRefusal("invalid_request", "Missing parameter grant_type.")
        handle = self._grants.get(grant_type)
        if handle is None:
            raise TokenRefusal("unsupported_grant_type", f"Unsupported grant_type: {grant_type}.")
        return handle(form, application_id)

    def _application(self, request: Request, form: dict[str, str]) -> str:
        credentials = _basic(request.headers.get("authorization", ""))
        if credentials is None and "client_id" in form and "client_secret" in form:
            credentials = form["client_id"], form["client_secret"]
        if credentials is not None:
            # RFC 6749, 2.3.1 form-encodes them first; the official SDKs don't. Either is right here.
            decoded = unquote_plus(credentials[0]), unquote_plus(credentials[1])
            for application_id, secret in (credentials, decoded):
                if self.settings.knows_secret(application_id, secret):
                    return application_id
        raise TokenRefusal("invalid_client", "Client authentication failed.", 401)

    def _exchange(self, form: dict[str, str], application_id: str) -> dict[str, Any]:
        text = form.get("code", "")
        code = self.records.codes.get(text)
        now = self.settings.clock()
        if code is None or code.expires_at <= now or code.grant.application_id != application_id:
            raise TokenRefusal("invalid_request", f"Invalid code: {text}.")
        if code.trouble is not None:
            trouble, code.trouble = code.trouble, None
            raise TokenRefusal(*trouble)
        redirect_uri = form.get("redirect_uri")
        # Left out by SDKs whose redirect URI is configured in the dashboard.
        if redirect_uri is not None and redirect_uri != code.redirect_uri:
            raise TokenRefusal("invalid_request", f"Invalid redirect_uri: {redirect_uri}.")
        del self.records.codes[text]
        return self._pair(code.grant, now)

    def _refresh(self, form: dict[str, str], application_id: str) -> dict[str, Any]:
        text = form.get("refresh_token", "")
        token = self.records.refresh_tokens.get(text)
        now = self.settings.clock()
        if token is None or token.expires_at <= now or token.grant.application_id != application_id:
            raise TokenRefusal("invalid_request", f"Invalid refresh_token: {text}.")
        # A second use within the grace time gets a pair of its own: an answer may have been lost.
        token.expires_at = min(token.expires_at, now + REFRESH_GRACE_SECONDS)
        return self._pair(token.grant, now)

    def _pair(self, grant: Grant, now: float) -> dict[str, Any]:
        access_token, refresh_token = self.settings.ids.uuid(), self.settings.ids.uuid()
        self.records.access_tokens.put(access_token, Token(grant, now + ACCESS_TOKEN_SECONDS))
        self.records.refresh_tokens.put(refresh_token, Token(grant, now + REFRESH_TOKEN_SECONDS))
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_SECONDS,
            "refresh_token": refresh_token,
        }


def _form(request: Request, body: bytes) -> dict[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise TokenRefusal("invalid_request", "Send the parameters as application/x-www-form-urlencoded.")
    try:
        pairs = read_pairs(body, limit=50)
    except ValueError:
        raise TokenRefusal("invalid_request", "Too many parameters.") from None
    return {name: value for name, value in reversed(pairs) if value}


def _basic(header: str) -> tuple[str, str] | None:
    """The credentials of an Authorization header; None if it holds none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        application_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (application_id, secret) if colon else None
