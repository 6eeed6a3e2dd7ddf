"""How an attempt ends on the wire: the errors of Connect, and the redirect that carries an outcome."""

from dataclasses import dataclass
from urllib.parse import quote

from .request import ConnectRequest

# error -> error_description (docs/wire.md)
ERRORS = {
    "access_denied": "User denied access to application",
    "vehicle_incompatible": "The user's vehicle is not compatible",
    "invalid_subscription": "User does not have an active connected vehicle subscription",
    "no_vehicles": "No vehicles found. Please add vehicles to your account and try again",
    "configuration_error": "There has been an error in the configuration of your application",
    "server_error": "Unexpected server error. Please try again",
    "user_manually_returned_to_application": "User exited before granting access to their vehicles",
    "oem_cancelled_login": "User did not complete the authorization process with the OEM",
    "user_cancelled": "User cancelled",
    "battery_capacity_no_selection": "User did not know their vehicle's battery capacity",
}

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the application is told: its own parameters first, `state` and `external_id` added by `location`."""

    pairs: Pairs

    @property
    def granted(self) -> bool:
        """Whether the vehicle owner said yes."""
        return all(name != "error" for name, _ in self.pairs)


def refusal(error: str, *extra: tuple[str, str]) -> Outcome:
    """An outcome with one of Connect's errors."""
    return Outcome((("error", error), ("error_description", ERRORS[error]), *extra))


def location(request: ConnectRequest, outcome: Outcome, state: str = "") -> str | None:
    """Where the browser goes with this outcome; None if the application gave no redirect URI.

    Our parameters come after those that the redirect URI has already, such as `app_origin`. `state` says
    what happens to the state on the way: "" nothing, else `dropped`, `altered` or `doubled`.
    """
    if request.redirect_uri is None:
        return None
    separator = "&" if "?" in request.redirect_uri else "?"
    return f"{request.redirect_uri}{separator}{_encoded(answer(request, outcome, state))}"


def answer(request: ConnectRequest, outcome: Outcome, state: str = "") -> list[tuple[str, str]]:
    """Everything that the application is told, in order."""
    pairs = list(outcome.pairs)
    if request.state is not None:
        pairs += [("state", text) for text in _returned(request.state, state)]
    if request.external_id:
        pairs.append(("external_id", request.external_id))
    return pairs


def _returned(state: str, how: str) -> tuple[str, ...]:
    if how == "dropped":
        return ()
    if how == "doubled":
        return state, state
    if how == "altered":  # in the middle: the last character of base64 may hold bits that nobody reads
        middle = len(state) // 2
        return (f"{state[:middle]}{'B' if state[middle] == 'A' else 'A'}{state[middle + 1 :]}",)
    return (state,)


def _encoded(pairs: list[tuple[str, str]]) -> str:
    # %20, not +: every reader of a query knows it. Surrogates are bytes that came in and go out unchanged.
    return "&".join(f"{name}={quote(value, safe='', errors='surrogateescape')}" for name, value in pairs)
