"""Importing the package: wall time that `import smartcar_auth` adds to an otherwise bare Python.

Whole processes are timed, from outside, because that is what a command line or a cold worker waits for.
"""

import subprocess
import sys
from functools import partial
from statistics import median
from tempfile import gettempdir
from time import perf_counter

from .figure import Figure, Say, Target, take_turns

STATEMENTS = {
    "bare": "pass",
    "ours": "import smartcar_auth",
    "peer": "import smartcar",
    "fastapi": "import fastapi",
    "host": "import smartcar_auth.hosts.fastapi",
}


def measure(say: Say, quick: bool) -> list[Figure]:
    candidates = {name: partial(_seconds, statement) for name, statement in STATEMENTS.items()}
    times = take_turns(candidates, 8 if quick else 40, say)
    # Noise only ever adds to a process's time, so the minimum is nearest to the truth.
    added = {name: (min(taken) - min(times["bare"])) * 1000 for name, taken in times.items()}
    middle = {name: (median(taken) - median(times["bare"])) * 1000 for name, taken in times.items()}
    return [
        Figure(
            "import smartcar_auth",
            added["ours"],
            added["peer"],
            "ms",
            "smartcar",
            Target(0.08),
            f"minima of {len(times['bare'])}, bare Python {min(times['bare']) * 1000:.1f} ms taken off; by medians "
            f"{middle['ours']:.2f} and {middle['peer']:.1f} ms, ratio {middle['ours'] / middle['peer']:.3f}",
        ),
        Figure("import smartcar_auth.hosts.fastapi", added["host"], added["fastapi"], "ms", "fastapi alone"),
    ]


def _seconds(statement: str) -> float:
    started = perf_counter()
    # -I: no PYTHON* variables and no current directory decide what is found.
    subprocess.run([sys.executable, "-I", "-c", statement], check=True, cwd=gettempdir())
    return perf_counter() - started
