"""What a person sees, in a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class NoBrowser(Exception):
    """There is no browser to use; the message says what is missing."""


@contextmanager
def chromium(path: str | None) -> Iterator[Any]:
    raise NoBrowser("x")
    yield
