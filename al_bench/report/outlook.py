"""How sure an accuracy is, and how many labels a better one will take."""

from collections.abc import Iterator, Sequence

from al_bench.active.interval import wilson_interval
from al_bench.analysis.forecast import CONFIDENCES, Forecast, MeasuredCycle, forecast, measured
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.reading import Run
from al_bench.report.tables import Cell, Table

_LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)  # those that people ask for
_GOALS = 2  # levels above what is measured


def tabulate_standings(section: Section) -> Table:
    """The last accuracy of each run with its interval, of a single run that of every cycle; no rows where it is not
    known of how many test images."""
    curves = list(_curves(section))
    single = len(curves) == 1
    rows = [
        [group.name, *_sure(one), run.seed] for group, run, curve in curves for one in (curve if single else curve[-1:])
    ]
    of = "each" if single else "the last"
    about = f"{section.title}: accuracy of {of} cycle, and Wilson's 95 % interval for other test images"
    columns = ["method", "annotations", "accuracy, %", "95 % interval, %", "test images", "seed"]
    return Table("standing", about, columns, rows)


def _sure(cycle: MeasuredCycle) -> list[Cell]:
    low, high = wilson_interval(cycle.correct, cycle.count)
    share = 100 * cycle.correct / cycle.count
    return [cycle.annotations, share, f"{100 * low:.1f} to {100 * high:.1f}", cycle.count]


def tabulate_forecasts(section: Section) -> Table:
    """Of each method's first run the labels until the next accuracies are measured."""
    rows: list[list[Cell]] = []
    for group, run, curve in _curves(section):
        if run is group.first:
            found = [forecast(curve, goal, _pool(run)) for goal in _goals(run, curve)]
            rows += [[group.name, 100 * one.goal, *_said(one), run.seed] for one in found if not one.reason]
    about = f"{section.title}: annotations at which an accuracy will be measured for the first time"
    columns = ["method", "accuracy, %", "median", *(f"{100 * one:.0f} % interval" for one in CONFIDENCES)]
    return Table("forecast", about, [*columns, "looked up to", "seed"], rows)


def _curves(section: Section) -> Iterator[tuple[Group, Run, list[MeasuredCycle]]]:
    for group in section.groups:
        for run in group.runs:
            if curve := measured(run.cycles):
                yield group, run, curve


def _goals(run: Run, curve: Sequence[MeasuredCycle]) -> list[float]:
    """What the run was asked for, and the next levels above what is measured."""
    best = max(one.correct / one.count for one in curve)
    asked = (run.config["loop"].get("stop_at") or {}).get("accuracy")
    above = [level for level in _LEVELS if level > best][:_GOALS]
    return sorted({*above, *([float(asked)] if asked and best < asked <= 1 else [])})


def _pool(run: Run) -> int:
    """Annotations that could be bought in all."""
    last = run.cycles[-1]
    return last.annotations + last.unlabeled


def _said(found: Forecast) -> list[Cell]:
    spans = [found.intervals[one] for one in CONFIDENCES]
    beyond = f"more than {found.most:,}"
    texts = [beyond if low is None else f"{low:,} to {f'{high:,}' if high else beyond}" for low, high in spans]
    return [found.annotations if found.annotations is not None else beyond, *texts, found.most]
