"""A page is read as browsers read it, as far as Connect is concerned; whatever else it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_auth.doctor.markup import Page, read_page
from smartcar_auth.web import pages


def test_button_of_our_templates_is_found():
    """The module's element and the button's, as the hosts' templates write them."""
    button = pages.button(
        "/smartcar/launch?make=TESLA", "Connect", return_to="/", attempt_seconds=60, attributes={}
    )
    page = read_page(f"<!doctype html><body>{button}".encode())
    assert page.launch == "/smartcar/launch?make=TESLA"
    assert page.module["src"].startswith("/smartcar/assets/connect-")
    assert page.module["integrity"].startswith("sha384-")


@pytest.mark.parametrize(
    ("html", "launch"),
    [
        ("<p>no button</p>", None),
        ("<smartcar-connect>", ""),
        ("<SMARTCAR-CONNECT LAUNCH='/a/launch'>", "/a/launch"),
        ("<smartcar-connect launch=/a/launch>", "/a/launch"),
        ("<smartcar-connect launch='/a' launch='/b'>", "/a"),
        ("<smartcar-connect launch='/a'></smartcar-connect><smartcar-connect launch='/b'>", "/a"),
        ("<smartcar-connect launch='/a?b&amp;c'>", "/a?b&c"),
        ("<!-- <smartcar-connect launch='/a'> -->", None),
        ("<script>'<smartcar-connect launch=/a>'</script>", None),
        ("<smartcar-connect launch='/a'", None),
    ],
)
def test_first_button_counts(html, launch):
    """With the first of two equal attributes; none in a comment or a script."""
    assert read_page(html.encode()).launch == launch


@pytest.mark.parametrize(
    ("src", "found"),
    [
        ("/smartcar/connect.js", True),
        ("https://app.example.com/x/connect.js?v=1", True),
        ("assets/connect-61a787f39efb.js", True),
        ("/disconnect.js", False),
        ("/connect.css", False),
        ("", False),
    ],
)
def test_module_is_told_by_its_name(src, found):
    """Stable or with a hash, wherever it is."""
    page = read_page(f"<script src=/other.js></script><script type=module nonce=n src='{src}'>".encode())
    assert page.module == ({"type": "module", "nonce": "n", "src": src} if found else None)


def test_policies_in_the_markup_are_found():
    """A page may carry more than one."""
    page = read_page(
        b"<meta http-equiv=Content-Security-Policy content=\"default-src 'self'\"><meta name=x content=y>"
        b"<meta http-equiv='content-security-policy' content='script-src *'>"
    )
    assert page.policies == ["default-src 'self'", "script-src *"]


def test_words_are_those_of_our_own_pages():
    """Heading and paragraphs; of another page nobody knows which words matter."""
    refused = pages.Page("refused", after="It needs https & more.").html()
    assert read_page(refused).words == "This link can't be used. It needs https & more."
    for other in (b"<a href=/>Home</a>", b"<p class=action>Nothing here</p>", b""):
        assert read_page(b"<h1>Not found</h1>" + other).words == ""


@given(st.binary())
def test_any_bytes_are_read(body):
    """There is a page, whatever it says."""
    assert isinstance(read_page(body), Page)


@given(st.lists(st.sampled_from([*"<>/!-'\"= &;ab", "smartcar-connect", "script", "p", "h1", "a", "<!--"])))
def test_any_tags_are_read(pieces):
    """Closer to HTML, and as broken."""
    assert isinstance(read_page("".join(pieces).encode()), Page)
