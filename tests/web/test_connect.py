"""The assets, and the server side as one object."""

import pytest

from smartcar_auth import Smartcar
from smartcar_auth.web import Connect, Request, assets
from web.browser import APPLICATION_ID, KEY, ORIGIN, header

CONNECT = Connect(Smartcar(application_id=APPLICATION_ID), secret_keys=KEY)


def asset(name, **headers):
    """What the asset route answers."""
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    return CONNECT.asset(Request("GET", ORIGIN, "/smartcar", b"", fields), name)


@pytest.mark.parametrize("one", [assets.SCRIPT, assets.STYLE], ids=lambda one: one.stable_name)
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


def test_module_under_its_stable_name_is_kept_for_minutes():
    """connect.js may change with an upgrade, so it is asked for again."""
    response = asset("connect.js")
    assert response.body == assets.SCRIPT.content
    assert header(response, "Cache-Control").startswith("public, max-age=600")


def test_module_that_the_browser_has_is_not_sent_again():
    """304 without a body for a matching tag."""
    response = asset("connect.js", if_none_match=f'W/"x", {assets.SCRIPT.etag}')
    assert response.status == 304
    assert response.body == b""
    assert header(response, "ETag") == assets.SCRIPT.etag
    assert asset("connect.js", if_none_match='"x"').status == 200


@pytest.mark.parametrize(
    "name", ["", "page.css", "connect-000000000000.js", "../__init__.py", "\x00", "é" * 50_000]
)
def test_asset_that_is_none_is_not_found(name):
    """404, kept nowhere, and the name isn't repeated."""
    response = asset(name)
    assert response.status == 404
    assert response.body == b"Not found.\n"
    assert header(response, "Cache-Control") == "no-store"
