"""What is written: a page that lets in what the allow-list names, says its own policy, and headers for each file."""

import re

import pytest

from smartcar_auth import ConfigurationError
from smartcar_auth.static_site.files import files, page_headers, redirect_uri
from smartcar_auth.web import assets, pages
from static_site.served import read_headers


def test_page_holds_the_allow_list():
    """Checked, once each, in the form in which browsers write origins."""
    given = ["https://B.example.com:443/", "https://a.example.com", "https://a.example.com"]
    page = files(given)["redirect.html"].decode()
    assert 'data-smartcar-origins="https://a.example.com https://b.example.com"' in page


@pytest.mark.parametrize(
    "given", ["*", "null", "http://example.com", "https://example.com/app", "example.com"]
)
def test_no_origin_is_refused(given):
    """Nothing that would let in more than one site."""
    with pytest.raises(ConfigurationError, match="app_origin"):
        files([given])


def test_page_is_that_of_the_server():
    """The same words, script and looks, but beside the page; a new version gets a new name."""
    page = files()["redirect.html"].decode()
    assert pages.WORDS["returned"][0] in page
    assert f'src="{assets.REDIRECT.name}" integrity="{assets.REDIRECT.integrity}"' in page
    assert f'data-smartcar-sheet="{assets.STYLE.name}"' in page
    assert set(re.findall(r'(?:src|href)="([^"]+)"', page)) == {
        "data:,",
        "./",
        assets.REDIRECT.name,
        assets.STYLE.name,
    }


def test_page_says_its_policy_itself():
    """For hosts that let nobody set headers: all but what a page can't say, before anything is loaded."""
    page = files()["redirect.html"].decode()
    said = re.search('<meta http-equiv="Content-Security-Policy" content="([^"]+)">', page)
    policy = set(dict(page_headers())["Content-Security-Policy"].split("; "))
    assert policy - set(said[1].split("; ")) == {"frame-ancestors 'none'"}
    assert said.start() < page.index("<script")
    assert '<meta name="referrer" content="no-referrer">' in page


@pytest.mark.parametrize(
    ("site", "folder"),
    [
        (None, ""),
        ("https://example.com", ""),
        ("https://example.com/", ""),
        ("https://example.com/a/b", "/a/b"),
        ("https://example.com/a/b/", "/a/b"),
    ],
)
def test_headers_have_a_rule_for_every_file(site, folder):
    """The page's own policy and no-store; for ever what is named by content; fetchable from other origins."""
    written = files(site=site)
    rules = read_headers(written.pop("_headers").decode())
    for name in ("redirect.html", "redirect"):  # some hosts take the ending away
        assert rules.pop(f"{folder}/{name}") == page_headers()
    del written["redirect.html"]
    assert rules.keys() == {f"{folder}/{name}" for name in written}
    for address, fields in rules.items():
        assert ("Access-Control-Allow-Origin", "*") in fields
        lasting = "immutable" in dict(fields)["Cache-Control"]
        assert lasting == (address.rpartition("/")[2] in assets.BY_NAME)


def test_page_headers_keep_the_answer_in_the_window():
    """Not stored, not referred, not framed; and its opener hears it."""
    fields = dict(page_headers())
    assert fields["Cache-Control"] == "no-store"
    assert fields["Referrer-Policy"] == "no-referrer"
    assert fields["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert "frame-ancestors 'none'" in fields["Content-Security-Policy"]
    script, integrity = re.fullmatch(
        '<(.+)>; rel=preload; as=script; integrity="(.+)"', fields["Link"]
    ).groups()
    assert f'src="{script}" integrity="{integrity}"' in files()["redirect.html"].decode()
    assert fields.keys() >= dict(pages.headers()).keys()


def test_redirect_uri_is_one_that_smartcar_takes():
    """https, or this machine."""
    assert redirect_uri("https://example.com/a/") == "https://example.com/a/redirect.html"
    assert redirect_uri("http://localhost:8000") == "http://localhost:8000/redirect.html"
    for site in ("http://example.com", "example.com", "https://example.com/#a"):
        with pytest.raises(ConfigurationError):
            redirect_uri(site)
