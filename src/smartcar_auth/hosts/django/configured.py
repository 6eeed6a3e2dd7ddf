"""The Connect that `settings.SMARTCAR` describes, made when it is first used.

Handlers may be registered on it from any module, before it is made and after; it is made anew when a test
overrides a setting.
"""

from collections.abc import Callable
from threading import RLock
from typing import Any, TypeVar, cast

from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.module_loading import import_string

from smartcar_auth import ConfigurationError, Smartcar

from .host import SmartcarConnect, async_patterns, patterns
from .store import CacheStore

NAMESPACE = "smartcar"

Function = TypeVar("Function", bound=Callable[..., Any])

_OF_THE_REQUEST = ("APPLICATION_ID", "REDIRECT_URI", "SCOPE", "MODE", "RESPONSE_TYPE", "CONNECT_ORIGIN")
_OF_THE_ROUTES = ("PUBLIC_URL", "ALLOWED_ORIGINS", "ATTEMPT_SECONDS")
_FUNCTIONS = ("IDENTIFY", "ON_COMPLETE", "ON_ERROR")
KEYS = frozenset({*_OF_THE_REQUEST, *_OF_THE_ROUTES, *_FUNCTIONS, "SECRET_KEYS", "CACHE", "STORE"})


def logged_in_user(request: HttpRequest) -> str | int | None:
    """The primary key of the user who is logged in, or None: `identify` of a project with `django.contrib.auth`."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    return user.pk if isinstance(user.pk, int) else str(user.pk)


def make_connect() -> SmartcarConnect:
    """A Connect as settings describe it.

    Raises:
        ConfigurationError: A setting is missing or can't be right; the message names it.
    """
    given = getattr(settings, "SMARTCAR", None)
    if not isinstance(given, dict):
        raise ConfigurationError(
            'Add SMARTCAR = {"APPLICATION_ID": "..."} to the settings; it must be a dict.'
        )
    unknown = sorted(str(key) for key in given if key not in KEYS)
    if unknown:
        raise ConfigurationError(
            f"settings.SMARTCAR has no option {', '.join(unknown)}; there are {', '.join(sorted(KEYS))}."
        )
    if not given.get("APPLICATION_ID"):
        raise ConfigurationError(
            'settings.SMARTCAR["APPLICATION_ID"] is missing; the dashboard of Smartcar shows it.'
        )
    functions = {key: _function(key, given.get(key)) for key in _FUNCTIONS}
    if "IDENTIFY" not in given and apps.is_installed("django.contrib.auth"):
        functions["IDENTIFY"] = logged_in_user
    made = SmartcarConnect(
        Smartcar(**{key.lower(): given[key] for key in _OF_THE_REQUEST if key in given}),
        secret_keys=given.get("SECRET_KEYS") or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS],
        identify=functions["IDENTIFY"],
        store=_store(given),
        namespace=NAMESPACE,
        **{key.lower(): given[key] for key in _OF_THE_ROUTES if key in given},
    )
    for key, register in (("ON_COMPLETE", made.on_complete), ("ON_ERROR", made.on_error)):
        if functions[key] is not None:
            register(functions[key])
    return made


def _function(key: str, value: Any) -> Any:
    if value is None or callable(value):
        return value
    found = _imported(key, value)
    if not callable(found):
        raise ConfigurationError(f'settings.SMARTCAR["{key}"] names {value!r}, which is no function.')
    return found


def _store(given: dict[str, Any]) -> Any:
    store = given.get("STORE")
    if given.get("CACHE") is not None:
        if store is not None:
            raise ConfigurationError(
                "settings.SMARTCAR has CACHE and STORE; finished attempts are recorded in one."
            )
        return CacheStore(given["CACHE"])
    if isinstance(store, str):
        store = _imported("STORE", store)
    # A class, or a function that makes a store; a store itself has methods instead.
    return store() if callable(store) and not hasattr(type(store), "claim") else store


def _imported(key: str, dotted: Any) -> Any:
    try:
        return import_string(dotted)
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigurationError(
            f'settings.SMARTCAR["{key}"] must be a function or its dotted path, and {dotted!r} can\'t be imported.'
        ) from error


class Configured:
    """Stands for the Connect of the settings; everything but the registering is asked of that one."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._made: SmartcarConnect | None = None
        self._registered: dict[str, Callable[..., Any]] = {}

    def on_complete(self, function: Function) -> Function:
        """Register the function for a granted attempt; from any module that is imported at start."""
        return self._register("on_complete", function)

    def on_error(self, function: Function) -> Function:
        """Register the function for every other end."""
        return self._register("on_error", function)

    @property
    def urls(self) -> tuple[list[URLPattern], str]:
        return patterns(cast(SmartcarConnect, self)), NAMESPACE

    @property
    def async_urls(self) -> tuple[list[URLPattern], str]:
        return async_patterns(cast(SmartcarConnect, self)), NAMESPACE

    def forget(self) -> None:
        """Make it anew when it is used next."""
        self._made = None

    def _register(self, name: str, function: Function) -> Function:
        with self._lock:
            if name in self._registered:
                raise ConfigurationError(f"{name} is registered already; an attempt is handled once.")
            if self._made is not None:
                getattr(self._made, name)(function)
            self._registered[name] = function
        return function

    def _get(self) -> SmartcarConnect:
        made = self._made
        if made is None:
            with self._lock:
                made = self._made
                if made is None:
                    made = make_connect()
                    for name, function in self._registered.items():
                        getattr(made, name)(function)
                    self._made = made
        return made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what introspection looks for must not need settings
            raise AttributeError(name)
        return getattr(self._get(), name)


connect = cast(SmartcarConnect, Configured())


def _setting_changed(*, setting: str, **_: Any) -> None:
    if setting in ("SMARTCAR", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "INSTALLED_APPS", "CACHES"):
        cast(Configured, connect).forget()


setting_changed.connect(_setting_changed, dispatch_uid="smartcar_auth")
