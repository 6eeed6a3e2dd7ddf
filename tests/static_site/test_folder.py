"""Writing to a folder with a person's own files in it: all or nothing, and nothing of theirs."""

import json

import pytest

from smartcar_auth.static_site.folder import LIST, ForeignFiles, integrity, write

FILES = {"page.html": b"<p>one</p>", "page.js": b"one()"}
NEWER = {"page.html": b"<p>two</p>", "page.js": b"two()"}


def found(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != LIST}


def test_files_and_their_list_are_written(tmp_path):
    """In a folder that is made for them."""
    write(tmp_path / "a" / "b", FILES)
    assert found(tmp_path / "a" / "b") == FILES
    listed = json.loads((tmp_path / "a" / "b" / LIST).read_text())
    assert listed == {name: integrity(content) for name, content in FILES.items()}


def test_own_files_are_overwritten(tmp_path):
    """A newer version of this package may follow, again and again."""
    for files in (FILES, NEWER, FILES):
        write(tmp_path, files)
        assert found(tmp_path) == files


def test_files_of_the_same_content_are_no_obstacle(tmp_path):
    """As when the list got lost."""
    write(tmp_path, FILES)
    (tmp_path / LIST).unlink()
    write(tmp_path, FILES)
    assert found(tmp_path) == FILES


@pytest.mark.parametrize("listed", [None, "{", "[]", '{"page.js": "sha384-x"}'])
def test_foreign_file_stops_everything(tmp_path, listed):
    """Nothing is written, and the message names it; with force all are."""
    (tmp_path / "page.js").write_bytes(b"theirs()")
    if listed is not None:
        (tmp_path / LIST).write_text(listed)
    with pytest.raises(ForeignFiles, match=r"^page\.js: .*--force"):
        write(tmp_path, FILES)
    assert found(tmp_path) == {"page.js": b"theirs()"}
    write(tmp_path, FILES, force=True)
    assert found(tmp_path) == FILES


def test_changed_file_is_foreign(tmp_path):
    """What somebody wrote into ours isn't lost."""
    write(tmp_path, FILES)
    (tmp_path / "page.html").write_bytes(b"<p>mine</p>")
    with pytest.raises(ForeignFiles, match=r"^page\.html: "):
        write(tmp_path, NEWER)
    assert found(tmp_path) == {**FILES, "page.html": b"<p>mine</p>"}


def test_other_files_stay(tmp_path):
    """The folder is usually a whole site."""
    (tmp_path / "index.html").write_bytes(b"theirs")
    write(tmp_path, FILES, force=True)
    assert found(tmp_path)["index.html"] == b"theirs"
