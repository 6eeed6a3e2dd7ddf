"""What a command leaves on standard output: a sentence for people, JSON for programs. A code only in the latter."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from smartcar_auth import AuthorizationResponse, SmartcarAuthError, StateMismatch

_FIELDS = ("code", "user_id", "external_id", "vehicle_id", "virtual_key_url")


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output, for the result alone.

    What else writes there meanwhile, as browsers do that were opened, gets standard error instead, not our JSON.
    """
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as kept:
        os.dup2(2, 1)
        try:
            yield kept
        finally:
            sys.stdout.flush()
            kept.flush()
            os.dup2(kept.fileno(), 1)


def granted(response: AuthorizationResponse, redirect_uri: str | None, *, as_json: bool) -> str:
    """How a grant is printed. As JSON it holds the code: that is asking for it."""
    if as_json:
        fields = {name: getattr(response, name) for name in _FIELDS}
        return json.dumps({"outcome": "granted", **fields, "redirect_uri": redirect_uri}, indent=2)
    lines = ["Your car is connected."]
    lines += [f"{name}: {value}" for name in _FIELDS[1:] if (value := getattr(response, name))]
    if response.code:
        lines.append("The authorization code is good for ten minutes. --json prints it.")
    return "\n".join(lines)


def failed(error: SmartcarAuthError) -> str:
    """How any other end is printed as JSON: our code, Connect's own words, and a sentence."""
    fields = {
        "outcome": "failed",
        "error": error.code,
        "description": error.description,
        "message": str(error),
    }
    if isinstance(error, StateMismatch):
        fields["cause"] = error.cause
    return json.dumps(fields, indent=2)
