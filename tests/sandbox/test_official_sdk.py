"""The official `smartcar` Python SDK, unmodified, in a process of its own, over HTTP and over TLS."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from smartcar_auth.sandbox import Sandbox

from .conftest import APPLICATION_ID, REDIRECT_URI, SCOPE, Person

VIN = "5YJ3E1EA7KF000001"


def use(sandbox: Sandbox, client: httpx.Client) -> dict[str, Any]:
    """Run the SDK's script; what it found, with what Connect answered beforehand."""
    scope = f"{SCOPE} read_service_history read_diagnostics"
    answer = Person(client).connects(scope=scope, mode="simulated")
    environment = os.environ | {
        "SMARTCAR_AUTH_ORIGIN": sandbox.token_url,
        "SMARTCAR_API_ORIGIN": sandbox.origin,
        "SMARTCAR_CONNECT_ORIGIN": sandbox.origin,
        "SMARTCAR_MANAGEMENT_API_ORIGIN": sandbox.origin,
        "SMARTCAR_VEHICLE_API_V3_ORIGIN": sandbox.origin,
        "NO_PROXY": "127.0.0.1",
    }
    if sandbox.certificates is not None:
        environment["REQUESTS_CA_BUNDLE"] = str(sandbox.certificates.ca_file)
    given = {
        "application_id": APPLICATION_ID,
        "redirect_uri": REDIRECT_URI,
        "vin": VIN,
        "code": answer["code"],
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("official_sdk.py"))],
        input=json.dumps(given),
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    found["shown"] = [client.get(url).status_code for url in found.pop("urls")]
    found["answer"] = answer
    return found


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Any]]:
    """Everything the SDK found."""
    with Sandbox(redirect_uris=[REDIRECT_URI]) as sandbox, httpx.Client(base_url=sandbox.origin) as client:
        yield use(sandbox, client)


def test_sdk_over_tls(found: dict[str, Any]) -> None:
    """The SDK believes the sandbox's authority and finds the same cars as over HTTP."""
    with Sandbox(tls=True) as sandbox:
        assert sandbox.certificates is not None
        verify = sandbox.certificates.client_context()
        with httpx.Client(base_url=sandbox.origin, verify=verify) as client:
            assert use(sandbox, client)["read"]["attributes"] == found["read"]["attributes"]


def test_sdk_authorization_urls(found: dict[str, Any]) -> None:
    """Connect shows its first screen for an address with any of the SDK's options."""
    assert found["shown"] == [303] * 6


def test_sdk_tokens(found: dict[str, Any]) -> None:
    """A code and a refresh token are exchanged; the refresh token is another one afterwards."""
    assert found["access"] == ["Bearer", 7200, True]
    assert found["rotated"] is True


def test_sdk_user_and_vehicles(found: dict[str, Any]) -> None:
    """The user is the one whom Connect named; vehicles come by pages."""
    assert found["user"] == found["answer"]["user_id"]
    (first, *_), (second, *_), (none, *_) = found["pages"]
    assert [len(page[0]) for page in found["pages"]] == [1, 1, 0]
    assert [page[1:] for page in found["pages"]] == [[2, 0], [2, 1], [2, 2]]
    assert first != second
    assert none == []


def test_sdk_reads(found: dict[str, Any]) -> None:
    """Every reading method returns what it is for."""
    read = found["read"]
    assert read["attributes"]["make"] == "CHEVROLET"
    assert len(read["vin"]["vin"]) == 17
    assert read["odometer"]["distance"] > 10_000
    assert 37 < read["location"]["latitude"] < 41
    assert read["fuel"].keys() == {"range", "percent_remaining", "amount_remaining"}
    assert read["battery"].keys() == {"percent_remaining", "range"}
    assert read["nominal_capacity"]["capacity"]["nominal"] == read["battery_capacity"]["capacity"]
    assert read["charge"] == {"is_plugged_in": True, "state": "NOT_CHARGING"}
    assert read["get_charge_limit"] == {"limit": 0.8}
    assert 0 <= read["engine_oil"]["life_remaining"] <= 1
    assert read["tire_pressure"].keys() == {"front_left", "front_right", "back_left", "back_right"}
    assert read["lock_status"]["is_locked"] is True
    assert len(read["service_history"]["items"]) == 2
    assert {"system_id": "SYSTEM_TPMS", "status": "OK", "description": None} in read[
        "diagnostic_system_status"
    ]["systems"]
    assert read["diagnostic_trouble_codes"]["active_codes"][0]["code"] == "P0420"
    assert "read_odometer" in read["permissions"]["permissions"]


def test_sdk_options(found: dict[str, Any]) -> None:
    """Units, flags, pages and dates are honoured, and the answer's meta has all four headers."""
    assert found["meta"].keys() == {"data_age", "unit_system", "request_id", "fetched_at"}
    assert found["meta"]["unit_system"] == "imperial"
    assert found["permissions_page"]["permissions"] == found["read"]["permissions"]["permissions"][1:3]
    assert found["no_service"] == {"items": []}


def test_sdk_batch(found: dict[str, Any]) -> None:
    """A batch of everything tells what the methods told."""
    renamed = {"battery_nominal_capacity": "nominal_capacity"}
    batch = {renamed.get(name, name): value for name, value in found["batch"].items()}
    assert batch == found["read"]


def test_sdk_acts(found: dict[str, Any]) -> None:
    """Every command is taken, and the car has changed afterwards."""
    sent = "Successfully sent request to vehicle"
    expected = [sent, "False", sent, "True", sent, "CHARGING", sent, "NOT_CHARGING", sent, "0.9", sent, sent]
    assert found["acts"] == expected
    assert found["requested"] == found["read"]["odometer"]


def test_sdk_signals(found: dict[str, Any]) -> None:
    """Signals and vehicle of API v3 are read with the same token."""
    odometer = {"unit": "kilometers", "value": found["read"]["odometer"]["distance"]}
    assert found["signals"]["odometer-traveleddistance"] == odometer
    assert found["signals"]["diagnostics-dtclist"]
    assert found["signal"]["attributes"]["body"] == found["signal"]["data"]["attributes"]["body"] == odometer
    assert found["vehicle"]["attributes"]["model"] == found["read"]["attributes"]["model"]
    assert found["vehicle"]["attributes"]["mode"] == "simulated"


def test_sdk_compatibility(found: dict[str, Any]) -> None:
    """A VIN's compatibility, and the matrix of a make."""
    assert found["compatibility"]["compatible"] is True
    assert found["compatibility"]["reason"] is None
    capabilities = {one["permission"]: one for one in found["compatibility"]["capabilities"]}
    assert capabilities["read_odometer"] == {
        "permission": "read_odometer",
        "endpoint": "/odometer",
        "capable": True,
        "reason": None,
    }
    assert {row["type"] for row in found["matrix"]["TESLA"]} == {"BEV"}
    assert all("read_battery" in row["permissions"] for row in found["matrix"]["TESLA"])


def test_sdk_webhooks(found: dict[str, Any]) -> None:
    """A vehicle is subscribed and unsubscribed; a challenge is answered."""
    assert found["subscribed"] == ["webhook-1", True]
    assert found["unsubscribed"] == "success"
    assert found["verified"] is True


@pytest.mark.parametrize(
    ("what", "status", "kind", "code"),
    [
        ("code", 400, "invalid_request", None),
        ("refresh_token", 400, "invalid_request", None),
        ("token", 401, "AUTHENTICATION", None),
        ("vehicle", 400, "VALIDATION", None),
        ("path", 404, "RESOURCE_NOT_FOUND", "PATH"),
        ("version", 404, "RESOURCE_NOT_FOUND", "VERSION"),
        ("limit", 400, "VALIDATION", "PARAMETER"),
        ("charge", 400, "VALIDATION", "PARAMETER"),
        ("amt", 401, "AUTHENTICATION", None),
        ("disconnected", 403, "PERMISSION", None),
    ],
)
def test_sdk_errors(found: dict[str, Any], what: str, status: int, kind: str, code: str | None) -> None:
    """The SDK reads status, type, code, words and way out of every error."""
    error = found["errors"][what]
    assert (error["status_code"], error["type"], error["code"]) == (status, kind, code)
    assert error["message"]
    if kind != "invalid_request":
        assert error["description"] in error["message"]
        assert error["doc_url"].startswith("https://smartcar.com/docs/")
        assert error["resolution"].keys() == {"type", "url"}
        assert error["request_id"] is True


def test_sdk_versions(found: dict[str, Any]) -> None:
    """A version that doesn't exist yet is answered by the latest."""
    assert found["later_version"] == ["9.9", found["user"]]


def test_sdk_management(found: dict[str, Any]) -> None:
    """Connections are listed by pages and filters, and removed by vehicle."""
    managed = found["managed"]
    (first,), (second,), cursor = managed["pages"]
    assert first["connected_at"]
    assert first != second
    assert cursor is None
    assert managed["of_user"] == 2
    (of_vehicle,) = managed["of_vehicle"]
    (deleted,) = managed["deleted"]
    assert deleted == {**of_vehicle, "connected_at": None}
    assert managed["left"] == 1


def test_sdk_disconnect(found: dict[str, Any]) -> None:
    """A disconnected vehicle is gone."""
    assert (found["disconnected"], found["left"]) == ("success", 0)
