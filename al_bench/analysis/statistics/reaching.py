"""How many labels a line needs to be as good as a goal."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from statistics import median

_ROUNDING = 1e-12  # of a value that is written in percent, as 100 times its fraction is not to the last bit


@dataclass(frozen=True)
class Reached:
    """Of several seeds. reached: the annotations of those that got there; censored: how many did not within their
    budget; middle: the median over all, None where it is of those that did not."""

    reached: Sequence[float]
    censored: int
    middle: float | None


def labels_to_reach(
    annotations: Sequence[float], values: Sequence[float], target: float, higher_is_better: bool = True
) -> float | None:
    """The annotations at which a curve first is as good as the target, between two points on the line that joins them.

    None: not reached (censored at its last point). annotations: (N,) rising; values: (N,).
    """
    sign = 1 if higher_is_better else -1
    heights, goal = [sign * value for value in values], sign * target
    for place, height in enumerate(heights):
        if height >= goal or isclose(height, goal, rel_tol=_ROUNDING):
            if place == 0:
                return float(annotations[0])
            before, start = heights[place - 1], annotations[place - 1]
            return float(start + (annotations[place] - start) * min(1.0, (goal - before) / (height - before)))
    return None


def summarize_reached(found: Sequence[float | None]) -> Reached:
    """Over seeds: those that are not reached count as later than every other, so that no mean of the survivors alone
    stands for all."""
    reached = sorted(value for value in found if value is not None)
    censored = len(found) - len(reached)
    ranked = [*reached, *[float("inf")] * censored]
    middle = median(ranked) if ranked else None
    return Reached(reached, censored, None if middle is None or middle == float("inf") else float(middle))
