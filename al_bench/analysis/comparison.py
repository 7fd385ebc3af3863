"""A paper's numbers beside ours: how far apart both means are, in standard deviations over seeds."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from al_bench.active.metric import Metric
from al_bench.analysis.curves import (
    Point,
    curve,
    entropies,
    headline,
    last_common,
    measured_point,
    metric,
    point,
    scalar_metrics,
)
from al_bench.analysis.grouping import Group
from al_bench.analysis.published import Number, Published
from al_bench.analysis.table_lines import named

Factor = Callable[[str, Sequence[Metric]], float]  # of a metric and those declared, from stored to printed


@dataclass(frozen=True)
class ComparedNumber:
    """A published number and what was measured, both in the paper's unit. line: of the table; metric: "" and found:
    None where nothing was measured; factor: from the stored unit of `found`; declared: the metrics of its runs."""

    number: Number
    line: str
    metric: str
    factor: float
    found: Point | None
    declared: tuple[Metric, ...] = ()

    @property
    def mean(self) -> float | None:
        return self.found.mean * self.factor if self.found else None

    @property
    def deviation(self) -> float | None:
        """Of ours, None for a single seed."""
        return None if self.found is None or self.found.deviation is None else self.found.deviation * self.factor

    @property
    def difference(self) -> float | None:
        """Our mean minus the published one; None where that is doubted."""
        return None if self.mean is None or self.number.doubt else self.mean - self.number.mean

    @property
    def deviations(self) -> float | None:
        """The difference in standard deviations over seeds; None where the paper prints none."""
        scale = self._pool_deviations()
        return self.difference / scale if self.difference is not None and scale else None

    def _pool_deviations(self) -> float | None:
        """Of both, each variance weighted by its number of seeds less one: a deviation of five seeds is itself known
        to a third only. The paper's alone where ours is of one seed, or where it does not say of how many its is."""
        theirs, ours = self.number.std, self.deviation
        if theirs is None or ours is None or self.found is None or self.number.n is None:
            return theirs
        weights = self.number.n - 1, self.found.seeds - 1
        return math.sqrt((weights[0] * theirs**2 + weights[1] * ours**2) / sum(weights))


def compare_numbers(table: Published, groups: Sequence[Group], factor: Factor) -> list[ComparedNumber]:
    """Each published number with every group that it is of, or with none."""
    own: list[tuple[Number, Sequence[Group | None]]] = [
        (number, named(number.row, groups) or [None]) for number in table.numbers
    ]
    return [_compare(number, group, factor) for number, found in own for group in found]


def _compare(number: Number, group: Group | None, factor: Factor) -> ComparedNumber:
    if group is None:
        return ComparedNumber(number, number.row, "", 1.0, None)
    name, found = _measure(number, group)
    declared = group.first.metrics
    return ComparedNumber(number, group.name, name, factor(name, declared), found, declared)


def _measure(number: Number, group: Group) -> tuple[str, Point | None]:
    """The headline metric at a number of annotations, a metric by its name at the end, the entropy over all cycles:
    the latter two of runs that have come to their end."""
    ended = [run for run in group.runs if run.finished is not None]
    if number.column.replace(" ", "_") == "chosen_entropy":
        values = [fmean(known) for run in ended if (known := entropies(run.cycles))]
        return "entropy", point(0, values) if values else None
    name = number.column if number.column in scalar_metrics(group.first) else headline(group.first)
    if not group.first.is_loop:
        return name, measured_point(group.runs, name) if name == number.column else None
    if name == number.column:
        return name, last_common(curve(ended, metric(name)))
    return name, _nearest(curve(group.runs, metric(name)), number.column.replace(",", ""))


def _nearest(points: Sequence[Point], column: str) -> Point | None:
    """The point whose annotations are those of a column, None where none are."""
    if not points or not column.isdigit():
        return None
    at = nearest_to([known.at for known in points], int(column))
    return next((known for known in points if known.at == at), None)


def nearest_to(sizes: Iterable[int], column: int) -> int | None:
    """The number of annotations that is nearest to a published column; None where none is that column's."""
    found = min(sizes, key=lambda at: abs(at - column), default=None)
    return found if found is not None and is_column(found, column) else None


def is_column(annotations: int, column: int) -> bool:
    """Whether a number of annotations is that of a published column: a paper whose columns are shares of a pool rounds
    each of them, equal queries are rounded once, so up to a thousandth apart they are the same."""
    return abs(annotations - column) * 1000 <= column
