"""The cookies of one browser: what is kept, and what travels."""

import pytest

from smartcar_auth.conformance.jar import Jar

HERE = "http://localhost:8000/smartcar/launch"


def sent(*fields: str, to: str = "http://localhost:8000/", cross_site: bool = False) -> "list[str]":
    jar = Jar()
    jar.keep(HERE, fields)
    return jar.sent(to, cross_site=cross_site)


@pytest.mark.parametrize(
    ("field", "to", "travels"),
    [
        ("a=1; Path=/", "http://localhost:8000/", True),
        ("a=1; Path=/", "http://localhost:9000/any", True),  # ports are no matter to cookies
        ("a=1; Path=/", "http://127.0.0.1:8000/", False),
        ("a=1", "http://localhost:8000/smartcar/callback", True),
        ("a=1", "http://localhost:8000/smartcars", False),
        ("a=1; Path=/smartcar", "http://localhost:8000/smartcar", True),
        ("a=1; Path=/; Secure", "http://localhost:8000/", True),  # localhost is trustworthy to browsers
        ("a=1; Path=/; SameSite=None", "http://localhost:8000/", False),
        ("a=1; Path=/; Max-Age=0", "http://localhost:8000/", False),
        ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://localhost:8000/", False),
        ("a=1; Path=/; Domain=example.com", "http://localhost:8000/", False),
        ("__Host-a=1; Path=/; Secure", "http://localhost:8000/", True),
        ("__Host-a=1; Path=/x; Secure", "http://localhost:8000/x", False),
        ("__Host-a=1; Path=/", "http://localhost:8000/", False),
        ("__Secure-a=1; Path=/", "http://localhost:8000/", False),
    ],
)
def test_cookie_travels_as_in_a_browser(field: str, to: str, travels: bool) -> None:
    """By host, path, age and prefix."""
    assert bool(sent(field, to=to)) is travels


def test_domain_cookie_reaches_subdomains() -> None:
    """And a host's own doesn't."""
    jar = Jar()
    jar.keep("https://app.example.com/", ["a=1; Path=/; Domain=example.com", "b=2; Path=/"])
    assert jar.sent("https://api.example.com/", cross_site=False) == ["a=1"]
    assert jar.sent("https://evilexample.com/", cross_site=False) == []


def test_strict_cookie_stays_behind_on_the_way_back() -> None:
    """Connect is another site; Lax ones and those that say nothing travel."""
    fields = ["a=1; Path=/; SameSite=Strict", "b=2; Path=/; SameSite=Lax", "c=3; Path=/"]
    assert sent(*fields, cross_site=True) == ["b=2", "c=3"]
    assert len(sent(*fields)) == 3


def test_later_cookie_replaces_and_deletes_the_earlier() -> None:
    """One that was given by hand too."""
    jar = Jar(["session=ann"])
    assert jar.sent(HERE, cross_site=True) == ["session=ann"]
    jar.keep(HERE, ["session=ben; Path=/"])
    assert jar.sent(HERE, cross_site=False) == ["session=ben"]
    jar.keep(HERE, ["session=; Path=/; Max-Age=0"])
    assert jar.sent(HERE, cross_site=False) == []
