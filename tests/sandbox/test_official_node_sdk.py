"""The official `smartcar` SDK for Node, unmodified, against the sandbox."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from smartcar_auth.sandbox import Sandbox

from .conftest import APPLICATION_ID, REDIRECT_URI, SCOPE, Person

SCRIPT = Path(__file__).parents[1] / "js" / "official_sdk.mjs"
SENT = "Successfully sent request to vehicle"


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Any]]:
    """Everything the SDK found."""
    with Sandbox(tls=True) as sandbox:
        assert sandbox.certificates is not None
        verify = sandbox.certificates.client_context()
        with httpx.Client(base_url=sandbox.origin, verify=verify) as client:
            scope = f"{SCOPE} read_service_history read_diagnostics"
            answer = Person(client).connects(scope=scope, mode="simulated")
            environment = os.environ | {
                "SMARTCAR_AUTH_ORIGIN": sandbox.origin,
                "SMARTCAR_API_ORIGIN": sandbox.origin,
                "SMARTCAR_MANAGEMENT_API_ORIGIN": sandbox.origin,
                "SMARTCAR_API_V3_ORIGIN": sandbox.origin,
                "NODE_EXTRA_CA_CERTS": str(sandbox.certificates.ca_file),
            }
            given = {"applicationId": APPLICATION_ID, "redirectUri": REDIRECT_URI, "vin": "5YJ3E1EA7KF000001"}
            done = subprocess.run(
                ["node", str(SCRIPT)],
                input=json.dumps({**given, "code": answer["code"]}),
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
            yield found


def test_sdk_authorization_urls_and_tokens(found: dict[str, Any]) -> None:
    """Connect shows itself for every option; code and refresh token are exchanged."""
    assert found["shown"] == [303] * 4
    assert found["rotated"] is True
    assert found["user"] == found["answer"]["user_id"]
    assert found["paging"] == [{"count": 2, "offset": 0}, {"count": 2, "offset": 1}]


def test_sdk_reads(found: dict[str, Any]) -> None:
    """Every reading method returns what it is for; meta's times are dates, in the units asked for."""
    read = found["read"]
    assert read["attributes"]["make"] == "CHEVROLET"
    assert len(read["vin"]["vin"]) == 17
    assert read["odometer"]["distance"] > 10_000
    assert read["fuel"].keys() == {"range", "percentRemaining", "amountRemaining"}
    assert read["nominalCapacity"]["capacity"]["nominal"] == read["batteryCapacity"]["capacity"]
    assert read["lockStatus"]["isLocked"] is True
    assert read["diagnosticSystemStatus"]["systems"]
    assert read["getChargeLimit"] == {"limit": 0.8}
    assert found["permissions"] == read["permissions"]["permissions"][1:3]
    assert found["services"] == 2
    assert found["meta"]["unitSystem"] == "imperial"
    assert found["meta"]["dates"] is True
    assert found["meta"]["requestId"]


def test_sdk_batch(found: dict[str, Any]) -> None:
    """A batch tells what the methods told."""
    for name in ("attributes", "odometer", "tirePressure", "lockStatus", "diagnosticTroubleCodes"):
        assert found["batch"][name] == found["read"][name], name
    assert found["errors"]["batch"]["type"] == "RESOURCE_NOT_FOUND"


def test_sdk_acts(found: dict[str, Any]) -> None:
    """Every command is taken, the charge limit as the text that this SDK sends."""
    assert found["acts"] == [SENT] * 6
    assert found["limit"] == 0.7
    assert found["requested"] == found["read"]["odometer"]


def test_sdk_signals(found: dict[str, Any]) -> None:
    """Signals and vehicle of API v3 are read with the same token."""
    assert "odometer-traveleddistance" in found["signals"]
    assert found["signal"]["attributes"]["body"]["value"] == found["read"]["odometer"]["distance"]
    assert found["vehicle"]["attributes"]["make"] == "CHEVROLET"


def test_sdk_application(found: dict[str, Any]) -> None:
    """What is the application's: compatibility, webhooks, connections."""
    assert found["compatibility"]["compatible"] is True
    assert {row["type"] for row in found["matrix"]["TESLA"]} == {"BEV"}
    assert found["subscribed"]["webhookId"] == "webhook-1"
    assert found["unsubscribed"] == "success"
    assert found["verified"] is True
    assert found["connections"] == [1, 1, None]
    assert len(found["deleted"]) == 1
    assert (found["disconnected"], found["left"]) == ("success", 0)


@pytest.mark.parametrize(
    ("what", "status", "kind", "code"),
    [
        ("code", 400, "invalid_request", None),
        ("token", 401, "AUTHENTICATION", None),
        ("path", 404, "RESOURCE_NOT_FOUND", "PATH"),
        ("limit", 400, "VALIDATION", "PARAMETER"),
    ],
)
def test_sdk_errors(found: dict[str, Any], what: str, status: int, kind: str, code: str | None) -> None:
    """The SDK reads status, type, code and words of every error."""
    error = found["errors"][what]
    assert (error["statusCode"], error["type"], error["code"]) == (status, kind, code)
    assert error["description"]
    if kind != "invalid_request":
        assert error["docURL"].startswith("https://smartcar.com/docs/")
        assert error["requestId"]
        assert "type" in error["resolution"]
