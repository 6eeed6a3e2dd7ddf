"""The files that pages load: a module, a script and a stylesheet, shipped as written and named by content."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file.

    `name` holds a hash of the content, so that it may be cached for ever; `integrity` is its
    Subresource Integrity value.
    """

    name: str
    stable_name: str
    content: bytes
    content_type: str
    etag: str
    integrity: str


def asset(filename: str, content: bytes, content_type: str) -> Asset:
    """A file with this content."""
    stem, _, suffix = filename.rpartition(".")
    digest = hashlib.sha384(content).digest()
    return Asset(
        name=f"{stem}-{digest.hex()[:12]}.{suffix}",
        stable_name=filename,
        content=content,
        content_type=content_type,
        etag=f'"{digest.hex()[:12]}"',
        integrity="sha384-" + b64encode(digest).decode(),
    )


def _load(filename: str, content_type: str) -> Asset:
    return asset(filename, (STATIC / filename).read_bytes(), content_type)


SCRIPT = _load("connect.js", "text/javascript; charset=utf-8")
KEEP = _load("keep.js", "text/javascript; charset=utf-8")  # imports connect.js, so it has a stable name alone
REDIRECT = _load("redirect.js", "text/javascript; charset=utf-8")
STYLE = _load("page.css", "text/css; charset=utf-8")
BY_NAME = {asset.name: asset for asset in (SCRIPT, REDIRECT, STYLE)}
