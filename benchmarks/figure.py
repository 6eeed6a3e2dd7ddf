"""What a figure is, how candidates take turns, and how the table reads.

Times on a shared machine drift by a factor of two within minutes, so every comparison lets its candidates take
turns in one run, and what counts is a ratio.
"""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True)
class Target:
    """What a figure must not exceed: its ratio to the peer, or ours alone.

    Args:
        limit: The largest value that still meets it.
        of: "ratio" or "ours".
        strict: Whether the limit itself is too much.
    """

    limit: float
    of: str = "ratio"
    strict: bool = False

    def __str__(self) -> str:
        return f"{'<' if self.strict else '<='} {self.limit:,g}"


@dataclass(frozen=True)
class Figure:
    """One row: ours beside the peer.

    Args:
        name: What was measured.
        ours: In `unit`.
        peer: In `unit`, or None where there is nothing to compare with.
        unit: Such as "ms".
        peer_name: Who the peer is.
        target: None for a row that is there for information.
        remark: What the row doesn't say, such as medians beside minima.
    """

    name: str
    ours: float
    peer: float | None
    unit: str
    peer_name: str = ""
    target: Target | None = None
    remark: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        value = self.ours if self.target.of == "ours" else self.ratio
        if value is None:
            return None
        return value < self.target.limit if self.target.strict else value <= self.target.limit

    def as_json(self) -> dict[str, object]:
        return {
            "figure": self.name,
            "ours": round(self.ours, 4),
            "peer": None if self.peer is None else round(self.peer, 4),
            "unit": self.unit,
            "peer_name": self.peer_name,
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "target": None if self.target is None else str(self.target),
            "met": self.met,
            "remark": self.remark,
        }


Say = Callable[[str], None]
Candidate = Callable[[], float]


def take_turns(candidates: Mapping[str, Candidate], rounds: int, say: Say) -> dict[str, list[float]]:
    """Each candidate's results, one per round; who goes first changes from round to round.

    A first round is thrown away: bytecode, caches and the processor's clock settle in it.
    """
    names = list(candidates)
    results: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            result = candidates[name]()
            if turn:
                results[name].append(result)
        if turn and turn % max(1, rounds // 4) == 0:
            say(f"round {turn} of {rounds}")
    return results


def microseconds_per_item(work: Callable[[], None], items: int) -> float:
    """How long `work` takes for each of its items."""
    gc.collect()
    started = perf_counter()
    work()
    return (perf_counter() - started) / items * 1e6


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table, which a terminal shows as well."""
    rows = [["figure", "ours", "peer", "ratio", "target", "met"]]
    for figure in figures:
        peer = "" if figure.peer is None else f"{_number(figure.peer)} {figure.unit} ({figure.peer_name})"
        rows.append(
            [
                figure.name,
                f"{_number(figure.ours)} {figure.unit}",
                peer,
                "" if figure.ratio is None else f"{figure.ratio:.3f}",
                str(figure.target or ""),
                {True: "yes", False: "NO", None: ""}[figure.met],
            ]
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    remarks = [f"{figure.name}: {figure.remark}" for figure in figures if figure.remark]
    return "\n".join([*lines, *([""] if remarks else []), *remarks])


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
