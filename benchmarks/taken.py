"""What launch and callback took, candidate by candidate and batch by batch, and what that comes to over bare routes."""

from collections.abc import Callable, Iterable
from statistics import median

Times = tuple[float, float]


class Taken:
    """Microseconds per launch and per callback. The first batch of each candidate warms up and doesn't count.

    Args:
        names: Of the candidates; "bare" is taken off, "ours" is compared.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._runs: dict[str, list[Times]] = {name: [] for name in names}

    def note(self, name: str, times: Times) -> float:
        """Keep a batch; its total, by which candidates take turns."""
        self._runs[name].append(times)
        return sum(times)

    @property
    def batches(self) -> int:
        return len(self._runs["ours"]) - 1

    def times(self, name: str, choose: Callable[[list[float]], float] = min) -> Times:
        counted = self._runs[name][1:]
        return choose([launch for launch, _ in counted]), choose([callback for _, callback in counted])

    def added(self, name: str, choose: Callable[[list[float]], float] = min) -> Times:
        """Over bare routes."""
        (launch, callback), (bare_launch, bare_callback) = (
            self.times(name, choose),
            self.times("bare", choose),
        )
        return launch - bare_launch, callback - bare_callback

    def by_medians(self, peer: str) -> float:
        """The ratio of what is added, by medians."""
        return sum(self.added("ours", median)) / sum(self.added(peer, median))
