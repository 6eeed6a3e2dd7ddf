"""The brands: tokens, aliases, countries, VINs."""

import pytest

from smartcar_auth.sandbox.brands import BRANDS, COUNTRIES, brand_called, brand_of_vin, brands_matching


def test_brands_documented_ones_are_there() -> None:
    """Every brand that Smartcar's material names is in the table, under its token."""
    seen = "TESLA CHEVROLET FORD BMW KIA NISSAN AUDI CADILLAC SEAT ACURA BUICK CHRYSLER DODGE GMC HYUNDAI INFINITI"
    rest = "JEEP LEXUS LINCOLN MINI RAM TOYOTA VOLKSWAGEN RIVIAN RENAULT BYD JAGUAR LANDROVER SKODA MERCEDES"
    probable = (
        "ALFA_ROMEO CITROEN CUPRA DACIA DS FIAT HONDA MAZDA MITSUBISHI OPEL PEUGEOT POLESTAR PORSCHE SUBARU"
    )
    assert BRANDS.keys() >= {*seen.split(), *rest.split(), *probable.split(), "VAUXHALL", "VOLVO"}


def test_brands_told_apart() -> None:
    """No two brands share a monogram or a VIN prefix, and each has models."""
    monograms = [brand.monogram for brand in BRANDS.values()]
    prefixes = [prefix for brand in BRANDS.values() for prefix in brand.vin_prefixes]
    assert len(set(monograms)) == len(monograms)
    assert len(set(prefixes)) == len(prefixes)
    assert all(brand.models for brand in BRANDS.values())


@pytest.mark.parametrize(
    ("make", "token"),
    [
        ("tesla", "TESLA"),
        ("Alfa Romeo", "ALFA_ROMEO"),
        ("MERCEDES_BENZ", "MERCEDES"),
        ("land_rover", "LANDROVER"),
    ],
)
def test_brand_called(make: str, token: str) -> None:
    """A make is found in any case and in its other spellings."""
    assert brand_called(make).token == token


def test_brand_called_something_unknown() -> None:
    """An unknown make is a brand by that name, cut to a sensible length and offered everywhere."""
    brand = brand_called("edsel")
    assert (brand.token, brand.name, brand.monogram) == ("EDSEL", "Edsel", "Ed")
    assert all(brand.offered_in(country) for country in COUNTRIES)
    assert len(brand_called("x" * 1000).name) == 40
    assert brand_called("").name == "Your brand"


@pytest.mark.parametrize(
    ("vin", "token"),
    [
        ("5YJ3E1EA7KF000001", "TESLA"),
        ("wauzzz4g4dn000001", "AUDI"),
        ("0SCAUDI037A5ADB1C", "AUDI"),
        ("0SCLR0002EDAB90A7", "LANDROVER"),
        ("0SCTESLA12345678A", "TESLA"),
    ],
)
def test_brand_of_vin(vin: str, token: str) -> None:
    """A VIN's first letters, or a test VIN's letters after 0SC, name the brand."""
    brand = brand_of_vin(vin)
    assert brand is not None
    assert brand.token == token


@pytest.mark.parametrize("vin", ["99999999999999999", "0SC99999999999999", ""])
def test_brand_of_vin_unknown(vin: str) -> None:
    """Some VINs tell nothing."""
    assert brand_of_vin(vin) is None


def test_brands_matching() -> None:
    """A search looks through names and aliases for every word."""
    assert [brand.token for brand in brands_matching("  Land   ROVER ")] == ["LANDROVER"]
    assert len(brands_matching("")) == len(BRANDS)
    assert brands_matching("tesla audi") == []


def test_brands_offered_by_region() -> None:
    """Renault is for Europe, Rivian for America, Tesla for everybody."""
    offered = {
        token: {c for c in COUNTRIES if BRANDS[token].offered_in(c)}
        for token in ("RENAULT", "RIVIAN", "TESLA")
    }
    assert offered["RIVIAN"] == {"US", "CA"}
    assert offered["RENAULT"] == set(COUNTRIES) - {"US", "CA"}
    assert offered["TESLA"] == set(COUNTRIES)
