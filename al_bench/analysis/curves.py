"""Mean, range and deviation over seeds, at each number of annotations, or iteration."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol, TypeVar

from al_bench.analysis.common_range import shared_sizes
from al_bench.analysis.grouping import group_by
from al_bench.analysis.reading import Run
from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.storage.record import CycleRecord

Value = Callable[[CycleRecord], float | None]


@dataclass(frozen=True)
class Point:
    """One place of a curve. at: how many annotations, or iterations of a training; deviation: the sample standard
    deviation (divisor n - 1), None for one seed."""

    at: int
    mean: float
    minimum: float
    maximum: float
    deviation: float | None
    seeds: int

    def band(self, kind: str) -> tuple[float, float]:
        """Where the band around the mean ends; kind: "range" or "deviation"."""
        if kind == "range":
            return self.minimum, self.maximum
        spread = self.deviation or 0.0
        return self.mean - spread, self.mean + spread


def point(at: int, values: Sequence[float]) -> Point:
    """What at least one seed came to at one place."""
    n, mean, low, high = len(values), statistics.fmean(values), min(values), max(values)
    squares = math.fsum((value - mean) ** 2 for value in values) if low < high else 0.0
    deviation = math.sqrt(squares / (n - 1)) if n > 1 else None  # `statistics.stdev` takes ten times as long
    return Point(at, mean, low, high, deviation, n)


def curve(runs: Iterable[Run], value: Value) -> list[Point]:
    """A point at each number of annotations at which at least one seed has a value."""
    return points_of((record.annotations, value(record)) for run in runs for record in run.cycles)


def measured_point(runs: Iterable[Run], name: str) -> Point | None:
    """One metric of procedures without cycles, over seeds; None where none has a finite value. It is at 0 annotations,
    which such a procedure does not buy."""
    values = [_number_of(run.measurement.metrics, name) for run in runs if run.measurement is not None]
    return last_common(points_of((0, value) for value in values))


def points_of(values: Iterable[tuple[int, float | None]]) -> list[Point]:
    """Points from each cycle's annotations with its value; what is None or not finite is left out."""
    finite = [(at, value) for at, value in values if value is not None and math.isfinite(value)]
    groups = group_by(finite, itemgetter(0))
    return [point(at, [value for _, value in groups[at]]) for at in sorted(groups)]


class OfSeeds(Protocol):
    """What so many seeds have come to."""

    @property
    def seeds(self) -> int: ...


Common = TypeVar("Common", bound=OfSeeds)


def last_common(points: Sequence[Common]) -> Common | None:
    """The last, such as a point of a curve, that as many seeds have reached as any; None where there is none."""
    most = max((known.seeds for known in points), default=0)
    return next((known for known in reversed(points) if known.seeds == most), None)


def last_records(runs: Sequence[Run], has: Callable[[CycleRecord], bool] = lambda record: True) -> list[CycleRecord]:
    """Of each run the record that has something, at the most annotations at which as many have it as at any."""
    end = last_common(curve(runs, lambda record: 1.0 if has(record) else None))
    found = (record for run in runs for record in run.cycles if end is not None and record.annotations == end.at)
    return [record for record in found if has(record)]


def average(runs: Sequence[Run], name: str) -> float | None:
    """The mean height of a metric's curve, of each seed the area by trapezoids over its length, over what all seeds
    cover but for those that have come less than half as far as others; None where that is one number of annotations."""
    curves = [values_by_annotations(run, name) for run in runs]
    shared = shared_sizes(curves).items()
    heights = [area_under_curve(sizes, [curves[place][at] for at in sizes]) for place, sizes in shared if sizes[1:]]
    return statistics.fmean(heights) if heights else None


def headline(run: Run) -> str:
    """The evaluator's first metric."""
    return str(next(iter(run.records[0].metrics)))


def scalar_metrics(run: Run) -> list[str]:
    """The metrics that are one number, the headline first."""
    return [name for name, value in run.records[0].metrics.items() if not isinstance(value, list | dict)]


def metric(name: str) -> Value:
    """Reads one metric of a cycle."""

    return lambda record: _number_of(record.metrics, name)


def values_by_annotations(run: Run, name: str) -> dict[int, float]:
    """One metric of each cycle that has a finite value of it."""
    found = {record.annotations: metric(name)(record) for record in run.cycles}
    return {at: value for at, value in found.items() if value is not None and math.isfinite(value)}


def is_better_higher(run: Run, name: str) -> bool:
    """Whether more of a metric is better, as the run declares it; so of what is no metric."""
    return next((one.higher_is_better for one in run.metrics if one.name == name), True)


def _number_of(metrics: Mapping[str, Any], name: str) -> float | None:
    found = metrics.get(name)
    return None if found is None or isinstance(found, list | dict) else float(found)


def chosen_entropy(record: CycleRecord) -> float | None:
    """The mean predictive entropy, in nats, of what a cycle added, under the model that chose it."""
    return record.chosen_entropy


def entropies(cycles: Sequence[CycleRecord]) -> list[float]:
    """`chosen_entropy` of each cycle that has one."""
    return [value for record in cycles if (value := chosen_entropy(record)) is not None]


def class_shares(record: CycleRecord, num_classes: int = 0) -> list[float]:
    """Each class's fraction of the labels of the training set; none of those up to `num_classes` that a run has not."""
    total = sum(record.class_counts)
    shares = [count / total if total else 0.0 for count in record.class_counts]
    return [*shares, *[0.0] * (num_classes - len(shares))]


def balance(record: CycleRecord) -> float:
    """Entropy of the label distribution over log K: 1 where all classes are equally often labeled."""
    shares = class_shares(record)
    return sum(-share * math.log(share) for share in shares if share) / math.log(len(shares))
