"""What settings alone tell the doctor: each finding where it belongs, and its absence where it doesn't."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.web import Connect, RedisStore
from smartcar_auth.web.doctor import Finding, compare_sites, examine_request, registering, report, summary
from web.browser import APPLICATION_ID

KEY = "J9r-2q_Zt7Lw0vXk3bNc5mYh8sGd1fPa6uEoRiTy"
ROUTES = "https://app.example.com/smartcar"


def patient(*, handlers=("on_complete", "on_error"), connect=None, **options):
    """A Connect that lacks nothing, but for what a test says of it."""
    smartcar = {"application_id": APPLICATION_ID, "scope": ["read_odometer"], **options}
    made = Connect(
        Smartcar(**smartcar),
        **{"secret_keys": [KEY], "identify": lambda request: "ann", **(connect or {})},
    )
    for name in handlers:
        getattr(made, name)(lambda request, said: None)
    return made


def of(findings, check):
    """The findings of one check, as (level, message)."""
    return [(finding.level, finding.message) for finding in findings if finding.check == check]


def one(findings, check):
    """The only finding of a check."""
    [found] = of(findings, check)
    return found


def test_healthy_settings_have_no_findings_but_good_ones():
    """Everything that the settings can tell is said, and nothing is wrong."""
    findings = patient().doctor(ROUTES)
    assert {finding.level for finding in findings} == {"ok"}
    assert [finding.check for finding in findings] == [
        "application_id",
        "connect_origin",
        "mode",
        "scope",
        "redirect_uri",
        "secret_keys",
        "handlers",
        "identify",
        "attempt_seconds",
        "store",
    ]


# -- whose name, at which Connect


def test_id_of_api_credentials_is_a_problem():
    """A "client_..." id is refused in the words in which Smartcar(...) refuses it."""
    findings = list(examine_request("client_01HX", "live", "https://connect.smartcar.com", public=True))
    with pytest.raises(ConfigurationError) as refused:
        Smartcar(application_id="client_01HX")
    assert one(findings, "application_id") == ("problem", str(refused.value))
    assert "API credentials (M2M)" in str(refused.value)


def test_id_that_is_no_uuid_is_a_warning_that_does_not_repeat_it():
    """It may be anything, a secret in the wrong place included."""
    findings = patient(application_id="hunter2-hunter2").doctor()
    level, message = one(findings, "application_id")
    assert level == "warning"
    assert "not a UUID" in message
    assert "hunter2" not in report(findings)


def test_id_that_is_a_uuid_is_fine_and_shortened():
    """Its beginning is enough to recognize it."""
    findings = patient().doctor()
    assert one(findings, "application_id")[0] == "ok"
    assert APPLICATION_ID[:8] in report(findings)
    assert APPLICATION_ID not in report(findings)


@pytest.mark.parametrize(
    ("mode", "address", "level"),
    [
        ("live", ROUTES, "ok"),
        ("simulated", "http://localhost:8000/smartcar", "ok"),
        ("simulated", ROUTES, "warning"),
        ("test", "http://localhost:8000/smartcar", "warning"),
        ("test", ROUTES, "warning"),
    ],
)
def test_mode_is_measured_by_who_may_visit(mode, address, level):
    """Simulated cars are fine on one's own machine; where visitors come they get a warning."""
    assert one(patient(mode=mode).doctor(address), "mode")[0] == level


@pytest.mark.parametrize(
    ("origin", "address", "level"),
    [
        (None, ROUTES, "ok"),
        ("http://127.0.0.1:8010", "http://localhost:8000/smartcar", "ok"),
        ("http://127.0.0.1:8010", ROUTES, "warning"),
    ],
)
def test_stand_in_for_connect_is_named(origin, address, level):
    """The sandbox is fine on one's own machine; where visitors come it's a warning."""
    found = one(patient(connect_origin=origin).doctor(address), "connect_origin")
    assert found[0] == level
    assert (origin or "https://connect.smartcar.com") in found[1]


@pytest.mark.parametrize(
    ("scope", "level", "said"),
    [
        (["read_odometer", "read_vin"], "ok", "read_odometer read_vin"),
        (None, "ok", "dashboard"),
        ([], "warning", "empty"),
    ],
)
def test_permissions_are_named(scope, level, said):
    """Those that will be asked for; asking for none at all is a warning."""
    found = one(patient(scope=scope).doctor(), "scope")
    assert found[0] == level
    assert said in found[1]


def test_one_external_id_for_everybody_is_a_warning():
    """It belongs to a person, so an application's own option can't be right."""
    assert of(patient().doctor(), "external_id") == []
    level, message = one(patient(external_id="ann-1").doctor(), "external_id")
    assert level == "warning"
    assert "launch_url(external_id=...)" in message
    assert "ann-1" not in message


# -- redirect URIs


@pytest.mark.parametrize(
    ("connect", "addresses", "uris"),
    [
        ({}, [ROUTES], [f"{ROUTES}/callback"]),
        ({}, [f"{ROUTES}/"], [f"{ROUTES}/callback"]),
        ({}, ["https://app.example.com"], ["https://app.example.com/callback"]),
        ({}, ["https://APP.example.com:443/smartcar"], [f"{ROUTES}/callback"]),
        (
            {},
            [ROUTES, "http://localhost:8000/smartcar"],
            [f"{ROUTES}/callback", "http://localhost:8000/smartcar/callback"],
        ),
        ({"public_url": "https://app.example.com/shop"}, [], []),
        (
            {"public_url": "https://app.example.com/shop"},
            [ROUTES],
            ["https://app.example.com/shop/smartcar/callback"],
        ),
    ],
)
def test_redirect_uris_to_register_are_said(connect, addresses, uris):
    """One line for each, which ends in it, ready to copy."""
    found = of(patient(connect=connect).doctor(*addresses), "redirect_uri")
    registered = [message.rpartition(" ")[2] for _, message in found if message.startswith("Register")]
    assert registered == uris


def test_redirect_uri_of_unknown_addresses_is_explained():
    """Without an address nobody can say it, but what it will be made of."""
    level, message = one(patient().doctor(), "redirect_uri")
    assert level == "ok"
    assert "each address under which the app is opened + the path of the routes + /callback" in message
    assert 'doctor("https://app.example.com/smartcar")' in message
    known = one(patient(connect={"public_url": "https://shop.example.com"}).doctor(), "redirect_uri")[1]
    assert "It is https://shop.example.com + the path" in known
    assert 'doctor("https://shop.example.com/smartcar")' in known


def test_redirect_uri_given_is_said_without_addresses():
    """It is what Smartcar(redirect_uri=...) says."""
    findings = patient(redirect_uri=f"{ROUTES}/callback").doctor()
    assert one(findings, "redirect_uri") == (
        "ok",
        f"Register exactly this with Smartcar: {ROUTES}/callback",
    )


def test_redirect_uri_that_is_no_callback_is_a_problem():
    """It doesn't end in the route: Connect would answer to a page that isn't there."""
    findings = patient(redirect_uri="https://app.example.com/login/callback").doctor(ROUTES)
    problem = [message for level, message in of(findings, "redirect_uri") if level == "problem"]
    assert len(problem) == 1
    assert "must end in the callback route, /smartcar/callback" in problem[0]


def test_http_elsewhere_than_on_this_machine_is_a_problem():
    """Behind a TLS proxy the app would see http, which Connect doesn't answer to."""
    level, message = one(patient().doctor("http://app.example.com/smartcar"), "scheme")
    assert level == "problem"
    assert "let the server trust X-Forwarded-Proto, or set public_url" in message
    assert of(patient().doctor(ROUTES), "scheme") == []
    stated = patient(connect={"public_url": "https://app.example.com"})
    assert of(stated.doctor("https://app.example.com/smartcar"), "scheme") == []


def test_two_names_of_this_machine_are_two_sites():
    """The redirect URI says localhost: opened on 127.0.0.1 the cookies stay behind, and both are named."""
    mine = patient(redirect_uri="http://localhost:8000/smartcar/callback")
    refused, advice = of(mine.doctor("http://127.0.0.1:8000/smartcar"), "host_name")[::-1]
    assert refused[0] == "problem"
    assert "This page is on 127.0.0.1, but Connect answers to localhost" in refused[1]
    assert advice == (
        "ok",
        "Open the app on localhost. To browsers 127.0.0.1 is another site, which needs its own redirect URI.",
    )
    assert [level for level, _ in of(mine.doctor("http://localhost:8000/smartcar"), "host_name")] == ["ok"]


@pytest.mark.parametrize(
    ("uri", "other"),
    [("http://127.0.0.1:1/callback", "localhost"), ("http://[::1]:1/callback", "localhost")],
)
def test_other_name_of_this_machine_is_warned_of(uri, other):
    """Whichever of its names is used, the other one is said."""
    assert f"To browsers {other} is another site" in list(registering(uri))[1].message
    assert len(list(registering("https://app.example.com/callback"))) == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example.com",
        "ftp://app.example.com",
        "https://",
        "https://app.example.com/?a=1",
        "https://app.example.com/#top",
        "https://ann@app.example.com/",
        "https://[::1/",
        "https://app.example.com:port/",
        None,
        7,
    ],
)
def test_address_that_is_none_is_the_callers_mistake(url):
    """doctor() says what it takes."""
    with pytest.raises(ConfigurationError, match=r"doctor\(\) takes addresses"):
        patient().doctor(url)


# -- pages on other origins


@pytest.mark.parametrize(
    ("page", "level", "said"),
    [
        ("http://localhost:3000", "ok", "is on the site of"),
        ("http://127.0.0.1:3000", "problem", "another site"),
        ("https://localhost:3000", "problem", "another site"),
    ],
)
def test_page_on_this_machine_is_on_the_same_site_or_not(page, level, said):
    """Ports don't separate sites; names and schemes do."""
    found = one(
        patient(connect={"allowed_origins": [page]}).doctor("http://localhost:8000/smartcar"),
        "allowed_origins",
    )
    assert found[0] == level
    assert said in found[1]


def test_page_on_a_sibling_is_probably_on_the_same_site():
    """What only the public suffix list could tell is said as it is."""
    mine = patient(connect={"allowed_origins": ["https://www.example.com"]})
    level, message = one(mine.doctor(ROUTES), "allowed_origins")
    assert level == "ok"
    assert "are one site, unless" in message
    elsewhere = patient(connect={"allowed_origins": ["https://example.org"]})
    assert one(elsewhere.doctor(ROUTES), "allowed_origins")[0] == "problem"
    assert of(patient().doctor(ROUTES), "allowed_origins") == []
    assert of(elsewhere.doctor(), "allowed_origins") == []  # nobody knows of which site it would be another


@pytest.mark.parametrize(
    ("one_origin", "other", "relation"),
    [
        ("https://a.example", "https://a.example:8443", "same"),
        ("https://a.example", "http://a.example", "other"),
        ("https://app.a.example", "https://api.a.example", "unsure"),
        ("https://app.a.example", "https://app.b.example", "other"),
        ("https://10.0.0.1", "https://10.1.0.1", "other"),
        ("https://10.0.0.1", "https://10.9.0.1", "other"),
        ("http://localhost", "http://app.localhost", "other"),
        ("http://localhost:1", "http://localhost:2", "same"),
    ],
)
def test_sites_are_compared_as_far_as_names_tell(one_origin, other, relation):
    """Whichever comes first."""
    assert compare_sites(one_origin, other) == compare_sites(other, one_origin) == relation


# -- keys, functions, memory


@pytest.mark.parametrize(
    "key",
    ["a" * 40, "change-me-before-this-goes-anywhere-xyz", "your-secret-key-of-at-least-32-bytes"],
)
def test_key_that_somebody_could_guess_is_a_warning(key):
    """A placeholder out of an example is told from a random key, and no part of it is repeated."""
    findings = patient(connect={"secret_keys": [KEY, key]}).doctor()
    level, message = one(findings, "secret_keys")
    assert level == "warning"
    assert message.startswith("1 of 2 looks like a placeholder.")
    assert "token_urlsafe" in message
    assert key not in report(findings)
    assert KEY not in report(findings)


@pytest.mark.parametrize(
    ("keys", "said"), [([KEY], "one; to change it, put the new one in front"), ([KEY, KEY[::-1]], "2.")]
)
def test_keys_are_counted(keys, said):
    """How to change the only one is said."""
    level, message = one(patient(connect={"secret_keys": keys}).doctor(), "secret_keys")
    assert level == "ok"
    assert said in message


@pytest.mark.parametrize(
    ("handlers", "levels"),
    [
        ((), ["problem", "warning"]),
        (("on_complete",), ["warning"]),
        (("on_error",), ["problem"]),
        (("on_complete", "on_error"), ["ok"]),
    ],
)
def test_functions_that_are_missing_are_named(handlers, levels):
    """Without on_complete nothing can be launched; without on_error only the log knows why."""
    found = of(patient(handlers=handlers).doctor(), "handlers")
    assert [level for level, _ in found] == levels
    assert all("@connect." in message for level, message in found if level != "ok")


def test_nobody_to_connect_for_is_a_warning():
    """Without identify nobody can say whose car it is."""
    level, message = one(patient(connect={"identify": None}).doctor(), "identify")
    assert level == "warning"
    assert "Give identify=" in message


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(10, "warning"), (299, "warning"), (300, "ok"), (14_400, "ok"), (14_401, "warning")],
)
def test_time_for_an_attempt_is_measured_by_people(seconds, level):
    """Logging in with a second factor takes minutes, and nobody takes hours."""
    found = one(patient(connect={"attempt_seconds": seconds}).doctor(), "attempt_seconds")
    assert found[0] == level
    assert f"{seconds} s" in found[1]


def test_store_is_named_with_what_it_does_not_do():
    """A process's own record says what several workers need instead; a shared one just its name."""
    assert "RedisStore, shared by all, rules that out" in one(patient().doctor(), "store")[1]
    shared = patient(connect={"store": RedisStore.from_url("redis://127.0.0.1:1/0")})
    assert one(shared.doctor(), "store") == ("ok", "RedisStore remembers which attempts are finished.")


# -- a finding itself


@given(st.text())
def test_message_is_one_printable_line(text):
    """Whatever an application answered: a terminal gets no escape sequence and no line that isn't ours."""
    finding = Finding("launch", "problem", text)
    assert finding.message.isprintable()
    assert len(finding.message) == len(text)
    assert len(str(finding).splitlines()) == 1


def test_report_is_a_line_for_each_and_a_count():
    """Level, check and message; then how many ask for attention."""
    findings = [
        Finding("mode", "ok", "live."),
        Finding("scheme", "problem", "http."),
        Finding("csp", "problem", "blocked."),
        Finding("clock", "warning", "late."),
    ]
    assert report(findings) == (
        "ok       mode: live.\n"
        "problem  scheme: http.\n"
        "problem  csp: blocked.\n"
        "warning  clock: late.\n"
        "\n"
        "2 problems, 1 warning."
    )
    assert summary([]) == summary(findings[:1]) == "No problem found."
