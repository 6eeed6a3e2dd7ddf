"""The core runs unchanged on PyScript's MicroPython."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE.parent.parent / "src" / "smartcar_auth"


def test_core_on_micropython_behaves_as_on_cpython():
    """Requests, responses, every error class and random state pass the common script."""
    node = shutil.which("node")
    assert node, "Node.js is needed: run scripts/setup test"
    command = [node, "run_micropython.mjs", str(PACKAGE), str(HERE / "script_for_every_python.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent / "js", timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ok ")
