"""API v2.0 over the simulated vehicles (docs/wire.md): who asks, whether they may, then the endpoint.

The endpoints themselves are a table in `endpoints`; API v3 will be a neighbour of this module.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .api_errors import ApiRefusal
from .connect import FormTooLong, read_body
from .endpoints import ENDPOINTS, Call, Endpoint, page_of
from .garage import Vehicle
from .pages import json_answer
from .records import Grant, Records
from .settings import Settings

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.A | re.I)
_VERSION = re.compile(r"v(\d+)\.(\d+)", re.A)
_BATCH_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call to the API is answered with, before it is written down."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Vehicles:
    """API v2.0 of one sandbox."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.settings = settings
        self.records = records
        # A higher version falls back to the latest; other text is not a version.
        self.routes = [Route("/v{version}/{path:path}", self.answer, methods=_METHODS)]

    async def answer(self, request: Request) -> Response:
        """Answer one call."""
        request_id = self.settings.ids.uuid()
        units = "imperial" if request.headers.get("sc-unit-system", "").lower() == "imperial" else "metric"
        try:
            body = await read_body(request)
            answer = self._answer(request, body, units)
        except ApiRefusal as refusal:
            answer = Answer(refusal.status, refusal.body(request_id), {})
        except (FormTooLong, ClientDisconnect):
            answer = Answer(400, ApiRefusal("VALIDATION").body(request_id), {})
        headers = {"sc-request-id": request_id, "cache-control": "no-store", **answer.headers}
        return json_answer(answer.body, answer.status, headers)

    def _answer(self, request: Request, body: bytes, units: str) -> Answer:
        version = _VERSION.fullmatch(f"v{request.path_params['version']}")
        if version is None or int(version[1][:9]) < 2:
            raise ApiRefusal("RESOURCE_NOT_FOUND", "VERSION")
        grant = self._grant(request.headers.get("authorization", ""))
        head, *rest = request.path_params["path"].strip("/").split("/")
        query = request.query_params
        if request.method == "GET" and head == "user" and not rest:
            return Answer(200, {"id": grant.user_id}, {})
        if request.method == "GET" and head == "vehicles" and not rest:
            ids, paging = page_of(self.records.connected(grant), query)
            return Answer(200, {"vehicles": ids, "paging": paging}, {})
        if head != "vehicles" or not rest:
            raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH")
        vehicle = self._vehicle(grant, rest[0])
        path = "/".join(rest[1:])
        call = Call(vehicle, units, query, _json(body) if request.method == "POST" else {}, grant.permissions)
        if (request.method, path) == ("POST", "batch"):
            return Answer(200, self._batch(grant, call), self._headers(units))
        if (request.method, path) == ("DELETE", "application"):
            self.records.disconnect(grant, vehicle.id)
            return Answer(200, {"status": "success"}, {})
        return Answer(200, _perform(request.method, path, call), self._headers(units))

    def _grant(self, authorization: str) -> Grant:
        scheme, _, text = authorization.partition(" ")
        token = self.records.access_tokens.get(text.strip()) if scheme.lower() == "bearer" else None
        if token is None or token.expires_at <= self.settings.clock():
            raise ApiRefusal("AUTHENTICATION")
        return token.grant

    def _vehicle(self, grant: Grant, vehicle_id: str) -> Vehicle:
        if not _UUID.fullmatch(vehicle_id):
            raise ApiRefusal("VALIDATION", field="vehicle_id", message="must be the id of a vehicle, a UUID")
        vehicle = self.records.vehicles.get(vehicle_id)
        if vehicle is None or not self.records.is_connected(grant, vehicle_id):
            raise ApiRefusal("PERMISSION")
        return vehicle

    def _headers(self, units: str) -> dict[str, str]:
        moment = datetime.fromtimestamp(self.settings.clock(), UTC).isoformat(timespec="milliseconds")
        moment = moment.replace("+00:00", "Z")
        return {"sc-data-age": moment, "sc-fetched-at": moment, "sc-unit-system": units}

    def _batch(self, grant: Grant, call: Call) -> dict[str, Any]:
        asked = call.body.get("requests")
        if not isinstance(asked, list) or not 0 < len(asked) <= _BATCH_LIMIT:
            raise ApiRefusal("VALIDATION", "PARAMETER", field="requests", message="must be a list of paths")
        return {"responses": [self._batched(item, call) for item in asked]}

    def _batched(self, item: Any, call: Call) -> dict[str, Any]:
        path = item.get("path") if isinstance(item, dict) else None
        headers = self._headers(call.units)
        shown = {
            "sc-data-age": headers["sc-data-age"],
            "sc-unit-system": call.units,
            "sc-fetched-at": headers["sc-fetched-at"],
        }
        try:
            if not isinstance(path, str):
                raise ApiRefusal("VALIDATION", "PARAMETER", field="path", message="must be a text")
            return {
                "path": path,
                "code": 200,
                "body": _perform("GET", path.strip("/"), call),
                "headers": shown,
            }
        except ApiRefusal as refusal:
            body = refusal.body(self.settings.ids.uuid())
            return {"path": path, "code": refusal.status, "body": body, "headers": {}}


def _perform(method: str, path: str, call: Call) -> Any:
    """One endpoint of one vehicle: permission, then what the car can do, then the test account's error."""
    endpoint: Endpoint | None = ENDPOINTS.get((method, path))
    if endpoint is None:
        raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH")
    if endpoint.permission and endpoint.permission not in call.permissions:
        raise ApiRefusal("PERMISSION")
    if endpoint.permission and not call.vehicle.can(endpoint.permission):
        raise ApiRefusal("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
    if call.vehicle.api_error is not None and not endpoint.static:
        raise ApiRefusal(*call.vehicle.api_error)
    return endpoint.answer(call)


def _json(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiRefusal("VALIDATION", field="body", message="must be JSON") from None
    if not isinstance(value, dict):
        raise ApiRefusal("VALIDATION", field="body", message="must be a JSON object")
    return value
