"""Recorded requests for people to look at: a page, a line in a terminal, a line of JSON. Secrets are masked.

What is masked: parameters, JSON members and headers that hold one, an attempt's id in an address, VINs, and
whatever an answer repeats of the request's own secrets.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .access import basic_credentials
from .calls import timestamp
from .journal import SECRETS, Recorded
from .pages import HINT, page
from .records import Records

MASK = "***"
_SHOWN = 200  # requests on the page
# `code` in JSON is an error's or a signal's; an authorization code never stands there.
_SECRET_MEMBERS = SECRETS - {"code", "state"}
_CAME = ("authorization", "sc-user-id", "sc-unit-system", "content-type", "origin", "user-agent")
_ANSWERED = ("content-type", "retry-after", "sc-request-id", "sc-unit-system", "www-authenticate")
_VIN = re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b", re.A)
_ATTEMPT = re.compile(r"^/connect/[^/]+")


class Inspector:
    """The page with the latest requests, which keeps itself up to date."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.routes = [Route("/inspector", self.show)]

    async def show(self, request: Request) -> Response:
        """Show them, the latest first: all, or those that went wrong."""
        only_errors = request.query_params.get("only") == "errors"
        wanted = [one for one in self.records.requests if not only_errors or not 0 < one.status < 400]
        found = [described(one) for one in reversed(wanted[-_SHOWN:])]
        response = page("inspector.html", found=found, only_errors=only_errors, most=_SHOWN)
        response.headers["content-security-policy"] += "; connect-src 'self'"  # its script asks for itself
        return response


def described(one: Recorded) -> dict[str, Any]:
    """What came and what was answered, fit to be seen."""
    secrets = list(_secrets(one))
    came, answered = one.headers, one.answer_headers
    body = {} if one.parameters else _json(one.body)
    return {
        "number": one.number,
        "at": timestamp(one.at),
        "method": one.method,
        "path": _path(one.path),
        "status": one.status,
        "milliseconds": round(one.seconds * 1000, 1),
        "came": {
            "parameters": _masked(one.parameters, SECRETS),
            "headers": {name: _header(name, came[name]) for name in _CAME if name in came},
            "body": _without(body, secrets),
        },
        "answered": {
            "headers": {name: answered[name] for name in _ANSWERED if name in answered},
            "location": _location(answered.get("location", "")),
            "body": _without(_json(one.answer), secrets),
        },
        "hint": answered.get(HINT, ""),
    }


def line(one: Recorded) -> str:
    """One line for a terminal."""
    shown = described(one)
    time = datetime.fromtimestamp(one.at, UTC).strftime("%H:%M:%S")
    error = shown["answered"]["location"].get("parameters", {}).get("error", "")
    why = shown["hint"] or error
    return f"{time} {one.method:6} {one.status or '---'} {shown['path']}{'  ' + why if why else ''}"


def json_line(one: Recorded) -> str:
    """One line for a program."""
    return json.dumps(described(one), separators=(",", ":"))


def _secrets(one: Recorded) -> Iterator[str]:
    """The request's secrets that an answer may repeat."""
    for name, value in one.parameters.items():
        if name in SECRETS and len(value) > 5:
            yield value
    yield from re.findall(r"\S{8,}", one.headers.get("authorization", ""))


def _path(path: str) -> str:
    return _ATTEMPT.sub(f"/connect/{MASK}", path)


def _masked(parameters: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: MASK if name in names else value for name, value in parameters.items()}


def _header(name: str, value: str) -> str:
    if name != "authorization":
        return value
    scheme = value.partition(" ")[0]
    credentials = basic_credentials(value)
    return f"{scheme} {credentials[0]}:{MASK}" if credentials is not None else f"{scheme} {MASK}"


def _location(address: str) -> dict[str, Any]:
    if not address:
        return {}
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True, errors="replace"))
    return {"address": f"{origin}{_path(parts.path)}", "parameters": _masked(parameters, SECRETS)}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}


def _without(value: Any, secrets: list[str]) -> Any:
    """JSON without its secret members, VINs and the request's own secrets."""
    if isinstance(value, dict):
        return {
            name: MASK if name in _SECRET_MEMBERS else _without(each, secrets) for name, each in value.items()
        }
    if isinstance(value, list):
        return [_without(each, secrets) for each in value]
    if not isinstance(value, str):
        return value
    for secret in secrets:
        value = value.replace(secret, MASK)
    return _VIN.sub(MASK, value)
