"""Django as it comes: its security middleware cuts every pop-up off, sessions are Strict, and a user is logged in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.test import override_settings
from django.urls import include, path
from playwright.sync_api import BrowserContext, Page

from browser.application import RECORD, Server
from browser.flow import Garage, connect_as
from browser.front_end import OfficialPage, official_page
from browser.sites import under_uvicorn, under_werkzeug
from hosts.django_project import WORLDS
from hosts.test_django_templates import own_page
from smartcar_auth.hosts.django import connect
from smartcar_auth.sandbox import Sandbox

pytestmark = pytest.mark.browser

PAGE = """{% load smartcar %}<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A garage</title>
<link rel="icon" href="data:,"><script src="/record.js"></script></head><body><h1>{{ user.username }}</h1>
{% smartcar_button "Connect your car" make="TESLA" return_to="/" %}</body></html>"""


class Site:
    """A Django project on a port, and what its handlers were given."""

    origin = ""

    def __init__(self) -> None:
        self.granted: list[tuple[Any, str]] = []  # subject, username by the project's database
        self.cookies: list[set[str]] = []  # that came with each answer

    def complete(self, request: HttpRequest, response: Any) -> dict[str, str]:
        user = get_user_model().objects.get(pk=response.subject)
        self.granted.append((response.subject, user.username))
        self.cookies.append(set(request.COOKIES))
        return {"message": f"Added for {user.username}."}

    def garage(self, request: HttpRequest) -> HttpResponse:
        return render(request, "garage.html")

    def log_in(self, request: HttpRequest, name: str) -> HttpResponse:
        login(request, get_user_model().objects.get_or_create(username=name)[0])
        return redirect("/")

    def record(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(RECORD, content_type="text/javascript")


@pytest.fixture(params=WORLDS)
def site(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Site]:
    """The project under a WSGI server with sync views, or an ASGI server with async ones; all defaults untouched."""
    made = Site()
    urls = (
        path("", made.garage),
        path("record.js", made.record),
        path("login/<str:name>", made.log_in),
        path("smartcar/", include(connect.urls if request.param == "sync" else connect.async_urls)),
    )
    options = {
        "ROOT_URLCONF": urls,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SMARTCAR": {
            "APPLICATION_ID": "an-application",
            "SCOPE": ["read_odometer"],
            "CONNECT_ORIGIN": sandbox.origin,
            "ON_COMPLETE": made.complete,
        },
        **own_page({"garage.html": PAGE}, context_processors=["django.contrib.auth.context_processors.auth"]),
    }
    assert apps.is_installed("django.contrib.auth")
    with override_settings(**options):
        served = under_werkzeug(WSGIHandler()) if request.param == "sync" else under_uvicorn(ASGIHandler())
        with served as made.origin:
            yield made


@pytest.fixture
def ann(page: Page, site: Site) -> Garage:
    """Ann, logged in, on her garage's page."""
    return Garage(page, f"{site.origin}/login/ann")


def test_granted_car_is_its_users(ann: Garage, site: Site, context: BrowserContext) -> None:
    """In a pop-up that COOP cut off, without the session cookie on the way back: the car is Ann's."""
    headers: list[str] = []
    context.on(
        "response", lambda answer: headers.append(answer.headers.get("cross-origin-opener-policy", ""))
    )
    ann.page.reload()
    assert headers[0] == "same-origin"
    connect_as(ann.open())
    assert ann.ended("granted")["data"] == {"message": "Added for ann."}
    ann.says("Added for ann.")
    ((subject, username),) = site.granted
    assert username == "ann"
    assert isinstance(subject, int)
    assert all("sessionid" not in names for names in site.cookies)


def test_each_user_gets_the_own_car(ann: Garage, site: Site) -> None:
    """Whoever logs in between has nothing to do with Ann's attempt; Ben's own is his."""
    popup = ann.open()
    connect_as(popup, decision="")
    popup.wait_for_selector("#approval-button")
    other = ann.context.new_page()
    ben = Garage(other, f"{site.origin}/login/ben")
    popup.click("#approval-button", no_wait_after=True)
    # A Strict session stays behind, so nobody claims the answer, and it is the car of whoever launched.
    ann.ended("granted")
    connect_as(ben.open())
    ben.ended("granted")
    assert [username for _, username in site.granted] == ["ann", "ben"]


def test_redirect_page_of_front_end_mode_keeps_its_opener(
    site: Site, serve: Callable[..., Server], page: Page
) -> None:
    """A front end on another port, with the official SDK: Django's default policy would cut the pop-up off."""
    other = serve(official_page())
    with override_settings(SMARTCAR={**settings.SMARTCAR, "ALLOWED_ORIGINS": [other.origin]}):
        redirect_uri = f"{site.origin}/smartcar/redirect?app_origin={other.origin}"
        official = OfficialPage(page, other.origin, {"redirectUri": redirect_uri})
        official.answer(redirect_uri, "code=the-code&state=STATE")
        assert official.told()["code"] == "the-code"
