"""The core on every CPython we support, as far as this machine has it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parent.parent / "src"


def interpreters(version):
    """Where `python3.x` may be: on the path, or installed by pyenv (whose shims refuse to run when not chosen)."""
    found = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}*/bin/python{version}"))
    on_path = shutil.which(f"python{version}")
    return [str(path) for path in found] + ([on_path] if on_path else [])


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_core_on_interpreter_behaves_the_same(version):
    """The common script passes, with nothing but the standard library in reach."""
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable] if this == version else interpreters(version)
    for candidate in candidates:
        usable = subprocess.run([candidate, "-c", "pass"], capture_output=True)
        if usable.returncode == 0:
            break
    else:
        pytest.skip(f"no Python {version} on this machine")
    script = f"import sys; sys.path.insert(0, {str(SOURCES)!r}); exec(open(sys.argv[1]).read())"
    command = [candidate, "-I", "-S", "-W", "ignore", "-c", script, str(HERE / "script_for_every_python.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ok ")
