"""The application's addresses: its redirect URI, and whose pages may launch."""

import pytest

from smartcar_auth import ConfigurationError, Smartcar
from smartcar_auth.web import Request
from smartcar_auth.web.options import Refused
from smartcar_auth.web.site import Site
from web.browser import APPLICATION_ID, ORIGIN


def site(redirect_uri=None, public_url=None, allowed_origins=()):
    """A site of one application."""
    return Site(
        Smartcar(application_id=APPLICATION_ID, redirect_uri=redirect_uri), public_url, allowed_origins
    )


def request(here=ORIGIN, base="/smartcar", headers=()):
    """A request as the server understood it."""
    return Request("GET", here, base, b"", dict(headers))


def refused(function, *args):
    """How something is refused."""
    with pytest.raises(Refused) as caught:
        function(*args)
    return caught.value


def test_redirect_uri_follows_the_request():
    """Without options it is the request's own origin and the callback route."""
    assert site().client(request()).redirect_uri == "http://localhost:8000/smartcar/callback"
    assert site().client(request(base="")).redirect_uri == "http://localhost:8000/callback"


@pytest.mark.parametrize(
    ("public_url", "base", "expected"),
    [
        ("https://app.example.com", "/smartcar", "https://app.example.com/smartcar/callback"),
        ("https://APP.example.com:443/", "/smartcar", "https://app.example.com/smartcar/callback"),
        ("https://app.example.com/shop", "/smartcar", "https://app.example.com/shop/smartcar/callback"),
        ("https://app.example.com/shop/", "/smartcar", "https://app.example.com/shop/smartcar/callback"),
        ("https://app.example.com/shop", "/shop/smartcar", "https://app.example.com/shop/smartcar/callback"),
        (
            "https://app.example.com/shop",
            "/shopping/cars",
            "https://app.example.com/shop/shopping/cars/callback",
        ),
        ("https://app.example.com/shop", "", "https://app.example.com/shop/callback"),
    ],
)
def test_redirect_uri_follows_the_public_url(public_url, base, expected):
    """public_url overrules the request; its path goes in front unless the server knows it already."""
    assert site(public_url=public_url).client(request("http://10.0.0.1:80", base)).redirect_uri == expected


@pytest.mark.parametrize(
    ("public_url", "path", "expected"),
    [
        (None, "/smartcar/launch", "/smartcar/launch"),
        ("https://app.example.com", "/smartcar/launch", "/smartcar/launch"),
        ("https://app.example.com/shop", "/smartcar/launch", "/shop/smartcar/launch"),
        ("https://app.example.com/shop", "/shop/smartcar/launch", "/shop/smartcar/launch"),
    ],
)
def test_path_is_what_browsers_write(public_url, path, expected):
    """What a proxy cuts off stands in front of our links, too, unless the server knows of it."""
    assert site(public_url=public_url).path(path) == expected


@pytest.mark.parametrize(
    ("redirect_uri", "base"),
    [
        ("https://app.example.com/smartcar/callback", "/smartcar"),
        ("https://app.example.com/shop/smartcar/callback", "/smartcar"),
        ("https://app.example.com/smartcar/callback?a=1", "/smartcar"),
        ("https://app.example.com/caf%C3%A9/callback", "/caf%C3%A9"),
        ("https://app.example.com/callback", ""),
    ],
)
def test_redirect_uri_given_is_sent_as_it_is(redirect_uri, base):
    """It matches the dashboard byte for byte, so nothing is changed in it."""
    assert site(redirect_uri).client(request(base=base)).redirect_uri == redirect_uri


@pytest.mark.parametrize(
    "path", ["/other", "/smartcar/callback/", "/smartcar/callbacks", "/xsmartcar/callback", ""]
)
def test_redirect_uri_that_misses_the_callback_is_told(path):
    """A given redirect URI that no route of ours answers is a ConfigurationError naming both."""
    with pytest.raises(ConfigurationError) as caught:
        site("https://app.example.com" + path).client(request())
    assert f"https://app.example.com{path} " in str(caught.value)
    assert "callback route, /smartcar/callback." in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"public_url": "http://app.example.com"},
        {"public_url": "app.example.com"},
        {"public_url": "https://app.example.com?x=1"},
        {"public_url": "https://app.example.com#x"},
        {"public_url": "https://[x"},
        {"public_url": 7},
        {"allowed_origins": "https://app.example.com"},
        {"allowed_origins": ["https://app.example.com/path"]},
        {"allowed_origins": ["*"]},
        {"allowed_origins": [None]},
        {"redirect_uri": f"sc{APPLICATION_ID}://exchange"},
        {"redirect_uri": "https://a.example/smartcar/callback", "public_url": "https://b.example"},
    ],
)
def test_site_refuses_addresses_that_cannot_be_right(options):
    """At once, in words, not at the first launch."""
    with pytest.raises(ConfigurationError):
        site(**options)


def test_site_takes_public_url_and_redirect_uri_of_one_origin():
    """Both may be given when they agree."""
    both = site("https://a.example/smartcar/callback", "https://a.example:443")
    assert both.origin(request()) == "https://a.example"


@pytest.mark.parametrize(
    ("options", "origin", "secure"),
    [
        ({}, "http://localhost:8000", False),
        ({}, "https://app.example.com", True),
        ({"public_url": "https://app.example.com"}, "http://localhost:8000", True),
        ({"redirect_uri": "https://app.example.com/callback"}, "http://localhost:8000", True),
        ({"redirect_uri": "http://localhost:8000/callback"}, "https://localhost:8000", False),
    ],
)
def test_site_is_secure_as_its_redirect_uri_is(options, origin, secure):
    """The redirect URI's scheme decides about cookies, not the connection behind a proxy."""
    assert site(**options).is_secure(request(origin)) is secure


@pytest.mark.parametrize("origin", ["http://app.example.com", "http://192.168.0.7:8000"])
def test_request_without_https_is_refused_in_words(origin):
    """Connect can't answer there; the page says what to do."""
    refusal = refused(site().client, request(origin))
    assert refusal.status == 400
    assert origin in refusal.reason


@pytest.mark.parametrize(
    "origin",
    ["http://", "http://<script>", "https://a b", "https://x\x85y", "https://" + "a" * 100_000, "x://y"],
)
def test_request_with_a_garbage_host_is_refused_without_repeating_it(origin):
    """A Host header that is none gets into no page and no log."""
    refusal = refused(site().client, request(origin))
    assert refusal.status == 400
    assert origin not in refusal.reason
    assert len(refusal.reason) < 300


def test_clients_are_bounded():
    """The Host header is a visitor's to choose; memory does not grow with it."""
    one = site()
    for number in range(100):
        one.client(request(f"https://h{number}.example"))
    assert len(one._clients) <= 16
    assert one.client(request()) is one.client(request())


def check(one, page, here=ORIGIN):
    """Check a page against a launch that arrived at `here`."""
    launch = request(here)
    one.check_page(page, launch, one.client(launch).redirect_uri)


def test_page_of_our_own_is_accepted():
    """Our own origin, or none said, may launch; also behind a proxy that hides the Host header."""
    check(site(), None)
    check(site(), ORIGIN)
    check(site(public_url="https://app.example.com"), "https://app.example.com", "http://10.0.0.1")
    check(site("http://localhost:8000/smartcar/callback"), None, "http://localhost:9000")


def test_page_on_another_port_is_accepted_when_allowed():
    """A development server's page may launch when it is listed, and is named when it isn't."""
    check(site(allowed_origins=["http://localhost:3000"]), "http://localhost:3000")
    refusal = refused(check, site(), "http://localhost:3000")
    assert refusal.status == 403
    assert "http://localhost:3000" in refusal.reason
    assert "allowed_origins" in refusal.reason


@pytest.mark.parametrize("page", ["http://localhost:30001", "http://localhost:300", "https://localhost:3000"])
def test_page_origin_must_match_whole(page):
    """No prefix, no other port, no other scheme of an allowed origin will do."""
    assert refused(check, site(allowed_origins=["http://localhost:3000"]), page).status == 403


@pytest.mark.parametrize(
    ("page", "here"),
    [
        (None, "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000", ORIGIN),
    ],
)
def test_page_on_another_host_is_refused_naming_both(page, here):
    """localhost and 127.0.0.1 don't share cookies: 400, naming both."""
    refusal = refused(check, site("http://localhost:8000/smartcar/callback"), page, here)
    assert refusal.status == 400
    assert "127.0.0.1" in refusal.reason
    assert "localhost" in refusal.reason


@pytest.mark.parametrize("host", ["<script>", "a" * 100_000, "[", "x\x85"])
def test_page_check_repeats_no_garbage_host(host):
    """The host that is named is a name, or it is not named."""
    refusal = refused(check, site("http://localhost:8000/smartcar/callback"), None, f"http://{host}")
    assert refusal.status == 400
    assert host not in refusal.reason


def test_page_of_an_allowed_sibling_host_is_accepted():
    """www. may launch at api. of the same site, where the callback arrives too."""
    one = site("https://api.example.com/smartcar/callback", allowed_origins=["https://www.example.com"])
    check(one, "https://www.example.com", "https://api.example.com")


def test_page_of_another_site_is_refused_with_the_reason():
    """Not even an allowed origin can wait on another site; without a page there is nobody to refuse."""
    one = site(allowed_origins=["https://other.example"])
    refusal = refused(one.check_other_site, "https://other.example", request())
    assert refusal.status == 403
    assert "another site" in refusal.reason
    one.check_other_site(None, request())
    one.check_other_site(ORIGIN, request())


@pytest.mark.parametrize(
    ("origin", "trusted"),
    [
        (ORIGIN, True),
        ("http://localhost:3000", True),
        ("https://app.example.com", True),
        (None, False),
        ("null", False),
        ("", False),
        ("http://localhost:3001", False),
        ("http://localhost:8000.evil.example", False),
        ("https://evil.example", False),
    ],
)
def test_origin_header_is_compared_whole(origin, trusted):
    """Our own origins and the allowed ones, letter for letter; a missing header is no proof."""
    one = site(public_url="https://app.example.com", allowed_origins=["http://localhost:3000"])
    headers = {} if origin is None else {"origin": origin}
    assert one.trusts(request(headers=headers)) is trusted
