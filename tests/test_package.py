"""What a stranger installs: the wheel holds every file that is read at run time, and names its extras."""

import subprocess
import zipfile

import pytest

from wheel import ROOT, build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel")))


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    """Modules, templates, scripts, styles and py.typed: what git tracks under src is what is installed."""
    tracked = subprocess.run(
        ["git", "ls-files", "src/smartcar_auth"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    names = set(wheel.namelist())
    assert "smartcar_auth/py.typed" in names
    assert "smartcar_auth/web/static/connect.js" in names
    assert {name.removeprefix("src/") for name in tracked if (ROOT / name).exists()} <= names


def test_wheel_requires_nothing_and_names_its_extras(wheel: zipfile.ZipFile) -> None:
    """The core installs alone; everything else is behind an extra."""
    name = next(name for name in wheel.namelist() if name.endswith("METADATA"))
    metadata = wheel.read(name).decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert required
    assert all("extra ==" in line for line in required)
    for extra in ("starlette", "fastapi", "sandbox", "cli", "demo"):
        assert f"Provides-Extra: {extra}" in metadata


def test_wheel_unpacks_where_folders_are_made_one_by_one(wheel: zipfile.ZipFile) -> None:
    """PyScript's unpacking on MicroPython makes no parents: every folder's parent holds a file that comes before."""
    made = {""}
    for name in wheel.namelist():
        folder = name.rpartition("/")[0]
        assert folder in made or folder.rpartition("/")[0] in made, name
        made.add(folder)
