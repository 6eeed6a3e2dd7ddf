"""Smartcar: its options, the requests it builds, the answers it reads."""

import copy
import inspect
import pickle
import threading
import warnings
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import (
    CLEAR,
    ConfigurationError,
    MissingParameter,
    Smartcar,
    StateMismatch,
)

ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
REDIRECT = "https://example.com/smartcar/callback"
# Text that a URL can carry: anything but lone surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def app(**options):
    """A Smartcar with an application id."""
    return Smartcar(**{"application_id": ID, **options})


def query(url):
    """The decoded parameters of an address, in order."""
    return parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)


# --- options ----------------------------------------------------------------------------------------------------


def test_smartcar_keeps_its_options_readable():
    """Every option can be read back, the scope as a tuple."""

    def done(error, response): ...

    smartcar = app(
        redirect_uri=REDIRECT,
        scope=["read_vin"],
        mode="simulated",
        response_type="none",
        external_id="me",
        on_complete=done,
        connect_origin="HTTPS://Connect.Example:443/",
    )
    assert smartcar.application_id == ID
    assert smartcar.redirect_uri == REDIRECT
    assert smartcar.scope == ("read_vin",)
    assert smartcar.mode == "simulated"
    assert smartcar.response_type == "none"
    assert smartcar.external_id == "me"
    assert smartcar.on_complete is done
    assert smartcar.connect_origin == "https://connect.example"


def test_smartcar_has_quiet_defaults():
    """Without options the dashboard decides, live, with a code."""
    smartcar = app()
    assert (smartcar.redirect_uri, smartcar.scope, smartcar.external_id, smartcar.on_complete) == (None,) * 4
    assert (smartcar.mode, smartcar.response_type) == ("live", "code")
    assert type(smartcar.mode) is str
    assert smartcar.connect_origin == "https://connect.smartcar.com"


@pytest.mark.parametrize("value", [None, "", "  ", 7, b"abc"])
def test_application_id_missing_says_where_to_find_it(value):
    """Without an application id the message names the dashboard."""
    with pytest.raises(ConfigurationError, match="dashboard"):
        Smartcar(application_id=value)


def test_application_id_of_m2m_credentials_is_refused():
    """The client_... id of API credentials is caught before Connect refuses it, and the right one is named."""
    with pytest.raises(ConfigurationError, match="Application ID"):
        Smartcar(application_id="client_01K0ABCDEF")


@pytest.mark.parametrize("value", [f" {ID}", f"{ID}\n"])
def test_application_id_with_white_space_around_is_refused(value):
    """White space that came along when copying is refused."""
    with pytest.raises(ConfigurationError, match="white space"):
        Smartcar(application_id=value)


def test_application_id_is_opaque():
    """Anything else is taken as it is, and percent-encoded."""
    assert "&application_id=my%20app%26x&" in Smartcar(application_id="my app&x").get_auth_url()


def test_client_id_is_the_older_name():
    """client_id works, with one DeprecationWarning at the caller's line."""
    with pytest.warns(DeprecationWarning, match="application_id") as heard:
        smartcar = Smartcar(client_id=ID)
    assert smartcar == app()
    assert [warning.filename for warning in heard] == [__file__]


def test_client_id_warns_once():
    """A second use under the same filters stays quiet."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        Smartcar(client_id=ID)
        Smartcar(client_id=ID)
    assert len(heard) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_client_id_and_application_id_must_agree():
    """Both are fine when equal, an error when not."""
    assert Smartcar(client_id=ID, application_id=ID) == app()
    with pytest.raises(ConfigurationError, match="differ"):
        Smartcar(client_id="other", application_id=ID)


def test_test_mode_is_the_older_form_of_mode():
    """test_mode=True means "test", False means "live", and both warn."""
    with pytest.warns(DeprecationWarning, match="mode"):
        assert app(test_mode=True).mode == "test"
    with pytest.warns(DeprecationWarning, match="mode"):
        assert app(test_mode=False).mode == "live"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_test_mode_must_not_contradict_mode():
    """The official SDK lets testMode win silently; here a contradiction is an error."""
    assert app(test_mode=True, mode="test").mode == "test"
    assert app(test_mode=False, mode="live").mode == "live"
    for test_mode, mode in [(True, "live"), (True, "simulated"), (False, "test"), (False, "simulated")]:
        with pytest.raises(ConfigurationError, match="contradicts"):
            app(test_mode=test_mode, mode=mode)


@pytest.mark.parametrize("value", [1, "true", "test"])
def test_test_mode_of_another_type_is_refused(value):
    """Only True and False are meant."""
    with pytest.raises(ConfigurationError, match="test_mode"):
        app(test_mode=value)


@pytest.mark.parametrize("value", ["LIVE", "", "sandbox", None, True, ["live"]])
def test_mode_unknown_is_refused(value):
    """The message lists the three modes."""
    with pytest.raises(ConfigurationError, match='"live", "simulated", "test"'):
        app(mode=value)


@pytest.mark.parametrize("value", ["token", "", None, "vehicle_id"])
def test_response_type_unknown_is_refused(value):
    """Only "code" and "none" exist."""
    with pytest.raises(ConfigurationError, match="response_type"):
        app(response_type=value)


def test_on_complete_must_be_callable():
    """A name instead of a function is caught at once."""
    with pytest.raises(ConfigurationError, match="on_complete"):
        app(on_complete="save")


@pytest.mark.parametrize("value", ["", 7, b"x", "\ud800"])
def test_external_id_must_be_text(value):
    """An empty external id is refused, not sent: CLEAR is how one is cleared."""
    with pytest.raises(ConfigurationError, match="external_id"):
        app(external_id=value)


def test_external_id_clear_sends_null():
    """CLEAR is the text null; None sends nothing."""
    assert CLEAR == "null"
    assert query(app(external_id=CLEAR).get_auth_url())[-1] == ("external_id", "null")
    assert "external_id" not in dict(query(app().get_auth_url()))


def test_connect_origin_with_a_path_is_refused():
    """The origin is an origin, by the one rule."""
    with pytest.raises(ConfigurationError, match="connect_origin"):
        app(connect_origin="https://connect.example/oauth")


def test_unknown_options_are_type_errors():
    """A misspelt option is Python's own TypeError, everywhere."""
    with pytest.raises(TypeError):
        app(redirect="https://example.com")
    with pytest.raises(TypeError):
        app().get_auth_url(vin="x")
    with pytest.raises(TypeError):
        app().replace(colour="red")
    with pytest.raises(TypeError):
        Smartcar.from_environment(application_id=ID, colour="red")
    with pytest.raises(TypeError):
        Smartcar(ID)


# --- the value --------------------------------------------------------------------------------------------------


def test_smartcar_is_frozen():
    """Attributes can be neither set nor deleted nor added."""
    smartcar = app()
    for name in ("mode", "application_id", "colour"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(smartcar, name, "x")
    with pytest.raises(AttributeError, match="cannot be changed"):
        del smartcar.mode
    assert smartcar == app()


def test_smartcar_compares_and_hashes_by_its_options():
    """Equal options make equal values; every option counts."""
    assert app(scope="a b") == app(scope=["a", "b"])
    assert hash(app(scope="a b")) == hash(app(scope=["a", "b"]))
    different = [{"redirect_uri": REDIRECT}, {"scope": []}, {"mode": "test"}, {"response_type": "none"}]
    different += [{"external_id": "x"}, {"on_complete": print}, {"connect_origin": "http://localhost"}]
    values = [app(), *(app(**options) for options in different)]
    assert all(one != other for index, one in enumerate(values) for other in values[index + 1 :])
    assert app() != "app"


def test_smartcar_with_unhashable_on_complete_is_hashable():
    """Any callable will do as on_complete."""

    class Callback:
        __hash__ = None

        def __call__(self, error, response): ...

    assert isinstance(hash(app(on_complete=Callback())), int)


def test_smartcar_repr_shows_application_and_mode_only():
    """Neither the external id nor anything else of a person is shown."""
    assert repr(app(external_id="secret", mode="test")) == f"Smartcar(application_id='{ID}', mode='test')"


def test_smartcar_copies_and_pickles():
    """A copy is equal and works."""
    smartcar = app(scope=["read_vin"], external_id="me", redirect_uri=REDIRECT, mode="test")
    for twin in (copy.copy(smartcar), copy.deepcopy(smartcar), pickle.loads(pickle.dumps(smartcar))):
        assert twin == smartcar
        assert twin.get_auth_url() == smartcar.get_auth_url()


def test_replace_makes_a_checked_copy():
    """The original stays; the copy has the change and is checked like a new one."""
    smartcar = app(mode="test", scope="read_vin")
    assert smartcar.replace(redirect_uri=REDIRECT) == app(
        mode="test", scope="read_vin", redirect_uri=REDIRECT
    )
    assert smartcar == app(mode="test", scope="read_vin")
    with pytest.raises(ConfigurationError):
        smartcar.replace(mode="none")


def test_replace_external_id_alone_is_like_a_new_one():
    """The short way that hosts take for every person gives the same value and the same checks."""
    smartcar = app(scope="read_vin", external_id="one")
    for external_id in ("two & more", None, CLEAR):
        fresh = app(scope="read_vin", external_id=external_id)
        assert smartcar.replace(external_id=external_id) == fresh
        assert smartcar.replace(external_id=external_id).get_auth_url() == fresh.get_auth_url()
    with pytest.raises(ConfigurationError, match="external_id"):
        smartcar.replace(external_id="")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_replace_takes_the_older_names():
    """An older name replaces the newer one's value."""
    assert app(mode="simulated").replace(test_mode=True).mode == "test"
    assert app().replace(client_id="other").application_id == "other"


def test_replace_keeps_a_subclass():
    """A subclass stays one."""

    class Mine(Smartcar):
        __slots__ = ()

    assert type(Mine(application_id=ID).replace(external_id="x")) is Mine


# --- the environment --------------------------------------------------------------------------------------------


@pytest.fixture
def environment(monkeypatch):
    """The environment without any SMARTCAR_ variable of the machine."""
    for name in ("APPLICATION_ID", "CLIENT_ID", "REDIRECT_URI", "MODE", "CONNECT_ORIGIN"):
        monkeypatch.delenv(f"SMARTCAR_{name}", raising=False)
    return monkeypatch


def test_from_environment_reads_the_variables(environment):
    """All four options come from their variables."""
    environment.setenv("SMARTCAR_APPLICATION_ID", ID)
    environment.setenv("SMARTCAR_REDIRECT_URI", REDIRECT)
    environment.setenv("SMARTCAR_MODE", "simulated")
    environment.setenv("SMARTCAR_CONNECT_ORIGIN", "http://127.0.0.1:8001")
    wanted = app(redirect_uri=REDIRECT, mode="simulated", connect_origin="http://127.0.0.1:8001")
    assert Smartcar.from_environment() == wanted
    assert Smartcar.from_environment(mode="live", redirect_uri=None).redirect_uri is None
    assert Smartcar.from_environment(scope="read_vin").scope == ("read_vin",)
    assert Smartcar.from_environment(application_id="other").application_id == "other"


def test_from_environment_takes_client_id_without_a_warning(environment):
    """SMARTCAR_CLIENT_ID is the back-end SDK's name: accepted quietly, second to SMARTCAR_APPLICATION_ID."""
    environment.setenv("SMARTCAR_CLIENT_ID", "other")
    assert Smartcar.from_environment().application_id == "other"
    environment.setenv("SMARTCAR_APPLICATION_ID", ID)
    assert Smartcar.from_environment().application_id == ID


def test_from_environment_treats_empty_as_absent(environment):
    """A variable set to nothing is as good as none."""
    environment.setenv("SMARTCAR_APPLICATION_ID", ID)
    environment.setenv("SMARTCAR_MODE", "")
    environment.setenv("SMARTCAR_REDIRECT_URI", "")
    assert Smartcar.from_environment() == app()


def test_from_environment_without_id_names_the_variable(environment):
    """The message says which variable to set."""
    with pytest.raises(ConfigurationError, match="SMARTCAR_APPLICATION_ID"):
        Smartcar.from_environment()


def test_from_environment_with_older_names_overrides(environment):
    """client_id= and test_mode= win over the variables, and warn at the caller's line."""
    environment.setenv("SMARTCAR_APPLICATION_ID", ID)
    environment.setenv("SMARTCAR_MODE", "simulated")
    with pytest.warns(DeprecationWarning, match="application_id|mode") as heard:
        smartcar = Smartcar.from_environment(client_id="other", test_mode=True)
    assert (smartcar.application_id, smartcar.mode) == ("other", "test")
    assert {warning.filename for warning in heard} == {__file__}


# --- get_auth_url -----------------------------------------------------------------------------------------------


def test_auth_url_writes_everything_in_order():
    """All parameters at once, in the official order, percent-encoded."""
    url = app(
        redirect_uri=REDIRECT, scope=["read_vin", "required:read_fuel"], external_id="e/1"
    ).get_auth_url(
        "s=1",
        force_prompt=True,
        make="TESLA",
        single_select_vin="V&N",
        flags=["country:DE", "a:b"],
        user="u 1",
    )
    assert url == (
        f"https://connect.smartcar.com/oauth/authorize?response_type=code&application_id={ID}"
        "&redirect_uri=https%3A%2F%2Fexample.com%2Fsmartcar%2Fcallback&approval_prompt=force"
        "&scope=read_vin%20required%3Aread_fuel&mode=live&single_select_vin=V%26N&single_select=true"
        "&state=s%3D1&make=TESLA&flags=country%3ADE%20a%3Ab&user=u%201&external_id=e%2F1"
    )


def test_auth_url_without_state_sends_none():
    """No state given, none sent."""
    assert "state" not in dict(query(app().get_auth_url()))


@given(state=TEXT, make=TEXT, user=TEXT, vin=TEXT, external_id=TEXT)
def test_auth_url_carries_any_text(state, make, user, vin, external_id):
    """Any text survives the address and injects nothing."""
    url = app(external_id=external_id).get_auth_url(state, make=make, user=user, single_select_vin=vin)
    assert url.isascii()
    found = query(url)
    assert len(found) == len(dict(found)) == 10
    values = dict(found)
    assert (values["state"], values["make"], values["user"]) == (state, make, user)
    assert (values["single_select_vin"], values["external_id"]) == (vin, external_id)


@pytest.mark.parametrize("name", ["state", "make", "user", "single_select_vin"])
@pytest.mark.parametrize("value", ["", b"x", 7, True, "\ud800x"])
def test_auth_url_refuses_values_that_are_no_text(name, value):
    """Empty text, other types and lone surrogates are configuration errors that name the option."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        app().get_auth_url(**{name: value})
    assert "\ud800" not in str(caught.value)


@pytest.mark.parametrize("name", ["user", "external_id"])
def test_auth_url_with_a_number_as_id_names_the_remedy(name):
    """A database id is a number so often that the message says str(user.id)."""
    with pytest.raises(ConfigurationError, match=r"str\(user\.id\)"):
        app(external_id=7) if name == "external_id" else app().get_auth_url(user=7)


def test_auth_url_takes_text_of_a_subclass_as_text():
    """A str subclass that changes `+` (Markup does) cannot change the address."""

    class Shouting(str):
        def __radd__(self, other):
            return "broken"

        def __str__(self):
            return "broken"

    url = app(scope=[Shouting("read_vin")], external_id=Shouting("e")).get_auth_url(
        Shouting("s"), user=Shouting("u")
    )
    assert url == app(scope=["read_vin"], external_id="e").get_auth_url("s", user="u")


def test_auth_url_single_select_is_true_false_or_absent():
    """None omits it; True and False are written as words; a VIN implies true."""
    assert "single_select" not in dict(query(app().get_auth_url(single_select=None)))
    assert dict(query(app().get_auth_url(single_select=True)))["single_select"] == "true"
    assert dict(query(app().get_auth_url(single_select=False)))["single_select"] == "false"
    for single_select in (None, True):
        values = dict(query(app().get_auth_url(single_select=single_select, single_select_vin="V")))
        assert (values["single_select"], values["single_select_vin"]) == ("true", "V")


@pytest.mark.parametrize("value", [1, 0, "true", {"vin": "x"}, [], float("nan")])
def test_auth_url_single_select_of_another_type_is_refused(value):
    """Neither numbers nor the official SDK's object form are taken."""
    with pytest.raises(ConfigurationError, match="single_select_vin"):
        app().get_auth_url(single_select=value)


def test_auth_url_single_select_false_with_vin_is_refused():
    """The two contradict."""
    with pytest.raises(ConfigurationError, match="contradicts"):
        app().get_auth_url(single_select=False, single_select_vin="V")


@pytest.mark.parametrize("value", [1, None, "yes"])
def test_auth_url_force_prompt_must_be_a_truth_value(value):
    """Only True and False."""
    with pytest.raises(ConfigurationError, match="force_prompt"):
        app().get_auth_url(force_prompt=value)


def test_auth_url_app_origin_goes_with_the_redirectless_flow_only():
    """Normalised and sent with response_type none and no redirect URI; refused anywhere else."""
    none = app(response_type="none")
    assert query(none.get_auth_url(app_origin="HTTPS://App.example:443/"))[-1] == (
        "app_origin",
        "https://app.example",
    )
    for other in (app(), app(redirect_uri=REDIRECT), none.replace(redirect_uri=REDIRECT)):
        with pytest.raises(ConfigurationError, match="app_origin"):
            other.get_auth_url(app_origin="https://app.example")
    with pytest.raises(ConfigurationError, match="app_origin"):
        none.get_auth_url(app_origin="https://app.example/path")


def test_auth_url_is_the_same_from_many_threads():
    """One Smartcar serves all threads."""
    smartcar, wrong = app(redirect_uri=REDIRECT), []

    def work(number):
        for turn in range(300):
            state = f"{number}-{turn}"
            if dict(query(smartcar.get_auth_url(state, user=state))).get("state") != state:
                wrong.append(state)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- requests and responses -------------------------------------------------------------------------------------


def test_authorization_request_takes_the_same_options_as_get_auth_url():
    """Both signatures are the same, so that neither lags behind."""
    one = inspect.signature(Smartcar.get_auth_url).parameters
    other = inspect.signature(Smartcar.authorization_request).parameters
    assert {name: p.default for name, p in one.items()} == {name: p.default for name, p in other.items()}


def test_authorization_request_passes_every_option_on():
    """The request's URL is get_auth_url's with its state."""
    none = app(response_type="none")
    options = {
        "force_prompt": True,
        "make": "KIA",
        "single_select": True,
        "single_select_vin": "V",
        "flags": {"a": "b"},
        "user": "u",
        "app_origin": "https://app.example",
    }
    request = none.authorization_request(**options)
    assert request.url == none.get_auth_url(request.state, **options)


def test_authorization_request_keeps_the_callers_state():
    """A state given is the state sent; an empty one is refused, not replaced."""
    request = app().authorization_request("mine")
    assert request.state == dict(query(request.url))["state"] == "mine"
    with pytest.raises(ConfigurationError, match="state"):
        app().authorization_request("")


def test_authorization_requests_never_share_a_state():
    """Every request without a given state has a fresh one."""
    assert len({app().authorization_request().state for _ in range(100)}) == 100


def test_reauthentication_request_writes_its_own_address():
    """Another path, the older client_id name, vehicle_id as response type; the answer must have it."""
    request = app(redirect_uri=REDIRECT, external_id="e").reauthentication_request(vehicle_id="v/1", user="u")
    assert request.url.startswith(
        "https://connect.smartcar.com/oauth/reauthenticate?response_type=vehicle_id&"
    )
    assert query(request.url)[1:] == [
        ("client_id", ID),
        ("vehicle_id", "v/1"),
        ("redirect_uri", REDIRECT),
        ("state", request.state),
        ("user", "u"),
        ("external_id", "e"),
    ]
    assert request.receive({"vehicle_id": "v/1", "state": request.state}).vehicle_id == "v/1"
    with pytest.raises(MissingParameter, match="vehicle_id"):
        request.receive({"code": "c", "state": request.state})


def test_reauthentication_request_needs_a_redirect_uri_unless_none():
    """With response_type none Connect has a page of its own to end on."""
    with pytest.raises(ConfigurationError, match="redirect URI"):
        app().reauthentication_request(vehicle_id="v")
    url = app(response_type="none").reauthentication_request(vehicle_id="v", state="s").url
    assert query(url) == [("response_type", "none"), ("client_id", ID), ("vehicle_id", "v"), ("state", "s")]


@pytest.mark.parametrize("options", [{"vehicle_id": ""}, {"vehicle_id": 7}, {"vehicle_id": "v", "state": ""}])
def test_reauthentication_request_refuses_bad_values(options):
    """The same rules for text as everywhere."""
    with pytest.raises(ConfigurationError):
        app(redirect_uri=REDIRECT).reauthentication_request(**options)


def test_read_response_requires_what_the_response_type_promises():
    """code needs a code; none needs nothing but the state and keeps what came."""
    assert app().read_response("code=c&state=s", state="s").code == "c"
    with pytest.raises(MissingParameter, match="code"):
        app().read_response("user_id=u&state=s", state="s")
    response = app(response_type="none").read_response(
        "user_id=u&external_id=e&vehicle_id=v&state=s", state="s"
    )
    assert (response.code, response.user_id, response.external_id, response.vehicle_id) == (
        None,
        "u",
        "e",
        "v",
    )


def test_read_response_refuses_another_state():
    """The state decides before anything is believed."""
    with pytest.raises(StateMismatch):
        app().read_response("code=c&state=t", state="s")
