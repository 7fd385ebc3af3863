"""An experiment's cells on the page: how many are finished, what makes the others, what is stored beside."""

import textwrap
from collections.abc import Iterable, Sequence

from al_bench.analysis.experiment import Experiment
from al_bench.analysis.reading import Run
from al_bench.analysis.sweep_plan import LinePlan, plan_line
from al_bench.config.values import from_project
from al_bench.errors import amount
from al_bench.progress import duration
from al_bench.report.measures import listed
from al_bench.report.tables import Cell, Table

_MOST_DIFFERENCES = 6


def tabulate_cells(experiment: Experiment, stored: Iterable[Run]) -> Table:
    """Each line with how many of its seeds are finished, begun, missing."""
    runs, cells = list(stored), experiment.all_lines
    rows = [_row(plan_line(cells[line.line], line, runs)) for line in experiment.progress(runs)]
    columns = ["line", "cells", "finished", "begun", "what makes the rest", "time of the rest"]
    version = [experiment.version] if experiment.version else []
    name = "-".join(["cells", *experiment.name.split("/"), *version])
    return Table(name, f"Cells of {', '.join([experiment.name, *version])}", columns, rows)


def _row(plan: LinePlan) -> list[Cell]:
    line = plan.progress
    begun = [f"seed {seed}: {amount(bought, 'annotation')} so far" for seed, bought in line.begun.items()]
    time = None if line.command is None else _say_time(plan)
    return [line.line, line.cells, len(line.finished), listed(begun) if begun else None, line.command, time]


def _say_time(plan: LinePlan) -> str:
    """One cell after the other, on what the stored ones ran on."""
    if plan.seconds is None:
        return "not known"
    return duration(plan.seconds) + (", by another configuration's" if plan.from_other else "")


def summarize_cells(experiment: Experiment, stored: Iterable[Run]) -> str:
    """How many cells there are of it."""
    lines = experiment.progress(stored)
    finished = sum(len(line.finished) for line in lines)
    return f"{finished} of {amount(sum(line.cells for line in lines), 'cell')} finished"


def format_differences(lines: Sequence[str]) -> str:
    """Where a stored identity is another than the cell's."""
    more = [f"and {amount(len(lines) - _MOST_DIFFERENCES, 'more place')}"] if len(lines) > _MOST_DIFFERENCES else []
    told = [textwrap.shorten(from_project(line), 240, placeholder=" …") for line in lines[:_MOST_DIFFERENCES]]
    return "; ".join([*told, *more])
