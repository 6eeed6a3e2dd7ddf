"""Says in words what to install when the server side's one dependency is missing."""

from importlib.util import find_spec


def require_itsdangerous() -> None:
    """Check for itsdangerous, which seals state and cookies.

    Raises:
        ImportError: It is not installed; the message names the extra that brings it.
    """
    if find_spec("itsdangerous") is None:
        raise ImportError(
            "smartcar_auth's web hosts need itsdangerous, which seals state and cookies. "
            'Install it with your framework\'s extra, for example: pip install "smartcar-auth[fastapi]"'
        )
