"""API v3: vehicles, signals, commands, connections, users and subscriptions as JSON:API resources (docs/wire.md).

Where Smartcar's documents disagree, an answer serves the readers of both: a single resource stands in `data`
and beside it, and pages are counted under either name.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .access import Access, Caller
from .answers import METHODS, Answer, answered
from .api_errors import ApiRefusal
from .calls import Call, Calls, timestamp
from .commands import COMMANDS
from .records import Connection, Records, Subscription
from .settings import Settings
from .signals import SIGNALS, Signal

PAGE_LIMIT = 100
# Filter -> attribute of a connection or of a subscription.
_CONNECTION_FILTERS = {
    "filter[userId]": "user_id",
    "filter[vehicleId]": "vehicle_id",
    "filter[vehicle.mode]": "mode",
    "filter[user.externalId]": "external_id",
}
_SUBSCRIPTION_FILTERS = {
    "filter[userId]": "user_id",
    "filter[vehicleId]": "vehicle_id",
    "filter[vehicle.mode]": "mode",
    "filter[webhookId]": "webhook_id",
}


class Resources:
    """API v3 of one sandbox, the vehicle and the management API in one."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.settings = settings
        self.records = records
        self.access = Access(settings, records)
        self.calls = Calls(settings, records)
        self.routes = [Route("/v3/{path:path}", self.answer, methods=METHODS)]

    async def answer(self, request: Request) -> Response:
        """Answer one call."""
        request_id = self.settings.ids.uuid()
        return await answered(
            request, request_id, self._answer, lambda refusal: {"errors": [refusal.resource()]}
        )

    def _answer(self, request: Request, body: bytes) -> Answer:
        caller = self.access.caller(request.headers)
        match [request.method, *request.path_params["path"].strip("/").split("/")]:
            case ["GET", "vehicles", vehicle_id]:
                return _one(_vehicle(self._call(request, caller, vehicle_id)))
            case ["GET", "vehicles", vehicle_id, "signals"]:
                return self._signals(self._call(request, _about_one(caller), vehicle_id))
            case ["GET", "vehicles", vehicle_id, "signals", code]:
                return self._signal(self._call(request, _about_one(caller), vehicle_id), code)
            case ["POST", "vehicles", vehicle_id, "commands", group, name]:
                call = self._call(request, _about_one(caller), vehicle_id)
                return self._command(call, f"{group}/{name}", body)
            case ["GET", "connections"]:
                connections = self.access.connections(caller)
                return self._page(request, "connections", connections, _CONNECTION_FILTERS, 10)
            case ["GET", "connections", connection_id]:
                return _one(self._written(self._connection(caller, connection_id)))
            case ["DELETE", "connections", connection_id]:
                self.records.disconnect(self._connection(caller, connection_id))
                return Answer(None, status=204)
            case ["DELETE", "users", user_id]:
                return self._forget(caller, user_id)
            case ["GET", "subscriptions"]:
                subscriptions = self._subscriptions(caller)
                return self._page(request, "subscriptions", subscriptions, _SUBSCRIPTION_FILTERS, 25)
            case ["POST", "subscriptions"]:
                return self._subscribe(caller, body)
            case ["GET", "subscriptions", subscription_id]:
                return _one(_subscription(self._subscribed(caller, subscription_id)))
            case ["DELETE", "subscriptions", subscription_id]:
                self.records.subscriptions.drop(self._subscribed(caller, subscription_id).id)
                return Answer(None, status=204)
        raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH")

    # Vehicles

    def _call(self, request: Request, caller: Caller, vehicle_id: str) -> Call:
        for connection in self.access.connections(caller):
            if connection.vehicle_id == vehicle_id and vehicle_id in self.records.vehicles:
                permissions = caller.grant.permissions if caller.grant else connection.permissions
                return self.calls.call(request, connection, permissions)
        raise ApiRefusal("PERMISSION", hint="No such vehicle is connected, or not by the user of sc-user-id.")

    def _signals(self, call: Call) -> Answer:
        permitted = [each for each in SIGNALS.values() if each.permission in call.permissions]
        path = f"/vehicles/{call.vehicle.id}"
        body = {
            "data": [_signal(each, call) for each in permitted],
            "included": {"vehicle": _vehicle(call)},
            "meta": _counted(1, len(permitted), len(permitted)),
            "links": {"self": f"{path}/signals"},
        }
        return Answer(body, call.data_headers)

    def _signal(self, call: Call, code: str) -> Answer:
        signal = SIGNALS.get(code.lower())
        if signal is None:
            hint = f"The sandbox has these signals: {', '.join(SIGNALS)}."
            raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH", hint=hint)
        call.check_permission(signal.permission)
        answer = _one(_signal(signal, call))
        answer.body["included"] = {"vehicle": _vehicle(call)}
        return Answer(answer.body, call.data_headers)

    def _command(self, call: Call, path: str, body: bytes) -> Answer:
        command = COMMANDS.get(path)
        if command is None:
            hint = f"There are these commands: {', '.join(COMMANDS)}."
            raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH", hint=hint)
        call.check(command.permission)
        command.act(call.vehicle, _attributes(body) if body else {})
        self.records.vehicles.put(call.vehicle.id, call.vehicle)  # it has changed
        moment = timestamp(call.now)
        execution = {
            "id": self.settings.ids.uuid(),
            "type": "command-execution",
            "attributes": {"command": path, "status": {"value": "SUCCESS"}},
            "meta": {"startedAt": moment, "completedAt": moment, "durationMs": 0},
        }
        return _one(execution)

    # Connections and users

    def _connection(self, caller: Caller, connection_id: str) -> Connection:
        for connection in self.access.connections(caller):
            if connection.id == connection_id:
                return connection
        raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH", hint="There is no such connection, or not any more.")

    def _written(self, connection: Connection) -> dict[str, Any]:
        vehicle = self.records.vehicles.get(connection.vehicle_id)
        described = {"make": vehicle.make, "model": vehicle.model, "year": vehicle.year} if vehicle else {}
        powertrain = vehicle.powertrain if vehicle else None
        return {
            "id": connection.id,
            "type": "connection",
            "attributes": {
                "permissions": list(connection.permissions),
                "vehicle": {**described, "mode": _mode(connection), "powertrainType": powertrain},
                "user": {"id": connection.user_id, "externalId": connection.external_id},
            },
            "relationships": _related(connection),
            "meta": {
                "createdAt": timestamp(connection.created_at),
                "updatedAt": timestamp(connection.updated_at),
            },
            "links": {"self": f"/connections/{connection.id}"},
        }

    def _forget(self, caller: Caller, user_id: str) -> Answer:
        theirs = [each for each in self.access.connections(caller) if each.user_id == user_id]
        if not theirs:
            raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH", hint="This user has no connection.")
        self.records.forget_user(user_id)
        return Answer(None, status=204)

    # Subscriptions

    def _subscriptions(self, caller: Caller) -> list[Subscription]:
        found = [
            each for each in self.records.subscriptions.values() if caller.user_id in (None, each.user_id)
        ]
        return found[::-1]

    def _subscribed(self, caller: Caller, subscription_id: str) -> Subscription:
        for subscription in self._subscriptions(caller):
            if subscription.id == subscription_id:
                return subscription
        raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH", hint="There is no such subscription, or not any more.")

    def _subscribe(self, caller: Caller, body: bytes) -> Answer:
        given = _attributes(body)
        for name in ("webhookId", "userId", "vehicleId"):
            if not isinstance(given.get(name), str) or not given[name]:
                raise ApiRefusal(
                    "VALIDATION", "PARAMETER", field=f"data.attributes.{name}", message="must be an id"
                )
        for connection in self.access.connections(caller):
            if (connection.user_id, connection.vehicle_id) == (given["userId"], given["vehicleId"]):
                subscription = self.records.subscribe(
                    connection, given["webhookId"], self.settings.ids.uuid(), self.settings.clock()
                )
                return _one(_subscription(subscription), status=202)
        raise ApiRefusal("PERMISSION", hint="This user has not connected this vehicle.")

    # Lists

    def _page(
        self, request: Request, path: str, found: Sequence[Any], filters: Mapping[str, str], size: int
    ) -> Answer:
        query = dict(request.query_params)
        for name in query:
            if self.settings.strict and name not in (*filters, "page[number]", "page[size]"):
                message = f"is unknown here; there are {', '.join(filters)}, page[number] and page[size]"
                raise ApiRefusal("VALIDATION", "PARAMETER", field=name[:60], message=message)
        number, size = _positive(query, "page[number]", 1), _positive(query, "page[size]", size)
        wanted = [(attribute, query[name]) for name, attribute in filters.items() if name in query]
        matching = [
            each
            for each in found
            if all(
                (_mode(each) if attribute == "mode" else getattr(each, attribute)) == value
                for attribute, value in wanted
            )
        ]
        shown = matching[(number - 1) * size : number * size]
        written = [
            self._written(each) if isinstance(each, Connection) else _subscription(each) for each in shown
        ]
        meta = _counted(number, size, len(matching))
        return Answer({"data": written, "meta": meta, "links": _links(path, query, meta)})


def _about_one(caller: Caller) -> Caller:
    if caller.user_id is None:
        hint = "An application's token needs the header sc-user-id, with the user_id that Connect gave back."
        raise ApiRefusal("VALIDATION", field="sc-user-id", message="is missing", hint=hint)
    return caller


def _one(resource: dict[str, Any], status: int = 200) -> Answer:
    return Answer({**resource, "data": resource}, status=status)


def _vehicle(call: Call) -> dict[str, Any]:
    vehicle = call.vehicle
    return {
        "id": vehicle.id,
        "type": "vehicle",
        "attributes": {
            "make": vehicle.make,
            "model": vehicle.model,
            "year": vehicle.year,
            "powertrainType": vehicle.powertrain,
            "mode": "live" if call.mode == "live" else "simulated",
        },
        "links": {"self": f"/vehicles/{vehicle.id}"},
    }


def _signal(signal: Signal, call: Call) -> dict[str, Any]:
    vehicle, moment = call.vehicle, timestamp(call.now)
    error = vehicle.api_error if not signal.static else None
    if not vehicle.can(signal.permission):
        error = ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
    attributes: dict[str, Any] = {"code": signal.code, "name": signal.name, "group": signal.group}
    if error is None:
        attributes |= {"status": {"value": "SUCCESS"}, "body": signal.body(call)}
    else:
        refusal = ApiRefusal(*error)
        described = {"type": error[0], "code": error[1], "description": refusal.words.description}
        attributes["status"] = {
            "value": "ERROR",
            "error": described | {"resolution": {"type": refusal.words.resolution}},
        }
    return {
        "id": signal.code,
        "type": "signal",
        "attributes": attributes,
        "meta": {"retrievedAt": moment, "oemUpdatedAt": moment, "ingestedAt": moment},
        "links": {"self": f"/vehicles/{vehicle.id}/signals/{signal.code}"},
    }


def _subscription(subscription: Subscription) -> dict[str, Any]:
    return {
        "id": subscription.id,
        "type": "subscription",
        "attributes": {
            "webhookId": subscription.webhook_id,
            "userId": subscription.user_id,
            "vehicleId": subscription.vehicle_id,
        },
        "relationships": _related(subscription),
        "meta": {"createdAt": timestamp(subscription.created_at)},
        "links": {"self": f"/subscriptions/{subscription.id}"},
    }


def _related(to: Connection | Subscription) -> dict[str, Any]:
    return {
        "vehicle": {"data": {"id": to.vehicle_id, "type": "vehicle"}},
        "user": {"data": {"id": to.user_id, "type": "user"}},
    }


def _mode(of: Connection | Subscription) -> str:
    """API v3 knows two modes; test is the older name of simulated."""
    return "live" if of.mode == "live" else "simulated"


def _attributes(body: bytes) -> Mapping[str, Any]:
    try:
        attributes = json.loads(body)["data"]["attributes"]
    except (ValueError, RecursionError, KeyError, TypeError):
        attributes = None
    if not isinstance(attributes, dict):
        hint = 'Send {"data": {"attributes": {...}}}.'
        raise ApiRefusal("VALIDATION", field="data.attributes", message="must be a JSON object", hint=hint)
    return attributes


def _positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    most = PAGE_LIMIT if name == "page[size]" else 10**6
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most:
        return int(text)
    raise ApiRefusal(
        "VALIDATION", "PARAMETER", field=name, message=f"must be a whole number from 1 to {most}"
    )


def _counted(number: int, size: int, total: int) -> dict[str, int]:
    return {"page": number, "pageNumber": number, "pageSize": size, "totalCount": total}


def _links(path: str, query: Mapping[str, str], meta: Mapping[str, int]) -> dict[str, str | None]:
    number, size = meta["pageNumber"], meta["pageSize"]
    last = max(-(-meta["totalCount"] // size), 1)

    def link(to: int) -> str:
        return f"/{path}?{urlencode({**query, 'page[number]': to, 'page[size]': size})}"

    return {
        "self": link(number),
        "first": link(1),
        "prev": link(number - 1) if 1 < number <= last + 1 else None,
        "next": link(number + 1) if number < last else None,
        "last": link(last),
    }
