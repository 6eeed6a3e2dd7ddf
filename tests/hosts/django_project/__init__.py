"""A Django project as `startproject` makes it, for the tests of Django's host.

Importing it sets Django up, once for the process. Tests change settings with `override_settings` and bring
their own URLs: see `project`.
"""

import atexit
import os
from shutil import rmtree
from tempfile import mkdtemp
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import django
import httpx2
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.test import override_settings
from django.urls import include, path
from starlette.testclient import TestClient

from hosts.outcomes import ATTEMPT, ORIGIN

os.environ["DJANGO_SETTINGS_MODULE"] = "hosts.django_project.settings"
os.environ["DJANGO_PROJECT_DATA"] = DATA = mkdtemp(prefix="smartcar-django-")
atexit.register(rmtree, DATA, ignore_errors=True)
django.setup()
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)

WORLDS = ["sync", "async"]


def project(*patterns, world="sync", **settings):
    """A project's WSGI or ASGI application with these URL patterns and settings."""
    urls = ModuleType("urls")
    urls.urlpatterns = list(patterns)
    settings["ROOT_URLCONF"] = urls
    with override_settings(**settings):
        handler = WSGIHandler() if world == "sync" else ASGIHandler()

    def wsgi(environ, start_response):
        path = environ["PATH_INFO"].encode().decode("latin-1")  # as PEP 3333 wants it
        with override_settings(**settings):
            return handler({**environ, "PATH_INFO": path}, start_response)

    async def asgi(scope, receive, send):
        with override_settings(**settings):
            await handler(scope, receive, send)

    return wsgi if world == "sync" else asgi


def browser(app, origin=ORIGIN):
    """A browser in front of an application of either world: it follows no redirect."""
    if app.__name__ == "asgi":
        return TestClient(app, base_url=origin, follow_redirects=False)
    return httpx2.Client(transport=httpx2.WSGITransport(app=app), base_url=origin)


def mounted(connect, world="sync", prefix="smartcar/"):
    """The URL pattern that mounts a Connect."""
    return path(prefix, include(connect.urls if world == "sync" else connect.async_urls))


def launched(client, query=f"attempt={ATTEMPT}&display=popup&origin={ORIGIN}", route="/smartcar/launch"):
    """The parameters that a launch sends to Connect."""
    answer = client.get(f"{route}?{query}")
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
