"""Connect as a state machine: which screen follows which, and what each form does.

Nothing here knows HTTP or HTML. A form's handler takes the attempt and the form, and answers with
the next screen's name or with the outcome; `SCREENS` is the whole machine in one table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .accounts import VIN_EFFECTS, Account, account_of, stable_uuid
from .brands import COUNTRIES, Brand, brand_called, brand_of_vin
from .outcomes import ERRORS, Outcome, refusal
from .records import CODE_SECONDS, Attempt, Code, Grant, Records
from .request import ConnectRequest
from .settings import Settings

Form = Mapping[str, list[str]]
Step = str | Outcome

VIRTUAL_KEY_URL = "https://www.tesla.com/_ak/smartcar.com"


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

    def open(self, request: ConnectRequest) -> Attempt:
        """Begin an attempt."""
        attempt = Attempt(
            self.settings.ids.path_segment(), request, request.country, opened_at=self.settings.clock()
        )
        attempt.brand = self._brand_asked_for(request)
        self.records.attempts.put(attempt.id, attempt)
        return attempt

    def first_screen(self, attempt: Attempt) -> str:
        """Where the person starts."""
        if attempt.request.problem is not None:
            return "problem"
        return "login" if attempt.request.vehicle_id is not None else "welcome"

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
            return self.records.brands.get(request.vehicle_id) or brand_called("")
        decoded = brand_of_vin(request.vin) if request.vin else None
        return decoded or (brand_called(request.make) if request.make else None)

    def approve(self, attempt: Attempt, vehicle_ids: tuple[str, ...]) -> Outcome:
        """Make the grant, and the code for it. Approving twice makes two codes, both of them good."""
        account, request, now = _known(attempt), attempt.request, self.settings.clock()
        chosen = tuple(vehicle for vehicle in attempt.vehicles if vehicle.id in vehicle_ids)
        grant = Grant(
            request.application_id,
            account.user_id,
            account,
            tuple(vehicle.id for vehicle in chosen),
            tuple(permission.name for permission in request.permissions),
            request.mode,
        )
        self.records.connect(grant, chosen, attempt.brand or brand_called(""), now)
        self.records.approvals.put(_approval_key(attempt), grant)
        pairs: list[tuple[str, str]] = []
        if request.response_type == "code":
            code = self.settings.ids.uuid()
            self.records.codes.put(code, Code(grant, request.redirect_uri, now + CODE_SECONDS))
            pairs.append(("code", code))
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


def _approval_key(attempt: Attempt) -> str:
    request, brand = attempt.request, attempt.brand
    choice = request.vin or ("one" if request.single_select else "any")
    names = (request.application_id, _known(attempt).name, brand.token if brand else "", request.mode, choice)
    return stable_uuid(*names)


def _known(attempt: Attempt) -> Account:
    if attempt.account is None:
        raise LookupError("nobody has logged in to this attempt")
    return attempt.account


def _text(form: Form, name: str) -> str:
    return form.get(name, [""])[0].strip()


# What each form does, in the order in which a person meets them.


def _leave_welcome(flow: Flow, attempt: Attempt, form: Form) -> Step:
    if _text(form, "country") in COUNTRIES:
        attempt.country = _text(form, "country")
    if attempt.request.vin is not None:
        attempt.stop = VIN_EFFECTS.get(attempt.request.vin.upper(), "")
        if attempt.stop:
            return attempt.stop
    return "brands" if attempt.brand is None else "login"


def _choose_brand(flow: Flow, attempt: Attempt, form: Form) -> Step:
    if _text(form, "other"):
        attempt.brand, attempt.stop = None, "unlisted"
        return "unlisted"
    attempt.brand = brand_called(_text(form, "brand"))
    attempt.account, attempt.vehicles = None, ()  # another brand's account knows nothing of this one
    attempt.stop = "" if attempt.brand.offered_in(attempt.country) else "coming-later"
    return attempt.stop or "login"


def _log_in(flow: Flow, attempt: Attempt, form: Form) -> Step:
    if _text(form, "action") == "cancel":
        return refusal("oem_cancelled_login")
    attempt.username = _text(form, "username")[:200]
    if not attempt.username or not form.get("password", [""])[0]:
        attempt.complaints["login"] = "Enter your email address or phone number, and your password."
        return "login"
    account = account_of(attempt.username)
    if account.effect == "invalid-credentials":
        attempt.complaints["login"] = "This email address and password don't match. Please try again."
        return "login"
    attempt.account, attempt.verified, attempt.stop = account, False, ""
    return _after_login(flow, attempt, account)


def _after_login(flow: Flow, attempt: Attempt, account: Account) -> Step:
    brand = attempt.brand or brand_called("")
    attempt.vehicles = flow.records.garage(account, brand, attempt.request.vin)
    if account.effect == "two-factor" and not attempt.verified:
        return "two-factor"
    if attempt.request.vehicle_id:
        return Outcome((("vehicle_id", attempt.request.vehicle_id),))
    attempt.stop = _dead_end(attempt, account)
    if attempt.stop:
        return attempt.stop
    approved = flow.approved_before(attempt)
    return _finish(flow, attempt, approved) if approved else "grant"


def _dead_end(attempt: Attempt, account: Account) -> str:
    """The screen that keeps this account from the grant screen; "" for an ordinary one."""
    if account.effect in STOPS:
        return account.effect
    if not attempt.vehicles:
        return "no-vehicles"
    required = [permission.name for permission in attempt.request.required]
    able = any(all(vehicle.can(name) for name in required) for vehicle in attempt.vehicles)
    return "" if able else "incompatible"


def _verify(flow: Flow, attempt: Attempt, form: Form) -> Step:
    if _text(form, "action") == "back":
        return refusal("user_manually_returned_to_application")
    code = _text(form, "verification-code")
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        attempt.complaints["two-factor"] = "Enter the six digits. In the sandbox any six will do."
        return "two-factor"
    attempt.verified = True
    return _after_login(flow, attempt, _known(attempt))


def _decide(flow: Flow, attempt: Attempt, form: Form) -> Step:
    if _text(form, "decision") == "deny":
        return refusal("access_denied")
    offered = [vehicle.id for vehicle in attempt.vehicles]
    chosen = tuple(vehicle_id for vehicle_id in offered if vehicle_id in form.get("vehicle", ()))
    if attempt.request.vin is not None:
        chosen = tuple(offered)
    if attempt.request.single_select:
        chosen = chosen[:1]
    if not chosen:
        attempt.complaints["grant"] = "Choose at least one vehicle, or don't allow access."
        return "grant"
    return _finish(flow, attempt, chosen)


def _finish(flow: Flow, attempt: Attempt, chosen: tuple[str, ...]) -> Step:
    attempt.approved = chosen
    if _known(attempt).effect == "virtual-key" and not attempt.virtual_key_url:
        return "virtual-key"
    return flow.approve(attempt, chosen)


def _add_virtual_key(flow: Flow, attempt: Attempt, form: Form) -> Step:
    attempt.virtual_key_url = VIRTUAL_KEY_URL
    return flow.approve(attempt, attempt.approved)


def _leave_stop(flow: Flow, attempt: Attempt, form: Form) -> Step:
    stop = STOPS[attempt.stop]
    if _text(form, "action") == "again":
        return "brands" if stop.again == "brands" else "login"
    return refusal(stop.error, *stop.details(attempt, form))


def _leave_problem(flow: Flow, attempt: Attempt, form: Form) -> Step:
    message = attempt.request.problem or ""
    return refusal("configuration_error", ("status_code", "400"), ("error_message", message))


def shared_vehicle(attempt: Attempt, form: Form) -> tuple[tuple[str, str], ...]:
    """VIN and make of the incompatible vehicle, only if its owner agreed to share them."""
    if not _text(form, "share"):
        return ()
    vin = attempt.request.vin or (attempt.vehicles[0].vin if attempt.vehicles else "")
    make = attempt.brand.token if attempt.brand else _text(form, "make")[:40]
    return tuple((name, value) for name, value in (("vin", vin), ("make", make)) if value)


def _no_details(attempt: Attempt, form: Form) -> tuple[tuple[str, str], ...]:
    return ()


def _configuration_details(attempt: Attempt, form: Form) -> tuple[tuple[str, str], ...]:
    return (("status_code", "400"), ("error_message", STOPS["configuration"].text))


@dataclass(frozen=True, slots=True)
class Stop:
    """A dead end: what it says, which error leaving it means, and where else one may go."""

    error: str
    heading: str
    text: str
    again: str = "login"  # or "brands", or "" where nothing else would help
    leave: str = "Back to application"
    details: Callable[[Attempt, Form], tuple[tuple[str, str], ...]] = _no_details

    @property
    def shares(self) -> bool:
        """Whether the person may choose to share the vehicle's details."""
        return self.details is shared_vehicle


STOPS = {
    "incompatible": Stop(
        "vehicle_incompatible",
        "Your vehicle isn't compatible",
        "It can't share what this application needs. That may be because of its model, its year or its equipment.",
        details=shared_vehicle,
    ),
    "unlisted": Stop(
        "vehicle_incompatible",
        "We can't connect your brand yet",
        "Brands that are missing from the list can't be connected today.",
        again="brands",
        details=shared_vehicle,
    ),
    "coming-later": Stop(
        "vehicle_incompatible",
        "{brand} is coming later to {country}",
        "Its owners can't connect their vehicles there yet.",
        again="brands",
        details=shared_vehicle,
    ),
    "subscription": Stop(
        "invalid_subscription",
        "Your subscription isn't active",
        "Your vehicle is compatible, but its connected services subscription has expired or was never activated. "
        "Activate it with your vehicle's brand, then try again.",
    ),
    "no-vehicles": Stop(
        "no_vehicles",
        "There are no vehicles in this account",
        "Add your vehicle in your brand's own app, then try again. Or sign in with another account.",
    ),
    "missing-permission": Stop(
        "user_manually_returned_to_application",
        "A required permission is missing",
        "Your brand's account doesn't allow everything that this application needs. Sign in again and allow it.",
    ),
    "configuration": Stop(
        "configuration_error",
        "Something isn't set up correctly",
        "The application asked for something that can't work. Its developers can put this right.",
        again="",
        leave="Exit",
        details=_configuration_details,
    ),
    "server-error": Stop(
        "server_error",
        "Something went wrong on our side",
        "This is not your fault. Please go back and try again.",
        again="",
    ),
}


def _is_at_stop(name: str) -> Callable[[Attempt], bool]:
    return lambda attempt: attempt.stop == name


def _logged_in(attempt: Attempt) -> bool:
    account = attempt.account
    if account is None or attempt.stop or not attempt.vehicles:
        return False
    return attempt.verified or account.effect != "two-factor"


SCREENS: dict[str, Screen] = {
    "problem": Screen(
        "problem.html", "", _leave_problem, lambda attempt: attempt.request.problem is not None
    ),
    "welcome": Screen("welcome.html", "Start", _leave_welcome, lambda a: not a.request.problem),
    "brands": Screen("brands.html", "Brand", _choose_brand, lambda a: not a.request.problem),
    "login": Screen(
        "login.html", "Sign in", _log_in, lambda a: a.brand is not None and not a.request.problem
    ),
    "two-factor": Screen("two-factor.html", "Sign in", _verify, lambda attempt: attempt.account is not None),
    "grant": Screen("grant.html", "Permissions", _decide, _logged_in),
    "virtual-key": Screen("virtual-key.html", "Permissions", _add_virtual_key, lambda a: bool(a.approved)),
    **{name: Screen("stop.html", "", _leave_stop, _is_at_stop(name)) for name in STOPS},
}


def end_at_once(error: str) -> Outcome | None:
    """The outcome that the sandbox controls ask for; None if they name no error of Connect."""
    if error not in ERRORS:
        return None
    if error == "configuration_error":
        return refusal(error, ("status_code", "400"), ("error_message", STOPS["configuration"].text))
    return refusal(error)
