"""State: the unguessable value that ties a response to its request.

Makes it and compares it, and knows nothing of what a host may seal into it. RFC 6749, 10.12: the value must
be one "that binds the request to the user-agent's authenticated state" and that an attacker cannot guess.
"""

from ._platform import encode, equal_in_constant_time, random_bytes
from .errors import ConfigurationError

STATE_BYTES = 32


def new_state() -> "str":
    """A state of 32 random bytes, 43 characters.

    Raises:
        ConfigurationError: this Python has no source of unguessable bytes (MicroPython outside a browser).
    """
    return unguessable(STATE_BYTES)


def unguessable(count: "int") -> "str":
    """Random bytes of the system's CSPRNG as base64url.

    Raises:
        ConfigurationError: this Python has no source of unguessable bytes (MicroPython outside a browser).
    """
    import binascii

    raw = random_bytes(count)
    if raw is None:
        raise ConfigurationError(
            "This Python has no cryptographic random numbers (crypto.getRandomValues) to make a state; "
            "run it in a browser or pass state= yourself."
        )
    text = binascii.b2a_base64(raw).decode()
    # base64url (RFC 4648, 5) needs no percent-encoding, so no server can turn its "+" into a space.
    return text.replace("+", "-").replace("/", "_").rstrip("=\n")


def states_equal(one: "str", other: "str") -> "bool":
    """Whether two states are the same, in a time that doesn't tell where they differ."""
    try:
        return equal_in_constant_time(encode(one), encode(other))
    except UnicodeError:  # a lone surrogate: no state that we ever sent
        return False
