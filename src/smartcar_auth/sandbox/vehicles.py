"""API v2.0 over the simulated vehicles (docs/wire.md): who asks, whether they may, then the endpoint.

The endpoints of a vehicle are a table in `endpoints`; those of applications are in `management` and
`compatibility`; API v3 is in `resources`.
"""

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .access import Access, bearer_token
from .answers import METHODS, Answer, answered
from .api_errors import ApiRefusal
from .calls import Call, Calls
from .compatibility import Compatibility
from .endpoints import ENDPOINTS, page_of
from .management import Management
from .records import Connection, Grant, Records
from .settings import Settings

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.A | re.I)
_VERSION = re.compile(r"(\d+)\.(\d+)", re.A)
_BATCH_LIMIT = 50


class Vehicles:
    """API v2.0 of one sandbox."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.settings = settings
        self.records = records
        self.access = Access(settings, records)
        self.calls = Calls(settings, records)
        self.management = Management(self.access)
        self.compatibility = Compatibility(settings)
        # A higher version falls back to the latest; other text is not a version.
        self.routes = [Route("/v{version}/{path:path}", self.answer, methods=METHODS)]

    async def answer(self, request: Request) -> Response:
        """Answer one call."""
        request_id = self.settings.ids.uuid()
        return await answered(request, request_id, self._answer, lambda refusal: refusal.body(request_id))

    def _answer(self, request: Request, body: bytes) -> Answer:
        version = _VERSION.fullmatch(request.path_params["version"])
        if version is None or int(version[1][:9]) < 2:
            raise ApiRefusal("RESOURCE_NOT_FOUND", "VERSION")
        path = request.path_params["path"].strip("/")
        if path == "management/connections":
            return Answer(self.management.answer(request))
        if path.startswith("compatibility"):
            return Answer(self.compatibility.answer(request, path))
        return self._of_a_person(request, path.split("/"), body)

    def _of_a_person(self, request: Request, path: list[str], body: bytes) -> Answer:
        method, rest = request.method, path[1:]
        if path[0] == "vehicles" and rest[1:2] == ["webhooks"] and method == "DELETE" and len(rest) == 3:
            return self._unsubscribe(request, rest[0], rest[2])
        grant = self.access.grant(request.headers.get("authorization", ""))
        if (method, path) == ("GET", ["user"]):
            return Answer({"id": grant.user_id})
        if (method, path) == ("GET", ["vehicles"]):
            ids, paging = page_of(self.records.connected(grant), request.query_params)
            return Answer({"vehicles": ids, "paging": paging})
        if path[0] != "vehicles" or not rest:
            raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH")
        connection = self._connection(grant, rest[0])
        return self._of_a_vehicle(request, grant, connection, "/".join(rest[1:]), body)

    def _of_a_vehicle(
        self, request: Request, grant: Grant, connection: Connection, path: str, body: bytes
    ) -> Answer:
        method = request.method
        if (method, path) == ("DELETE", "application"):
            self.records.disconnect(connection)
            return Answer({"status": "success"})
        if method == "POST" and path.startswith("webhooks/"):
            return self._subscribe(connection, path.removeprefix("webhooks/"))
        call = self.calls.call(
            request, connection, grant.permissions, _json(body) if method == "POST" else None
        )
        if (method, path) == ("POST", "batch"):
            return Answer(self._batch(call), call.data_headers)
        answer = Answer(_perform(method, path, call), call.data_headers)
        if method == "POST":
            self.records.vehicles.put(call.vehicle.id, call.vehicle)  # it may have changed
        return answer

    def _connection(self, grant: Grant, vehicle_id: str) -> Connection:
        if not _UUID.fullmatch(vehicle_id):
            raise ApiRefusal("VALIDATION", field="vehicle_id", message="must be the id of a vehicle, a UUID")
        connection = self.records.connection(grant, vehicle_id)
        if connection is None or vehicle_id not in self.records.vehicles:
            hint = "This vehicle is not connected to this application by this user, or not any more."
            raise ApiRefusal("PERMISSION", hint=hint)
        return connection

    def _batch(self, call: Call) -> dict[str, Any]:
        asked = call.body.get("requests")
        if not isinstance(asked, list) or not 0 < len(asked) <= _BATCH_LIMIT:
            raise ApiRefusal("VALIDATION", "PARAMETER", field="requests", message="must be a list of paths")
        return {"responses": [self._batched(item, call) for item in asked]}

    def _batched(self, item: Any, call: Call) -> dict[str, Any]:
        path = item.get("path") if isinstance(item, dict) else None
        try:
            if not isinstance(path, str):
                raise ApiRefusal("VALIDATION", "PARAMETER", field="path", message="must be a text")
            body = _perform("GET", path.strip("/"), call)
            return {"path": path, "code": 200, "body": body, "headers": call.data_headers}
        except ApiRefusal as refusal:
            body = refusal.body(self.settings.ids.uuid())
            return {"path": path, "code": refusal.status, "body": body, "headers": {}}

    def _subscribe(self, connection: Connection, webhook_id: str) -> Answer:
        if not webhook_id or "/" in webhook_id:
            raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH")
        self.records.subscribe(connection, webhook_id, self.settings.ids.uuid(), self.settings.clock())
        return Answer({"webhookId": webhook_id, "vehicleId": connection.vehicle_id})

    def _unsubscribe(self, request: Request, vehicle_id: str, webhook_id: str) -> Answer:
        if not self.access.manages(bearer_token(request.headers.get("authorization", ""))):
            hint = "Send the application management token, not a user's access token."
            raise ApiRefusal("AUTHENTICATION", hint=hint)
        for each in list(self.records.subscriptions.values()):
            if (each.vehicle_id, each.webhook_id) == (vehicle_id, webhook_id):
                self.records.subscriptions.drop(each.id)
        return Answer({"status": "success"})


def _perform(method: str, path: str, call: Call) -> Any:
    endpoint = ENDPOINTS.get((method, path))
    if endpoint is None:
        raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH")
    if endpoint.permission:
        call.check(endpoint.permission, static=endpoint.static)
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
