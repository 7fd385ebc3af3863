"""What an evaluator measured of each class, at the most annotations that all seeds have."""

from collections.abc import Sequence

import numpy as np

from al_bench.analysis.curves import last_records
from al_bench.analysis.grouping import Group, Section
from al_bench.report.measures import measure
from al_bench.report.queries import MOST_CLASSES
from al_bench.report.tables import Cell, Table

_OF_CLASSES = "class_"  # how the names of such metrics begin


def measure_classes(section: Section, classes: Sequence[str]) -> list[Table]:
    """A table of each metric that is one number per class: a row per method, the mean over seeds at the most
    annotations that as many have as any. classes: their names; none where they are too many for a column each."""
    if len(classes) > MOST_CLASSES:
        return []
    measured = [name for group in section.groups for name in group.first.cycles[-1].metrics]
    named = dict.fromkeys(name for name in measured if name.startswith(_OF_CLASSES))
    found = [_table(section, name, classes) for name in named]
    return [table for table in found if table.rows]


def _table(section: Section, name: str, classes: Sequence[str]) -> Table:
    first, factor = section.groups[0].first, 1.0
    if name in first.recorded:
        about = f"{section.title}: of each class at the end, {first.recorded[name].heading}; mean over seeds"
    else:
        shown = measure(name.removeprefix(_OF_CLASSES), first.metrics)
        factor, unit = shown.factor, f", {shown.unit}," if shown.unit else ""
        about = f"{section.title}: {shown.words}{unit} of each class at the end, mean over seeds"
    rows = [row for group in section.groups if (row := _row(group, name, len(classes), factor)) is not None]
    return Table(f"by-{name}", about, ["method", "seeds", "annotations", *classes], rows)


def _row(group: Group, name: str, num_classes: int, factor: float) -> list[Cell] | None:
    """None where the runs have no such metric, or it is one of other classes. factor: from stored to written values."""
    last = last_records(group.runs, lambda record: isinstance(record.metrics.get(name), list))
    found = [(record, value) for record in last if isinstance(value := record.metrics[name], list)]
    if not found or any(len(value) != len(record.class_counts) for record, value in found):
        return None
    values = [[*value, *[None] * (num_classes - len(value))] for _, value in found]  # of classes that others have more
    numbers = np.array(values, dtype=float)  # None becomes NaN
    known = ~np.isnan(numbers).all(0)
    means = [factor * float(np.nanmean(numbers[:, place])) if known[place] else None for place in range(num_classes)]
    return [group.name, len(last), last[0].annotations, *means]
