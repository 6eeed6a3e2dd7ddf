"""System checks: what `manage.py check` and `check --deploy` say about Connect in this project.

The texts are those of `Connect.doctor`; here they get Django's levels and ids, and what only Django knows is
added. Problems are errors always, warnings and advice belong to a deployment.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Warning
from django.urls import NoReverseMatch, resolve, reverse

from smartcar_auth import ConfigurationError
from smartcar_auth.web import ProcessStore
from smartcar_auth.web.doctor import Finding

from .configured import NAMESPACE, connect
from .store import CacheStore

TAG = "smartcar"

# The ids stay what they are, because projects silence checks by id.
_NUMBERS = {
    "application_id": "101",
    "mode": "102",
    "connect_origin": "103",
    "scope": "104",
    "external_id": "105",
    "redirect_uri": "106",
    "scheme": "107",
    "host_name": "108",
    "allowed_origins": "109",
    "secret_keys": "110",
    "handlers": "111",
    "identify": "112",
    "attempt_seconds": "113",
}
_ANY = "199"


def check_settings(**_: Any) -> list[CheckMessage]:
    """What keeps Connect from working."""
    if not _is_used():
        return []
    try:
        connect.doctor()
    except ConfigurationError as error:
        return [
            Error(
                str(error),
                hint="The keys are SECRET_KEY and SECRET_KEY_FALLBACKS, unless SMARTCAR['SECRET_KEYS'] is set.",
                id="smartcar_auth.E001",
            )
        ]
    if launch_address() is None:
        return [
            Error(
                "Connect's routes are not in the project's URLs.",
                hint='Add path("smartcar/", include("smartcar_auth.hosts.django.urls")) to the root URLconf.',
                id="smartcar_auth.E002",
            )
        ]
    try:
        found = connect.doctor(*routes_addresses())
    except ConfigurationError as error:
        return [Error(str(error), id="smartcar_auth.E001")]
    return [_error(finding) for finding in found if finding.level == "problem"]


def check_deployment(**_: Any) -> list[CheckMessage]:
    """What works on one's own machine and is not enough for visitors."""
    try:
        if not _is_used() or launch_address() is None:
            return []
        findings = connect.doctor(*routes_addresses())
    except ConfigurationError:
        return []  # an error of the other check already
    messages = [_warning(finding) for finding in findings if finding.level == "warning"]
    messages += _scheme()
    messages += _record()
    return messages


def launch_address() -> str | None:
    """The launch route's path, or None where the project has no routes."""
    try:
        return str(reverse(f"{NAMESPACE}:launch"))
    except NoReverseMatch:
        return None


def routes_addresses() -> list[str]:
    """Where browsers find the routes, as far as settings say it."""
    known = settings.SMARTCAR.get("PUBLIC_URL") or connect.smartcar.redirect_uri
    if known is None:
        return []
    parts = urlsplit(known)
    base = connect._site.path((launch_address() or "").removesuffix("/launch"))
    return [f"{parts.scheme}://{parts.netloc}{base}"]


def _is_used() -> bool:
    """Whether the settings' Connect is meant to work: a project may have one of its own making instead."""
    address = launch_address()
    return hasattr(settings, "SMARTCAR") or (
        address is not None and getattr(resolve(address).func, "connect", None) is connect
    )


def _error(finding: Finding) -> CheckMessage:
    return Error(finding.message, id=f"smartcar_auth.E{_NUMBERS.get(finding.check, _ANY)}")


def _warning(finding: Finding) -> CheckMessage:
    return Warning(finding.message, id=f"smartcar_auth.W{_NUMBERS.get(finding.check, _ANY)}")


def _scheme() -> Iterator[CheckMessage]:
    addresses = routes_addresses()
    for address in addresses:
        if address.startswith("http:"):
            yield Warning(
                f"Connect would send people back to {address}/callback, which only this machine can reach.",
                hint="Visitors need https: change SMARTCAR['PUBLIC_URL'] or SMARTCAR['REDIRECT_URI'].",
                id="smartcar_auth.W002",
            )
    if not addresses and not settings.SECURE_PROXY_SSL_HEADER:
        yield Warning(
            "The redirect URI follows the request. Behind a proxy that ends TLS, Django sees http and Connect's launch "
            "is refused.",
            hint="Set SMARTCAR['PUBLIC_URL'] = 'https://...', or SECURE_PROXY_SSL_HEADER where the proxy sets that "
            "header itself. Where Django itself speaks TLS, silence this.",
            id="smartcar_auth.W003",
        )


def _record() -> Iterator[CheckMessage]:
    store = connect._store
    if isinstance(store, ProcessStore):
        yield Warning(
            "Each process remembers for itself which attempts are finished, so one answer delivered to two workers at "
            "the same instant may run on_complete twice.",
            hint="With several workers set SMARTCAR['CACHE'] to a cache that all of them share (Redis, Memcached, "
            "database).",
            id="smartcar_auth.W004",
        )
    elif isinstance(store, CacheStore):
        cache = store.cache
        if isinstance(cache, LocMemCache):
            yield Warning(
                f"The cache {store.alias!r} is in each process's own memory, so no worker knows what another finished.",
                hint="Name a shared cache in SMARTCAR['CACHE'] (Redis, Memcached, database), or leave CACHE out.",
                id="smartcar_auth.W005",
            )
        elif isinstance(cache, FileBasedCache):
            yield Warning(
                f"The cache {store.alias!r} is in files, which two workers may claim at the same instant.",
                hint="Name a cache whose add() is atomic in SMARTCAR['CACHE']: Redis, Memcached, database.",
                id="smartcar_auth.W005",
            )
        if isinstance(cache, LocMemCache | FileBasedCache | DatabaseCache) and cache._max_entries < 10_000:
            yield Warning(
                f"The cache {store.alias!r} keeps {cache._max_entries} entries and then drops some, finished attempts "
                "among them; a copied cookie could use such an answer again.",
                hint='Set OPTIONS = {"MAX_ENTRIES": 10_000} or more in settings.CACHES.',
                id="smartcar_auth.W006",
            )
