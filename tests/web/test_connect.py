"""The assets, and the server side as one object."""

import pytest

from smartcar_auth import Smartcar
from smartcar_auth.web import Connect, Request, assets
from smartcar_auth.web.connect import split_path
from web.browser import APPLICATION_ID, KEY, ORIGIN, header

CONNECT = Connect(Smartcar(application_id=APPLICATION_ID), secret_keys=KEY)


def asset(name, **headers):
    """What the asset route answers."""
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    return CONNECT.asset(Request("GET", ORIGIN, "/smartcar", b"", fields), name)


@pytest.mark.parametrize(
    "one", [assets.SCRIPT, assets.REDIRECT, assets.STYLE], ids=lambda one: one.stable_name
)
def test_asset_by_its_hash_is_kept_for_ever(one):
    """Named by content, it never changes; pages of other origins may load it."""
    response = asset(one.name)
    assert response.status == 200
    assert response.body == one.content
    assert header(response, "Cache-Control") == "public, max-age=31536000, immutable"
    assert header(response, "Content-Type") == one.content_type
    assert header(response, "ETag") == one.etag
    assert header(response, "Access-Control-Allow-Origin") == "*"
    assert header(response, "Cross-Origin-Resource-Policy") == "cross-origin"
    assert header(response, "X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize("one", [assets.SCRIPT, assets.REDIRECT], ids=lambda one: one.stable_name)
def test_script_under_its_stable_name_is_kept_for_minutes(one):
    """It may change with an upgrade, so it is asked for again."""
    response = asset(one.stable_name)
    assert response.body == one.content
    assert header(response, "Cache-Control").startswith("public, max-age=600")


@pytest.mark.parametrize("one", [assets.SCRIPT, assets.REDIRECT], ids=lambda one: one.stable_name)
def test_script_that_the_browser_has_is_not_sent_again(one):
    """304 without a body for a matching tag."""
    response = asset(one.stable_name, if_none_match=f'W/"x", {one.etag}')
    assert response.status == 304
    assert response.body == b""
    assert header(response, "ETag") == one.etag
    assert asset(one.stable_name, if_none_match='"x"').status == 200


def routed(path, method="GET"):
    """What a host without a router of its own answers."""
    return CONNECT.respond(Request(method, ORIGIN, "/smartcar", b"state=s&code=c", {}), path)


def test_front_end_mode_has_its_routes():
    """The page and the script under its stable name are in the table that every host serves."""
    assert b"assets/redirect-" in routed("redirect").body
    assert routed("redirect.js").body == assets.REDIRECT.content
    assert header(routed("redirect", "POST"), "Allow") == "GET"
    assert routed("redirect/x").status == 404
    assert split_path("/shop/smartcar/redirect.js") == ("/shop/smartcar", "redirect.js")


@pytest.mark.parametrize("base", ["/", "/smartcar/", "/shop/a%20b/"])
def test_callback_markup_leads_to_the_routes(base):
    """Wherever the routes are, at the root too, a page at any other path finds the script."""
    markup = CONNECT.callback_markup(f"{base}launch", text="Close me")
    assert f'src="{base}assets/{assets.REDIRECT.name}"' in markup
    assert 'data-smartcar-text="Close me"' in markup


@pytest.mark.parametrize(
    "name", ["", "page.css", "connect-000000000000.js", "../__init__.py", "\x00", "é" * 50_000]
)
def test_asset_that_is_none_is_not_found(name):
    """404, kept nowhere, and the name isn't repeated."""
    response = asset(name)
    assert response.status == 404
    assert response.body == b"Not found.\n"
    assert header(response, "Cache-Control") == "no-store"
