"""One call about one vehicle: all that the tables of endpoints, signals and commands get to see."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from .api_errors import ApiRefusal
from .garage import Vehicle
from .hostnames import connect_origin
from .records import BATTERY_TOKEN_SECONDS, LOGIN_FAILED, Connection, Records
from .settings import Settings

KM_PER_MILE = 1.609344
LITRES_PER_GALLON = 3.785411784
KPA_PER_PSI = 6.894757293168


def timestamp(moment: float) -> str:
    """A time as Smartcar writes it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the vehicle, the units asked for, what came with it, and what is permitted.

    Units are converted here, at the last moment.

    Attributes:
        mode: in which the vehicle was connected.
        capacity_kwh: of the battery, as its owner chose it in Connect.
        capacity_url: makes the address at which they can.
        login_url: the address at which they log in again.
    """

    vehicle: Vehicle
    units: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    permissions: tuple[str, ...]
    mode: str
    now: float
    capacity_kwh: float | None
    capacity_url: Callable[[], str]
    login_url: str

    def check_permission(self, permission: str) -> None:
        """Make sure that the owner has allowed this.

        Raises:
            ApiRefusal: they haven't.
        """
        if permission not in self.permissions:
            raise ApiRefusal("PERMISSION", hint=f"The scope of this connection lacks {permission}.")

    def check(self, permission: str, *, static: bool = False) -> None:
        """Make sure that this may and can be done.

        Args:
            static: never fails for a test account whose calls fail.

        Raises:
            ApiRefusal: the owner hasn't allowed it, the car can't, or its calls fail.
        """
        self.check_permission(permission)
        vehicle = self.vehicle
        if not vehicle.can(permission):
            raise ApiRefusal("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
        if vehicle.api_error is not None and not static:
            url = self.login_url if vehicle.api_error == LOGIN_FAILED else ""
            raise ApiRefusal(*vehicle.api_error, url=url)

    def distance(self, kilometres: float) -> float:
        """Kilometres, or miles if asked for."""
        return self._converted(kilometres, KM_PER_MILE)

    def volume(self, litres: float) -> float:
        """Litres, or US gallons if asked for."""
        return self._converted(litres, LITRES_PER_GALLON)

    def pressure(self, kilopascals: float) -> float:
        """Kilopascals, or pounds per square inch if asked for."""
        return self._converted(kilopascals, KPA_PER_PSI)

    def _converted(self, value: float, per_unit: float) -> float:
        return round(value / per_unit, 2) if self.units == "imperial" else value

    @property
    def data_headers(self) -> dict[str, str]:
        """The headers of an answer that holds a vehicle's data."""
        moment = timestamp(self.now)
        return {"sc-data-age": moment, "sc-fetched-at": moment, "sc-unit-system": self.units}


class Calls:
    """Makes calls of requests."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.settings = settings
        self.records = records

    def call(
        self,
        request: Request,
        connection: Connection,
        permissions: tuple[str, ...],
        body: Mapping[str, Any] | None = None,
    ) -> Call:
        """A call about the vehicle of a connection."""
        vehicle_id, application_id = connection.vehicle_id, quote(connection.application_id, safe="")
        about = f"vehicle_id={vehicle_id}&client_id={application_id}"
        origin = connect_origin(request)

        def capacity_url() -> str:
            token = self.settings.ids.uuid()
            self.records.battery_tokens.put(token, self.settings.clock() + BATTERY_TOKEN_SECONDS)
            return f"{origin}/battery-capacity?{about}&token={token}&response_type=vehicle_id&redirect_uri="

        imperial = request.headers.get("sc-unit-system", "").lower() == "imperial"
        return Call(
            vehicle=self.records.vehicles[vehicle_id],
            units="imperial" if imperial else "metric",
            query=request.query_params,
            body=body or {},
            permissions=permissions,
            mode=connection.mode,
            now=self.settings.clock(),
            capacity_kwh=self.records.capacities.get(vehicle_id),
            capacity_url=capacity_url,
            # The application adds redirect_uri and state.
            login_url=f"{origin}/oauth/reauthenticate?response_type=vehicle_id&{about}",
        )
