"""What a running sandbox remembers: attempts, approvals, codes, tokens, vehicles. All in memory, bounded.

When a shelf is full the oldest record falls off, so a sandbox may run for weeks. One event loop
owns the records; nothing here waits, so nothing needs a lock.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import TypeVar

from .accounts import Account
from .brands import Brand
from .garage import Vehicle, vehicles_of
from .journal import Recorded, empty_journal
from .plan import Plan
from .request import ConnectRequest

CODE_SECONDS = 600
ACCESS_TOKEN_SECONDS = 7200
REFRESH_TOKEN_SECONDS = 60 * 24 * 3600
REFRESH_GRACE_SECONDS = 600  # of the two documented figures, the one on the more specific page
ATTEMPT_SECONDS = 3600

Record = TypeVar("Record")


class Shelf(dict[str, Record]):
    """A dict that drops its oldest entry instead of growing beyond its limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def put(self, key: str, record: Record) -> None:
        """Keep a record, as the newest one."""
        self.pop(key, None)
        self[key] = record
        if len(self) > self.limit:
            del self[next(iter(self))]


@dataclass(slots=True)
class Attempt:
    """One person's way through Connect, from the authorize URL to the outcome."""

    id: str
    request: ConnectRequest
    country: str
    language: str
    plan: Plan
    opened_at: float
    brand: Brand | None = None
    account: Account | None = None
    vehicles: tuple[Vehicle, ...] = ()
    username: str = ""
    stop: str = ""  # the dead end that this account or VIN leads to
    approved: tuple[str, ...] = ()  # vehicle ids
    passed: set[str] = field(default_factory=set)  # of the screens that need it, those that are behind
    virtual_key_url: str = ""
    granted: bool = False  # how it ended, for the completion page
    message: dict[str, object] = field(default_factory=dict)  # and for the page that opened it
    answer: str = ""  # where to go with the answer, if a page of ours has to take it there
    complaints: dict[str, str] = field(default_factory=dict)  # screen -> what was wrong with its form


@dataclass(slots=True)
class Grant:
    """What one approval allows: this application, these vehicles, this scope."""

    application_id: str
    user_id: str
    account: Account
    vehicle_ids: tuple[str, ...]
    permissions: tuple[str, ...]
    mode: str


@dataclass(slots=True)
class Code:
    """An authorization code waiting for its exchange."""

    grant: Grant
    redirect_uri: str | None
    expires_at: float
    trouble: tuple[str, str, int, int] | None = None  # with what the first exchange is refused, on purpose


@dataclass(slots=True)
class Token:
    """An access or refresh token."""

    grant: Grant
    expires_at: float


class Records:
    """Every shelf of one sandbox."""

    def __init__(self) -> None:
        self.attempts: Shelf[Attempt] = Shelf(2_000)
        self.approvals: Shelf[Grant] = Shelf(10_000)
        self.codes: Shelf[Code] = Shelf(10_000)
        self.access_tokens: Shelf[Token] = Shelf(10_000)
        self.refresh_tokens: Shelf[Token] = Shelf(10_000)
        self.connections: Shelf[float] = Shelf(50_000)
        self.vehicles: Shelf[Vehicle] = Shelf(10_000)
        self.brands: Shelf[Brand] = Shelf(10_000)
        self.capacities: Shelf[float] = Shelf(10_000)  # of batteries, as their owners chose, in kWh
        self.battery_tokens: Shelf[float] = Shelf(10_000)  # token -> until when it replaces the login
        self.plans: deque[Plan] = deque()  # for the next attempts
        self.requests: deque[Recorded] = empty_journal()

    def clear(self) -> None:
        """Forget everything."""
        for kept in vars(self).values():
            kept.clear()

    def garage(self, account: Account, brand: Brand, vin: str | None) -> tuple[Vehicle, ...]:
        """A person's vehicles as they are now: a car unlocked a minute ago is still unlocked."""
        fresh = vehicles_of(account, brand, vin)
        return tuple(self.vehicles.get(vehicle.id, vehicle) for vehicle in fresh)

    def connect(self, grant: Grant, vehicles: tuple[Vehicle, ...], brand: Brand, now: float) -> None:
        """Note that these vehicles are connected to the grant's application."""
        for vehicle in vehicles:
            self.vehicles.put(vehicle.id, vehicle)
            self.brands.put(vehicle.id, brand)
            self.connections.put(_connection(grant, vehicle.id), now)

    def disconnect(self, grant: Grant, vehicle_id: str) -> None:
        """End one vehicle's connection; every token of this person and application notices."""
        self.connections.pop(_connection(grant, vehicle_id), None)

    def connected(self, grant: Grant) -> list[str]:
        """The grant's vehicles that are still connected, in the order of the account."""
        return [vehicle for vehicle in grant.vehicle_ids if self.is_connected(grant, vehicle)]

    def is_connected(self, grant: Grant, vehicle_id: str) -> bool:
        """Whether this grant still reaches this vehicle."""
        return vehicle_id in grant.vehicle_ids and _connection(grant, vehicle_id) in self.connections


def _connection(grant: Grant, vehicle_id: str) -> str:
    return f"{grant.application_id} {grant.user_id} {vehicle_id}"
