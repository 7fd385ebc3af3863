"""The differences between lines that an experiment asks for, as a table."""

from collections.abc import Sequence
from pathlib import Path

from al_bench.analysis.contrast import (
    LEVEL,
    Contrast,
    Interval,
    contrast_lines,
    groups_by_line,
    read_contrasts,
)
from al_bench.analysis.curves import headline
from al_bench.analysis.experiment import Experiment
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Problem
from al_bench.report.measures import Measure, measure
from al_bench.report.tables import Cell, Table


def tabulate_contrasts(
    experiment: Experiment, groups: Sequence[Group], problems: list[Problem], conf: Path
) -> Table | None:
    """A row for each contrast at each number of annotations that both of its lines have, no row where a line is left
    out; None where the experiment asks for none. What cannot be read is added to `problems`."""
    asked = read_contrasts(experiment.name, conf)
    if not asked:
        return None
    found, rows = groups_by_line(groups), list[list[Cell]]()
    unit = ""
    for words, (first, second) in asked.items():
        if first not in found or second not in found:
            continue
        name = headline(found[first].first)
        shown = measure(name, found[first].first.metrics)
        unit = f", {shown.unit}" if shown.unit else ""
        lines = contrast_lines(found[first], found[second], name, problems)
        rows += [_row(words, f"{first} minus {second}", one, shown) for one in lines]
    return Table(
        f"contrasts-{experiment.name.replace('/', '-')}",
        f"{experiment.name}: one line minus another, with {LEVEL:.0%} intervals over seeds and over test images",
        [
            "what", "lines", "annotations", f"difference{unit}", "seeds", "over seeds, low", "over seeds, high",
            "over test images, low", "over test images, high",
        ],
        rows,
    )  # fmt: skip


def _row(words: str, lines: str, one: Contrast, shown: Measure) -> list[Cell]:
    ends = [*_ends(one.over_seeds, shown), *_ends(one.over_images, shown)]
    return [words, lines, one.annotations, shown.number(one.mean), len(one.seeds), *ends]


def _ends(found: Interval | None, shown: Measure) -> list[Cell]:
    return [None, None] if found is None else [shown.number(found.low), shown.number(found.high)]
