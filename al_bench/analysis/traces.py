"""What strategies measured inside their queries, cycle by cycle: means over a cycle's rows, then over seeds."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from statistics import fmean

import numpy as np

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.curves import Point, points_of
from al_bench.analysis.grouping import group_by
from al_bench.analysis.reading import Problem, Run
from al_bench.storage.record import CycleRecord

Rows = Mapping[str, Sequence[float | None]]
Derive = Callable[[CycleRecord, Rows], Mapping[str, float]]  # more means of a cycle, from several traces


def trace_curves(runs: Sequence[Run], problems: list[Problem], derive: Derive) -> dict[str, list[Point]]:
    """A curve for each name that `means` or `derive` gives at least one of the runs, at the annotations after each
    query."""
    named = group_by(_values(runs, problems, derive), itemgetter(0))
    return {name: points_of((at, value) for _, at, value in values) for name, values in named.items()}


def _values(runs: Sequence[Run], problems: list[Problem], derive: Derive) -> Iterator[tuple[str, int, float]]:
    """Each mean of each cycle: its name, the annotations, its value."""
    for run in runs:
        for record in run.cycles[1:]:
            try:
                rows = rows_of(run, record)
            except UnreadableError as error:
                problems.append(Problem(run.place, str(error)))
                continue
            for name, value in {**means(record, rows), **derive(record, rows)}.items():
                yield name, record.annotations, value


def rows_of(run: Run, record: CycleRecord) -> Rows:
    """The traces of a cycle that are one number per row: from its record, or of an older run from its tensors.

    Raises UnreadableError where these are corrupted.
    """
    if record.trace is not None:
        return dict(record.trace)
    if not run.has_tensors:
        return {}
    tensors = {
        name.removeprefix("trace."): rows
        for name, rows in run.tensors(record.index).items()
        if name.startswith("trace.") and rows.ndim == 1 and rows.dtype.kind == "f"
    }
    return {name: np.asarray(rows, dtype=float).tolist() for name, rows in tensors.items()}


def means(record: CycleRecord, rows: Rows) -> dict[str, float]:
    """Of each trace its mean over the cycle's rows; over all of them where a cell travels with some."""
    found = {name: mean for name, values in rows.items() if (mean := mean_of(values)) is not None}
    return {**found, **(record.trace_mean or {})}


def mean_of(values: Sequence[float | None]) -> float | None:
    """Of what is finite, None for nothing."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return fmean(finite) if finite else None
