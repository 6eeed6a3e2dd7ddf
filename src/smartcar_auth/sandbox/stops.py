"""Where a person is held up: the dead ends of Connect with the errors they mean, and what forms complain of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .records import Attempt

Form = Mapping[str, list[str]]

# What a form is answered with when it can't be taken.
COMPLAINTS = {
    "login": "Enter your email address or phone number, and your password.",
    "wrong password": "This email address and password don't match. Please try again.",
    "two-factor": "Enter the six digits. In the sandbox any six will do.",
    "pin": "Enter the four digits. In the sandbox any four will do.",
    "grant": "Choose at least one vehicle, or don't allow access.",
    "battery-capacity": "Choose a capacity, or say that you don't know it.",
}


def text_of(form: Form, name: str) -> str:
    """A field's text without blanks around it; "" if it wasn't sent."""
    return form.get(name, [""])[0].strip()


def shared_vehicle(attempt: Attempt, form: Form) -> tuple[tuple[str, str], ...]:
    """VIN and make of the incompatible vehicle, only if its owner agreed to share them."""
    if not text_of(form, "share"):
        return ()
    vin = attempt.request.vin or (attempt.vehicles[0].vin if attempt.vehicles else "")
    make = attempt.brand.token if attempt.brand else text_of(form, "make")[:40]
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
