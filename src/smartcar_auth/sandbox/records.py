"""What a running sandbox remembers: attempts, approvals, codes, tokens, vehicles. Bounded (`shelves`).

When a shelf is full the oldest record falls off, so a sandbox may run for weeks. One event loop
owns the records; nothing here waits, so nothing needs a lock.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from .accounts import Account, stable_uuid
from .brands import Brand, brand_called
from .garage import Vehicle, vehicles_of
from .journal import Recorded, empty_journal
from .plan import Plan
from .request import ConnectRequest
from .shelves import Shelf, StorageFile, StoredShelf

CODE_SECONDS = 600
ACCESS_TOKEN_SECONDS = 7200
APPLICATION_TOKEN_SECONDS = 3600
REFRESH_TOKEN_SECONDS = 60 * 24 * 3600
REFRESH_GRACE_SECONDS = 600  # of the two documented figures, the one on the more specific page
ATTEMPT_SECONDS = 3600
BATTERY_TOKEN_SECONDS = 30 * 24 * 3600
LOGIN_FAILED = ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED")

Record = TypeVar("Record")


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
    vehicle_ids: tuple[str, ...]
    permissions: tuple[str, ...]
    mode: str


@dataclass(slots=True)
class Connection:
    """That an application may use a user's vehicle, and for what."""

    id: str
    application_id: str
    user_id: str
    vehicle_id: str
    permissions: tuple[str, ...]
    mode: str
    external_id: str | None
    created_at: float
    updated_at: float


@dataclass(slots=True)
class Code:
    """An authorization code waiting for its exchange."""

    grant: Grant
    redirect_uri: str | None
    expires_at: float
    used: bool = False
    trouble: tuple[str, str, int, int] | None = None  # with what the first exchange is refused, on purpose


@dataclass(slots=True)
class Token:
    """An access or refresh token."""

    grant: Grant
    expires_at: float


@dataclass(slots=True)
class Subscription:
    """That a vehicle's events go to a webhook. The sandbox notes it and sends nothing."""

    id: str
    webhook_id: str
    user_id: str
    vehicle_id: str
    mode: str
    created_at: float


class Records:
    """Every shelf of one sandbox.

    Args:
        file: where users, connections, tokens and vehicles are kept beyond this process; None keeps nothing.
    """

    def __init__(self, file: StorageFile | None = None) -> None:
        self.attempts: Shelf[Attempt] = Shelf(2_000)
        self.battery_tokens: Shelf[float] = Shelf(10_000)  # token -> until when it replaces the login
        self.plans: deque[Plan] = deque()  # for the next attempts
        self.requests: deque[Recorded] = empty_journal()
        self.approvals = _shelf(file, "approvals", Grant)
        self.codes = _shelf(file, "codes", Code)
        self.access_tokens = _shelf(file, "access_tokens", Token)
        self.refresh_tokens = _shelf(file, "refresh_tokens", Token)
        self.application_tokens = _shelf(file, "application_tokens", float)  # token -> until when it is good
        self.connections = _shelf(file, "connections", Connection, 50_000)
        self.subscriptions = _shelf(file, "subscriptions", Subscription)
        self.vehicles = _shelf(file, "vehicles", Vehicle)
        self.capacities = _shelf(file, "capacities", float)  # of batteries, as owners chose, in kWh

    def clear(self) -> None:
        """Forget everything."""
        for kept in vars(self).values():
            kept.clear()

    def garage(self, account: Account, brand: Brand, vin: str | None) -> tuple[Vehicle, ...]:
        """A person's vehicles as they are now: a car unlocked a minute ago is still unlocked."""
        return vehicles_of(account, brand, vin, self.vehicles)

    def brand_of(self, vehicle_id: str) -> Brand:
        """The brand of a vehicle; of one that was never connected, a nameless one."""
        vehicle = self.vehicles.get(vehicle_id)
        return brand_called(vehicle.make if vehicle is not None else "")

    def connect(
        self, grant: Grant, vehicles: tuple[Vehicle, ...], now: float, external_id: str | None = None
    ) -> None:
        """Note that these vehicles are connected to the grant's application.

        Args:
            external_id: the application's own id of the person: None leaves the one that it gave before, and
                an empty one takes that back.
        """
        for vehicle in vehicles:
            self.vehicles.put(vehicle.id, vehicle)
            key = _connection(grant, vehicle.id)
            connection = self.connections.get(key) or Connection(
                id=stable_uuid("connection", key, str(now)),
                application_id=grant.application_id,
                user_id=grant.user_id,
                vehicle_id=vehicle.id,
                permissions=(),
                mode="",
                external_id=None,
                created_at=now,
                updated_at=now,
            )
            connection.permissions, connection.mode = grant.permissions, grant.mode
            connection.updated_at = now
            if external_id is not None:
                connection.external_id = external_id or None
            self.connections.put(key, connection)

    def login_renewed(self, vehicle_id: str) -> None:
        """Note that the owner has logged in again: calls that failed for want of it work from now on."""
        vehicle = self.vehicles.get(vehicle_id)
        if vehicle is not None and vehicle.api_error == LOGIN_FAILED:
            vehicle.api_error = None
            self.vehicles.put(vehicle_id, vehicle)

    def disconnect(self, connection: Connection) -> None:
        """End a connection; every token of this person and application notices."""
        self.connections.drop(_connection(connection, connection.vehicle_id))
        for subscription in self.subscriptions_to(connection.vehicle_id, connection.user_id):
            self.subscriptions.drop(subscription.id)

    def connection(self, grant: Grant, vehicle_id: str) -> Connection | None:
        """The connection by which this grant still reaches this vehicle."""
        return (
            self.connections.get(_connection(grant, vehicle_id)) if vehicle_id in grant.vehicle_ids else None
        )

    def connected(self, grant: Grant) -> list[str]:
        """The grant's vehicles that are still connected, in the order of the account."""
        return [vehicle for vehicle in grant.vehicle_ids if self.connection(grant, vehicle) is not None]

    def connections_by_age(self) -> Iterator[Connection]:
        """All connections, the latest first."""
        return reversed(self.connections.values())

    def subscribe(
        self, connection: Connection, webhook_id: str, subscription_id: str, now: float
    ) -> Subscription:
        """Subscribe a vehicle to a webhook; where it is already, nothing changes."""
        for known in self.subscriptions_to(connection.vehicle_id, connection.user_id):
            if known.webhook_id == webhook_id:
                return known
        fresh = Subscription(
            subscription_id, webhook_id, connection.user_id, connection.vehicle_id, connection.mode, now
        )
        self.subscriptions.put(subscription_id, fresh)
        return fresh

    def forget_user(self, user_id: str) -> None:
        """End a user's connections, tokens and approvals."""
        for connection in [each for each in self.connections.values() if each.user_id == user_id]:
            self.disconnect(connection)
        for shelf in (self.access_tokens, self.refresh_tokens):
            for key in [key for key, token in shelf.items() if token.grant.user_id == user_id]:
                shelf.drop(key)
        for key in [key for key, grant in self.approvals.items() if grant.user_id == user_id]:
            self.approvals.drop(key)

    def subscriptions_to(self, vehicle_id: str, user_id: str) -> list[Subscription]:
        """A vehicle's subscriptions."""
        return [
            each
            for each in self.subscriptions.values()
            if (each.vehicle_id, each.user_id) == (vehicle_id, user_id)
        ]


def _shelf(file: StorageFile | None, name: str, kind: type[Record], limit: int = 10_000) -> Shelf[Record]:
    return Shelf(limit) if file is None else StoredShelf(limit, name, kind, file)


def _connection(of: Grant | Connection, vehicle_id: str) -> str:
    return f"{of.application_id} {of.user_id} {vehicle_id}"
