"""What a sweep would do, for a terminal."""

from collections.abc import Sequence

from tabulate import tabulate

from al_bench.analysis.sweep_plan import LinePlan, SweepPlan
from al_bench.config.experiment import Absent
from al_bench.errors import amount
from al_bench.progress import duration
from al_bench.report.measures import size

_MOST_LISTED = 6  # lines of which nothing is known
_MOST_BEGUN = 3  # seeds of a line


def write_plan(plan: SweepPlan) -> str:
    """A row a line, what is trained first, and what all of it comes to."""
    rows = [_row(line) for line in plan.lines]
    table: str = tabulate(rows, headers=["line", "cells", "finished", "begun", "cycles left", "time", "disk"])
    unknown = [line.progress.line for line in plan.lines if line.seconds is None]
    words = [
        table,
        *(_artifact(one.part, one.stored, one.seconds) for one in plan.artifacts),
        *map(_absent, plan.absent),
        f"{amount(plan.cells, 'cell')}, {plan.finished:,} finished: {_cost(plan, unknown)}",
    ]
    if any(line.from_other for line in plan.lines):
        words.append("*: by runs of another configuration of this line, such as another scale")
    if plan.not_given:
        words.append(plan.not_given)
    if unknown:
        more = f" and {len(unknown) - _MOST_LISTED} more" if len(unknown) > _MOST_LISTED else ""
        words.append(f"nothing is stored to tell by of {'; '.join(unknown[:_MOST_LISTED])}{more}")
    return "\n".join(words)


def _cost(plan: SweepPlan, unknown: Sequence[str]) -> str:
    """Of what is known."""
    if plan.finished == plan.cells:
        return "nothing is left to do"
    if len(unknown) == sum(line.cycles != 0 for line in plan.lines):
        return "how long it takes is not known, for nothing alike is stored"
    of = "of what is known " if unknown else ""
    disk = f", and {size(plan.size)} of disk" if any(line.size for line in plan.lines) else ""
    return f"{of}about {duration(plan.seconds)} of computing, one cell after the other{disk}, by what is stored"


def _row(line: LinePlan) -> list[str]:
    own = line.progress
    started = [f"seed {seed} at {annotations:,}" for seed, annotations in own.begun.items()]
    begun = ", ".join(started[:_MOST_BEGUN]) + (f", {len(started) - _MOST_BEGUN} more" * (len(started) > _MOST_BEGUN))
    star = "*" if line.from_other else ""
    time, disk = "-", "-"
    if line.cycles != 0:
        time = "not known" if line.seconds is None else f"{duration(line.seconds)}{star}"
        disk = "not known" if line.size is None else f"{size(line.size)}{star}"
    left = "not known" if line.cycles is None else f"{line.cycles:,}"
    return [own.line, f"{own.cells:,}", f"{len(own.finished):,}", begun or "-", left, time, disk]


def _absent(data: Absent) -> str:
    more = ", and which cells of it are finished is known by its files" if data.counted else ""
    comes = "a run fetches it where it can, else it says" if data.fetched else "a run says"
    return f"missing: {data.place} of dataset={data.dataset}: {comes} what to put there{more}"


def _artifact(part: str, stored: bool, seconds: float | None) -> str:
    took = "for how long is not known" if seconds is None else f"about {duration(seconds)}"
    return f"{part}: stored, if it is of these pictures" if stored else f"{part}: is trained first, {took}"
