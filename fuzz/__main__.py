"""`python -m fuzz [TARGET...] [--seconds N]`: each target under Atheris, with what was run and what was found.

With `--replay` no Atheris is needed: the seeds and some thousand mutations of them, the same each time, in a second
or two; with `--input FILE` one finding again. Exit status 1 means that something was found.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from .targets import TARGETS, WORDS

SEEDS = Path(__file__).parent / "corpus"
FINDINGS = Path("test-results")
LONGEST = 600  # bytes of an input; what is longer says nothing new and takes longer
MUTATIONS = 300  # of each seed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz what strangers can write to.")
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"of: {', '.join(TARGETS)} (default: all)"
    )
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time (default: 1)")
    parser.add_argument("--corpus", type=Path, help="keep what was learned here, and begin with it")
    parser.add_argument("--replay", action="store_true", help="seeds and mutations of them, without Atheris")
    parser.add_argument("--input", type=Path, metavar="FILE", help="one finding again, for one target")
    given = parser.parse_args(arguments)
    names = given.targets or list(TARGETS)
    if unknown := sorted(set(names) - set(TARGETS)):
        parser.error(f"no such target: {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    if given.input:
        if len(names) != 1:
            parser.error("--input needs the one target that it is for")
        TARGETS[names[0]](given.input.read_bytes())
        print("nothing found")
        return 0
    if given.replay:
        for name in names:
            print(replay(name), flush=True)
        return 0
    with ThreadPoolExecutor(given.jobs) as threads:
        fine = list(threads.map(partial(guided, seconds=given.seconds, corpus=given.corpus), names))
    return 0 if all(fine) else 1


def seeds(name: str) -> list[bytes]:
    """The inputs that a target begins with, one file each."""
    return [path.read_bytes() for path in sorted((SEEDS / name).iterdir())]


def replay(name: str) -> str:
    """Run the seeds and their mutations; the first finding is raised."""
    chance = random.Random(name)
    given = seeds(name)
    mutated = [_mutated(seed, given, chance) for seed in given for _ in range(MUTATIONS)]
    for number, data in enumerate([*given, *mutated]):
        try:
            TARGETS[name](data)
        except Exception as error:
            error.add_note(f"input {number} of target {name}: {data!r}")
            raise
    return f"{name}: {len(given)} seeds and {len(mutated):,} mutations of them, nothing found"


def _mutated(seed: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    data = seed
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.choice((0, 0, 1, 1, 2, 8, 64)))
        new = chance.choice((b"", bytes([chance.randrange(256)]), chance.choice(WORDS), data[end:start:-1]))
        if chance.random() < 0.1:
            new = chance.choice(others)
        data = data[:start] + new + data[end:]
    return data[:LONGEST]


def guided(name: str, *, seconds: int, corpus: Path | None) -> bool:
    """Run one target under Atheris for a while, and say how it went; whether nothing was found."""
    with tempfile.TemporaryDirectory() as scratch:
        kept = Path(scratch, name) if corpus is None else corpus / name
        kept.mkdir(parents=True, exist_ok=True)
        FINDINGS.mkdir(exist_ok=True)
        words = Path(scratch, "words")
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
        flags = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-dict={words}", "-timeout=10"]
        flags += [
            f"-artifact_prefix={FINDINGS}/{name}-",
            "-print_final_stats=1",
            str(kept),
            str(SEEDS / name),
        ]
        command = [sys.executable, "-m", "fuzz.guided", name, *flags]
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        taken = time.monotonic() - started
        inputs = len(list(kept.iterdir()))
    executions = _last(r"stat::number_of_executed_units: *(\d+)", done.stderr)
    edges, features = (_last(rf"{what}: (\d+)", done.stderr) for what in ("cov", "ft"))
    found = done.returncode != 0
    print(
        f"{name}: {executions:,} executions in {taken:.0f} s, {edges:,} edges and {features:,} features covered, "
        f"{inputs:,} inputs kept; {'FOUND' if found else 'nothing found'}",
        flush=True,
    )
    if found:
        print((done.stdout + done.stderr)[-3000:], flush=True)
    return not found


def _escaped(word: bytes) -> str:
    return "".join([f"\\x{byte:02X}" for byte in word])


def _last(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
