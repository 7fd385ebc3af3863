"""Claims about speed, each a number with a goal: both sides of a ratio in one process, one after the other."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Side = Callable[[int], Any]  # takes the number of the pair, returns what it computed


@dataclass(frozen=True)
class Goal:
    """bound: what the value may be at most, or must be `at_least`. unit: "x" and "%" of ratios, "s" of seconds,
    "GiB" of memory."""

    bound: float
    unit: str = "x"
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether a value holds the goal; NaN never does."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"at {'least' if self.at_least else 'most'} {worded(self.bound, self.unit)}"


@dataclass(frozen=True)
class Measured:
    """One row: what is claimed, the value measured, the goal it has (None: told beside a claim), and how it was found.

    agrees: whether both sides computed the same; where they did not, the claim is missed however fast it was.
    """

    name: str
    value: float
    goal: Goal | None
    how: str
    agrees: bool = True
    unit: str = "x"

    @property
    def missed(self) -> bool:
        """Whether the claim does not hold."""
        return not self.agrees or (self.goal is not None and not self.goal.met(self.value))

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """Claim, measured, goal, verdict and how, in words."""
        verdict = "missed" if self.missed else "met" if self.goal else "-"
        how = self.how if self.agrees else f"THE TWO SIDES DIFFER; {self.how}"
        unit = self.goal.unit if self.goal else self.unit
        return self.name, worded(self.value, unit), str(self.goal or "-"), verdict, how


@dataclass(frozen=True)
class Pairs:
    """Seconds of both sides, pair by pair; results: what each side computed in each pair."""

    first: Sequence[float]
    second: Sequence[float]
    results: Sequence[tuple[Any, Any]]

    @property
    def ratio(self) -> float:
        """The median of first over second, taken pair by pair: load that both halves of a pair meet cancels."""
        return statistics.median(first / second for first, second in zip(self.first, self.second, strict=True))

    @property
    def medians(self) -> tuple[float, float]:
        """The median seconds of each side."""
        return statistics.median(self.first), statistics.median(self.second)


def interleaved(first: Side, second: Side, pairs: int) -> Pairs:
    """Runs both sides once to warm up, then one after the other `pairs` times."""
    for side in (first, second):
        side(0)
    runs = [(*timed(first, number), *timed(second, number)) for number in range(pairs)]
    return Pairs([run[0] for run in runs], [run[2] for run in runs], [(run[1], run[3]) for run in runs])


def timed(side: Side, number: int) -> tuple[float, Any]:
    """Seconds of wall time that one call took, and what it returned."""
    start = time.perf_counter()
    result = side(number)
    return time.perf_counter() - start, result


def worded(value: float, unit: str) -> str:
    """A value as it stands in the table."""
    ratio = f"{value:.3f} x" if value >= 0.1 else f"{value:.3g} x"
    return {"x": ratio, "%": f"{100 * value:.2f} %", "s": f"{value:.2f} s", "GiB": f"{value:.1f} GiB"}[unit]
