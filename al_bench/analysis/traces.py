"""What strategies measured inside their queries, cycle by cycle: means over a cycle's rows, then over seeds."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.curves import Point, point
from al_bench.analysis.reading import Problem, Run
from al_bench.storage.exported import Record

Rows = Mapping[str, Sequence[float | None]]


def trace_curves(runs: Sequence[Run], problems: list[Problem]) -> dict[str, list[Point]]:
    """A curve for each name that `means` gives at least one of the runs, at the annotations after each query."""
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for record in run.cycles[1:]:
            try:
                found = means(record, rows_of(run, record))
            except UnreadableError as error:
                problems.append(Problem(run.place, str(error)))
                continue
            for name, value in found.items():
                values[name][record["annotations"]].append(value)
    return {name: [point(at, points[at]) for at in sorted(points)] for name, points in values.items()}


def rows_of(run: Run, record: Record) -> Rows:
    """The traces of a cycle that are one number per row: from its record, or of an older run from its tensors.

    Raises UnreadableError where these are corrupted.
    """
    if "trace" in record:
        return dict(record["trace"])
    if not run.has_tensors:
        return {}
    tensors = {
        name.removeprefix("trace."): rows
        for name, rows in run.tensors(record["index"]).items()
        if name.startswith("trace.") and rows.ndim == 1 and rows.dtype.kind == "f"
    }
    return {name: np.asarray(rows, dtype=float).tolist() for name, rows in tensors.items()}


def means(record: Record, rows: Rows) -> dict[str, float]:
    """Of each trace its mean over the cycle's rows, and what follows from several of them:

    entropy_gap: of |H(synthetic) - H(match)|; rank: of the match among its synthetic image's neighbors, 0 the nearest;
    taken: the fraction of rows whose nearest neighbor was taken, so that another was asked for.
    """
    found = {name: mean for name, values in rows.items() if (mean := _mean(values)) is not None}
    found.update(record.get("trace_mean", {}))  # of all rows, where a cell travels with some of them
    if "entropy_after" in rows and "entropy_of_match" in rows:
        pairs = zip(rows["entropy_after"], rows["entropy_of_match"], strict=True)
        gap = _mean([abs(a - b) for a, b in pairs if a is not None and b is not None])
        found.update({} if gap is None else {"entropy_gap": gap})
    if ranks := record["query"]["ranks"]:
        found.update(rank=fmean(ranks), taken=sum(rank > 0 for rank in ranks) / len(ranks))
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return fmean(finite) if finite else None
