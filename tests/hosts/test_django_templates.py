"""Django's host in templates: the tags, Jinja2, and the project's own template for our pages."""

import re

import pytest
from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import Context, RequestContext, Template, engines
from django.template.loader import get_template
from django.test import RequestFactory, override_settings
from django.urls import path

from hosts.django_project import WORLDS, browser, mounted, project
from hosts.outcomes import APPLICATION_ID, ATTEMPT, CODE, ORIGIN, OUTCOMES, check_outcome, told
from hosts.test_django import make, plain
from smartcar_auth import ConfigurationError
from smartcar_auth.hosts.django import connect
from smartcar_auth.hosts.django.exchange import PAGE_TEMPLATE
from smartcar_auth.web import Request, assets
from smartcar_auth.web.attempt import Outcome
from smartcar_auth.web.pages import WORDS, Page, outcome_page, question, refusal

both_worlds = pytest.mark.parametrize("world", WORLDS)


@pytest.fixture(autouse=True)
def _settings():
    with override_settings(SMARTCAR={"APPLICATION_ID": APPLICATION_ID, "IDENTIFY": lambda request: "ann"}):
        yield


def rendered(source, **context):
    """A template that loads the tags, without a request."""
    return Template("{% load smartcar %}" + source).render(Context(context))


# -- the tags


def test_button_is_markup():
    """Its addresses are where the routes are; no request is needed for that."""
    text = rendered('{% smartcar_button make="TESLA" single_select=True return_to="/garage" id="b" %}')
    assert text.startswith(
        f'<script type="module" src="/smartcar/assets/{assets.SCRIPT.name}" integrity="sha384-'
    )
    assert 'launch="/smartcar/launch?make=TESLA&amp;single_select=true" id="b"' in text
    assert 'return_to=/garage">Connect your car</a>' in text


def test_button_escapes_what_it_is_given():
    """A hostile label or attribute stays text."""
    hostile = "\"'><script>alert(1)</script>"
    text = rendered("{% smartcar_button x return_to=x make=x id=x class_=x %}", x=hostile)
    assert text.count("<script") == 1
    assert text.count("<") == 6


def test_button_takes_a_translation_and_another_connect():
    """Lazy text is read when the page is; a SmartcarConnect of the project's own is named."""
    from django.utils.translation import gettext_lazy

    own = plain(attempt_seconds=600)
    text = rendered("{% smartcar_button label connect=own %}", label=gettext_lazy("Yes"), own=own)
    assert ">Yes</a>" in text
    assert 'attempt-seconds="600"' in text


class LazyNonce(str):
    """Django 6's is false until it is asked for, so that it gets into the policy only where a page uses it."""

    def __bool__(self):
        return False


def test_button_carries_the_nonce_of_djangos_policy():
    """Where the context has Django 6's csp_nonce, the script has it too."""
    text = rendered("{% smartcar_button %}", csp_nonce=LazyNonce('a"b'))
    assert '<script nonce="a&quot;b" type="module"' in text
    assert "nonce" not in rendered("{% smartcar_button %}")


def test_launch_url_seals_for_the_button():
    """The tag gives an address, for the button or a link."""
    request = RequestFactory().get("/")
    source = "{% load smartcar %}{% smartcar_launch_url external_id='car-1' as url %}{% smartcar_button launch=url %}"
    text = Template(source).render(RequestContext(request, {}))
    assert re.search(r'<smartcar-connect launch="/smartcar/launch\?sealed=[^"&]+"', text)


def test_launch_url_needs_the_request():
    """In words, for whoever rendered without one."""
    with pytest.raises(ConfigurationError, match="request"):
        rendered("{% smartcar_launch_url make='BMW' %}")


def test_callback_script_of_the_front_end_mode():
    """For a page of the project's at the redirect URI."""
    text = rendered("{% smartcar_callback_script text='Close me' %}")
    assert text.startswith(f'<script defer src="/smartcar/assets/{assets.REDIRECT.name}" integrity="sha384-')
    assert 'data-smartcar-text="Close me"' in text
    text = rendered("{% smartcar_callback_script %}", csp_nonce='a"b')
    assert text.startswith('<script nonce="a&quot;b" defer src=')


def environment(**options):
    """A project's Jinja2 environment."""
    import jinja2

    env = jinja2.Environment(**options)
    connect.install(env)
    return env


def test_jinja2_has_the_same():
    """Through Django's Jinja2 backend, autoescaping."""
    backend = {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "OPTIONS": {"environment": "hosts.test_django_templates.environment"},
    }
    with override_settings(TEMPLATES=[backend]):
        source = (
            "{{ smartcar_button(request, make='TESLA') }}{{ smartcar_launch_url(request) }}"
            "{{ smartcar_callback_script() }}{{ smartcar_callback_script(request) }}"
        )
        text = engines["jinja2"].from_string(source).render({}, RequestFactory().get("/"))
    assert 'launch="/smartcar/launch?make=TESLA"' in text
    assert "/smartcar/launch?sealed=" in text
    assert text.count("<script defer") == 2


# -- pages

PAGES = [
    *(Page(kind, "/garage?a=1&b='2'") for kind in WORDS),
    outcome_page(ATTEMPT, Outcome("failed", "no_vehicles"), page_origin=None, stable_asset=True, link="/"),
    outcome_page(
        ATTEMPT,
        Outcome("granted", None, {"message": "<b>\"Kia\" & 'co'", "n": [1]}),
        page_origin=ORIGIN,
        stable_asset=False,
        link="/x",
    ),
    question("make=TESLA&a=%22%3E"),
    refusal(Outcome("failed", "invalid_configuration", {"message": "<why>"}), (ATTEMPT, ORIGIN)),
]


def own_page(templates, **locations):
    """Settings of a project that has these templates."""
    loaders = [
        ("django.template.loaders.locmem.Loader", templates),
        "django.template.loaders.app_directories.Loader",
    ]
    return {
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {"loaders": loaders, **locations},
            }
        ]
    }


EXTENDED = {PAGE_TEMPLATE: '{% extends "smartcar_auth/page.html" %}'}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.kind)
def test_shipped_template_is_the_built_in_page(page):
    """Byte for byte, so that whoever extends it starts from what was there."""
    with override_settings(**own_page(EXTENDED)):
        response = plain()._page(200, page, Request("GET", ORIGIN, "", b"", {}, HttpRequest()))
        assert response.native.render().content == page.html()


def test_shipped_template_is_not_used_by_itself():
    """Without a template of the project's, the page is written without templates."""
    assert get_template(PAGE_TEMPLATE).origin.name.endswith("hosts/django/templates/smartcar_auth/page.html")
    assert plain()._page(200, PAGES[0], None).native is None
    with override_settings(TEMPLATES=[]):
        assert plain()._page(200, PAGES[0], None).body == PAGES[0].html()


@both_worlds
@pytest.mark.parametrize("row", OUTCOMES[::3], ids=lambda row: row.name)
def test_outcomes_in_the_projects_template(world, row):
    """The table holds with pages that extend the shipped template."""
    check_outcome(make(world, own_page(EXTENDED)), row)


OWN = """{% extends "smartcar_auth/page.html" %}{% load i18n %}{% block language %}de{% endblock %}
{% block title %}Garage{% endblock %}{% block content %}<h2>{% translate heading %}</h2>{{ paragraphs|length }}
{{ kind }} {{ request.path }} {{ groups }} <a href="{{ link }}">{{ link_text }}</a>{% endblock %}"""


def count_groups(request):
    """A context processor that asks the database."""
    return {"groups": f"{apps.get_model('auth', 'Group').objects.count()} groups"}


@both_worlds
def test_project_writes_our_pages(world):
    """With its own words, its context processors and their queries; status, cookies and policy stay ours."""
    settings = own_page({PAGE_TEMPLATE: OWN}, context_processors=["hosts.test_django_templates.count_groups"])
    host = make(world, settings)
    state = host.state()
    host.result = ValueError()
    answer = host.callback(f"code={CODE}&state={state}")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="de"' in answer.text
    assert "<h2>Your car was not added</h2>1\nhandler_failed /smartcar/callback 0 groups" in answer.text
    assert told(answer)["code"] == "handler_failed"
    assert host.status().json()["code"] == "handler_failed"


@both_worlds
@pytest.mark.parametrize(
    "source", ["{% nonsense %}", "{{ request.path|divisibleby:0 }}", "{% include request.GET.code %}"]
)
def test_template_that_fails_costs_nobody_the_outcome(world, source, caplog):
    """The built-in page takes its place; the log has the reason, without the code."""
    host = make(world, own_page({PAGE_TEMPLATE: source}))
    answer = host.callback(f"code={CODE}&state={host.state()}")
    assert (answer.status_code, told(answer)["outcome"]) == (200, "granted")
    assert "<h1>Your car is connected</h1>" in answer.text
    assert "smartcar_auth/page.html" in caplog.text
    assert CODE not in caplog.text


def test_project_writes_our_pages_in_jinja2(tmp_path):
    """A template of Django's other backend does as well."""
    page = tmp_path / PAGE_TEMPLATE
    page.parent.mkdir()
    page.write_text(
        "<html{{ attributes }}>{{ head }}<h2>{{ heading }}</h2>{{ paragraphs[0] }} {{ request.path }}"
    )
    backend = {"BACKEND": "django.template.backends.jinja2.Jinja2", "DIRS": [tmp_path]}
    host = make(settings={"TEMPLATES": [backend]})
    state = host.state()
    host.result = {"message": "<b> \ud800"}
    answer = host.callback(f"code={CODE}&state={state}")
    assert "<h2>Your car is connected</h2>&lt;b&gt; ? /smartcar/callback" in answer.text
    assert told(answer)["outcome"] == "granted"


@both_worlds
def test_button_on_a_page_of_the_project(world):
    """From the page to Connect with the address that the tag wrote."""
    template = {"garage.html": "{% load smartcar %}{% smartcar_button %}"}
    own = plain()

    def garage(request):
        return render(request, "garage.html")

    async def agarage(request):
        return HttpResponse(own.button(request))

    urls = [mounted(own, world), path("", garage if world == "sync" else agarage)]
    client = browser(project(*urls, world=world, **own_page(template)))
    address = re.search(r'href="([^"]+)"', client.get("/").text)[1]
    assert client.get(address).status_code == 303
