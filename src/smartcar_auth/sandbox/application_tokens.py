"""The token endpoint of API credentials (M2M): client credentials in, an application's token out (docs/wire.md)."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .access import basic_credentials
from .records import APPLICATION_TOKEN_SECONDS, Records
from .settings import API_CLIENT_PREFIX, Settings
from .tokens import TokenRefusal, oauth_answer, read_form


class ApplicationTokens:
    """The token endpoint of applications, which knows no users and no refresh tokens."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.settings = settings
        self.records = records
        self.routes = [
            Route(path, self.answer, methods=["POST"]) for path in ("/oauth2/token", "/oauth2/token/")
        ]

    async def answer(self, request: Request) -> Response:
        """Give an application its token."""
        return await oauth_answer(request, self._answer)

    def _answer(self, request: Request, body: bytes) -> dict[str, Any]:
        form = _parameters(request, body)
        given = basic_credentials(request.headers.get("authorization", ""))
        client_id, secret = given or (form.get("client_id", ""), form.get("client_secret", ""))
        if not self.settings.knows_api_client(client_id, secret):
            raise TokenRefusal(
                "invalid_client", "Client authentication failed.", 401, hint=_why_not(client_id)
            )
        if form.get("grant_type") != "client_credentials":
            hint = "An application gets its token with grant_type=client_credentials."
            raise TokenRefusal("invalid_request", "Invalid parameter grant_type.", hint=hint)
        token = self.settings.ids.uuid()
        self.records.application_tokens.put(token, self.settings.clock() + APPLICATION_TOKEN_SECONDS)
        return {"access_token": token, "token_type": "Bearer", "expires_in": APPLICATION_TOKEN_SECONDS}


def _parameters(request: Request, body: bytes) -> dict[str, str]:
    # Smartcar's reference says JSON and its examples are forms.
    if not request.headers.get("content-type", "").startswith("application/json"):
        return read_form(request, body)
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise TokenRefusal("invalid_request", "The body is not a JSON object.")
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _why_not(client_id: str) -> str:
    if not client_id:
        return "Send client_id and client_secret in the body."
    if not client_id.startswith(API_CLIENT_PREFIX):
        return (
            f"Ids of API credentials begin with {API_CLIENT_PREFIX}; an Application ID goes to /oauth/token."
        )
    return "The secret is wrong, or this sandbox was started with other credentials."
