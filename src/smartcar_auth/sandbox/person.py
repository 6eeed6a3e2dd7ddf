"""Somebody who goes through Connect without pages, as a plan says: for tests that need no browser."""

from dataclasses import replace
from urllib.parse import urlsplit

from .flow import SECOND_FACTORS, Flow, end_at_once
from .journal import Recorded
from .outcomes import Outcome, location
from .plan import GRANTED, Plan
from .records import Attempt
from .request import AUTHORIZE, BATTERY_CAPACITY, REAUTHENTICATE, read_request
from .stops import STOPS, Form

ENTRIES = {
    "/oauth/authorize": AUTHORIZE,
    "/oauth/reauthenticate": REAUTHENTICATE,
    "/battery-capacity": BATTERY_CAPACITY,
}

_NEEDS_A_BROWSER = ("coop", "opener", "answer", "closes_at", "connect")


class CantGoOn(ValueError):
    """A screen did not take what the plan says."""


def answered(flow: Flow, auth_url: str, plan: Plan) -> str:
    """Open Connect with this address and go through it: where the browser is sent in the end.

    Raises:
        ValueError: the address is none of Connect's, or is refused, or a screen lets nobody past, or the
            attempt would end on a page of Connect.
    """
    parts = urlsplit(auth_url)
    if parts.path not in ENTRIES:
        raise ValueError(
            f"{parts.path or auth_url!r} is no entry of Connect. There are: {', '.join(ENTRIES)}."
        )
    for name in _NEEDS_A_BROWSER:
        if getattr(plan, name):
            raise ValueError(f"{name} needs somebody who opens Connect: use next() instead of approve().")
    query = parts.query.encode("utf-8", "surrogateescape")
    attempt = flow.open(read_request(query, flow.settings, ENTRIES[parts.path]), plan)
    address = location(attempt.request, play(flow, attempt), plan.state)
    if address is None:
        raise ValueError("This request has no redirect_uri: the attempt ends on a page of Connect.")
    flow.records.requests.append(Recorded(flow.settings.clock(), "GET", parts.path, 302, query))
    return address


def play(flow: Flow, attempt: Attempt) -> Outcome:
    """Bring the attempt to the end that its plan names, through the same screens that a person meets.

    Raises:
        CantGoOn: a screen complains, in the words that a person would read there.
    """
    plan = attempt.plan
    outcome = _go_forward(flow, attempt, plan) if plan.outcome == GRANTED else end_at_once(plan.outcome)
    pairs = dict(outcome.pairs) | dict(plan.parameters)
    return replace(outcome, pairs=tuple(pairs.items()))


def _go_forward(flow: Flow, attempt: Attempt, plan: Plan) -> Outcome:
    screen = flow.first_screen(attempt)
    while True:
        step = flow.submit(attempt, screen, _form(attempt, screen, plan))
        if isinstance(step, Outcome):
            return step
        if step == screen:
            raise CantGoOn(f"The screen {screen} says: {attempt.complaints.get(screen, '')}")
        screen = step


def _form(attempt: Attempt, screen: str, plan: Plan) -> Form:
    """What the person sends from this screen."""
    if screen == "welcome":
        return {"country": [plan.country]}
    if screen == "brands":
        return {"brand": [plan.make]}
    if screen == "login":
        return {"username": [plan.user], "password": [plan.password]}
    if screen in SECOND_FACTORS:
        return {"verification-code": ["1" * SECOND_FACTORS[screen]]}
    if screen == "grant":
        return {"decision": ["allow"], "vehicle": _chosen(attempt, plan)}
    if screen == "battery-capacity":
        return {"capacity": ["75"]}
    return {"action": ["leave"]} if screen in STOPS else {}


def _chosen(attempt: Attempt, plan: Plan) -> list[str]:
    """The ids of the vehicles that the plan names by VIN.

    Raises:
        CantGoOn: the account has no such vehicle.
    """
    if plan.vehicles is None:
        return [vehicle.id for vehicle in attempt.vehicles]
    ids = {vehicle.vin: vehicle.id for vehicle in attempt.vehicles}
    for vin in plan.vehicles:
        if vin not in ids:
            raise CantGoOn(f"{plan.user} has no vehicle {vin}. This account has: {', '.join(ids)}.")
    return [ids[vin] for vin in plan.vehicles]
