"""What was measured of models while they were trained: over iterations and over seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from al_bench.active.metric import ITERATION
from al_bench.analysis.curves import last_common
from al_bench.analysis.grouping import Group, group_by
from al_bench.analysis.watched import LossCurves, Watched, last_losses, watched_cycles
from al_bench.errors import amount
from al_bench.report.figures.charts import Charts, alt_text, over_annotations
from al_bench.report.figures.plots import Line, line_chart
from al_bench.report.figures.svg import Picture
from al_bench.report.measures import listed, measure
from al_bench.report.tables import Cell, Table


@dataclass(frozen=True)
class Trainings:
    """Of a section. groups: those that are drawn; cycles: which cycle of each is, in words; pictures: of each metric
    one over iterations and one over seconds; table: every look into every cycle."""

    groups: Sequence[Group]
    cycles: str
    pictures: Sequence[tuple[Picture, Picture]]
    table: Table


@dataclass(frozen=True)
class Losses:
    """Of a section. groups: those that are drawn; cycles: which cycle of each is, in words; pictures: one of each loss
    of each training, over iterations; table: their points."""

    groups: Sequence[Group]
    cycles: str
    pictures: Sequence[Picture]
    table: Table


def show_trainings(charts: Charts) -> Trainings | None:
    """The last cycle of each method that all of its seeds looked into; None where nobody looked."""
    every = [(group, watched_cycles(group.runs)) for group in charts.section.groups]
    shown = [(group, last) for group, cycles in every if (last := last_common(cycles)) is not None]
    if not shown:
        return None
    names = dict.fromkeys(name for _, watched in shown for name, points in watched.curves.items() if points)
    pictures = [_pictures(charts, shown, name) for name in names]
    return Trainings([group for group, _ in shown], _say_cycles(shown), pictures, _tabulate(charts, every))


def _pictures(charts: Charts, shown: Sequence[tuple[Group, Watched]], name: str) -> tuple[Picture, Picture]:
    written = measure(name, charts.section.groups[0].first.metrics)
    found = [(group, watched, points) for group, watched in shown if (points := watched.curves.get(name))]
    looks = [charts.looks[group.method, group.variant] for group, *_ in found]
    lines = [
        over_annotations(group.name, look, points, written, charts.band)
        for (group, _, points), look in zip(found, looks, strict=True)
    ]
    timed = [
        replace(line, x=[watched.seconds[point.at] for point in points])
        for line, (_, watched, points) in zip(lines, found, strict=True)
    ]
    return _chart(lines, "iterations", written.axis), _chart(timed, "seconds of training", written.axis)


def _chart(lines: Sequence[Line], over: str, axis: str) -> Picture:
    return line_chart(lines, over, axis, alt_text(axis, lines, over))


def _say_cycles(shown: Sequence[tuple[Group, Watched | LossCurves]]) -> str:
    """ "cycle 3 (400 annotations) of random and entropy"."""
    alike = group_by(shown, lambda one: (one[1].cycle, one[1].annotations))
    if len(alike) == 1:
        ((cycle, annotations),) = alike
        return f"cycle {cycle} ({amount(annotations, 'annotation')})"
    return listed(
        [
            f"cycle {cycle} ({amount(annotations, 'annotation')}) of {listed([group.name for group, _ in found])}"
            for (cycle, annotations), found in alike.items()
        ]
    )


def _tabulate(charts: Charts, every: Sequence[tuple[Group, Sequence[Watched]]]) -> Table:
    columns = [
        "method", "cycle", "annotations", "metric", ITERATION, "seconds", "seeds", "mean", "minimum", "maximum",
        "deviation",
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [
            group.name, watched.cycle, watched.annotations, name, one.at, watched.seconds[one.at],
            one.seeds, one.mean, one.minimum, one.maximum, one.deviation,
        ]
        for group, cycles in every for watched in cycles for name, points in watched.curves.items() for one in points
    ]  # fmt: skip
    about = f"{charts.section.title}: every look at a model while it was trained, over seeds, in stored units"
    return Table("observed", about, columns, rows)


def show_losses(charts: Charts) -> Losses | None:
    """Of the last cycle of each method of which its seeds keep them; None where no run does."""
    shown = [(group, found) for group in charts.section.groups if (found := last_losses(group.runs)) is not None]
    if not shown:
        return None
    names = dict.fromkeys(names for _, found in shown for names in found.curves)
    pictures = []
    for training, loss in names:
        lines = [
            over_annotations(
                group.name, charts.looks[group.method, group.variant], found.curves[training, loss], measure(""),
                charts.band,
            )
            for group, found in shown if (training, loss) in found.curves
        ]  # fmt: skip
        pictures.append(_chart(lines, "iterations", f"{training}: {loss.replace('_', ' ')}"))
    rows: list[list[Cell]] = [
        [group.name, found.cycle, found.annotations, training, loss, one.at, one.seeds, one.mean, one.minimum,
         one.maximum]
        for group, found in shown for (training, loss), points in found.curves.items() for one in points
    ]  # fmt: skip
    columns = [
        "method", "cycle", "annotations", "training", "loss", ITERATION, "seeds", "mean", "minimum", "maximum",
    ]  # fmt: skip
    about = f"{charts.section.title}: losses of the last trainings, means over stretches that end at an iteration"
    table = Table("losses", about, columns, rows)
    return Losses([group for group, _ in shown], _say_cycles(shown), pictures, table)
