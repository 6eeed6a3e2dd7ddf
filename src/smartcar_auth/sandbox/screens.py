"""What each screen shows: the values for its template, worked out from the attempt. Decides nothing."""

from collections.abc import Mapping
from typing import Any

from .accounts import TEST_ACCOUNTS
from .brands import COUNTRIES, brands_matching, country_in_prose
from .flow import SCREENS, STOPS, Flow
from .outcomes import ERRORS
from .records import Attempt

_MODES = {"simulated": "Simulated mode", "test": "Test mode"}


def context_of(flow: Flow, attempt: Attempt, screen: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Everything the screen's template needs."""
    return {
        "application_name": flow.settings.application_name,
        "attempt": attempt,
        "request": attempt.request,
        "brand": attempt.brand,
        "brand_name": attempt.brand.name if attempt.brand else "your brand",
        "complaint": attempt.complaints.get(screen, ""),
        "mode": _MODES.get(attempt.request.mode, ""),
        "progress": _progress(attempt, screen),
        "back": _back(attempt, screen),
        "errors": ERRORS,
        **_VIEWS.get(screen, _nothing)(attempt, query),
        **(_stop(attempt, screen) if screen in STOPS else {}),
    }


def steps_of(attempt: Attempt) -> list[str]:
    """The steps of this attempt's way, without those it skips."""
    if attempt.request.vehicle_id is not None:
        return ["Sign in"]
    skips_brands = attempt.request.vin is not None or attempt.request.make
    return (
        ["Start", "Sign in", "Permissions"] if skips_brands else ["Start", "Brand", "Sign in", "Permissions"]
    )


def _progress(attempt: Attempt, screen: str) -> dict[str, Any] | None:
    steps, step = steps_of(attempt), SCREENS[screen].step
    if step not in steps or len(steps) == 1:
        return None
    number = steps.index(step) + 1
    return {"number": number, "total": len(steps), "name": step}


def _back(attempt: Attempt, screen: str) -> tuple[str, str] | None:
    """The way back: a screen and what its link says."""
    if attempt.request.vehicle_id is not None:
        return None
    skips_brands = "Brand" not in steps_of(attempt)
    ways = {
        "brands": ("welcome", "Back"),
        "login": ("welcome", "Back") if skips_brands else ("brands", "Return to brands"),
        "two-factor": ("login", "Back"),
        "grant": ("login", "Back"),
    }
    return ways.get(screen)


def _stop(attempt: Attempt, screen: str) -> dict[str, Any]:
    names = {
        "brand": attempt.brand.name if attempt.brand else "",
        "country": country_in_prose(attempt.country),
    }
    return {"stop": STOPS[screen], "heading": STOPS[screen].heading.format_map(names)}


def _nothing(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    return {}


def _welcome(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    return {"countries": COUNTRIES}


def _brands(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    search = query.get("q", "")[:60]
    found = brands_matching(search)
    return {
        "search": search,
        "country": country_in_prose(attempt.country),
        "offered": [brand for brand in found if brand.offered_in(attempt.country)],
        "later": [brand for brand in found if not brand.offered_in(attempt.country)],
    }


def _login(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    return {"test_accounts": TEST_ACCOUNTS}


def _grant(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    request = attempt.request
    choice = "none" if request.vin else "one" if request.single_select else "any"
    return {"choice": choice, "permissions": sorted(request.permissions, key=lambda p: not p.required)}


_VIEWS = {"welcome": _welcome, "brands": _brands, "login": _login, "grant": _grant}
