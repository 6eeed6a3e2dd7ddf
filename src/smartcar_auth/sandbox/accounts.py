"""Who logs in: ordinary people, and the test accounts whose address decides what happens.

The first group of `TEST_ACCOUNTS` is Smartcar's own; the second is the sandbox's,
for outcomes that have no documented address. All are honoured in every mode.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Account:
    """A brand account, known by its e-mail address or phone number."""

    name: str
    effect: str = ""  # the screen that its owner meets after logging in, "" for none
    vehicle_count: int = 2
    vin: str | None = None
    level: str = "compatible"
    api_error: tuple[str, str] | None = None  # what its vehicles answer later, (type, code)

    @property
    def user_id(self) -> str:
        """Smartcar's id of the person: the same on every run, so that saved ids keep their meaning."""
        return stable_uuid("user", self.name)


@dataclass(frozen=True, slots=True)
class TestAccount:
    """A line of the list of test accounts, as pages show it."""

    __test__ = False  # the name is the product's; pytest need not look at it

    email: str
    meaning: str
    documented: bool


TEST_ACCOUNTS = (
    TestAccount("smartcar@successful-request.com", "Connects", True),
    TestAccount("smartcar@vehicle-incompatible.com", "Vehicle not compatible", True),
    TestAccount("smartcar@invalid-subscription.com", "No active subscription", True),
    TestAccount("3-vehicles@smartcar.com", "That many vehicles, 0 to 999", True),
    TestAccount("<VIN>@compatible.smartcar.com", "That VIN; also @phev, @bev, @fuel and @incompatible", True),
    TestAccount("smartcar@vs-001.vehicle-state-error.com", "Connects; later calls fail with DOOR_OPEN", True),
    TestAccount(
        "smartcar@voa-000.vehicle-owner-action-required.com", "Connects; later calls need the owner", True
    ),
    TestAccount("smartcar@no-vehicles.com", "Account without vehicles", False),
    TestAccount("smartcar@missing-permission.com", "A required permission is missing", False),
    TestAccount("smartcar@configuration-error.com", "Error in the application's configuration", False),
    TestAccount("smartcar@server-error.com", "Unexpected server error", False),
    TestAccount("smartcar@invalid-credentials.com", "Wrong password, always", False),
    TestAccount("smartcar@two-factor.com", "Asks for a verification code", False),
    TestAccount("smartcar@pin.com", "Asks for a PIN", False),
    TestAccount("smartcar@battery-capacity.com", "Asks for the battery's capacity", False),
    TestAccount("smartcar@virtual-key.com", "Asks to add a virtual key", False),
)

# address -> screen after login
_EFFECTS = {
    "smartcar@vehicle-incompatible.com": "incompatible",
    "smartcar@invalid-subscription.com": "subscription",
    "smartcar@no-vehicles.com": "no-vehicles",
    "smartcar@missing-permission.com": "missing-permission",
    "smartcar@configuration-error.com": "configuration",
    "smartcar@server-error.com": "server-error",
    "smartcar@invalid-credentials.com": "invalid-credentials",
    "smartcar@two-factor.com": "two-factor",
    "smartcar@pin.com": "pin",
    "smartcar@battery-capacity.com": "battery-capacity",
    "smartcar@virtual-key.com": "virtual-key",
}

# The documents name v1.0 codes; these are their v2.0 counterparts.
_API_ERRORS = {
    "voa-000.vehicle-owner-action-required.com": ("CONNECTED_SERVICES_ACCOUNT", "ACCOUNT_ISSUE"),
    "voa-001.vehicle-owner-action-required.com": ("CONNECTED_SERVICES_ACCOUNT", "SUBSCRIPTION"),
    "vs-000.vehicle-state-error.com": ("VEHICLE_STATE", "UNKNOWN"),
    "vs-001.vehicle-state-error.com": ("VEHICLE_STATE", "DOOR_OPEN"),
    "vs-002.vehicle-state-error.com": ("VEHICLE_STATE", "TRUNK_OPEN"),
    "vs-003.vehicle-state-error.com": ("VEHICLE_STATE", "HOOD_OPEN"),
}

# single_select_vin -> what the car answers later, as for the addresses above
VIN_API_ERRORS = {
    "0SCLR0002EDAB90A7": ("CONNECTED_SERVICES_ACCOUNT", "ACCOUNT_ISSUE"),
    "0SCLR0002AB072EEA": ("CONNECTED_SERVICES_ACCOUNT", "SUBSCRIPTION"),
    "0SCLR000292E53813": ("VEHICLE_STATE", "UNKNOWN"),
    "0SCLR00022F1A83F5": ("VEHICLE_STATE", "DOOR_OPEN"),
    "0SCLR00028D1AA6DF": ("VEHICLE_STATE", "TRUNK_OPEN"),
}

# single_select_vin -> screen after the preamble
VIN_EFFECTS = {"0SCAUDI012FE3B132": "incompatible", "0SCAUDI0155C49A95": "subscription"}

_COUNTED = re.compile(r"(\d{1,3})-vehicles@smartcar\.com")
_CHOSEN_VIN = re.compile(
    r"([a-z0-9]{17})@(compatible|phev|incompatible|fuel|bev|dinosaur)\.smartcar\.com", re.A
)


@lru_cache(maxsize=1024)
def account_of(username: str) -> Account:
    """The account that this e-mail address or phone number opens."""
    name = " ".join(username.lower().split())
    if counted := _COUNTED.fullmatch(name):
        count = int(counted[1])
        return Account(name, effect="" if count else "no-vehicles", vehicle_count=count)
    if chosen := _CHOSEN_VIN.fullmatch(name):
        effect = "incompatible" if chosen[2] == "incompatible" else ""
        return Account(name, effect=effect, vehicle_count=1, vin=chosen[1].upper(), level=chosen[2])
    if name == "smartcar@no-vehicles.com":
        return Account(name, effect="no-vehicles", vehicle_count=0)
    api_error = _API_ERRORS.get(name.removeprefix("smartcar@")) if name.startswith("smartcar@") else None
    return Account(name, effect=_EFFECTS.get(name, ""), api_error=api_error)


@lru_cache(maxsize=4096)
def stable_uuid(*names: str) -> str:
    """A UUID that follows from names alone."""
    digest = sha256("\x1f".join(names).encode("utf-8", "surrogatepass")).digest()
    return str(UUID(bytes=digest[:16], version=4))
