"""Django's host made by settings: the lazy `connect`, checks, the command, the cache as a record."""

import subprocess
import sys
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.checks import run_checks
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.http import HttpRequest
from django.test import Client, override_settings

from hosts.django_project import WORLDS, browser, launched, mounted, project
from hosts.outcomes import APPLICATION_ID, ATTEMPT, CODE, OUTCOMES, check_outcome, told
from hosts.test_django import make
from smartcar_auth import ConfigurationError
from smartcar_auth.hosts.django import CacheStore, connect
from smartcar_auth.hosts.django.configured import Configured
from smartcar_auth.web import ProcessStore

both_worlds = pytest.mark.parametrize("world", WORLDS)

completed = []
NEW_KEY = "a-newer-key-of-the-project-8f2k5s9d1g7h3j6l0q"
OLD_KEY = "an-older-key-of-the-project-8f2k5s9d1g7h3j6l0"


def on_complete(request, response):
    """What the settings of these tests name."""
    completed.append(response)
    return {"message": "Added."}


def on_error(request, error):
    """The same, for every other end."""


def nobody_in(request):
    """An identify that wants a login."""
    raise PermissionDenied


def with_settings(**smartcar):
    """Settings with this SMARTCAR, and a handler for a car."""
    return override_settings(
        SMARTCAR={"APPLICATION_ID": APPLICATION_ID, "ON_COMPLETE": on_complete, **smartcar}
    )


@pytest.fixture(autouse=True)
def _nothing_completed():
    completed.clear()


# -- the Connect of the settings


@pytest.mark.parametrize("prefix", ["smartcar", "later"])
def test_included_urls_run_what_the_settings_name(prefix):
    """The whole flow with sync and with async URLs, functions by their dotted path."""
    with with_settings(ON_COMPLETE="hosts.test_django_settings.on_complete", SCOPE=["read_odometer"]):
        client = Client(headers={"host": "localhost:8000"})
        location = client.get(f"/{prefix}/launch?attempt={ATTEMPT}").headers["Location"]
        assert "scope=read_odometer" in location
        state = location.partition("&state=")[2].partition("&")[0]
        answer = client.get(f"/{prefix}/callback?code={CODE}&state={state}")
    assert b"Added." in answer.content
    assert sys.modules["hosts.test_django_settings"].completed[0].code == CODE


def test_connect_is_made_anew_when_a_test_overrides_settings():
    """What is used is always what the settings say now; registered functions stay."""
    own = Configured()
    own.on_complete(on_complete)
    for name in ("one", "two"):
        with override_settings(SMARTCAR={"APPLICATION_ID": name}):
            assert connect.smartcar.application_id == name
            own.forget()
            assert own.smartcar.application_id == name
            assert own._complete is on_complete


def test_connect_takes_functions_before_and_after_it_is_made():
    """A module may register before settings are read, or after the first request."""
    own = Configured()

    @own.on_complete
    def connected(request, response): ...

    with override_settings(SMARTCAR={"APPLICATION_ID": "a"}):
        assert own._complete is connected
        own.on_error(on_error)
        assert own._error is on_error
        with pytest.raises(ConfigurationError, match="on_complete is registered already"):
            own.on_complete(on_complete)
    own.forget()
    with with_settings(), pytest.raises(ConfigurationError, match="on_complete is registered already"):
        own.launch_url(None)


@both_worlds
def test_connect_has_urls_for_include(world):
    """`include(connect.urls)` follows the settings as the urls module does."""
    with with_settings():
        client = browser(project(mounted(connect, world), world=world))
        assert launched(client)["application_id"] == APPLICATION_ID


def test_connect_can_be_looked_at_without_settings():
    """Imports, debuggers and test collectors ask for names that aren't there; that makes nothing."""
    assert not hasattr(Configured(), "__wrapped__")
    with pytest.raises(ConfigurationError, match="SMARTCAR = "):
        Configured().smartcar  # noqa: B018


@pytest.mark.parametrize(
    ("smartcar", "said"),
    [
        ({"REDIRECT_URL": "x", "Mode": "y"}, "no option Mode, REDIRECT_URL; there are ALLOWED_ORIGINS"),
        ({"APPLICATION_ID": ""}, r'\["APPLICATION_ID"\] is missing'),
        ({"ON_COMPLETE": "nowhere.at_all"}, r'"ON_COMPLETE"\] must be a function'),
        ({"ON_ERROR": "hosts.test_django_settings.nothing"}, r'"ON_ERROR"\] must be a function'),
        ({"IDENTIFY": 7}, r'"IDENTIFY"\] must be a function'),
        ({"IDENTIFY": "hosts.test_django_settings.CODE"}, "no function"),
        ({"CACHE": "default", "STORE": ProcessStore()}, "CACHE and STORE"),
        ({"CACHE": "elsewhere"}, "no cache named 'elsewhere'"),
        ({"CACHE": "nothing"}, "DummyCache"),
        ({"SECRET_KEYS": ["short"]}, "at least 32"),
        ({"MODE": "dream"}, "mode"),
        ({"PUBLIC_URL": "http://example.com"}, "https"),
    ],
)
def test_wrong_settings_are_errors_in_words(smartcar, said):
    """Whoever uses the Connect hears which setting is wrong."""
    with with_settings(**smartcar), pytest.raises(ConfigurationError, match=said):
        connect.launch_url(None)


@pytest.mark.parametrize(
    "store",
    ["smartcar_auth.web.ProcessStore", ProcessStore, ProcessStore(), lambda: ProcessStore()],
    ids=["path", "class", "store", "function"],
)
def test_store_may_be_named_made_or_given(store):
    """STORE takes what a settings file can hold."""
    with with_settings(STORE=store):
        assert isinstance(connect._store, ProcessStore)


def test_keys_rotate_with_those_of_django():
    """SECRET_KEY seals; what SECRET_KEY_FALLBACKS sealed is still believed, and nothing else."""
    client = Client(headers={"host": "localhost:8000"})

    def answer():
        return client.get(f"/smartcar/callback?code={CODE}&state={state}").status_code

    with with_settings(STORE=ProcessStore()):
        with override_settings(SECRET_KEY=OLD_KEY):
            state = (
                client.get("/smartcar/launch").headers["Location"].partition("&state=")[2].partition("&")[0]
            )
        with override_settings(SECRET_KEY=NEW_KEY):
            assert answer() == 400
        with override_settings(SECRET_KEY=NEW_KEY, SECRET_KEY_FALLBACKS=[OLD_KEY]):
            assert answer() == 200


# -- whose car it is


@pytest.fixture
def ann():
    """A user of the project."""
    user = get_user_model().objects.create_user("ann", password="any")
    yield user
    user.delete()


@pytest.mark.parametrize("prefix", ["smartcar", "later"])
def test_person_is_the_logged_in_user(ann, prefix):
    """Without IDENTIFY: the primary key at launch, also when the session cookie stays behind on the way back."""
    with with_settings(STORE=ProcessStore()):
        client = Client(headers={"host": "localhost:8000"})
        client.force_login(ann)
        address = client.get(f"/{prefix}/launch").headers["Location"]
        del client.cookies["sessionid"]
        state = address.partition("&state=")[2].partition("&")[0]
        assert client.get(f"/{prefix}/callback?code={CODE}&state={state}").status_code == 200
        assert [response.subject for response in completed] == [ann.pk]
        client.force_login(ann)
        address = client.get(f"/{prefix}/launch").headers["Location"]
        client.force_login(get_user_model().objects.create_user("ben"))
        state = address.partition("&state=")[2].partition("&")[0]
        answer = client.get(f"/{prefix}/callback?code=x&state={state}")
        assert b"Somebody else is logged in now" in answer.content
        get_user_model().objects.filter(username="ben").delete()


def test_person_of_a_visitor_is_none():
    """Nobody logged in, and no authentication at all: nobody, without an error."""
    with with_settings(STORE=ProcessStore()):
        client = Client(headers={"host": "localhost:8000"})
        address = client.get("/smartcar/launch").headers["Location"]
        state = address.partition("&state=")[2].partition("&")[0]
        client.get(f"/smartcar/callback?code={CODE}&state={state}")
        assert [response.subject for response in completed] == [None]
        assert connect._identify(HttpRequest()) is None


def test_person_with_another_kind_of_key():
    """A UUID travels as text."""

    class User:
        is_authenticated = True
        pk = __import__("uuid").UUID(int=7)

    request = HttpRequest()
    request.user = User()
    with with_settings():
        assert connect._identify(request) == "00000000-0000-0000-0000-000000000007"


def test_person_is_nobodys_business_where_settings_say_so():
    """IDENTIFY = None switches it off; a function of the project's replaces it."""
    with with_settings(IDENTIFY=None), pytest.raises(ConfigurationError, match="external_id"):
        connect.launch_url(HttpRequest(), external_id="car-1")
    with with_settings(IDENTIFY="hosts.test_django_settings.nobody_in"):
        assert Client(headers={"host": "localhost:8000"}).get("/smartcar/launch").status_code == 403


# -- checks


def ids(**more):
    """Of the messages that the checks have."""
    return [message.id for message in run_checks(tags=["smartcar"], **more)]


def test_check_is_content_with_a_good_project():
    """Nothing to say, and in deployment nothing either."""
    caches["table"].clear()
    with with_settings(
        ON_ERROR=on_error,
        CACHE="table",
        PUBLIC_URL="https://app.example.com",
    ):
        assert ids() == []
        caches["table"]._max_entries = 10_000
        assert ids(include_deployment_checks=True) == []
        caches["table"]._max_entries = 300


def test_check_says_nothing_where_connect_is_not_in_use():
    """The app alone, for a Connect of the project's own making, needs no SMARTCAR."""
    with override_settings(ROOT_URLCONF=()):
        assert ids(include_deployment_checks=True) == []
    with override_settings(ROOT_URLCONF=(mounted(make().connect),)):
        assert ids(include_deployment_checks=True) == []


@pytest.mark.parametrize(
    ("smartcar", "expected"),
    [
        (None, ["smartcar_auth.E001"]),
        ({"REDIRECT_URL": "x"}, ["smartcar_auth.E001"]),
        ({"SECRET_KEYS": ["short"]}, ["smartcar_auth.E001"]),
        ({"ON_COMPLETE": None}, ["smartcar_auth.E111"]),
        ({"REDIRECT_URI": "https://app.example.com/elsewhere"}, ["smartcar_auth.E106"]),
    ],
)
def test_check_finds_what_cannot_work(smartcar, expected):
    """Errors without --deploy."""
    given = None if smartcar is None else {"APPLICATION_ID": APPLICATION_ID, "ON_COMPLETE": on_complete}
    if given is None:
        assert ids() == expected
    else:
        with override_settings(SMARTCAR={**given, **smartcar}):
            assert ids() == expected


def test_check_misses_the_urls():
    """Settings without routes: an error that says what to include."""
    with with_settings(), override_settings(ROOT_URLCONF=()):
        (message,) = run_checks(tags=["smartcar"], include_deployment_checks=True)
    assert message.id == "smartcar_auth.E002"
    assert 'include("smartcar_auth.hosts.django.urls")' in message.hint


@pytest.mark.parametrize(
    ("smartcar", "expected"),
    [
        ({}, {"W003", "W004"}),
        ({"PUBLIC_URL": "http://localhost:8000"}, {"W002", "W004"}),
        ({"PUBLIC_URL": "https://app.example.com", "CACHE": "default"}, {"W005", "W006"}),
        ({"PUBLIC_URL": "https://app.example.com", "CACHE": "files"}, {"W005", "W006"}),
        ({"PUBLIC_URL": "https://app.example.com", "CACHE": "table"}, {"W006"}),
        (
            {"PUBLIC_URL": "https://app.example.com", "MODE": "simulated", "IDENTIFY": None},
            {"W102", "W112", "W004"},
        ),
    ],
)
def test_check_deploy_advises(smartcar, expected):
    """Warnings with --deploy only."""
    with with_settings(ON_ERROR=on_error, **smartcar):
        assert ids() == []
        assert set(ids(include_deployment_checks=True)) == {f"smartcar_auth.{one}" for one in expected}


def test_check_deploy_dislikes_a_key_of_startproject():
    """Django marks the keys that it makes."""
    with (
        with_settings(ON_ERROR=on_error, PUBLIC_URL="https://app.example.com"),
        override_settings(SECRET_KEY="django-insecure-" + "x7" * 20),
    ):
        assert "smartcar_auth.W110" in ids(include_deployment_checks=True)


# -- the command


def doctor(*urls):
    """What the command prints."""
    printed = StringIO()
    call_command("smartcar_doctor", *urls, stdout=printed)
    return printed.getvalue()


def test_doctor_says_what_to_register():
    """From the settings, or for an address that is given."""
    with with_settings(PUBLIC_URL="https://app.example.com"):
        assert "Register exactly this with Smartcar: https://app.example.com/smartcar/callback" in doctor()
    with with_settings(PUBLIC_URL="https://app.example.com/shop"):
        assert (
            "Register exactly this with Smartcar: https://app.example.com/shop/smartcar/callback" in doctor()
        )
    with with_settings():
        assert "https://other.example/smartcar/callback" in doctor("https://other.example/smartcar")


def test_doctor_fails_where_connect_cannot_work():
    """A problem in the settings, or settings that make no Connect: the command's exit tells it."""
    with with_settings(ON_COMPLETE=None), pytest.raises(CommandError, match="can't work"):
        doctor()
    with with_settings(MODE="dream"), pytest.raises(CommandError, match="mode"):
        doctor()


# -- the cache as a record


class Refusing(DummyCache):
    """A cache whose server is gone, with a client that says nothing."""

    def add(self, *args, **options):
        return False


@both_worlds
@pytest.mark.parametrize("alias", ["default", "table"])
def test_cache_knows_a_replay(world, alias):
    """An answer counts once, and a copied cookie brings it no second time."""
    for name in ("replayed", "cancelled"):
        caches[alias].clear()
        host = make(world, store=CacheStore(alias))
        check_outcome(host, next(row for row in OUTCOMES if row.name == name))


def test_cache_keeps_what_it_is_given():
    """Claimed once, settled, found, under a name of its own."""
    caches["default"].clear()
    store = CacheStore()
    assert store.find("a") is None
    assert store.claim("a", "one", 60) is None
    assert store.claim("a", "two", 60) == "one"
    store.settle("a", "three", 60)
    assert store.find("a") == "three"
    assert CacheStore(prefix="other:").find("a") is None


def test_cache_that_fails_silently_stops_the_flow():
    """A write that is refused although nothing is there: nobody knows, so nothing happens and nothing is lost."""
    host = make(store=CacheStore())
    state = host.state()
    with override_settings(CACHES={"default": {"BACKEND": "hosts.test_django_settings.Refusing"}}):
        assert host.callback(f"code={CODE}&state={state}").status_code == 503
    assert host.completed == []
    assert told(host.callback(f"code={CODE}&state={state}"))["outcome"] == "granted"


# -- imports


def test_import_needs_no_settings_and_loads_no_model():
    """The package can be imported before Django is set up, by a settings file for example."""
    script = (
        "import sys, smartcar_auth.hosts.django as host; host.connect.on_complete(print); "
        "print([name for name in sys.modules if '.contrib.' in name])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert apps.get_app_config("smartcar_auth").verbose_name == "Smartcar Connect"
