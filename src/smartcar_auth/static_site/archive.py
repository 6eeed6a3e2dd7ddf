"""The browser archive: what Python in the page needs of this package, as one zip, and nothing else.

For PyScript's `files` and Pyodide's `unpackArchive`. Its bytes depend on the files alone (and on zlib's version), so
that two builds can be compared.
"""

import io
import zipfile
from pathlib import Path

ARCHIVE = "smartcar_auth.zip"
#: The core without the words of pages, and the browser's host.
MODULES = (
    "__init__.py",
    "_platform.py",
    "client.py",
    "envelope.py",
    "errors.py",
    "hosts/__init__.py",
    "hosts/browser/__init__.py",
    "hosts/browser/attempt.py",
    "message.py",
    "origin.py",
    "request.py",
    "response.py",
    "state.py",
)
_PACKAGE = Path(__file__).parent.parent


def browser_archive() -> bytes:
    """The archive's bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in MODULES:
            entry = zipfile.ZipInfo(f"{_PACKAGE.name}/{name}")  # of 1980, as all whose time nobody says
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix, wherever it is written
            # Windows may have another end of line.
            content = (_PACKAGE / name).read_text(encoding="utf-8").encode()
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return written.getvalue()
