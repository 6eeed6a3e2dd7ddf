"""What helps when an answer doesn't belong to its attempt, by `StateMismatch.cause`.

One text for the error, for the doctor who sees it coming, and for docs/errors.md, so that they agree.
"""

REMEDIES = {
    "missing": "Start again; if all answers come like this, something in front of the app drops the query.",
    "altered": (
        "Give all workers the same secret_keys, from a setting; to change it, put the new one in front and keep the "
        "old one for a day."
    ),
    "expired": (
        "Start again; if it happens often, allow more attempt_seconds, and set the clocks of all machines by NTP."
    ),
    "other_browser": (
        "Open the app on the host name of its redirect URI, and let nothing on the way change Host, Cookie and "
        "Set-Cookie."
    ),
    "other_person": "Log in as the person who launched, and start again.",
    "replayed": "Look whether the car is there already; if not, start again.",
}


def ends_as(cause: str) -> str:
    """What an error's code and cause will be, as the log writes them, and what helps."""
    return f"answers end as state_mismatch ({cause}). {REMEDIES[cause]}"
