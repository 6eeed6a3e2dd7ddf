"""Launch options: what a page may choose, what must be sealed, and where a flow may return to."""

import contextlib
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import ConfigurationError
from smartcar_auth.web import options
from smartcar_auth.web.options import LaunchOptions, Refused
from smartcar_auth.web.seal import Sealer
from web.browser import KEY, OTHER_KEY, untimed

SEALER = Sealer([KEY], "app")
NOW = 1_800_000_000
STAYS = [
    "/",
    "/garage",
    "/garage?car=1&x=%2F%2F",
    "/a/b/",
    "/caf\u00e9",
    "/%",
    "/%ff",
    "/a//b",
    "/x?u=https://evil.example",
]
LEAVES = [
    "",
    "garage",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/garage\\..\\x",
    "https:evil.example",
    "https://evil.example",
    "https:/\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "\t//evil.example",
    " /garage",
    "/\x00",
    "/\x7f",
    "/%2Fevil.example",
    "/%2fevil.example",
    "/%5Cevil.example",
    "/%09/evil.example",
    "/%0d%0aSet-Cookie:x",
    "/%252Fevil.example",
    "/%25252Fevil.example",
    "/%2525252525252Fx",
    "/%25%32%46evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/%2e//evil.example",
    "/%2e%2f/evil.example",
    "/a/..//evil.example",
    "/a/%2e%2e//evil.example",
    "%2F%2Fevil.example",
    "?x=1",
    "#x",
    "/\ud800",
    "/" + "a" * 1024,
    "/" + "\u6c34" * 200,
]


def read(query, sealer=SEALER, now=NOW):
    """The options of a launch's query: text, or parameters."""
    found = LaunchOptions()
    query = (
        query
        if isinstance(query, bytes)
        else (query if isinstance(query, str) else urlencode(query)).encode()
    )
    options.read_launch(found, query, sealer, now)
    return found


def refused(query, **more):
    """How a query is refused."""
    with pytest.raises(Refused) as caught:
        read(query, **more)
    return caught.value


def sealed(**content):
    """The query of a sealed link."""
    content = {
        "subject": None,
        "connect": {},
        "return_to": None,
        "external_id": None,
        "state": None,
    } | content
    return {"sealed": options.seal_launch(SEALER, NOW, **content)}


def test_launch_without_options_has_defaults():
    """An empty query is a launch like any other."""
    assert read("") == LaunchOptions()


def test_launch_reads_what_the_page_says():
    """Attempt, pop-up, origin, module and return_to, and the three options that a page may choose."""
    found = read(
        "attempt=x&display=popup&origin=http://localhost:3000&module=connect.js&return_to=/garage"
        "&make=TESLA&single_select=false&force_prompt=true&unknown=1"
    )
    assert found == LaunchOptions(
        "x",
        True,
        "http://localhost:3000",
        True,
        "/garage",
        {"make": "TESLA", "single_select": False, "force_prompt": True},
    )


@pytest.mark.parametrize("name", sorted(options.SEALED_ONLY))
def test_launch_refuses_what_only_the_application_may_choose(name):
    """A page can't name a VIN, a person, a state, permissions or a mode."""
    refusal = refused({name: "x"})
    assert refusal.status == 400
    assert name in refusal.reason


@pytest.mark.parametrize(
    "query",
    [
        b"make=\xff",
        b"make=%ff",
        b"return_to=/%E0%A4%A",
        b"make=TESLA&make=BMW",
        b"attempt=a&attempt=a",
        b"&".join(b"a%d=1" % number for number in range(1000)),
        b"make=",
        b"make=" + b"A" * 65,
        b"single_select=yes",
        b"force_prompt=",
        b"origin=null",
        b"origin=http://x%0aevil",
        b"origin=http://" + b"a" * 300,
        b"origin=javascript:alert(1)",
    ],
)
def test_launch_refuses_a_damaged_query(query):
    """Unreadable, doubled, too many, empty or too long: 400 in words that repeat nothing of it."""
    refusal = refused(query)
    assert refusal.status == 400
    assert "evil" not in refusal.reason


def test_launch_keeps_what_it_read_before_the_refusal():
    """The page that waits can be told, for its id and origin were read first."""
    found = LaunchOptions()
    with pytest.raises(Refused):
        options.read_launch(
            found, b"attempt=x&display=popup&origin=http://localhost:1&vin=1&user=2", SEALER, NOW
        )
    assert (found.attempt, found.popup, found.page_origin) == ("x", True, "http://localhost:1")


def test_sealed_link_brings_its_options():
    """What was sealed is what Connect gets."""
    found = read(
        sealed(
            subject="user-1",
            connect={"single_select_vin": "5YJSA1CN5CFP01657"},
            return_to="/garage",
            external_id="e",
            state={"plan": 2},
        )
    )
    assert found.is_sealed
    assert found.sealed_for == "user-1"
    assert found.connect == {"single_select_vin": "5YJSA1CN5CFP01657"}
    assert (found.return_to, found.external_id, found.app_state) == ("/garage", "e", {"plan": 2})


def test_sealed_return_to_is_not_the_pages_to_change():
    """The page's return_to counts only where none was sealed."""
    assert read(sealed(return_to="/garage") | {"return_to": "/other"}).return_to == "/garage"
    assert read(sealed() | {"return_to": "/other"}).return_to == "/other"


def test_sealed_link_lives_fifteen_minutes():
    """It is good for 900 seconds and refused with 403 after."""
    assert read(sealed(), now=NOW + 900).is_sealed
    refusal = refused(sealed(), now=NOW + 901)
    assert refusal.status == 403
    assert "expired" in refusal.reason


def test_sealed_link_of_another_key_is_refused():
    """A link that this application did not make is refused with 403."""
    refusal = refused(sealed(), sealer=Sealer([OTHER_KEY], "app"))
    assert refusal.status == 403
    assert "altered" in refusal.reason


def test_sealed_link_takes_no_more_options():
    """A page can't add a choice to a sealed link."""
    refusal = refused(sealed() | {"make": "BMW"})
    assert refusal.status == 400
    assert "make" in refusal.reason


@untimed
@given(data=st.data())
def test_sealed_link_altered_anywhere_is_refused(data):
    """No link with a changed, dropped or added character is read."""
    token = sealed(connect={"make": "TESLA"})["sealed"]
    place = data.draw(st.integers(0, len(token)))
    altered = token[:place] + data.draw(st.text(max_size=2)) + token[place + data.draw(st.integers(0, 1)) :]
    if altered != token:
        assert SEALER.open_options(altered) is None


@untimed
@given(query=st.text(alphabet="a=&%+2FfC3", max_size=40))
def test_pairs_are_those_of_the_standard_library(query):
    """Names and values are what `parse_qsl` reads, blank ones included, or neither reads them."""
    try:
        expected = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        with pytest.raises(ValueError, match="utf-8"):
            options._read_pairs(query)
    else:
        assert options._read_pairs(query) == expected


@untimed
@given(query=st.binary(max_size=300))
def test_launch_takes_any_query(query):
    """Any bytes are read or refused; there is no third way."""
    with contextlib.suppress(Refused):
        read(query)


@pytest.mark.parametrize(
    "state", [{"a": float("nan")}, {"a": object()}, {"a": "x" * 510}, {"\u00e9": "\u00e9" * 90}]
)
def test_seal_refuses_a_state_that_cannot_travel(state):
    """The application's state is JSON of at most 512 bytes."""
    with pytest.raises(ConfigurationError, match="state"):
        sealed(state=state)


def test_seal_refuses_a_state_that_is_no_object():
    """A list or a text is not an object."""
    with pytest.raises(ConfigurationError, match="list"):
        sealed(state=[1])


def test_seal_takes_a_state_of_512_bytes():
    """The limit itself is allowed."""
    assert read(sealed(state={"a": "x" * 504})).app_state == {"a": "x" * 504}


def test_seal_refuses_to_return_elsewhere():
    """The developer's own mistake is told at once."""
    with pytest.raises(ConfigurationError, match="return_to"):
        sealed(return_to="https://evil.example")


@pytest.mark.parametrize("path", STAYS)
def test_local_path_is_accepted(path):
    """A path on this site, whatever its query holds."""
    assert options.is_local_path(path)


@pytest.mark.parametrize("path", LEAVES)
def test_path_off_this_site_is_refused(path):
    """Other sites, in every spelling that a browser or a proxy might resolve, and what no header can hold."""
    assert not options.is_local_path(path)
    if path.isascii() and "\ud800" not in path:
        assert refused("return_to=" + quote(path, safe="")).status == 400


def test_path_that_is_encoded_over_and_over_is_refused():
    """Nobody encodes five times in good faith, and nobody can say how often it will be decoded."""
    assert options.is_local_path("/%252520")
    assert not options.is_local_path("/%25252525252520")


@untimed
@given(path=st.text(alphabet="/\\.%25cfF0aAé:@?#\t ", max_size=14).map(lambda text: "/" + text))
def test_accepted_path_never_leaves_the_site(path):
    """Whatever is accepted stays on the site, as it is, decoded once more, and as the Location we send."""
    if options.is_local_path(path):
        for form in (path, unquote(path.partition("?")[0]), options.with_outcome(path, "granted")):
            target = urlsplit(urljoin("https://app.example/x/y", form.replace("\\", "/")))
            assert target.netloc == "app.example"
            assert not target.path.startswith("//")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/garage", "/garage?smartcar=granted"),
        ("/garage?a=1&b", "/garage?a=1&b&smartcar=granted"),
        ("/garage?smartcar=access_denied&a=1&%73martcar=x", "/garage?a=1&smartcar=granted"),
        ("/garage#top", "/garage?smartcar=granted#top"),
        ("/caf\u00e9 x?\u00e9=\u00e9", "/caf%C3%A9%20x?%C3%A9=%C3%A9&smartcar=granted"),
        ("/%C3%A9", "/%C3%A9?smartcar=granted"),
    ],
)
def test_outcome_is_added_to_the_path_once(path, expected):
    """The outcome is said once, by us, in an address fit for a header."""
    assert options.with_outcome(path, "granted") == expected
