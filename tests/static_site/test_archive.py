"""The browser archive: all that the page's Python needs, nothing more, the same bytes every time."""

import io
import subprocess
import sys
import zipfile

from smartcar_auth.static_site import archive


def test_archive_is_enough_and_nothing_in_it_is_too_much(tmp_path):
    """Alone in a fresh interpreter it can be imported, and every module in it is."""
    (tmp_path / "page.zip").write_bytes(archive.browser_archive())
    script = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import smartcar_auth.hosts.browser; "
        "print(*(one.__file__ for name, one in sys.modules.items() if name.startswith('smartcar_auth')))"
    )
    # Without site-packages, where the package itself may be.
    command = [sys.executable, "-I", "-S", "-c", script, str(tmp_path / "page.zip")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {path.partition("page.zip/smartcar_auth/")[2] for path in done.stdout.split()}
    assert loaded == set(archive.MODULES)


def test_archive_has_the_same_bytes_every_time():
    """No time, no owner, no order of a directory: two builds can be compared."""
    assert archive.browser_archive() == archive.browser_archive()
    entries = zipfile.ZipFile(io.BytesIO(archive.browser_archive())).infolist()
    assert [one.filename for one in entries] == sorted(one.filename for one in entries)
    assert {one.date_time for one in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {one.external_attr for one in entries} == {0o644 << 16}


def test_archive_is_small():
    """At most 60 kB."""
    assert len(archive.browser_archive()) <= 60_000
