"""The official JavaScript SDK, really run, and ours write the same parameters, values and order."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from smartcar_auth import Smartcar

JAVASCRIPT = Path(__file__).parent.parent / "js"
ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"

# (their constructor options, their link options), (our options, our arguments)
CONSTRUCTIONS = [
    ({"applicationId": ID}, {"application_id": ID}),
    ({"applicationId": ID, "mode": "simulated"}, {"application_id": ID, "mode": "simulated"}),
    ({"applicationId": ID, "mode": "test", "scope": []}, {"application_id": ID, "mode": "test", "scope": []}),
    (
        {
            "applicationId": ID,
            "redirectUri": "https://example.com/cb?x=1&y=%20",
            "scope": ["read_vin", "required:read_fuel"],
        },
        {
            "application_id": ID,
            "redirect_uri": "https://example.com/cb?x=1&y=%20",
            "scope": ["read_vin", "required:read_fuel"],
        },
    ),
    (
        {
            "applicationId": ID,
            "redirectUri": "https://javascript-sdk.smartcar.com/v2/redirect?app_origin=http://localhost:8000",
            "externalId": "me & you/ä",
        },
        {
            "application_id": ID,
            "redirect_uri": "https://javascript-sdk.smartcar.com/v2/redirect?app_origin=http://localhost:8000",
            "external_id": "me & you/ä",
        },
    ),
    (
        {"applicationId": ID, "redirectUri": f"sc{ID}://exchange", "externalId": None},
        {"application_id": ID, "redirect_uri": f"sc{ID}://exchange", "external_id": "null"},
    ),
    (
        {"applicationId": ID, "redirectUri": "https://example.com/", "responseType": "none"},
        {"application_id": ID, "redirect_uri": "https://example.com/", "response_type": "none"},
    ),
    # Without a redirect URI theirs adds the page's origin by itself; on a server somebody has to say it.
    (
        {"applicationId": ID, "responseType": "none", "scope": ["read_vin"]},
        {"application_id": ID, "response_type": "none", "scope": ["read_vin"]},
    ),
]
LINKS = [
    ({}, {}),
    ({"forcePrompt": True}, {"force_prompt": True}),
    ({"forcePrompt": False, "singleSelect": None}, {"force_prompt": False, "single_select": None}),
    ({"singleSelect": True}, {"single_select": True}),
    ({"singleSelect": False}, {"single_select": False}),
    ({"singleSelect": {"vin": "5YJSA1E14FF101307"}}, {"single_select_vin": "5YJSA1E14FF101307"}),
    (
        {"singleSelect": {"vin": "5YJSA1E14FF101307"}, "vehicleInfo": {"make": "TESLA"}},
        {"single_select": True, "single_select_vin": "5YJSA1E14FF101307", "make": "TESLA"},
    ),
    ({"vehicleInfo": {"make": "Mercedes Benz"}}, {"make": "Mercedes Benz"}),
    ({"flags": ["country:DE", "color:00819D"]}, {"flags": ["country:DE", "color:00819D"]}),
    ({"flags": ["tesla_auth:true"]}, {"flags": {"tesla_auth": True}}),
    ({"flags": []}, {"flags": []}),
    ({"user": "2dad4eaf~a@b.c +é"}, {"user": "2dad4eaf~a@b.c +é"}),
    (
        {
            "forcePrompt": True,
            "vehicleInfo": {"make": "KIA"},
            "flags": ["a:b"],
            "user": "u",
            "singleSelect": True,
            "state": "s",
        },
        {
            "force_prompt": True,
            "make": "KIA",
            "flags": "a:b",
            "user": "u",
            "single_select": True,
            "state": "s",
        },
    ),
]


@pytest.fixture(scope="module")
def official():
    """The official SDK's answer for every combination, from one Node process."""
    node = shutil.which("node")
    assert node, "Node.js is needed: run scripts/setup test"
    table = [
        {"options": theirs, "link": link}
        for (theirs, _), (link, _) in itertools.product(CONSTRUCTIONS, LINKS)
    ]
    done = subprocess.run(
        [node, "official_urls.mjs"],
        input=json.dumps(table),
        capture_output=True,
        text=True,
        cwd=JAVASCRIPT,
        check=True,
    )
    return json.loads(done.stdout)


def parameters(url):
    """Everything before the query, and the decoded parameters in order, without the state."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    return parts._replace(query="").geturl(), [pair for pair in pairs if pair[0] != "state"]


def test_official_sdk_accepts_every_row(official):
    """Each option set of the table is one that the official SDK takes: nothing is compared with an error."""
    assert len(official) == len(CONSTRUCTIONS) * len(LINKS)
    assert not [answer for answer in official if "url" not in answer]


def test_auth_url_has_the_official_parameters(official):
    """For every option set both write the same address, names, values and order (state aside)."""
    for answer, ((_, ours), (_, arguments)) in zip(
        official, itertools.product(CONSTRUCTIONS, LINKS), strict=True
    ):
        arguments = dict(arguments)
        if ours.get("response_type") == "none" and "redirect_uri" not in ours:
            arguments["app_origin"] = "https://app.example.com"
        url = Smartcar(**ours).get_auth_url(**arguments)
        assert parameters(url) == parameters(answer["url"]), (ours, arguments)


def test_auth_url_has_the_state_in_the_official_place(official):
    """The state, which the official SDK always sends, stands where theirs stands."""
    for answer, ((_, ours), (_, arguments)) in zip(
        official, itertools.product(CONSTRUCTIONS, LINKS), strict=True
    ):
        arguments = {**arguments, "state": "s"}
        if ours.get("response_type") == "none" and "redirect_uri" not in ours:
            arguments["app_origin"] = "https://app.example.com"
        names = [
            name for name, _ in parse_qsl(urlsplit(Smartcar(**ours).get_auth_url(**arguments)).query, True)
        ]
        assert names == [name for name, _ in parse_qsl(urlsplit(answer["url"]).query, True)]
