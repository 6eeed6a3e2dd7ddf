"""What an origin is, and what a redirect URI may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth import ConfigurationError, hosted_redirect_uri
from smartcar_auth.origin import app_origin_of, check_redirect_uri, is_https_url, origin_of, parse_origin

ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
BAD_AUTHORITIES = [
    *(
        "",
        ":80",
        "a:",
        "a:0",
        "a:x",
        "a:65536",
        "a:080",
        "a:1:2",
        "a:٣",
        "a..b",
        ".a",
        "a.",
        "-a",
        "a b",
        "ä.de",
        "a*b",
    ),
    *("me@a", "me:secret@a", "[::1", "[]", "[::1]x", "[g::1]", "a%20b", "*", "a,b"),
]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://example.com", "https://example.com"),
        ("https://myapp.example.com/", "https://myapp.example.com"),
        ("HTTPS://Example.COM:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://example.com:80", "https://example.com:80"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://LOCALHOST:80/", "http://localhost"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://192.0.2.1:65535", "https://192.0.2.1:65535"),
    ],
)
def test_origin_is_normalised_as_browsers_do(text, normal):
    """Lower case, no default port, no slash; twice is the same as once."""
    assert parse_origin(text) == normal
    assert parse_origin(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "example.com",
            "//example.com",
            "https:example.com",
            "https:/example.com",
            "null",
            "*",
            "https://",
        ),
        *(
            "https://example.com/some/path",
            "https://example.com//",
            "https://example.com?",
            "https://example.com#",
        ),
        *(
            "http://localhost:8000/some/path",
            "http://localhost:8000?foo=bar#baz",
            "https://a?b",
            "https://a#b",
        ),
        *(
            "http://example.com",
            "http://localhost.example.com",
            "http://127.0.0.2",
            "http://[::2]",
            "http://0.0.0.0",
        ),
        *(
            "ftp://example.com",
            "javascript://a",
            f"sc{ID}://a",
            " https://a",
            "https://a ",
            "https://a\n",
            "https://a\tb",
        ),
        *(
            "https://a\\b",
            "https://\x00",
            "https://a\u2028",
            "https://a\u00a0",
            "https://\ud800",
            "https://a\x7f",
        ),
        *(f"https://{authority}" for authority in BAD_AUTHORITIES),
    ],
)
def test_origin_of_another_form_is_refused(text):
    """More, less or other than scheme, host and port is a configuration error that names the option."""
    with pytest.raises(ConfigurationError, match="allowed_origins"):
        parse_origin(text, "allowed_origins")


@pytest.mark.parametrize("value", [None, b"https://a.b", 7, ["https://a.b"]])
def test_origin_of_another_type_is_refused(value):
    """Only text is an origin."""
    with pytest.raises(ConfigurationError, match="must be text"):
        parse_origin(value)


def test_origin_message_never_repeats_user_info():
    """A password in an address stays out of the message."""
    with pytest.raises(ConfigurationError) as caught:
        parse_origin("https://me:hunter2@example.com")
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_origin_of_any_text_is_normal_or_refused(text):
    """Any text gives an origin that is its own normal form, or our own error."""
    for attempt in (text, "https://" + text, "http://localhost" + text):
        try:
            normal = parse_origin(attempt)
        except ConfigurationError:
            continue
        assert parse_origin(normal) == normal
        assert normal.isascii()


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Example.com/cb?x=https://other.example", "https://example.com"),
        ("https://example.com:443?x", "https://example.com"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000/cb", "http://[::1]:8000"),
        (hosted_redirect_uri("http://localhost:8000"), "https://javascript-sdk.smartcar.com"),
        ("sc8229df9f://exchange", None),
    ],
)
def test_origin_of_an_address_is_what_browsers_say(address, origin):
    """Scheme, host and port, and nothing of the rest; a scheme of an application's own has none."""
    assert origin_of(address) == origin


def test_hosted_redirect_uri_is_exact():
    """Byte for byte what is registered: the origin isn't percent-encoded, a lone slash is dropped."""
    wanted = "https://javascript-sdk.smartcar.com/v2/redirect?app_origin=http://localhost:8000"
    assert hosted_redirect_uri("http://localhost:8000") == wanted
    assert hosted_redirect_uri("http://localhost:8000/") == wanted
    assert hosted_redirect_uri("https://example.com", version=3).endswith(
        ".com/v3/redirect?app_origin=https://example.com"
    )
    assert hosted_redirect_uri("https://Example.com:443").endswith("?app_origin=https://Example.com:443")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("app_origin=http://localhost:8000", "http://localhost:8000"),
        ("app_origin=http://localhost:8000/&state=s", "http://localhost:8000"),
        ("x=1&app_origin=https%3A%2F%2Fapp.example.com", "https://app.example.com"),
        ("app_origin=one&app_origin=two", "one"),
        ("app_origin=", ""),
        ("app_origin=%FF", "\ufffd"),
        ("my_app_origin=https://app.example.com", None),
        ("app_origin", None),
        ("", None),
    ],
)
def test_page_that_is_handed_the_answer(query, told):
    """As Smartcar's hosted page reads its own address."""
    assert app_origin_of(f"https://javascript-sdk.smartcar.com/v2/redirect?{query}") == told


@pytest.mark.parametrize("version", [0, -1, True, "2", 2.0, None])
def test_hosted_redirect_uri_with_another_version_is_refused(version):
    """Only positive whole numbers name a version."""
    with pytest.raises(ConfigurationError, match="version"):
        hosted_redirect_uri("https://example.com", version)


@pytest.mark.parametrize(
    "text", ["https://example.com/some/path", "http://localhost:8000?foo=bar#baz", "http://example.com"]
)
def test_hosted_redirect_uri_for_no_origin_is_refused(text):
    """The invalid examples of the original's README, and http off localhost."""
    with pytest.raises(ConfigurationError, match="app_origin"):
        hosted_redirect_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "https://example.com",
            "https://example.com/",
            "https://example.com/cb?x=1&y=/?",
            "HTTPS://Example.com:443/A",
        ),
        *(
            "http://localhost:8000/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:1/cb",
            "https://example.com?x=a@b",
        ),
        *("https://example.com/ä", f"sc{ID}://exchange", f"sc{ID}://exchange/path?x", f"SC{ID.upper()}://x"),
        hosted_redirect_uri("http://localhost:8000"),
    ],
)
def test_redirect_uri_is_kept_byte_for_byte(text):
    """What can work is returned as given."""
    assert check_redirect_uri(text, ID) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "/callback",
            "example.com/cb",
            "https:/example.com",
            "http://example.com/cb",
            "http://192.168.1.2/cb",
        ),
        *("https://example.com/cb#", "https://example.com/#/cb", "http://localhost:8000#x", f"sc{ID}://x#y"),
        *(
            "https://example.com/c b",
            "https://example.com/\n",
            " https://example.com",
            "https://example.com\\@evil.com",
        ),
        *(
            "myapp://cb",
            "sc://cb",
            "scother://cb",
            f"sc{ID}://",
            f"sc{ID}:///x",
            f"sc{ID}://me@x",
            "javascript://x/%0a",
        ),
        *("https://example.com/\ud800", "ftp://example.com", f"sc{ID}:x"),
        *(f"https://{authority}/cb" for authority in BAD_AUTHORITIES),
    ],
)
def test_redirect_uri_that_cannot_work_is_refused(text):
    """Each is a configuration error about redirect_uri."""
    with pytest.raises(ConfigurationError, match="redirect_uri"):
        check_redirect_uri(text, ID)


@pytest.mark.parametrize("value", [7, b"https://example.com", ["https://example.com"]])
def test_redirect_uri_of_another_type_is_refused(value):
    """Only text; a framework's URL object too must be made text by the caller."""
    with pytest.raises(ConfigurationError, match="redirect_uri must be text"):
        check_redirect_uri(value, ID)


@pytest.mark.parametrize("text", ["https://tesla.com/_ak/smartcar.com", "HTTPS://tesla.com"])
def test_https_url_is_recognised(text):
    """An ordinary address passes."""
    assert is_https_url(text)


@pytest.mark.parametrize(
    "text", ["", "http://localhost", "javascript:x", "data://x", "https://", "https://a b", "https://u@a"]
)
def test_https_url_of_another_form_is_not(text):
    """Anything a person shouldn't be sent to doesn't."""
    assert not is_https_url(text)
