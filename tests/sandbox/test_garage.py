"""Simulated vehicles: plausible, repeatable, each its owner's own."""

import pytest

from smartcar_auth.sandbox.accounts import Account, account_of
from smartcar_auth.sandbox.brands import BRANDS, brand_called
from smartcar_auth.sandbox.garage import check_digit, vehicles_of

OWNER = account_of("owner@example.com")


def test_vehicles_same_every_time() -> None:
    """The same person and make give the same cars, other ones give others."""
    tesla = brand_called("TESLA")
    assert vehicles_of(OWNER, tesla) == vehicles_of(account_of(" Owner@Example.com "), tesla)
    ids = [vehicle.id for account in (OWNER, Account("x")) for vehicle in vehicles_of(account, tesla)]
    ids += [vehicle.id for vehicle in vehicles_of(OWNER, brand_called("BMW"))]
    assert len(set(ids)) == 6


@pytest.mark.parametrize("make", sorted(BRANDS))
def test_vehicles_plausible(make: str) -> None:
    """Every brand's cars have a VIN of the right shape, a mileage and a place in Colorado."""
    brand = BRANDS[make]
    for vehicle in vehicles_of(OWNER, brand):
        assert len(vehicle.vin) == 17
        assert not set(vehicle.vin) & set("IOQ")
        assert vehicle.vin[8] == check_digit(vehicle.vin)
        assert vehicle.vin.startswith(brand.vin_prefixes)
        assert 2018 <= vehicle.year <= 2025
        assert 10_000 <= vehicle.odometer_km <= 300_000
        assert 37 <= vehicle.latitude <= 41
        assert -109.05 <= vehicle.longitude <= -102.05
        assert vehicle.name == f"{vehicle.year} {brand.name} {vehicle.model}"


def test_check_digit_of_a_known_vin() -> None:
    """The standard's own example has an X."""
    assert check_digit("1M8GDM9AXKP042788") == "X"


def test_vehicle_with_a_chosen_vin() -> None:
    """A VIN that is asked for is the car's own, in capitals."""
    (vehicle,) = vehicles_of(OWNER, brand_called("TESLA"), "5yj3e1ea7kf000001")
    assert vehicle.vin == "5YJ3E1EA7KF000001"


@pytest.mark.parametrize(
    ("level", "permission", "able"),
    [
        ("compatible", "read_battery", True),
        ("phev", "read_fuel", True),
        ("fuel", "read_battery", False),
        ("dinosaur", "read_charge", False),
        ("bev", "read_fuel", False),
        ("bev", "read_odometer", True),
        ("incompatible", "read_odometer", False),
    ],
)
def test_vehicle_abilities(level: str, permission: str, able: bool) -> None:
    """What a car can do follows from its account's level."""
    (vehicle,) = vehicles_of(account_of(f"5YJ3E1EA7KF000001@{level}.smartcar.com"), brand_called("TESLA"))
    assert vehicle.can(permission) is able
