"""An experiment's cells on the page: how many are finished, what makes the others, what is stored beside."""

import textwrap
from collections.abc import Iterable, Sequence

from al_bench.analysis.experiment import Experiment, Progress
from al_bench.analysis.reading import Run
from al_bench.report.measures import counted, listed
from al_bench.report.tables import Cell, Table

_MOST_DIFFERENCES = 6


def tabulate_cells(experiment: Experiment, stored: Iterable[Run]) -> Table:
    """Each line with how many of its seeds are finished, begun, missing."""
    rows = [_row(line) for line in experiment.progress(stored)]
    columns = ["line", "cells", "finished", "begun", "what makes the rest"]
    version = [experiment.version] if experiment.version else []
    name = "-".join(["cells", *experiment.name.split("/"), *version])
    return Table(name, f"Cells of {', '.join([experiment.name, *version])}", columns, rows)


def _row(line: Progress) -> list[Cell]:
    begun = [f"seed {seed}: {counted(bought, 'annotation')} so far" for seed, bought in line.begun.items()]
    return [line.line, line.cells, len(line.finished), listed(begun) if begun else None, line.command]


def summarize_cells(experiment: Experiment, stored: Iterable[Run]) -> str:
    """How many cells there are of it."""
    lines = experiment.progress(stored)
    finished = sum(len(line.finished) for line in lines)
    return f"{finished} of {counted(sum(line.cells for line in lines), 'cell')} finished"


def format_differences(lines: Sequence[str]) -> str:
    """Where a stored identity is another than the cell's."""
    more = [f"and {counted(len(lines) - _MOST_DIFFERENCES, 'more place')}"] if len(lines) > _MOST_DIFFERENCES else []
    return "; ".join([*(textwrap.shorten(line, 240, placeholder=" …") for line in lines[:_MOST_DIFFERENCES]), *more])
