"""What a sweep says at its end: a row for each cell, and one for each line with mean and deviation."""

# No `from __future__ import annotations` here, see processes.py.
import logging
import math
from collections.abc import Callable, Sequence
from functools import wraps
from statistics import fmean, stdev
from typing import ParamSpec, TypeVar

from hydra_plugins.sweep_cells import Cell

logger = logging.getLogger("al_bench")

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


class _Kept(logging.Handler):
    """What was said of errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def closing_with_errors(sweep: Callable[_Given, _Returned]) -> Callable[_Given, _Returned]:
    """The same, and where it ends, however it does, once more what was said of cells that did not finish: among
    hundreds it stands far above."""

    @wraps(sweep)
    def closed(*arguments: _Given.args, **options: _Given.kwargs) -> _Returned:
        logger.addHandler(kept := _Kept())
        try:
            return sweep(*arguments, **options)
        finally:
            logger.removeHandler(kept)
            if kept.said:
                logger.error("\n".join(["not finished:", *kept.said]))

    return closed


def tabulate_sweep(cells: Sequence[Cell], finished: Sequence[Cell]) -> str:
    """Both tables."""
    return "\n\n".join(table for table in (tabulate_cells(cells), tabulate_lines(finished)) if table)


def tabulate_cells(cells: Sequence[Cell]) -> str:
    """A row per cell: how many annotations it has and how good its last model is; below, what others found in words.

    A sentence where nothing is stored of any.
    """
    from tabulate import tabulate

    from al_bench.active.metric import words_of
    from al_bench.config.identity import metrics_of
    from al_bench.procedure.terminal import headline
    from al_bench.storage.known import known_cycles
    from al_bench.storage.record import Measurement, cycles_of

    rows, found = [], []
    known = [(cell, known_cycles(cell.config, cell.folder)) for cell in cells]
    if not any(records for _, records in known):
        return "none of them has stored anything: what each was refused or failed for is said above"
    for cell, records in known:
        name, value = headline(records[-1]) if records else ("", None)
        found += [f"{cell.name}: {record.finished}" for record in records if isinstance(record, Measurement)]
        annotations = [record.annotations for record in cycles_of(records)]
        last = {} if records and not annotations else {"annotations": annotations[-1] if annotations else 0}
        rows.append(
            {"cell": cell.name, **last, **({words_of(name, metrics_of(cell.config)): value} if records else {})}
        )
    table: str = tabulate(rows, headers="keys", floatfmt=".4f", intfmt=",", missingval="-")
    return "\n".join([table, *found])


def tabulate_lines(cells: Sequence[Cell]) -> str:
    """Mean and standard deviation (n - 1) over the seeds of each line, of those that have as many annotations as the
    furthest; "" where no line has two. cells: the finished ones."""
    from tabulate import tabulate

    from al_bench.active.metric import words_of
    from al_bench.config.identity import metrics_of
    from al_bench.procedure.terminal import headline
    from al_bench.storage.known import known_cycles
    from al_bench.storage.record import cycles_of

    found: dict[tuple[str, str], dict[int, list[float]]] = {}
    for cell in cells:
        records = known_cycles(cell.config, cell.folder)
        name, value = headline(records[-1]) if records else ("", math.nan)
        if math.isfinite(value):
            last = [0, *(record.annotations for record in cycles_of(records))][-1]
            key = cell.line, words_of(name, metrics_of(cell.config))
            found.setdefault(key, {}).setdefault(last, []).append(value)
    rows = [_row(*key, *max(values_at.items())) for key, values_at in found.items()]
    if all(row["seeds"] == 1 for row in rows):
        return ""
    table: str = tabulate(rows, headers="keys", floatfmt=".4f", intfmt=",", missingval="-")
    return table


def _row(line: str, metric: str, annotations: int, values: Sequence[float]) -> dict[str, object]:
    spread = stdev(values) if len(values) > 1 else None
    at = {"annotations": annotations} if annotations else {}
    return {"line": line, **at, "seeds": len(values), f"mean {metric}": fmean(values), "deviation": spread}
