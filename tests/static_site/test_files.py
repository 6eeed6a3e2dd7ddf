"""What is written: a page that lets in what the allow-list names, says its own policy, and headers for each file."""

import hashlib
import re
from base64 import b64encode

import pytest

from smartcar_auth import ConfigurationError
from smartcar_auth.static_site.files import files, page_headers, redirect_uri
from smartcar_auth.web import assets, pages
from static_site.served import read_headers


def script_of(written):
    """The name of the script that the page loads, with its integrity."""
    return re.search(r'<script src="([^"]+)" integrity="([^"]+)"', written["redirect.html"].decode()).groups()


def test_pages_script_holds_the_allow_list():
    """Checked, once each, in the form in which browsers write origins; the script for other pages doesn't."""
    given = ["https://B.example.com:443/", "https://a.example.com", "https://a.example.com"]
    written = files(given)
    script = written[script_of(written)[0]].decode()
    assert '"smartcarOrigins": "https://a.example.com https://b.example.com"' in script
    assert f'"smartcarSheet": "{assets.STYLE.name}"' in script
    assert written["redirect.js"] == assets.REDIRECT.content
    baked = next(line for line in script.splitlines() if "smartcarSheet" in line and "const BAKED" in line)
    assert script.replace(baked, "  const BAKED = null;").encode() == assets.REDIRECT.content


def test_script_with_another_list_has_another_name():
    """It is kept for ever under its name."""
    names = {
        script_of(files(given))[0] for given in ([], ["https://a.example.com"], ["https://b.example.com"])
    }
    assert len(names) == 3


@pytest.mark.parametrize(
    "given", ["*", "null", "http://example.com", "https://example.com/app", "example.com"]
)
def test_no_origin_is_refused(given):
    """Nothing that would let in more than one site."""
    with pytest.raises(ConfigurationError, match="app_origin"):
        files([given])


def test_page_is_that_of_the_server():
    """The same words and looks, but beside the page; a new version gets a new name."""
    written = files()
    page = written["redirect.html"].decode()
    assert pages.WORDS["returned"][0] in page
    script, integrity = script_of(written)
    digest = hashlib.sha384(written[script]).digest()
    assert integrity == f"sha384-{b64encode(digest).decode()}"
    assert set(re.findall(r'(?:src|href)="([^"]+)"', page)) == {"data:,", "./", script, assets.STYLE.name}


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
    named_by_content = {script_of(written)[0], assets.SCRIPT.name, assets.STYLE.name}
    rules = read_headers(written.pop("_headers").decode())
    for name in ("redirect.html", "redirect"):  # some hosts take the ending away
        assert rules.pop(f"{folder}/{name}") == page_headers()
    del written["redirect.html"]
    assert rules.keys() == {f"{folder}/{name}" for name in written}
    for address, fields in rules.items():
        assert ("Access-Control-Allow-Origin", "*") in fields
        lasting = "immutable" in dict(fields)["Cache-Control"]
        assert lasting == (address.rpartition("/")[2] in named_by_content)


def test_page_headers_keep_the_answer_in_the_window():
    """Not stored, not referred, not framed; and its opener hears it."""
    fields = dict(page_headers())
    assert fields["Cache-Control"] == "no-store"
    assert fields["Referrer-Policy"] == "no-referrer"
    assert fields["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert "frame-ancestors 'none'" in fields["Content-Security-Policy"]
    preloaded = re.fullmatch('<(.+)>; rel=preload; as=script; integrity="(.+)"', fields["Link"])
    assert preloaded.groups() == script_of(files())
    assert fields.keys() >= dict(pages.headers()).keys()


def test_redirect_uri_is_one_that_smartcar_takes():
    """https, or this machine."""
    assert redirect_uri("https://example.com/a/") == "https://example.com/a/redirect.html"
    assert redirect_uri("http://localhost:8000") == "http://localhost:8000/redirect.html"
    for site in ("http://example.com", "example.com", "https://example.com/#a"):
        with pytest.raises(ConfigurationError):
            redirect_uri(site)
