"""What is settled about an attempt before a person sees it: how it ends, who connects, what goes wrong on purpose.

A plan comes from `Sandbox.next` and `Sandbox.approve`, or from the sandbox controls below a screen. Nothing
here acts on it: `person` plays it, `flow` and `outcomes` bend the answer, `connect` and `tokens` the wire.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypedDict

from .outcomes import ERRORS

GRANTED = "granted"
EXTRA_SCREENS = ("two-factor", "pin", "battery-capacity", "virtual-key")
_OF_A_PERSON = ("user", "password", "make", "country", "vehicles", "parameters")
SWITCHES_AT = ("welcome", "brands", "login", "two-factor", "pin", "grant", "battery-capacity", "virtual-key")


@dataclass(frozen=True, slots=True)
class Switch:
    """One way in which the sandbox can be hostile: what it is called, and what each of its values does."""

    name: str
    label: str
    choices: Mapping[str, str]


SWITCHES = (
    Switch(
        "coop",
        "Cross-Origin-Opener-Policy",
        {"connect": "same-origin on every page", "login": "same-origin on the brand's login"},
    ),
    Switch("opener", "window.opener", {"cut": "cut by every page"}),
    Switch(
        "answer",
        "The answer is opened",
        {"twice": "twice, in two windows of this browser", "other_browser": "in another browser"},
    ),
    Switch(
        "state",
        "The state comes back",
        {"dropped": "not at all", "altered": "with one character changed", "doubled": "twice"},
    ),
    Switch(
        "closes_at",
        "The window closes itself",
        {**{screen: f"at {screen}" for screen in SWITCHES_AT}, "answer": "instead of answering"},
    ),
    Switch(
        "connect",
        "Connect",
        {
            "slow": "takes its time with every page",
            "offline": "ends the next connection without an answer",
            "429": "answers 429 with Retry-After, once",
            "500": "answers 500, once",
            "503": "answers 503, once",
        },
    ),
    Switch(
        "exchange",
        "The token endpoint finds the code",
        {
            "expired": "expired",
            "used": "used already",
            "other_application": "made for another application",
            "429": "good, but answers 429 with Retry-After once",
            "500": "good, but answers 500 once",
        },
    ),
)


class Options(TypedDict, total=False):
    """What `Sandbox.next` and `Sandbox.approve` take.

    Args:
        outcome: `"granted"`, or one of Connect's errors. Granted means that the person goes forward on every
            screen; a test account may still lead elsewhere.
        user: the e-mail address or phone number that logs in.
        password: of that account; it matters only where the sandbox was given people with passwords.
        make: the brand to choose where the application names none.
        country: the country to choose.
        vehicles: the VINs to choose; all of the account's if left out.
        screens: extra screens on the way: `two-factor`, `pin`, `battery-capacity`, `virtual-key`.
        parameters: more parameters for the answer, or other values for its own.
        coop: `"connect"` or `"login"`: these pages send `Cross-Origin-Opener-Policy: same-origin`.
        opener: `"cut"`: Connect's pages set `window.opener` to null.
        answer: `"twice"` in one browser, or in an `"other_browser"`.
        state: `"dropped"`, `"altered"` or `"doubled"` in the answer.
        closes_at: the screen at which the window closes itself, or `"answer"`.
        connect: `"slow"`, `"offline"`, 429, 500 or 503.
        exchange: what the token endpoint makes of the code: `"expired"`, `"used"`, `"other_application"`,
            429 or 500.
        slow_seconds: how slow is slow.
        retry_after: seconds, in the header of a 429 or 503.
    """

    outcome: str
    user: str
    password: str
    make: str
    country: str
    vehicles: Sequence[str]
    screens: Sequence[str]
    parameters: Mapping[str, str]
    coop: str
    opener: str
    answer: str
    state: str
    closes_at: str
    connect: str | int
    exchange: str | int
    slow_seconds: float
    retry_after: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One attempt's options, checked. The empty plan is an ordinary attempt, which a person decides."""

    outcome: str = ""
    user: str = "owner@example.com"
    password: str = "any"  # noqa: S105 (any will do)
    make: str = "TESLA"
    country: str = ""
    vehicles: tuple[str, ...] | None = None
    screens: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    coop: str = ""
    opener: str = ""
    answer: str = ""
    state: str = ""
    closes_at: str = ""
    connect: str = ""
    exchange: str = ""
    slow_seconds: float = 3.0
    retry_after: int = 5

    @property
    def hostile(self) -> bool:
        """Whether anything is to go wrong."""
        return any(getattr(self, switch.name) for switch in SWITCHES)

    def recovered(self) -> "Plan":
        """The plan once Connect has failed as it was told to."""
        return replace(self, connect="")

    def switched(self, values: Mapping[str, str]) -> "Plan":
        """The plan with the switches as a form of the sandbox controls has them; unknown values are off."""
        chosen: dict[str, Any] = {
            switch.name: value if (value := values.get(switch.name, "")) in switch.choices else ""
            for switch in SWITCHES
        }
        screens = tuple(screen for screen in EXTRA_SCREENS if screen == values.get("screens"))
        return replace(self, screens=screens, **chosen)


def plan_of(options: Options) -> Plan:
    """Check the options of one attempt.

    Raises:
        TypeError: an option that doesn't exist.
        ValueError: a value that the option can't have, with those that it can.
    """
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    known = [one.name for one in fields(Plan)]
    for name in given:
        if name not in known:
            raise TypeError(f"There is no option {name}. There are: {', '.join(known)}.")
    for name in ("vehicles", "screens"):
        if isinstance(given.get(name), str):
            raise TypeError(f"{name} is a list: [{given[name]!r}]")
        if name in given:
            given[name] = tuple(given[name])
    for switch in SWITCHES:
        if switch.name in given:
            given[switch.name] = str(given[switch.name])
            _check(switch.name, given[switch.name], switch.choices)
    if "outcome" in given:
        _check("outcome", given["outcome"], (GRANTED, *ERRORS))
    elif any(name in given for name in _OF_A_PERSON):
        raise ValueError('Say how it ends, too: outcome="granted", or one of Connect\'s errors.')
    for screen in given.get("screens", ()):
        _check("screens", screen, EXTRA_SCREENS)
    return Plan(**given)


def _check(name: str, value: str, choices: Mapping[str, object] | Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name}={value!r} isn't possible. Choose one of: {', '.join(choices)}.")
