"""The differences between lines that an experiment asks for, as tables."""

from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from al_bench.analysis.contrast import (
    Contrast,
    Lines,
    contrast_lines,
    groups_by_line,
    read_contrast_metrics,
    read_contrasts,
    refuse_unknown_lines,
)
from al_bench.analysis.curves import headline, scalar_metrics
from al_bench.analysis.experiment import Experiment
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Problem
from al_bench.analysis.statistics.paired import LEVEL, Interval
from al_bench.config.search_path import folder_with
from al_bench.report.measures import Measure, measure
from al_bench.report.tables import Cell, Table


def tabulate_contrasts(
    experiment: Experiment, groups: Sequence[Group], problems: list[Problem], conf: Path
) -> list[Table]:
    """A table for each metric that the experiment names and that is stored, one of the headline where it names none;
    none where it asks for no contrasts. What cannot be read is added to `problems`. Raises UserError for one of no line
    of it."""
    conf = folder_with(experiment.name, experiment.overrides, conf)
    asked = read_contrasts(experiment.name, conf)
    if not asked:
        return []
    refuse_unknown_lines(experiment, asked)
    found = groups_by_line(groups)
    known = scalar_metrics(next(iter(found.values())).first) if found else []
    own = [_stored(name, known) for name in read_contrast_metrics(experiment.name, conf)]
    metrics: list[str | None] = [name for name in own if name]
    return [_tabulate(experiment, asked, found, name, problems) for name in metrics or [None]]


def _stored(name: str, known: Sequence[str]) -> str | None:
    """A metric by its name, or what stands in for it without the network that the published one takes; None where
    neither is stored."""
    return next((one for one in (name, f"{name}_own") if one in known), None)


def _tabulate(
    experiment: Experiment,
    asked: Mapping[str, Lines],
    found: Mapping[str, Group],
    metric: str | None,
    problems: list[Problem],
) -> Table:
    """A row for each contrast at each number of annotations that both of its lines have, no row where a line is left
    out. metric: None: the headline."""
    rows: list[list[Cell]] = []
    difference, of = "difference", ""
    for words, (first, second) in asked.items():
        if first not in found or second not in found:
            continue
        name = metric or headline(found[first].first)
        shown = measure(name, found[first].first.metrics)
        difference = shown.difference
        of = f"{shown.words}{', of which less is better' if shown.less_is_better else ''}, "
        lines = contrast_lines(found[first], found[second], name, problems)
        against = found[second].say_as_baseline(second)
        seeds = {run.seed for line in (first, second) for run in found[line].runs}
        rows += [_row(words, f"{first} minus {against}", one, seeds, shown) for one in lines]
    return Table(
        f"contrasts-{experiment.name.replace('/', '-')}{f'-{metric}' if metric else ''}",
        f"{experiment.name}: {of}one line minus another, with {LEVEL:.0%} intervals over seeds and over test images; "
        "unpaired are seeds that one of both has alone, begins otherwise with, or has not got there with",
        [
            "what", "lines", "annotations", difference, "seeds", "unpaired", "over seeds, low", "over seeds, high",
            "over test images, low", "over test images, high",
        ],
        rows,
    )  # fmt: skip


def _row(words: str, lines: str, one: Contrast, seeds: Set[int], shown: Measure) -> list[Cell]:
    """seeds: of either line."""
    unpaired = ", ".join(map(str, sorted(seeds - {*one.seeds})))
    ends = [*_ends(one.over_seeds, shown), *_ends(one.over_images, shown)]
    return [words, lines, one.annotations, shown.number(one.mean), len(one.seeds), unpaired, *ends]


def _ends(found: Interval | None, shown: Measure) -> list[Cell]:
    return [None, None] if found is None else [shown.number(found.low), shown.number(found.high)]
