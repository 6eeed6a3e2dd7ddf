"""The files that pages load."""

import hashlib
from base64 import b64decode

import pytest

from smartcar_auth.web import assets


@pytest.mark.parametrize(
    "asset", [assets.SCRIPT, assets.REDIRECT, assets.STYLE], ids=lambda asset: asset.stable_name
)
def test_asset_is_named_by_its_content(asset):
    """Name, tag and integrity all follow from the bytes that are shipped."""
    digest = hashlib.sha384(asset.content).digest()
    assert asset.content == (assets.STATIC / asset.stable_name).read_bytes()
    assert digest.hex()[:12] in asset.name
    assert asset.etag == f'"{digest.hex()[:12]}"'
    assert b64decode(asset.integrity.removeprefix("sha384-")) == digest
    assert assets.BY_NAME[asset.name] is asset
