"""Writing an authorization URL: `get_auth_url`, with a state and a user that are new in every call.

Both sides write the same parameters, which is checked. The dictionary of options that the official package
wants is made beforehand, so only the call itself is timed, in the peer's favour.
"""

import secrets
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import smartcar as official

from smartcar_auth import Smartcar

from .figure import Figure, Say, Target, microseconds_per_item, take_turns

APPLICATION_ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
REDIRECT_URI = "https://app.example.com/smartcar/callback"
SCOPE = ["read_odometer", "read_location", "required:read_vehicle_info"]
CALLS = 4000

TEN = {"make": "TESLA", "single_select": True}
TWELVE = {"make": "TESLA", "single_select_vin": "5YJSA1E14FF101307", "flags": {"country": "DE"}}
OFFICIAL_TEN = {"make_bypass": "TESLA", "single_select": {"enabled": True}}
OFFICIAL_TWELVE = {
    "make_bypass": "TESLA",
    "single_select": {"vin": "5YJSA1E14FF101307"},
    "flags": {"country": "DE"},
}


def measure(say: Say, quick: bool) -> list[Figure]:
    ours = Smartcar(application_id=APPLICATION_ID, redirect_uri=REDIRECT_URI, scope=SCOPE, mode="simulated")
    peer = official.AuthClient(APPLICATION_ID, "secret", REDIRECT_URI, mode="simulated")
    _check_equal(
        ours.get_auth_url("s", user="u", **TEN),
        peer.get_auth_url(SCOPE, {**OFFICIAL_TEN, "state": "s", "user": "u"}),
        10,
    )
    _check_equal(
        ours.get_auth_url("s", user="u", **TWELVE),
        peer.get_auth_url(SCOPE, {**OFFICIAL_TWELVE, "state": "s", "user": "u"}),
        12,
    )
    times = take_turns(
        {
            "ours": partial(_time_ours, ours.get_auth_url, TEN),
            "peer": partial(_time_official, peer.get_auth_url, OFFICIAL_TEN),
            "ours, 12": partial(_time_ours, ours.get_auth_url, TWELVE),
            "peer, 12": partial(_time_official, peer.get_auth_url, OFFICIAL_TWELVE),
        },
        5 if quick else 24,
        say,
    )
    best = {name: min(taken) for name, taken in times.items()}
    middle = {name: median(taken) for name, taken in times.items()}
    return [
        Figure(
            "get_auth_url, 10 parameters",
            best["ours"],
            best["peer"],
            "us",
            "smartcar",
            Target(0.10),
            f"minima of {len(times['ours'])} batches of {CALLS}; by medians {middle['ours']:.2f} and "
            f"{middle['peer']:.2f} us, ratio {middle['ours'] / middle['peer']:.3f}",
        ),
        Figure("get_auth_url, 12 with VIN and flags", best["ours, 12"], best["peer, 12"], "us", "smartcar"),
    ]


def _people() -> list[tuple[str, str]]:
    return [(secrets.token_urlsafe(32), str(uuid4())) for _ in range(CALLS)]


def _time_ours(get_auth_url: Callable[..., str], options: dict[str, Any]) -> float:
    people = _people()

    def work() -> None:
        for state, user in people:
            get_auth_url(state, user=user, **options)

    return microseconds_per_item(work, CALLS)


def _time_official(get_auth_url: Callable[..., str], options: dict[str, Any]) -> float:
    prepared = [{**options, "state": state, "user": user} for state, user in _people()]

    def work() -> None:
        for one in prepared:
            get_auth_url(SCOPE, one)

    return microseconds_per_item(work, CALLS)


def _check_equal(ours: str, peers: str, count: int) -> None:
    mine, theirs = dict(parse_qsl(urlsplit(ours).query)), dict(parse_qsl(urlsplit(peers).query))
    theirs["application_id"] = theirs.pop("client_id")  # its older name
    if mine != theirs or len(mine) != count:
        raise AssertionError(f"not the same {count} parameters:\n{mine}\n{theirs}")
