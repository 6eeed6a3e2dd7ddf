"""A waiter that asks Smartcar's API v3 for the connection, with the application's own token (M2M).

What is known of the two addresses stands in docs/wire.md. By `urllib`, because a question every few seconds is worth no
dependency.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from smartcar_auth import ConfigurationError, __version__
from smartcar_auth.origin import parse_origin

from .reading import at

if TYPE_CHECKING:
    from .handoff import HandOff

_REQUEST_SECONDS = 20
_LONGEST_PAUSE_SECONDS = 60.0
_LONG_BODY = 4_000_000
_MANY_VEHICLES = 50


class _Refused(Exception):
    """An answer with another status than 200."""

    def __init__(self, error: HTTPError) -> None:
        super().__init__(f"HTTP status {error.code}")
        self.status = error.code
        self.retry_after = error.headers.get("retry-after", "")


class _NoRedirects(HTTPRedirectHandler):
    """None is documented, and following one would take the token along to wherever it leads."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Connections:
    """Asks for the connection at once and then every few seconds. For one wait at a time.

    An API that is away is asked again until the wait is over; `trouble` is what went wrong last, if it did.

    Args:
        client_id: Of the API credentials, "client_..."; not the Application ID.
        client_secret: Of the API credentials.
        every_seconds: The time between two questions.
        iam_origin, api_origin: Where Smartcar is; in tests, the sandbox's origin for both.

    Raises:
        ConfigurationError: An option can't work.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        every_seconds: float = 3.0,
        iam_origin: str = "https://iam.smartcar.com",
        api_origin: str = "https://vehicle.api.smartcar.com",
    ) -> None:
        if not client_id.startswith("client_") or not client_secret:
            raise ConfigurationError(
                "To ask for connections, pass the id and the secret of API credentials from the Smartcar dashboard: "
                'the id begins with "client_" and is not the Application ID.'
            )
        if not every_seconds > 0:
            raise ConfigurationError("every_seconds must be more than 0.")
        self.trouble: Exception | None = None
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._token_url = parse_origin(iam_origin, "iam_origin") + "/oauth2/token"
        self._connections_url = parse_origin(api_origin, "api_origin") + "/v3/connections"
        self._every_seconds = self._pause_seconds = every_seconds
        self._opener = build_opener(_NoRedirects)
        self._token = ""
        self._token_until = self._next_at = 0.0

    @classmethod
    def from_environment(cls, **options: Any) -> Connections:
        """With SMARTCAR_API_CLIENT_ID and SMARTCAR_API_CLIENT_SECRET.

        SMARTCAR_IAM_ORIGIN and SMARTCAR_VEHICLE_API_V3_ORIGIN, if set, say where Smartcar is.

        Raises:
            ConfigurationError: An option can't work, or the credentials are not there.
        """
        for name, variable in (("iam_origin", "IAM_ORIGIN"), ("api_origin", "VEHICLE_API_V3_ORIGIN")):
            if value := os.environ.get(f"SMARTCAR_{variable}"):
                options.setdefault(name, value)
        return cls(
            os.environ.get("SMARTCAR_API_CLIENT_ID", ""),
            os.environ.get("SMARTCAR_API_CLIENT_SECRET", ""),
            **options,
        )

    def __call__(self, handoff: HandOff, seconds: float) -> Mapping[str, str] | None:
        """The parameters of the attempt's connection, or None if there is none yet; about `seconds` long at most.

        Raises:
            ConfigurationError: Smartcar refuses the credentials, or them this question.
        """
        pause = self._next_at - monotonic()
        if pause > seconds:
            sleep(seconds)
            return None
        sleep(max(0.0, pause))
        found = None
        try:
            found = self._ask(handoff)
            self.trouble = None
            self._pause_seconds = self._every_seconds
        except ConfigurationError:  # which is a ValueError, too, and never goes away
            raise
        except (_Refused, OSError, HTTPException, ValueError, RecursionError) as error:
            self.trouble = error
            self._pause_seconds = _longer(self._pause_seconds, error)
        self._next_at = monotonic() + self._pause_seconds
        return found

    def _ask(self, handoff: HandOff) -> Mapping[str, str] | None:
        query = {
            "filter[user.externalId]": handoff.external_id,
            # Without this filter simulated vehicles may be left out. "test" is their older name, unknown to API v3.
            "filter[vehicle.mode]": "live" if handoff.mode == "live" else "simulated",
            "page[size]": str(_MANY_VEHICLES),
        }
        known = self._token and monotonic() < self._token_until
        if not known:
            self._renew_token()
        request = Request(f"{self._connections_url}?{urlencode(query)}")  # noqa: S310 (an origin that was parsed)
        request.add_header("Authorization", f"Bearer {self._token}")
        try:
            answer = self._fetch(request)
        except _Refused as refused:
            if refused.status == 401 and known:
                self._token = ""  # revoked, perhaps; a new one is asked for next time
            elif 400 <= refused.status < 500 and refused.status not in (408, 429):
                raise ConfigurationError(
                    f"Smartcar does not let these API credentials list connections (HTTP status {refused.status}); "
                    "compare them with the application in the dashboard."
                ) from refused
            raise
        return _parameters(answer, handoff.external_id)

    def _renew_token(self) -> None:
        form = {"grant_type": "client_credentials", **self._credentials}
        try:
            answer = self._fetch(Request(self._token_url, urlencode(form).encode()))  # noqa: S310 (parsed, too)
        except _Refused as refused:
            if refused.status in (400, 401, 403):
                raise ConfigurationError(
                    f"Smartcar refuses these API credentials (HTTP status {refused.status}); compare the id and the "
                    "secret with the dashboard."
                ) from refused
            raise
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise ValueError("The answer holds no token.")
        lifetime = answer.get("expires_in")
        self._token = answer["access_token"]
        self._token_until = monotonic() + (lifetime if isinstance(lifetime, int) else 3600) - 60

    def _fetch(self, request: Request) -> Any:
        request.add_header("Accept", "application/json")
        request.add_header("User-Agent", f"smartcar-auth/{__version__}")
        try:
            with self._opener.open(request, timeout=_REQUEST_SECONDS) as answer:
                return json.loads(answer.read(_LONG_BODY))
        except HTTPError as error:
            with error:
                raise _Refused(error) from None

    def __repr__(self) -> str:
        return f"Connections({self._credentials['client_id']!r}, ...)"


def _longer(pause: float, error: Exception) -> float:
    """The time until the next question after one that failed: what was asked for, else twice the last."""
    if isinstance(error, _Refused) and error.retry_after.isdecimal():
        return max(1.0, min(float(error.retry_after[:9]), _LONGEST_PAUSE_SECONDS))
    return min(2 * pause, max(pause, _LONGEST_PAUSE_SECONDS))


def _parameters(answer: Any, external_id: str) -> dict[str, str] | None:
    """What a redirect would have said of the connections with this very id; others are not believed.

    Raises:
        ValueError: No such answer.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise ValueError("The answer is no list of connections.")
    ours = [pair for item in answer["data"] for pair in _user_and_vehicle(item, external_id)]
    if not ours:
        return None
    parameters = {"external_id": external_id, "user_id": ours[0][0]}
    if len(ours) == 1 and ours[0][1]:
        parameters["vehicle_id"] = ours[0][1]
    return parameters


def _user_and_vehicle(item: Any, external_id: str) -> Iterator[tuple[str, str]]:
    user = at(item, "attributes", "user")
    # A server that doesn't know the filter answers with everybody's.
    if at(user, "externalId") == external_id:
        user_id, vehicle_id = at(user, "id"), at(item, "relationships", "vehicle", "data", "id")
        if isinstance(user_id, str) and user_id:
            yield user_id, vehicle_id if isinstance(vehicle_id, str) else ""
