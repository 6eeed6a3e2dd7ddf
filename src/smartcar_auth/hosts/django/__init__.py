"""Django: Connect as an application for `INSTALLED_APPS`, with its URLs, settings, template tags and checks.

Nothing here needs configured settings or loaded models to be imported. What a person may do is decided in
`smartcar_auth.web`; the modules of this package translate, each for one part of Django.
"""

try:
    import django as _django  # noqa: F401 (only whether it is there)
except ImportError as error:
    raise ImportError(
        'smartcar_auth.hosts.django needs Django: pip install "smartcar-auth[django]"'
    ) from error

from .configured import connect, logged_in_user
from .host import SmartcarConnect
from .signals import smartcar_connected, smartcar_failed
from .store import CacheStore

__all__ = [
    "CacheStore",
    "SmartcarConnect",
    "connect",
    "logged_in_user",
    "smartcar_connected",
    "smartcar_failed",
]
