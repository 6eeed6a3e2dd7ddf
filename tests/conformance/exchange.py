"""Exchanging a code for tokens, as an application without an SDK does."""

import urllib.error
import urllib.request
from urllib.parse import urlencode


def exchange(connect_origin: str, code: str) -> bool:
    """Whether the token endpoint took the code."""
    body = urlencode(
        {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": "an-application",
            "client_secret": "a-secret",
        }
    )
    try:
        with urllib.request.urlopen(f"{connect_origin}/oauth/token", body.encode(), 10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
