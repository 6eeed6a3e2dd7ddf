"""The official `smartcar` Python SDK, unmodified, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx

from smartcar_auth.sandbox import Sandbox

from .conftest import APPLICATION_ID, REDIRECT_URI, Person


def test_official_sdk_whole_way() -> None:
    """Exchange, refresh, reading, commands, batch, errors and disconnecting all work as the SDK expects."""
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.origin) as client:
        answer = Person(client).connects()
        environment = os.environ | {
            "SMARTCAR_AUTH_ORIGIN": sandbox.token_url,
            "SMARTCAR_API_ORIGIN": sandbox.origin,
            "SMARTCAR_CONNECT_ORIGIN": sandbox.origin,
            "SMARTCAR_MANAGEMENT_API_ORIGIN": sandbox.origin,
            "SMARTCAR_VEHICLE_API_V3_ORIGIN": sandbox.origin,
            "NO_PROXY": "127.0.0.1",
        }
        script = Path(__file__).with_name("official_sdk.py")
        done = subprocess.run(
            [sys.executable, str(script), APPLICATION_ID, REDIRECT_URI, answer["code"]],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert client.get(found.pop("url")).status_code == 303
    assert found["user"] == answer["user_id"]
    assert found["count"] == 2
    assert found["make"] == "CHEVROLET"
    assert found["odometer"] == found["batch"] > 10_000
    assert 37 < found["latitude"] < 41
    assert len(found["vin"]) == 17
    assert found["permissions"] == ["read_vehicle_info", "read_vin"]
    assert None not in found["rest"]
    assert found["unlock"] == "Successfully sent request to vehicle"
    assert found["unlocked"] is False
    assert found["request_id"]
    assert found["batch_error"] == "PERMISSION"
    assert found["permission_error"] == [403, "PERMISSION", "PERMISSION - Your ap", True]
    assert found["code_error"] == [400, "invalid_request", "Invalid code: X."]
    assert found["token_error"] == [401, "AUTHENTICATION"]
    assert (found["disconnect"], found["left"]) == ("success", 1)
