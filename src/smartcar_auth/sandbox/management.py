"""API v2.0 for the application itself: its connections, listed and removed (docs/wire.md)."""

from typing import Any

from starlette.requests import Request

from .access import Access, basic_credentials
from .api_errors import ApiRefusal
from .calls import timestamp
from .endpoints import whole_number
from .records import Connection

PAGE_SIZE = 10
PAGE_LIMIT = 100


class Management:
    """The connections, for whoever has the application management token (AMT)."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.records = access.records

    def answer(self, request: Request) -> Any:
        """List the connections, or remove some.

        Raises:
            ApiRefusal: the token isn't good, or the filter isn't one.
        """
        name, token = basic_credentials(request.headers.get("authorization", "")) or ("", "")
        if name != "default" or not self.access.manages(token):
            hint = "Send the application management token as HTTP Basic, with the name default."
            raise ApiRefusal("AUTHENTICATION", hint=hint)
        if request.method == "GET":
            return self._list(request)
        if request.method == "DELETE":
            return self._delete(request)
        raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH")

    def _list(self, request: Request) -> Any:
        query = request.query_params
        limit = whole_number(query, "limit", PAGE_SIZE, PAGE_LIMIT)
        found = self._matching(request)
        cursor = query.get("cursor")
        if cursor is not None:
            ids = [each.id for each in found]
            if cursor not in ids:
                message = "must be the cursor of an earlier page"
                raise ApiRefusal("VALIDATION", "PARAMETER", field="cursor", message=message)
            found = found[ids.index(cursor) + 1 :]
        page = found[:limit]
        return {
            "connections": [
                {**_written(each), "connectedAt": timestamp(each.created_at), "mode": each.mode}
                for each in page
            ],
            "paging": {"cursor": page[-1].id if page and len(found) > limit else None},
        }

    def _delete(self, request: Request) -> Any:
        if len({"user_id", "vehicle_id"} & set(request.query_params)) != 1:
            message = "is needed, or vehicle_id; not both"
            raise ApiRefusal("VALIDATION", "PARAMETER", field="user_id", message=message)
        found = self._matching(request)
        for connection in found:
            self.records.disconnect(connection)
        return {"connections": [_written(each) for each in found]}

    def _matching(self, request: Request) -> list[Connection]:
        """The connections that the filter leaves, the latest first."""
        query = request.query_params
        wanted = {name: query[name] for name in ("user_id", "vehicle_id", "mode") if name in query}
        return [
            each
            for each in self.records.connections_by_age()
            if all(getattr(each, name) == value for name, value in wanted.items())
        ]


def _written(connection: Connection) -> dict[str, str]:
    return {"vehicleId": connection.vehicle_id, "userId": connection.user_id}
