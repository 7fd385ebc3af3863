"""Two lines of one section compared as a whole: over equal annotations, equal steps or equal seconds of training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

import numpy as np

from al_bench.active.metric import Metric
from al_bench.analysis.curves import metric
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Run
from al_bench.analysis.statistics.areas import Scale, area_under_curve
from al_bench.analysis.statistics.correction import holm
from al_bench.analysis.statistics.paired import PairedTest, compare_pairs
from al_bench.analysis.statistics.penalty import Values

Budget = Literal["annotations", "steps", "seconds"]
BUDGETS: tuple[Budget, ...] = ("annotations", "steps", "seconds")


@dataclass(frozen=True)
class Compared:
    """A line minus the one that it is compared with. test: of the area under the curve over annotations, of the last
    value within the budget that both have spent for steps and seconds; corrected: its p after Holm's correction over
    all comparisons of the budget, None for a single pair."""

    line: str
    budget: Budget
    test: PairedTest
    corrected: float | None

    @property
    def better(self) -> bool | None:
        """What the corrected test says."""
        return self.test.better if self.corrected is not None and self.corrected < 0.05 else None


def direction(group: Group, name: str) -> bool:
    """Whether more of a metric is better, as its evaluator declares it."""
    return next((one.higher_is_better for one in group.first.metrics if one.name == name), True)


def declared(group: Group, name: str) -> Metric | None:
    """A metric as a group's runs declare it."""
    return next((one for one in group.first.metrics if one.name == name), None)


def values_by_size(group: Group, name: str) -> Values:
    """A metric by annotations, then by seed."""
    found: dict[int, dict[int, float]] = {}
    for run in group.runs:
        for at, value in _curve(run, name).items():
            found.setdefault(at, {})[run.seed] = value
    return found


def areas(group: Group, name: str, scale: Scale = "linear") -> dict[int, float]:
    """The area under each seed's curve; of those with two cycles."""
    curves = {run.seed: _curve(run, name) for run in group.runs}
    return {
        seed: area_under_curve(sorted(curve), [curve[at] for at in sorted(curve)], scale)
        for seed, curve in curves.items()
        if len(curve) > 1
    }


def compare_lines(groups: Sequence[Group], reference: Group, name: str, budget: Budget) -> list[Compared]:
    """Each group minus the reference, of those that share seeds with it; p corrected over all of these."""
    tests = [
        (group.name, test)
        for group in groups
        if group is not reference and (test := compare_two(group, reference, name, budget)) is not None
    ]
    known = [test.p for _, test in tests if test.p is not None]
    corrected = iter(holm(known))
    return [Compared(line, budget, test, None if test.p is None else next(corrected)) for line, test in tests]


def share_first_labels(first: Group, second: Group) -> bool | None:
    """Whether seeds that both have begin with the same labels; None where that is not stored."""
    own, other = ({run.seed: _first_labels(run) for run in group.runs} for group in (first, second))
    pairs = [(own[seed], other[seed]) for seed in own.keys() & other.keys()]
    known = [pair for pair in pairs if pair[0] is not None and pair[1] is not None]
    return all(a == b for a, b in known) if known else None


def compare_two(group: Group, reference: Group, name: str, budget: Budget = "annotations") -> PairedTest | None:
    """A line minus another over the seeds that both have, see `Compared`; None where they have none in common."""
    own, other = ({run.seed: run for run in one.runs} for one in (group, reference))
    first: dict[int, float] = {}
    second: dict[int, float] = {}
    for seed in own.keys() & other.keys():
        both = _pair(own[seed], other[seed], name, budget)
        if both is not None:
            first[seed], second[seed] = both
    found = compare_pairs(first, second, direction(reference, name))
    return found and replace(found, unpaired=sorted(own.keys() ^ other.keys()))


def _pair(own: Run, other: Run, name: str, budget: Budget) -> tuple[float, float] | None:
    if budget == "annotations":
        a, b = _curve(own, name), _curve(other, name)
        sizes = sorted(a.keys() & b.keys())
        if len(sizes) < 2:
            return None
        return tuple(area_under_curve(sizes, [one[at] for at in sizes]) for one in (a, b))  # type: ignore[return-value]
    spent = [_spent(run, name, budget) for run in (own, other)]
    if not all(spent):
        return None
    most = min(max(one) for one in spent)
    if any(most < min(one) for one in spent):
        return None  # one's first model costs more than the other's last
    first, second = (one[max(at for at in one if at <= most)] for one in spent)
    return first, second


def _curve(run: Run, name: str) -> dict[int, float]:
    value_of = metric(name)
    found = {record.annotations: value_of(record) for record in run.cycles}
    return {at: value for at, value in found.items() if value is not None and np.isfinite(value)}


def _spent(run: Run, name: str, budget: Budget) -> Mapping[float, float]:
    """The metric by all that its trainings and queries have cost so far."""
    value_of = metric(name)
    costs = [[record.costs[part] for part in ("fit", "query") if part in record.costs] for record in run.cycles]
    each = [
        sum(float(cost.optimizer_steps) if budget == "steps" else cost.seconds for cost in of_cycle)
        for of_cycle in costs
    ]
    values = [value_of(record) for record in run.cycles]
    return {at: value for at, value in zip(accumulate(each), values, strict=True) if value is not None}


def _first_labels(run: Run) -> list[int] | None:
    rows = run.cycles[0].query.indices if run.cycles else None
    return None if rows is None else sorted(rows)
