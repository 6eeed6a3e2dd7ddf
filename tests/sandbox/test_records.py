"""What the sandbox keeps, and that it keeps no more."""

from smartcar_auth.sandbox.flow import Flow
from smartcar_auth.sandbox.records import Records, Shelf
from smartcar_auth.sandbox.request import read_request
from smartcar_auth.sandbox.settings import Settings


def test_shelf_drops_the_oldest() -> None:
    """A full shelf drops its oldest record; putting one again makes it the newest."""
    shelf: Shelf[int] = Shelf(2)
    for key in "aba":
        shelf.put(key, 1)
    shelf.put("c", 1)
    assert list(shelf) == ["a", "c"]


def test_attempts_bounded() -> None:
    """Thousands of forgotten attempts don't pile up: the first ones are dropped."""
    records, settings = Records(), Settings()
    flow = Flow(settings, records)
    request = read_request(b"response_type=none&application_id=a", settings)
    attempts = [flow.open(request).id for _ in range(2_001)]
    assert len(records.attempts) == 2_000
    assert attempts[0] not in records.attempts
    assert attempts[-1] in records.attempts
