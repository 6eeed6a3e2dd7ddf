"""Accounts: ordinary people and addresses that make something happen."""

import pytest

from smartcar_auth.sandbox.accounts import TEST_ACCOUNTS, account_of, stable_uuid
from smartcar_auth.sandbox.flow import STOPS


@pytest.mark.parametrize(
    "name", ["owner@example.com", "+49 151 1234567", "x", "1000-vehicles@smartcar.com", "ä@ü.de"]
)
def test_account_ordinary(name: str) -> None:
    """Any other address or phone number is an ordinary account with two vehicles."""
    account = account_of(name)
    assert (account.effect, account.vehicle_count, account.api_error) == ("", 2, None)


def test_account_name_normalised() -> None:
    """Capitals and blanks make no other person."""
    assert account_of(" A@B.example ").user_id == account_of("a@b.example").user_id


def test_account_listed_ones_do_something() -> None:
    """Every test account that the pages list differs from an ordinary one, but the successful one."""
    for listed in TEST_ACCOUNTS[1:]:
        account = account_of(listed.email.replace("<VIN>", "5YJ3E1EA7KF000001"))
        special = account.effect or account.api_error or account.vin or account.vehicle_count != 2
        assert special, listed.email


def test_account_effects_exist() -> None:
    """Every effect is a dead end or one of the extra screens."""
    effects = {account_of(listed.email).effect for listed in TEST_ACCOUNTS}
    assert effects <= {
        "",
        "invalid-credentials",
        "two-factor",
        "pin",
        "battery-capacity",
        "virtual-key",
        *STOPS,
    }


def test_stable_uuid_separates_names() -> None:
    """Names don't run into each other, and bytes that were never text are names too."""
    assert stable_uuid("ab", "c") != stable_uuid("a", "bc")
    assert stable_uuid("\udcff")
