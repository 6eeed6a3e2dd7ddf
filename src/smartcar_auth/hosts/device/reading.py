"""Values out of JSON that anybody may have written."""

from typing import Any


def at(value: Any, *names: str) -> Any:
    """What stands under these names, one inside the other; None where there is no such thing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
