"""Whether a vehicle could be connected, by its VIN; and what each make's models can do (docs/wire.md)."""

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request

from .access import basic_credentials
from .accounts import VIN_EFFECTS
from .api_errors import ApiRefusal
from .brands import BRANDS, Brand, brand_of_vin
from .endpoints import ENDPOINTS
from .garage import LACKS, VIN_YEARS
from .permissions import WORDS, read_scope
from .request import VIN
from .settings import Settings

# Region of the matrix -> a country of it.
_REGIONS = {"US": "US", "CA": "CA", "EUROPE": "DE"}
# Engine type -> level of the cars that have it.
_TYPES = {"BEV": "bev", "PHEV": "phev", "HEV": "fuel", "ICE": "fuel"}


class Compatibility:
    """The two compatibility endpoints of API v2.0."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def answer(self, request: Request, path: str) -> Any:
        """Answer for one VIN, or with the matrix.

        Raises:
            ApiRefusal: the application isn't known, or a parameter is missing or wrong.
        """
        credentials = basic_credentials(request.headers.get("authorization", ""))
        if credentials is None or not self.settings.knows_secret(*credentials):
            hint = "Send the Application ID and its secret as HTTP Basic."
            raise ApiRefusal("AUTHENTICATION", hint=hint)
        if (request.method, path) == ("GET", "compatibility"):
            return self._of_vin(request)
        if (request.method, path) == ("GET", "compatibility/matrix"):
            return self._matrix(request)
        raise ApiRefusal("RESOURCE_NOT_FOUND", "PATH")

    def _of_vin(self, request: Request) -> Any:
        query = request.query_params
        vin = query.get("vin", "").upper()
        if not VIN.fullmatch(vin):
            raise _wrong("vin", "must be the 17 letters and digits of a VIN")
        permissions = _permissions(query.get("scope", ""))
        if not permissions:
            raise _wrong("scope", "must name at least one permission")
        brand = brand_of_vin(vin)
        level = query.get("test_mode_compatibility_level", "compatible")
        reason = None
        if brand is None or not brand.offered_in(query.get("country", "US").upper()):
            reason = "MAKE_NOT_COMPATIBLE"
        elif vin in VIN_EFFECTS or level == "incompatible":
            reason = "VEHICLE_NOT_COMPATIBLE"
        capabilities = [_capability(name, path, level) for name in permissions for path in _paths(name)]
        return {
            "compatible": reason is None,
            "reason": reason,
            "capabilities": capabilities if reason is None else [],
        }

    def _matrix(self, request: Request) -> Any:
        query = request.query_params
        country = _REGIONS.get(query.get("region", "").upper())
        if country is None:
            raise _wrong("region", f"must be one of {', '.join(_REGIONS)}")
        types = [query["type"].upper()] if "type" in query else ["BEV", "PHEV", "ICE"]
        if types[0] not in _TYPES:
            raise _wrong("type", f"must be one of {', '.join(_TYPES)}")
        makes = query.get("make", "").upper().split()
        scope = set(_permissions(query.get("scope", "")))
        brands = [brand for brand in BRANDS.values() if brand.offered_in(country)]
        matrix = {
            brand.token: [row for row in _rows(brand, types) if scope <= set(row["permissions"])]
            for brand in brands
            if not makes or brand.token in makes
        }
        return {token: rows for token, rows in matrix.items() if rows}


def _wrong(field: str, message: str) -> ApiRefusal:
    return ApiRefusal("VALIDATION", "PARAMETER", field=field, message=message)


def _permissions(scope: str) -> list[str]:
    names = [permission.name for permission in read_scope(scope)]
    for name in names:
        if name not in WORDS:
            raise _wrong("scope", f"must not name the unknown permission {name[:60]}")
    return names


def _paths(permission: str) -> list[str]:
    """The endpoints that a permission opens; at least one, for the list has a line per permission."""
    paths = {f"/{path}" for (_, path), endpoint in ENDPOINTS.items() if endpoint.permission == permission}
    return sorted(paths) or ["/signals"]


def _capability(permission: str, path: str, level: str) -> dict[str, Any]:
    capable = permission not in LACKS.get(level, ())
    reason = None if capable else "VEHICLE_NOT_CAPABLE"
    return {"permission": permission, "endpoint": path, "capable": capable, "reason": reason}


def _rows(brand: Brand, types: Iterable[str]) -> list[dict[str, Any]]:
    """A make's models, each with one of the engine types in turn."""
    rows = []
    for number, model in enumerate(brand.models):
        kind = ("BEV", "PHEV", "ICE")[number % 3]
        if kind in types:
            able = [name for name in WORDS if name not in LACKS.get(_TYPES[kind], ())]
            rows.append(
                {
                    "model": model,
                    "startYear": min(VIN_YEARS),
                    "endYear": max(VIN_YEARS),
                    "type": kind,
                    "endpoints": [WORDS[name] for name in able],
                    "permissions": able,
                }
            )
    return rows
