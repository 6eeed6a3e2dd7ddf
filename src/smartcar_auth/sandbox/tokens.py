"""The token endpoint: codes and refresh tokens in, access tokens out (docs/wire.md)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .access import basic_credentials
from .connect import FormTooLong, read_body
from .pages import HINT, json_answer
from .records import (
    ACCESS_TOKEN_SECONDS,
    REFRESH_GRACE_SECONDS,
    REFRESH_TOKEN_SECONDS,
    Code,
    Grant,
    Records,
    Token,
)
from .request import read_pairs
from .settings import API_CLIENT_PREFIX, Settings

_HEADERS = {"cache-control": "no-store"}
_BODY_LIMIT = 65_536


class TokenRefusal(Exception):
    """A token request answered with an OAuth error (RFC 6749, 5.2); the hint is for developers."""

    def __init__(
        self, error: str, description: str, status: int = 400, retry_after: int = 0, hint: str = ""
    ) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.retry_after = retry_after
        self.hint = hint


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
        return await oauth_answer(request, self._answer)

    def _answer(self, request: Request, body: bytes) -> dict[str, Any]:
        form = read_form(request, body)
        application_id = self._application(request, form)
        grant_type = form.get("grant_type", "")
        if not grant_type:
            raise TokenRefusal("invalid_request", "Missing parameter grant_type.")
        handle = self._grants.get(grant_type)
        if handle is None:
            raise TokenRefusal("unsupported_grant_type", f"Unsupported grant_type: {grant_type}.")
        return handle(form, application_id)

    def _application(self, request: Request, form: dict[str, str]) -> str:
        credentials = basic_credentials(request.headers.get("authorization", ""))
        if credentials is None and "client_id" in form and "client_secret" in form:
            credentials = form["client_id"], form["client_secret"]
        if credentials is not None:
            # RFC 6749, 2.3.1 form-encodes them first; the official SDKs don't. Either is right here.
            decoded = unquote_plus(credentials[0]), unquote_plus(credentials[1])
            for application_id, secret in (credentials, decoded):
                if self.settings.knows_secret(application_id, secret):
                    return application_id
        hint = _why_not(credentials[0] if credentials else "")
        raise TokenRefusal("invalid_client", "Client authentication failed.", 401, hint=hint)

    def _exchange(self, form: dict[str, str], application_id: str) -> dict[str, Any]:
        text = form.get("code", "")
        code = self.records.codes.get(text)
        now = self.settings.clock()
        if code is None or code.used or code.expires_at <= now or code.grant.application_id != application_id:
            raise TokenRefusal("invalid_request", f"Invalid code: {text}.", hint=_why_no_code(code, now))
        if code.trouble is not None:
            trouble, code.trouble = code.trouble, None
            raise TokenRefusal(*trouble)
        redirect_uri = form.get("redirect_uri")
        # Left out by SDKs whose redirect URI is configured in the dashboard.
        if redirect_uri is not None and redirect_uri != code.redirect_uri:
            hint = "It must be the one that Connect was opened with, byte for byte."
            raise TokenRefusal("invalid_request", f"Invalid redirect_uri: {redirect_uri}.", hint=hint)
        pair = self._pair(code.grant, now)
        code.used = True
        self.records.codes.put(text, code)
        return pair

    def _refresh(self, form: dict[str, str], application_id: str) -> dict[str, Any]:
        text = form.get("refresh_token", "")
        token = self.records.refresh_tokens.get(text)
        now = self.settings.clock()
        if token is None or token.expires_at <= now or token.grant.application_id != application_id:
            hint = _why_no_token(token, now)
            raise TokenRefusal("invalid_request", f"Invalid refresh_token: {text}.", hint=hint)
        pair = self._pair(token.grant, now)
        # A second use within the grace time gets a pair of its own: an answer may have been lost.
        token.expires_at = min(token.expires_at, now + REFRESH_GRACE_SECONDS)
        self.records.refresh_tokens.put(text, token)
        return pair

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


async def oauth_answer(request: Request, answer: Callable[[Request, bytes], dict[str, Any]]) -> Response:
    """The answer to a token request, or its refusal, as OAuth writes them."""
    try:
        return json_answer(answer(request, await read_body(request, _BODY_LIMIT)), 200, _HEADERS)
    except (FormTooLong, ClientDisconnect):
        refusal = TokenRefusal("invalid_request", "The request body is too long.", 413)
    except TokenRefusal as error:
        refusal = error
    headers = dict(_HEADERS)
    if refusal.status == 401:
        headers["www-authenticate"] = "Basic"
    if refusal.retry_after:
        headers["retry-after"] = str(refusal.retry_after)
    if refusal.hint:
        headers[HINT] = refusal.hint
    body = {"error": refusal.error, "error_description": refusal.description}
    return json_answer(body, refusal.status, headers)


def read_form(request: Request, body: bytes) -> dict[str, str]:
    """The parameters of a form; of a repeated one the first, and none without a value.

    Raises:
        TokenRefusal: it is no form, or a monstrous one.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise TokenRefusal("invalid_request", "Send the parameters as application/x-www-form-urlencoded.")
    try:
        pairs = read_pairs(body, limit=50)
    except ValueError:
        raise TokenRefusal("invalid_request", "Too many parameters.") from None
    return {name: value for name, value in reversed(pairs) if value}


def _why_not(client_id: str) -> str:
    if client_id.startswith(API_CLIENT_PREFIX):
        return "This is an id of API credentials: they get their token at /oauth2/token. Send the Application ID."
    if not client_id:
        return "Send the Application ID and its secret as HTTP Basic, or as client_id and client_secret."
    return "The secret is wrong, or this sandbox was started with other applications."


def _why_no_code(code: Code | None, now: float) -> str:
    if code is None:
        return "No such code was given out here."
    if code.used:
        return "This code was exchanged already: a code works once."
    if code.expires_at <= now:
        return "This code has expired: it lives ten minutes."
    return "This code was made for another application."


def _why_no_token(token: Token | None, now: float) -> str:
    if token is None:
        return "No such refresh token was given out here."
    if token.expires_at <= now:
        return "It has expired: ten minutes after it was used, or after sixty days. The newest one works."
    return "This refresh token was made for another application."
