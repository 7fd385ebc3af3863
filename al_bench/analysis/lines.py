"""Two lines of one section compared as a whole: over equal annotations, equal steps or equal seconds of training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import fmean
from typing import Literal

import numpy as np

from al_bench.analysis.common_range import common_range, shared_sizes
from al_bench.analysis.curves import is_better_higher, metric, values_by_annotations
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Run
from al_bench.analysis.statistics.areas import Scale, area_under_curve
from al_bench.analysis.statistics.correction import CorrectedTest, correct
from al_bench.analysis.statistics.paired import PairedTest, compare_pairs
from al_bench.analysis.statistics.penalty import Values

Budget = Literal["annotations", "steps", "seconds"]
BUDGETS: tuple[Budget, ...] = ("annotations", "steps", "seconds")


@dataclass(frozen=True)
class Compared:
    """A line minus the one that it is compared with. of_line: the test of the area under the curve over annotations,
    for steps and seconds of the values at the sum that the cheaper line has spent, among those of all lines."""

    line: str
    budget: Budget
    of_line: CorrectedTest


def values_by_size(group: Group, name: str) -> Values:
    """A metric by annotations, then by seed."""
    found: dict[int, dict[int, float]] = {}
    for run in group.runs:
        for at, value in values_by_annotations(run, name).items():
            found.setdefault(at, {})[run.seed] = value
    return found


@dataclass(frozen=True)
class Width:
    """The annotations over which areas stand beside each other, `low` to `high`, and which lines have them."""

    low: int
    high: int
    lines: Sequence[str]


def common_width(groups: Sequence[Group], reference: Group, name: str) -> Width | None:
    """What the lines cover, but for those that would cut it to less than half of the reference's range, alone or with
    others that have more of it; None where the reference has no two sizes. Of a line its seeds count that have come at
    least half as far as its others."""
    ranges = {group.name: range_of(group, name) for group in groups}
    whole = ranges[reference.name]
    if whole is None:
        return None
    known = {line: (max(of[0], whole[0]), min(of[1], whole[1])) for line, of in ranges.items() if of is not None}
    (low, high), kept = whole, {reference.name}
    for line in sorted(known, key=lambda line: known[line][0] - known[line][1]):
        inside = max(low, known[line][0]), min(high, known[line][1])
        if 2 * (inside[1] - inside[0]) >= whole[1] - whole[0]:
            (low, high), kept = inside, kept | {line}
    return Width(low, high, [line for line in ranges if line in kept])


def range_of(group: Group, name: str) -> tuple[int, int] | None:
    """The annotations that a line's seeds cover, see `common_width`; None where that is no width."""
    curves = [values_by_annotations(run, name) for run in group.runs]
    kept = shared_sizes(curves).values()
    low, high = max((min(one) for one in kept), default=0), min((max(one) for one in kept), default=0)
    return (low, high) if low < high else None


def areas(group: Group, name: str, width: Width, scale: Scale = "linear") -> dict[int, float]:
    """The area under the curve of each seed that covers `width`, between its cycles interpolated; empty for a line that
    is not among its lines."""
    if group.name not in width.lines:
        return {}
    curves = {run.seed: values_by_annotations(run, name) for run in group.runs}
    return {
        seed: _area(curve, width, scale)
        for seed, curve in curves.items()
        if curve and min(curve) <= width.low and width.high <= max(curve)
    }


def value_at(group: Group, name: str, at: int) -> float:
    """A line's mean over the seeds that cover so many annotations, at least one, between cycles interpolated."""
    curves = [values_by_annotations(run, name) for run in group.runs]
    inside = [curve for curve in curves if curve and min(curve) <= at <= max(curve)]
    return fmean(float(np.interp(at, sorted(curve), [curve[size] for size in sorted(curve)])) for curve in inside)


def _area(curve: Mapping[int, float], width: Width, scale: Scale) -> float:
    at = sorted({width.low, width.high, *(size for size in curve if width.low < size < width.high)})
    known = sorted(curve)
    return area_under_curve(at, np.interp(at, known, [curve[size] for size in known]).tolist(), scale)


def compare_lines(groups: Sequence[Group], reference: Group, name: str, budget: Budget) -> list[Compared]:
    """Each group minus the reference, of those that share seeds with it; p corrected over all of these."""
    tests = {
        group.name: test
        for group in groups
        if group is not reference and (test := compare_two(group, reference, name, budget)) is not None
    }
    return [Compared(line, budget, one) for line, one in zip(tests, correct(list(tests.values())), strict=True)]


def compare_two(
    group: Group, reference: Group, name: str, budget: Budget = "annotations", at: int | None = None
) -> PairedTest | None:
    """A line minus another, see `Compared`, over the seeds with which both begin with the same labels, as far as these
    are stored; None where there is none. What seeds one of both has alone, begins otherwise with, or has come less than
    half as far with as others, is unpaired.

    at: compares the values at so many annotations, not areas.
    """
    alike = _pairs_of(group, reference)
    if budget == "annotations":
        both = _curves_of(alike, name)
        pairs = _values_at(both, at) if at is not None else _areas(both)
    else:
        near = _as_far(list(alike.values()), name)
        pairs = {seed: pair for seed in near if (pair := _pair(*alike[seed], name, budget)) is not None}
    first, second = ({seed: pair[side] for seed, pair in pairs.items()} for side in (0, 1))
    found = compare_pairs(first, second, is_better_higher(reference.first, name))
    return found and replace(found, unpaired=sorted({*group.seeds, *reference.seeds} - first.keys()))


def compared_range(group: Group, reference: Group, name: str) -> tuple[int, int] | None:
    """The annotations over which `compare_two` has the areas of two lines; None where it has none."""
    sizes = [at for own in _sizes_of_areas(_curves_of(_pairs_of(group, reference), name)).values() for at in own]
    return (min(sizes), max(sizes)) if sizes else None


def _pairs_of(group: Group, reference: Group) -> dict[int, tuple[Run, Run]]:
    """The runs of both lines by seed, those that begin with the same labels."""
    own, other = ({run.seed: run for run in one.runs} for one in (group, reference))
    both = {seed: (own[seed], other[seed]) for seed in sorted(own.keys() & other.keys())}
    return {seed: pair for seed, pair in both.items() if share_first_labels(*pair)}


def _curves_of(pairs: Mapping[int, tuple[Run, Run]], name: str) -> dict[int, Sequence[Mapping[int, float]]]:
    return {seed: [values_by_annotations(run, name) for run in pair] for seed, pair in pairs.items()}


def _values_at(curves: Mapping[int, Sequence[Mapping[int, float]]], at: int) -> dict[int, tuple[float, float]]:
    return {seed: (first[at], second[at]) for seed, (first, second) in curves.items() if at in first and at in second}


def _areas(curves: Mapping[int, Sequence[Mapping[int, float]]]) -> dict[int, tuple[float, float]]:
    """Of each seed's two curves, over what all seeds cover, but for those that would cut it to less than half."""
    found: dict[int, tuple[float, float]] = {}
    for seed, sizes in _sizes_of_areas(curves).items():
        first, second = (area_under_curve(sizes, [one[at] for at in sizes]) for one in curves[seed])
        found[seed] = first, second
    return found


def _sizes_of_areas(curves: Mapping[int, Sequence[Mapping[int, float]]]) -> dict[int, Sequence[int]]:
    both = {seed: shared for seed, (first, second) in curves.items() if len(shared := first.keys() & second.keys()) > 1}
    return {seed: sizes for seed, sizes in common_range(both).sizes.items() if len(sizes) > 1}


def _as_far(pairs: Sequence[tuple[Run, Run]], name: str) -> list[int]:
    """The seeds with which both have come at least half as far as with others, as for areas; all of them where no pair
    has a number of annotations in common."""
    shared = {
        own.seed: set.intersection(*(set(values_by_annotations(run, name)) for run in (own, other)))
        for own, other in pairs
    }
    kept = common_range({seed: sizes for seed, sizes in shared.items() if sizes}).sizes
    return sorted(kept or shared)


def _pair(own: Run, other: Run, name: str, budget: Budget) -> tuple[float, float] | None:
    """Both at the sum of steps or seconds that the cheaper one has spent, the other's between cycles interpolated, as
    labels and areas are: its last value before would be one of fewer, by up to a whole cycle's."""
    spent = [_spent(run, name, budget) for run in (own, other)]
    if not all(spent):
        return None
    most = min(max(one) for one in spent)
    if any(most < min(one) for one in spent):
        return None  # one's first model costs more than the other's last
    first, second = (float(np.interp(most, sorted(one), [one[at] for at in sorted(one)])) for one in spent)
    return first, second


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


def share_first_labels(own: Run, other: Run) -> bool:
    """Whether both began with the same labels; also where one does not say with which."""
    rows = [run.cycles[0].query.indices for run in (own, other)]
    return any(one is None for one in rows) or set(rows[0] or ()) == set(rows[1] or ())


def draw_otherwise(own: Run, other: Run) -> bool:
    """Whether one seed drew as many first labels, and others: these are as far apart as two seeds. Lines that begin
    with another number of labels are compared as lines of that number."""
    if not (own.is_loop and other.is_loop) or own.cycles[0].annotations != other.cycles[0].annotations:
        return False
    return not share_first_labels(own, other)
