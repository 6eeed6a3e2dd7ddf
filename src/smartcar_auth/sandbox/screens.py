"""What each screen shows: the values for its template, worked out from the attempt. Decides nothing."""

import json
from collections.abc import Mapping
from typing import Any

from .accounts import TEST_ACCOUNTS
from .brands import COUNTRIES, brands_matching, country_in_prose
from .flow import CAPACITIES, SCREENS, SECOND_FACTORS, Flow
from .languages import ENGLISH, LANGUAGES, translator
from .outcomes import ERRORS
from .plan import EXTRA_SCREENS, SWITCHES
from .records import Attempt
from .stops import STOPS

_MODES = {"simulated": "Simulated mode", "test": "Test mode"}


def context_of(flow: Flow, attempt: Attempt, screen: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Everything the screen's template needs."""
    t = translator(attempt.language)
    complaint = attempt.complaints.get(screen, "")
    return {
        **_everywhere(flow, attempt),
        "screen": screen,
        "closes": attempt.plan.closes_at == screen,
        "request": attempt.request,
        "brand": attempt.brand,
        "brand_name": attempt.brand.name if attempt.brand and attempt.brand.token else t("your brand"),
        "complaint": complaint and t(complaint),
        "mode": t(_MODES[attempt.request.mode]) if attempt.request.mode in _MODES else "",
        "progress": _progress(attempt, screen),
        "back": _back(attempt, screen),
        "errors": ERRORS,
        "switches": SWITCHES,
        "extra_screens": EXTRA_SCREENS,
        **_VIEWS.get(screen, _nothing)(attempt, query),
        **(_stop(attempt, screen) if screen in STOPS else {}),
    }


def end_of(flow: Flow, attempt: Attempt) -> dict[str, Any]:
    """Everything that the last pages need: the one without a redirect URI, and the one on the way to it."""
    return {
        **_everywhere(flow, attempt),
        "closes": attempt.plan.closes_at == "answer",
        "granted": attempt.granted,
        "message": json.dumps(attempt.message) if attempt.message else "",
    }


def _everywhere(flow: Flow, attempt: Attempt) -> dict[str, Any]:
    return {
        "t": translator(attempt.language),
        "language": attempt.language,
        "application_name": flow.settings.application_name,
        "attempt": attempt,
        "plan": attempt.plan,
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
        return ("login", "Back") if screen in SECOND_FACTORS else None
    skips_brands = "Brand" not in steps_of(attempt)
    ways = {
        "brands": ("welcome", "Back"),
        "login": ("welcome", "Back") if skips_brands else ("brands", "Return to brands"),
        "two-factor": ("login", "Back"),
        "pin": ("login", "Back"),
        "grant": ("login", "Back"),
    }
    return ways.get(screen)


def _stop(attempt: Attempt, screen: str) -> dict[str, Any]:
    t = translator(attempt.language)
    brand = attempt.brand.name if attempt.brand else ""
    heading = t(STOPS[screen].heading, brand=brand, country=_country(attempt))
    wanted = attempt.request.required or attempt.request.permissions[:1]
    return {
        "stop": STOPS[screen],
        "heading": heading,
        "missing": [permission.words for permission in wanted] if screen == "missing-permission" else [],
    }


def _country(attempt: Attempt) -> str:
    """The attempt's country as a sentence needs it; the translations do without an article."""
    if attempt.language == ENGLISH:
        return country_in_prose(attempt.country)
    return translator(attempt.language)(COUNTRIES[attempt.country])


def _nothing(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    return {}


def _welcome(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    t = translator(attempt.language)
    named = {code: t(name) for code, name in COUNTRIES.items()}
    return {"countries": named, "languages": LANGUAGES}


def _brands(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    search = query.get("q", "")[:60]
    found = brands_matching(search)
    return {
        "search": search,
        "country": _country(attempt),
        "offered": [brand for brand in found if brand.offered_in(attempt.country)],
        "later": [brand for brand in found if not brand.offered_in(attempt.country)],
    }


def _login(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    return {"test_accounts": TEST_ACCOUNTS}


def _second_factor(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    return {"digits": SECOND_FACTORS}


def _grant(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    request = attempt.request
    choice = "none" if request.vin else "one" if request.single_select else "any"
    return {"choice": choice, "permissions": sorted(request.permissions, key=lambda p: not p.required)}


def _battery_capacity(attempt: Attempt, query: Mapping[str, str]) -> dict[str, Any]:
    return {"capacities": CAPACITIES}


_VIEWS = {
    "welcome": _welcome,
    "brands": _brands,
    "login": _login,
    "two-factor": _second_factor,
    "pin": _second_factor,
    "grant": _grant,
    "battery-capacity": _battery_capacity,
}
