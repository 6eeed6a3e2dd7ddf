"""The fuzzing targets: seeds and thousands of mutations of them, without Atheris; `make fuzz` goes on from there."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TARGETS = ["cookies", "message", "response", "state"]


@pytest.mark.parametrize("target", TARGETS)
def test_target_finds_nothing(target: str) -> None:
    """Whatever is made of the seeds, no promise of the target is broken."""
    command = [sys.executable, "-m", "fuzz", target, "--replay"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("nothing found\n")


def test_every_target_has_seeds() -> None:
    """None of them is left out here, and each has something to begin with."""
    folders = [path for path in (ROOT / "fuzz" / "corpus").iterdir() if any(path.iterdir())]
    assert sorted(path.name for path in folders) == TARGETS
