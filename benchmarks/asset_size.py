"""Bytes of the module that pages load, as shipped: it is the page's and the callback page's in one.

The official SDK's file is compared as npm has it, unminified; its hosted `redirect.js` is not on npm.
"""

import gzip
from pathlib import Path

import brotli

from smartcar_auth.web import assets

from .figure import Figure, Say, Target

OFFICIAL = Path(__file__).parent.parent / "tests/js/node_modules/@smartcar/auth/dist/npm/sdk.js"


def measure(say: Say, quick: bool) -> list[Figure]:
    ours, peer = assets.SCRIPT.content, OFFICIAL.read_bytes()
    name = "sdk.js as on npm"
    return [
        Figure(
            "connect.js, brotli",
            _brotli(ours),
            _brotli(peer),
            "bytes",
            name,
            Target(3900, of="ours", strict=True),
            "brotli 11 and gzip 9; the target is the official sdk.js and redirect.js together, both minified",
        ),
        Figure("- gzip", _gzip(ours), _gzip(peer), "bytes", name),
        Figure("- as shipped", len(ours), len(peer), "bytes", name),
    ]


def _brotli(content: bytes) -> int:
    return len(brotli.compress(content, mode=brotli.MODE_TEXT, quality=11))


def _gzip(content: bytes) -> int:
    return len(gzip.compress(content, 9))
