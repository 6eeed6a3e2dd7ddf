"""`smartcar-auth static`: what it prints, what it writes, and how it refuses."""

import os
import re
import subprocess
import sys

import pytest

from smartcar_auth.static_site.files import files, page_headers
from smartcar_auth.static_site.folder import integrity


def run(*arguments, **environment):
    command = [sys.executable, "-m", "smartcar_auth.cli", "static", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)


def test_files_are_listed_without_a_folder():
    """Name, integrity and bytes of each, for a page that loads them from elsewhere."""
    done = run()
    listed = [line.split() for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [line[:2] for line in listed] == [[name, integrity(content)] for name, content in files().items()]
    assert all(re.fullmatch(r"[\d,]+", line[2]) and line[3:] == ["bytes"] for line in listed)


def test_folder_redirect_uris_and_headers_are_said(tmp_path):
    """All of a site's set-up: what to register, for each origin, and what to answer with."""
    target = tmp_path / "public"
    done = run(
        str(target), "--app-origin", "https://app.example.com/", "--site", "https://example.github.io/garage/"
    )
    assert (done.returncode, done.stderr) == (0, "")
    written = files(["https://app.example.com"], "https://example.github.io/garage")
    for name, content in written.items():
        assert (target / name).read_bytes() == content
    lines = done.stdout.splitlines()
    assert "https://example.github.io/garage/redirect.html" in lines
    assert "https://example.github.io/garage/redirect.html?app_origin=https://app.example.com" in lines
    headers = page_headers(["https://app.example.com"])
    assert lines[-len(headers) :] == [f"{name}: {value}" for name, value in headers]


def test_foreign_file_is_left_unless_forced(tmp_path):
    """Exit status 1 and a sentence; the file is as it was."""
    (tmp_path / "page.css").write_text("theirs")
    done = run(str(tmp_path))
    assert done.returncode == 1
    assert "page.css: not written by this command" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["page.css"]
    assert run(str(tmp_path), "--force").returncode == 0
    assert (tmp_path / "page.css").read_bytes() == files()["page.css"]


def test_files_cannot_be_written(tmp_path):
    """Exit status 1 and a sentence."""
    (tmp_path / "file").write_text("")
    done = run(str(tmp_path / "file"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--app-origin", "*"), ("--app-origin", "http://example.com"), ("--site", "example.com")]
)
def test_bad_option_is_said_and_nothing_written(tmp_path, arguments):
    """Exit status 2, as for every mistake on the command line."""
    done = run(str(tmp_path), *arguments)
    assert done.returncode == 2
    assert "must be" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_missing_package_is_said_in_words(tmp_path):
    """What the redirect page is made with, behind an extra."""
    (tmp_path / "itsdangerous.py").write_text("raise ImportError('No module named itsdangerous')\n")
    done = run(PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "pip install" in done.stderr
    assert "Traceback" not in done.stderr
