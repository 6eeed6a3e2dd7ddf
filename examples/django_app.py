"""A Django project in one file with a "Connect your car" button: settings, URLs, a template tag, the logged-in user.

    python examples/django_app.py      # Connect is played by the sandbox; open http://localhost:8000

Django's defaults stay: SecurityMiddleware cuts pop-ups off from the page that opened them, and nothing needs changing
for that. Whose car it is is settled before the person leaves, so the session cookie may even be Strict.
"""

import os
import secrets
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse

os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", "http://127.0.0.1:8010")

PAGE = """{% load smartcar %}<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Garage</title>
<h1>Garage</h1>
<ul>{% for car in cars %}<li>{{ car }}</li>{% endfor %}</ul>
{% if user.is_authenticated %}
{% smartcar_launch_url make="TESLA" state=colour as launch %}
{% smartcar_button "Connect your car" launch=launch return_to="/" %}
{% else %}<a href="/login/ann">Log in as Ann</a>{% endif %}
"""

data = Path(tempfile.mkdtemp(prefix="smartcar-django-"))
settings.configure(
    SECRET_KEY=os.environ.get("SECRET_KEYS", secrets.token_urlsafe(48)).split()[0],
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": data / "db.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "smartcar_auth.hosts.django",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.contrib.auth.context_processors.auth"],
                "loaders": [("django.template.loaders.locmem.Loader", {"garage.html": PAGE})],
            },
        }
    ],
    SESSION_COOKIE_SAMESITE="Strict",
    SMARTCAR={
        "APPLICATION_ID": os.environ["SMARTCAR_APPLICATION_ID"],
        "CONNECT_ORIGIN": os.environ["SMARTCAR_CONNECT_ORIGIN"],
        "SCOPE": ["read_odometer", "read_location"],
    },
)
django.setup()

# What follows would be a project's views.py and urls.py.
from django.contrib.auth import get_user_model, login  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.shortcuts import redirect, render  # noqa: E402
from django.urls import include, path  # noqa: E402

from smartcar_auth import AuthorizationResponse, SmartcarAuthError  # noqa: E402
from smartcar_auth.hosts.django import connect  # noqa: E402

cars: dict[int, list[str]] = {}


@connect.on_complete
def connected(request: HttpRequest, response: AuthorizationResponse) -> dict[str, str]:
    """`response.subject` is the primary key of the user who clicked: exchange `response.code` here."""
    cars.setdefault(response.subject, []).append(f"a {response.app_state['colour']} car")
    return {"message": "Vehicle added."}


@connect.on_error
def failed(request: HttpRequest, error: SmartcarAuthError) -> None:
    print("Not connected:", error.code)


def garage(request: HttpRequest) -> HttpResponse:
    # What a page may not choose is sealed, together with the user for whom it is meant.
    context = {"cars": cars.get(request.user.pk, []), "colour": {"colour": "red"}, "request": request}
    return render(request, "garage.html", context)


def log_in(request: HttpRequest, name: str) -> HttpResponse:
    """An example has no passwords."""
    login(request, get_user_model().objects.get_or_create(username=name)[0])
    return redirect("/")


urlpatterns = [
    path("", garage),
    path("login/<str:name>", log_in),
    path("smartcar/", include("smartcar_auth.hosts.django.urls")),
]

call_command("migrate", verbosity=0)
application = get_wsgi_application()

if __name__ == "__main__":
    from smartcar_auth.sandbox import Sandbox

    with Sandbox(port=8010):
        call_command("runserver", "localhost:8000", use_reloader=False)
