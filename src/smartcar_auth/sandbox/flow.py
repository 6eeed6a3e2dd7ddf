"""Connect as a state machine: which screen follows which, and what each form does.

Nothing here knows HTTP or HTML. A form's handler takes the attempt and the form, and answers with
the next screen's name or with the outcome; `SCREENS` is the whole machine in one table.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from .accounts import VIN_EFFECTS, Account, account_of, stable_uuid
from .brands import COUNTRIES, Brand, brand_called, brand_of_vin
from .garage import Vehicle
from .languages import ENGLISH, LANGUAGES
from .outcomes import Outcome, refusal
from .plan import Plan
from .records import CODE_SECONDS, Attempt, Code, Grant, Records
from .request import AUTHORIZE, BATTERY_CAPACITY, ConnectRequest
from .settings import Settings
from .stops import COMPLAINTS, STOPS, Form, text_of

Step = str | Outcome

VIRTUAL_KEY_URL = "https://www.tesla.com/_ak/smartcar.com"
SECOND_FACTORS = {"two-factor": 6, "pin": 4}  # screen -> how many digits it asks for
CAPACITIES = ("40", "58", "64", "75", "77.4", "82")  # of batteries, in kWh
_ORDINARY = Plan()


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen: its template, where it is on the way, who may see it, what its form does."""

    template: str
    step: str
    submit: Callable[["Flow", Attempt, Form], Step]
    reached: Callable[[Attempt], bool] = lambda attempt: True


class Flow:
    """Moves attempts from screen to screen."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.settings = settings
        self.records = records

    def open(self, request: ConnectRequest, plan: Plan = _ORDINARY, language: str = ENGLISH) -> Attempt:
        """Begin an attempt."""
        ids, now = self.settings.ids, self.settings.clock()
        attempt = Attempt(ids.path_segment(), request, request.country, language, plan, opened_at=now)
        attempt.brand = self._brand_asked_for(request)
        if self.records.battery_tokens.get(request.battery_token, 0.0) > now:
            attempt.passed.add("login")
        self.records.attempts.put(attempt.id, attempt)
        return attempt

    def first_screen(self, attempt: Attempt) -> str:
        """Where the person starts."""
        if attempt.request.problem is not None:
            return "problem"
        if attempt.request.entry == AUTHORIZE:
            return "welcome"
        return BATTERY_CAPACITY if SCREENS[BATTERY_CAPACITY].reached(attempt) else "login"

    def submit(self, attempt: Attempt, screen: str, form: Form) -> Step:
        """Handle a screen's form: the next screen's name, or how the attempt ends."""
        attempt.complaints.pop(screen, None)
        return SCREENS[screen].submit(self, attempt, form)

    def furthest(self, attempt: Attempt, screen: str) -> str:
        """The screen asked for if the person has come that far, else the one that is due."""
        if screen in SCREENS and SCREENS[screen].reached(attempt):
            return screen
        if attempt.request.problem is not None or attempt.brand is None:
            return self.first_screen(attempt)
        return "login"

    def _brand_asked_for(self, request: ConnectRequest) -> Brand | None:
        """Single select by VIN beats make; a VIN that names no brand leaves it to make."""
        if request.vehicle_id is not None:
            return self.records.brand_of(request.vehicle_id)
        decoded = brand_of_vin(request.vin) if request.vin else None
        return decoded or (brand_called(request.make) if request.make else None)

    def approve(self, attempt: Attempt, vehicle_ids: tuple[str, ...]) -> Outcome:
        """Make the grant, and the code for it. Approving twice makes two codes, both of them good."""
        account, request, now = _known(attempt), attempt.request, self.settings.clock()
        chosen = tuple(vehicle for vehicle in attempt.vehicles if vehicle.id in vehicle_ids)
        grant = Grant(
            request.application_id,
            account.user_id,
            tuple(vehicle.id for vehicle in chosen),
            tuple(permission.name for permission in request.permissions),
            request.mode,
        )
        self.records.connect(grant, chosen, now, request.external_id)
        self.records.approvals.put(_approval_key(attempt), grant)
        pairs: list[tuple[str, str]] = []
        if request.response_type == "code":
            pairs.append(("code", self._code(grant, request.redirect_uri, attempt.plan)))
        pairs.append(("user_id", account.user_id))
        if attempt.virtual_key_url:
            pairs.append(("virtual_key_url", attempt.virtual_key_url))
        return Outcome(tuple(pairs))

    def approved_before(self, attempt: Attempt) -> tuple[str, ...]:
        """The vehicles of an earlier approval of the same scope that `approval_prompt=auto` may reuse."""
        if attempt.request.force:
            return ()
        earlier = self.records.approvals.get(_approval_key(attempt))
        if earlier is None or set(earlier.permissions) != {p.name for p in attempt.request.permissions}:
            return ()
        return tuple(self.records.connected(earlier))

    def garage(self, account: Account, brand: Brand, vin: str | None) -> tuple[Vehicle, ...]:
        """The person's vehicles of a brand; with a VIN, that one."""
        user = self.settings.users.get(account.name)
        if user is None:
            return self.records.garage(account, brand, vin)
        theirs = user.vehicles_with(brand.token, vin)
        return tuple(self.records.vehicles.get(each.id) or each.copied() for each in theirs)

    def _code(self, grant: Grant, redirect_uri: str | None, plan: Plan) -> str:
        """A fresh code, on the shelf in the state that the plan wants the token endpoint to find it in."""
        text, now = self.settings.ids.uuid(), self.settings.clock()
        if plan.exchange == "other_application":
            grant = replace(grant, application_id="another application")
        code = Code(grant, redirect_uri, now if plan.exchange == "expired" else now + CODE_SECONDS)
        if plan.exchange == "429":
            code.trouble = ("rate_limit", "Too many requests. Please try again later.", 429, plan.retry_after)
        elif plan.exchange == "500":
            code.trouble = ("server_error", "Unexpected server error. Please try again.", 500, 0)
        code.used = plan.exchange == "used"
        self.records.codes.put(text, code)
        return text


def _approval_key(attempt: Attempt) -> str:
    request, brand = attempt.request, attempt.brand
    choice = request.vin or ("one" if request.single_select else "any")
    names = (request.application_id, _known(attempt).name, brand.token if brand else "", request.mode, choice)
    return stable_uuid(*names)


def _known(attempt: Attempt) -> Account:
    if attempt.account is None:
        raise LookupError("nobody has logged in to this attempt")
    return attempt.account


def _wants(attempt: Attempt, screen: str) -> bool:
    """Whether this extra screen is still to come: the account has it, or the plan asks for it."""
    asked = _known(attempt).effect == screen or screen in attempt.plan.screens
    return asked and screen not in attempt.passed


# What each form does, in the order in which a person meets them.


def _leave_welcome(flow: Flow, attempt: Attempt, form: Form) -> Step:
    if text_of(form, "language") in LANGUAGES:
        attempt.language = text_of(form, "language")
        return "welcome"
    if text_of(form, "country") in COUNTRIES:
        attempt.country = text_of(form, "country")
    if attempt.request.vin is not None:
        attempt.stop = VIN_EFFECTS.get(attempt.request.vin.upper(), "")
        if attempt.stop:
            return attempt.stop
    return "brands" if attempt.brand is None else "login"


def _choose_brand(flow: Flow, attempt: Attempt, form: Form) -> Step:
    if text_of(form, "other"):
        attempt.brand, attempt.stop = None, "unlisted"
        return "unlisted"
    attempt.brand = brand_called(text_of(form, "brand"))
    attempt.account, attempt.vehicles, attempt.approved = (
        None,
        (),
        (),
    )  # another brand's account knows none of it
    attempt.passed.clear()
    attempt.stop = "" if attempt.brand.offered_in(attempt.country) else "coming-later"
    return attempt.stop or "login"


def _log_in(flow: Flow, attempt: Attempt, form: Form) -> Step:
    if text_of(form, "action") == "cancel":
        return refusal("oem_cancelled_login")
    attempt.username = text_of(form, "username")[:200]
    password = form.get("password", [""])[0]
    if not attempt.username or not password:
        attempt.complaints["login"] = COMPLAINTS["login"]
        return "login"
    account = account_of(attempt.username)
    user = flow.settings.users.get(account.name)
    account = user.account if user is not None else account
    refused = user is not None and not user.may_log_in(password, attempt.country)
    if refused or account.effect == "invalid-credentials":
        attempt.complaints["login"] = COMPLAINTS["wrong password"]
        return "login"
    attempt.account, attempt.stop, attempt.approved = account, "", ()
    attempt.passed.clear()
    return _after_login(flow, attempt, account)


def _after_login(flow: Flow, attempt: Attempt, account: Account) -> Step:
    brand, request = attempt.brand or brand_called(""), attempt.request
    attempt.vehicles = flow.garage(account, brand, request.vin)
    for screen in SECOND_FACTORS:
        if _wants(attempt, screen):
            return screen
    attempt.stop = _dead_end(attempt, account)
    if attempt.stop:
        return attempt.stop
    attempt.passed.add("login")
    if request.entry == BATTERY_CAPACITY:
        return BATTERY_CAPACITY
    if request.vehicle_id:
        flow.records.login_renewed(request.vehicle_id)
        return Outcome((("vehicle_id", request.vehicle_id),))
    approved = flow.approved_before(attempt)
    return _finish(flow, attempt, approved) if approved else "grant"


def _dead_end(attempt: Attempt, account: Account) -> str:
    """The screen that keeps this account from the grant screen; "" for an ordinary one."""
    if account.effect in STOPS:
        return account.effect
    if attempt.request.vehicle_id is not None:
        return ""  # a vehicle that is connected was found good before
    if not attempt.vehicles:
        return "no-vehicles"
    required = [permission.name for permission in attempt.request.required]
    able = any(all(vehicle.can(name) for name in required) for vehicle in attempt.vehicles)
    return "" if able else "incompatible"


def _verify(screen: str) -> Callable[[Flow, Attempt, Form], Step]:
    """The form of a second factor. Any digits will do, as any password does."""

    def verify(flow: Flow, attempt: Attempt, form: Form) -> Step:
        if text_of(form, "action") == "back":
            return refusal("user_manually_returned_to_application")
        code = text_of(form, "verification-code")
        if not (code.isascii() and code.isdigit() and len(code) == SECOND_FACTORS[screen]):
            attempt.complaints[screen] = COMPLAINTS[screen]
            return screen
        attempt.passed.add(screen)
        return _after_login(flow, attempt, _known(attempt))

    return verify


def _decide(flow: Flow, attempt: Attempt, form: Form) -> Step:
    if text_of(form, "decision") == "deny":
        return refusal("access_denied")
    offered = [vehicle.id for vehicle in attempt.vehicles]
    chosen = tuple(vehicle_id for vehicle_id in offered if vehicle_id in form.get("vehicle", ()))
    if attempt.request.vin is not None:
        chosen = tuple(offered)
    if attempt.request.single_select:
        chosen = chosen[:1]
    if not chosen:
        attempt.complaints["grant"] = COMPLAINTS["grant"]
        return "grant"
    return _finish(flow, attempt, chosen)


def _finish(flow: Flow, attempt: Attempt, chosen: tuple[str, ...]) -> Step:
    attempt.approved = chosen
    for screen in (BATTERY_CAPACITY, "virtual-key"):
        if _wants(attempt, screen):
            return screen
    return flow.approve(attempt, chosen)


def _choose_capacity(flow: Flow, attempt: Attempt, form: Form) -> Step:
    capacity = text_of(form, "capacity")
    known = capacity in CAPACITIES
    if not known and text_of(form, "action") != "unknown":
        attempt.complaints[BATTERY_CAPACITY] = COMPLAINTS[BATTERY_CAPACITY]
        return BATTERY_CAPACITY
    attempt.passed.add(BATTERY_CAPACITY)
    asked_about = attempt.request.vehicle_id
    for vehicle_id in attempt.approved if asked_about is None else (asked_about,):
        if known:
            flow.records.capacities.put(vehicle_id, float(capacity))
    if asked_about is None:
        return _finish(flow, attempt, attempt.approved)
    if not known:
        return refusal("battery_capacity_no_selection", ("vehicle_id", asked_about))
    pairs = (("vehicle_id", asked_about), ("selected_capacity", capacity), ("reason", "battery_capacity"))
    return Outcome(pairs)


def _add_virtual_key(flow: Flow, attempt: Attempt, form: Form) -> Step:
    attempt.passed.add("virtual-key")
    attempt.virtual_key_url = VIRTUAL_KEY_URL
    return _finish(flow, attempt, attempt.approved)


def _leave_stop(flow: Flow, attempt: Attempt, form: Form) -> Step:
    stop = STOPS[attempt.stop]
    if text_of(form, "action") == "again":
        return "brands" if stop.again == "brands" else "login"
    return refusal(stop.error, *stop.details(attempt, form))


def _leave_problem(flow: Flow, attempt: Attempt, form: Form) -> Step:
    problem = attempt.request.problem
    message = problem.message if problem is not None else ""
    return refusal("configuration_error", ("status_code", "400"), ("error_message", message))


def _is_at_stop(name: str) -> Callable[[Attempt], bool]:
    return lambda attempt: attempt.stop == name


def _logged_in(attempt: Attempt) -> bool:
    return "login" in attempt.passed and not attempt.stop


def _asks_for_capacity(attempt: Attempt) -> bool:
    if attempt.request.entry == BATTERY_CAPACITY:
        return "login" in attempt.passed
    return bool(attempt.approved)


SCREENS: dict[str, Screen] = {
    "problem": Screen(
        "problem.html", "", _leave_problem, lambda attempt: attempt.request.problem is not None
    ),
    "welcome": Screen("welcome.html", "Start", _leave_welcome, lambda a: not a.request.problem),
    "brands": Screen("brands.html", "Brand", _choose_brand, lambda a: not a.request.problem),
    "login": Screen(
        "login.html", "Sign in", _log_in, lambda a: a.brand is not None and not a.request.problem
    ),
    "two-factor": Screen(
        "second-factor.html",
        "Sign in",
        _verify("two-factor"),
        lambda attempt: attempt.account is not None,
    ),
    "pin": Screen(
        "second-factor.html",
        "Sign in",
        _verify("pin"),
        lambda attempt: attempt.account is not None,
    ),
    "grant": Screen("grant.html", "Permissions", _decide, _logged_in),
    BATTERY_CAPACITY: Screen("battery-capacity.html", "Permissions", _choose_capacity, _asks_for_capacity),
    "virtual-key": Screen("virtual-key.html", "Permissions", _add_virtual_key, lambda a: bool(a.approved)),
    **{name: Screen("stop.html", "", _leave_stop, _is_at_stop(name)) for name in STOPS},
}


def end_at_once(error: str) -> Outcome:
    """The outcome with one of Connect's errors, whatever the person has done so far."""
    if error == "configuration_error":
        return refusal(error, ("status_code", "400"), ("error_message", STOPS["configuration"].text))
    return refusal(error)
