"""An experiment's versions side by side: the same lines under other settings, with the training steps that each took.

WAAL's tables have two: its epochs run over the unlabeled images, those of its baselines over the labeled ones, so that
equally many epochs are up to 38 times as many steps; `match_steps=true` gives every line as many. An experiment asks
for this by `versions:` in its file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from al_bench.analysis.curves import Point, headline
from al_bench.analysis.experiment import Experiment
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Run
from al_bench.analysis.versions import Outcome, Side, outcome
from al_bench.report.cells import summarize_cells, tabulate_cells
from al_bench.report.figures.charts import Charts, Looks
from al_bench.report.figures.svg import Picture
from al_bench.report.measures import Measure, measure
from al_bench.report.paper import Addition, Paper
from al_bench.report.tables import Cell, Table

_AIR = 0.04  # above and below the lines of a plot, in fractions of their height


@dataclass(frozen=True)
class Count:
    """One number of annotations. said: what its table comes to, "" where no line is the same in all versions."""

    annotations: int
    said: str
    table: Table


@dataclass(frozen=True)
class Versions:
    """cells: of each version but the first, the lines that differ, with how many are finished; plots: by the version's
    words, None where nothing of it is stored; unchanged: the lines that are the same in all; whole: all counts."""

    sides: Sequence[Side]
    cells: Sequence[tuple[Experiment, Table, str]]
    plots: Sequence[tuple[str, Picture | None]]
    unchanged: Sequence[str]
    counts: Sequence[Count]
    whole: Table | None

    @property
    def groups(self) -> list[Group]:
        """One of each line that is stored in any version: for a legend."""
        found = {group.name: group for side in self.sides for group in side.section.groups}
        return [found[name] for name in self.sides[0].version.all_lines if name in found]

    @property
    def tables(self) -> list[Table]:
        """Those that are written beside the page."""
        return [*(table for _, table, _ in self.cells), *([self.whole] if self.whole else [])]


def compare_versions(of: Sequence[Side], stored: Sequence[Run], looks: Looks, band: str) -> Versions:
    """Plots and tabulates. of: as `sides` gives them, at least two; band: "range" or "deviation"."""
    first, *others = of
    unchanged = first.version.unchanged
    changed = [side.version.without(unchanged) for side in others]
    cells = [(one, tabulate_cells(one, stored), summarize_cells(one, stored)) for one in changed]
    groups = [group for side in of for group in side.section.groups]
    if not groups:
        return Versions(of, cells, [(side.words, None) for side in of], unchanged, [], None)
    name = headline(groups[0].first)
    tables = _tables(of, name, unchanged)
    counts = [tables.count(at) for at in tables.numbers]
    return Versions(of, cells, _plots(of, name, looks, band), unchanged, counts, tables.whole())


def _plots(of: Sequence[Side], name: str, looks: Looks, band: str) -> list[tuple[str, Picture | None]]:
    """The metric of that name in each version, on one scale."""
    charts = [Charts(side.section, looks, band) if side.section.groups else None for side in of]
    spans = [span for chart in charts if chart and (span := chart.span(name)) is not None]
    low, high = min((low for low, _ in spans), default=0.0), max((high for _, high in spans), default=0.0)
    air = _AIR * (high - low) or 1.0
    span = low - air, high + air
    plots = [chart.metric(name, span=span) if chart else None for chart in charts]
    return list(zip((side.words for side in of), plots, strict=True))


@dataclass(frozen=True)
class _Tables:
    """Of all versions. lines: of the experiment; shown: how its metric is written; reference: a line that is the same
    in all versions, whose difference to each other one is shown, None for none."""

    experiment: str
    lines: Sequence[str]
    outcomes: Sequence[Outcome]
    shown: Measure
    reference: str | None

    @property
    def numbers(self) -> list[int]:
        """Of annotations, at which any line of any version is measured."""
        return sorted({at for one in self.outcomes for points in one.values.values() for at in points})

    def count(self, at: int) -> Count:
        words = [one.words for one in self.outcomes]
        minus = [f"{self.reference} minus {one}" for one in words] if self.reference else []
        columns = [*(f"{one}: {self.shown.axis} (seeds)" for one in words), *minus, *(f"{one}: steps" for one in words)]
        rows = [[line, *self._row(line, at)] for line in self.lines]
        about = f"{self.experiment} at {at:,} annotations: {' and '.join(words)}"
        return Count(at, self._summarize(at), Table("", about, ["line", *columns], rows))

    def _row(self, line: str, at: int) -> list[Cell]:
        minus = [one.minus(self.reference, line, at) for one in self.outcomes] if self.reference else []
        return [
            *(self._format(one.point(line, at)) for one in self.outcomes),
            *(None if value is None else f"{value * self.shown.factor:+.{self.shown.digits}f}" for value in minus),
            *(one.training_steps(line, at) for one in self.outcomes),
        ]

    def _format(self, found: Point | None) -> str | None:
        if found is None:
            return None
        mean, deviation = self.shown.number(found.mean), self.shown.number(found.deviation)
        spread = f" ± {deviation:.{self.shown.digits}f}" if deviation is not None else ""
        return f"{mean:.{self.shown.digits}f}{spread} ({found.seeds})"

    def whole(self) -> Table:
        """For programs: a row for each line and version at each number, in full precision."""
        rows: list[list[Cell]] = [
            [at, line, one.words, *self._numbers(one, line, at)]
            for at in self.numbers
            for line in self.lines
            for one in self.outcomes
        ]
        minus = [f"{self.reference} minus it"] if self.reference else []
        columns = ["annotations", "line", "version", self.shown.axis, "deviation", "seeds", "steps", *minus]
        about = f"{self.experiment}, each version: means over seeds, optimizer steps of the cycle's training"
        return Table(f"versions-{self.experiment.replace('/', '-')}", about, columns, rows)

    def _numbers(self, one: Outcome, line: str, at: int) -> list[Cell]:
        found, number = one.point(line, at), self.shown.number
        known = [number(found.mean), number(found.deviation), found.seeds] if found else [None] * 3
        minus = [number(one.minus(self.reference, line, at))] if self.reference else []
        return [*known, one.training_steps(line, at), *minus]

    def _summarize(self, at: int) -> str:
        """The reference, and how far it is ahead of the best other line of each version."""
        own = next((mean for one in self.outcomes if (mean := one.mean(self.reference, at)) is not None), None)
        if self.reference is None or own is None:
            return f"{self.reference} is not measured" if self.reference else ""
        return f"{self.reference} {self.shown.written(own)}; {'; '.join(self._ahead(one, at) for one in self.outcomes)}"

    def _ahead(self, one: Outcome, at: int) -> str:
        sign = -1 if self.shown.less_is_better else 1
        others = {
            line: sign * minus for line in self.lines if (minus := one.minus(self.reference, line, at)) is not None
        }
        if not others:
            return f"nothing else {one.words}"
        best = min(others, key=lambda line: others[line])
        among = f"the best of {len(others)}" if len(others) > 1 else "the only other one"
        gain = f"{abs(others[best]) * self.shown.factor:.{self.shown.digits}f}"
        gain += f" {self.shown.unit_of_differences}" if self.shown.unit else ""
        return f"{one.words} {gain} {'ahead of' if others[best] >= 0 else 'behind'} {best}, {among}"


def _tables(of: Sequence[Side], name: str, unchanged: Sequence[str]) -> _Tables:
    outcomes = [outcome(side, name) for side in of]
    first = of[0].version
    known = next((group.first.metrics for side in of for group in side.section.groups), ())
    shown = measure(name, known)
    return _Tables(first.name, list(first.all_lines), outcomes, shown, unchanged[0] if unchanged else None)


def add_versions(of: Sequence[Side], stored: Sequence[Run], looks: Looks, band: str) -> Addition | None:
    """To an experiment whose file names several."""
    if not of:
        return None
    found = compare_versions(of, stored, looks, band)
    return Addition("versions", "Versions", "waal.html", found, found.tables)


PAPER = Paper(of_versions=add_versions)
