"""A paper's numbers beside ours: how far apart both means are, in standard deviations over seeds."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from al_bench.analysis.curves import Point, curve, entropies, headline, last_common, metric, point, scalar_metrics
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.published import Number, Published
from al_bench.report.measures import Measure, counted, listed, measure
from al_bench.report.tables import Cell, Table

_RUN_FOR = ("experiment", "recipe")  # the choices of a run that may bear the name of a table
_CHOSEN = ("method", "strategy")
_MOST_LISTED = 12  # numbers; more than these are shown as the paper prints them


@dataclass(frozen=True)
class Pair:
    """A published number and what was measured. line: of the table; shown: how both are written; found: None where
    nothing was measured."""

    number: Number
    line: str
    shown: Measure
    found: Point | None

    @property
    def mean(self) -> float | None:
        return self.shown.number(self.found.mean) if self.found else None

    @property
    def deviation(self) -> float | None:
        """Of ours, None for a single seed."""
        return self.shown.number(self.found.deviation) if self.found else None

    @property
    def difference(self) -> float | None:
        """Our mean minus the published one."""
        return None if self.mean is None else self.mean - self.number.mean

    @property
    def deviations(self) -> float | None:
        """The difference in standard deviations over seeds; None where the paper prints none."""
        scale = self._pooled()
        return self.difference / scale if self.difference is not None and scale else None

    def _pooled(self) -> float | None:
        """Of both, each variance weighted by its number of seeds less one: a deviation of five seeds is itself known
        to a third only. The paper's alone where ours is of one seed, or where it does not say of how many its is."""
        theirs, ours = self.number.std, self.deviation
        if theirs is None or ours is None or self.found is None or self.number.n is None:
            return theirs
        weights = self.number.n - 1, self.found.seeds - 1
        return math.sqrt((weights[0] * theirs**2 + weights[1] * ours**2) / sum(weights))


@dataclass(frozen=True)
class Comparison:
    """table: a number a row; grid: as the paper prints them, a column per line, None where they are few; spread:
    whether the paper prints deviations; said: what it comes to in these, "" where there are none."""

    table: Table
    grid: Table | None
    spread: bool
    said: str

    @property
    def tables(self) -> list[Table]:
        return [self.table, *([self.grid] if self.grid else [])]


def run_for(table: Published, section: Section) -> list[Group]:
    """The groups of a section that were run for an experiment or the recipe of its name."""
    return [group for group in section.groups if table.name in (group.first.choices.get(key) for key in _RUN_FOR)]


def compared(table: Published, groups: Sequence[Group]) -> Comparison | None:
    """Published beside measured; None where there is no number to compare."""
    pairs = [_pair(number, group) for number in table.numbers for group in _of_method(number, groups)]
    if not pairs:
        return None
    name = "published-" + table.name.replace("/", "-")
    spread = any(pair.number.std is not None for pair in pairs)
    return Comparison(_table(name, table.name, pairs), _grid(name, table.name, pairs), spread, said(pairs))


def said(pairs: Sequence[Pair]) -> str:
    """How many are measured, how many of these are near the published mean, which is farthest from it."""
    apart = {pair: pair.deviations for pair in pairs}
    known = {pair: value for pair, value in apart.items() if value is not None}
    if not known:
        return ""
    within = [sum(abs(value) <= most for value in known.values()) for most in (1, 2)]
    far, most = max(known.items(), key=lambda one: abs(one[1]))
    single = [pair.line for pair in known if pair.deviation is None]
    return (
        f"{len(known):,} of {counted(len(pairs), 'number')} measured, {within[0]:,} within one deviation of the "
        f"paper's mean and {within[1]:,} within two; farthest from it is {far.line} at {_at(far.number.column)}, by "
        f"{abs(most):.1f} {'above' if most > 0 else 'below'}."
    ) + (f" Of one seed alone: {len(single):,} ({listed(list(dict.fromkeys(single)))})." if single else "")


def _of_method(number: Number, groups: Sequence[Group]) -> list[Group | None]:
    """By the name of the line, else by what was chosen for it."""
    named = [group for group in groups if group.method == number.row]
    chosen = [group for group in groups if number.row in (group.first.choices.get(key) for key in _CHOSEN)]
    return [*(named or chosen)] or [None]


def _pair(number: Number, group: Group | None) -> Pair:
    if group is None:
        return Pair(number, number.row, measure(""), None)
    return Pair(number, group.name, *_measured(number, group))


def _measured(number: Number, group: Group) -> tuple[Measure, Point | None]:
    """The headline metric at a number of annotations, a metric by its name at the end, the entropy over all cycles."""
    if number.column.replace(" ", "_") == "chosen_entropy":
        values = [fmean(known) for run in group.runs if (known := entropies(run.cycles))]
        return measure("entropy"), point(0, values) if values else None
    name = number.column if number.column in scalar_metrics(group.first) else headline(group.first)
    points = curve(group.runs, metric(name))
    if name == number.column:
        return measure(name), last_common(points)
    wanted = number.column.replace(",", "")
    return measure(name), next((known for known in points if str(known.annotations) == wanted), None)


def _table(name: str, about: str, pairs: Sequence[Pair]) -> Table:
    columns = (
        "method", "at", "published", "its std", "its n", "measured", "our std", "seeds",
        "difference", "in deviations", "source",
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            pair.line if pair.found else f"{pair.line} (not measured)",
            pair.number.column, pair.number.mean, pair.number.std, pair.number.n,
            pair.mean, pair.deviation, pair.found.seeds if pair.found else None,
            pair.difference, pair.deviations, pair.number.source,
        ]
        for pair in pairs
    ]  # fmt: skip
    return Table(name, f"Published numbers of {about}", columns, rows)


def _grid(name: str, about: str, pairs: Sequence[Pair]) -> Table | None:
    """Of the numbers at a number of annotations: for each the paper's, ours, our seeds, the difference."""
    cells = {(pair.line, pair.number.column): pair for pair in pairs if pair.number.column.isdigit()}
    if len(cells) <= _MOST_LISTED:
        return None
    lines, columns = (list(dict.fromkeys(key[place] for key in cells)) for place in (0, 1))
    rows: list[list[Cell]] = []
    for column in columns:
        row = [cells.get((line, column)) for line in lines]
        rows += [
            [_at(column), words, *(value(pair) if pair else None for pair in row)] for words, value in _SHOWN.items()
        ]
    about = f"{about}, means and deviations over seeds: the paper's, ours, and how many deviations these are apart"
    return Table(f"{name}-grid", about, ["annotations", "", *lines], rows)


def _theirs(pair: Pair) -> str:
    return _written(pair, pair.number.mean, pair.number.std)


def _ours(pair: Pair) -> str | None:
    return None if pair.mean is None else _written(pair, pair.mean, pair.deviation)


def _written(pair: Pair, mean: float, deviation: float | None) -> str:
    digits = pair.shown.digits + 1 if pair.found else 2
    return f"{mean:.{digits}f}" + (f" ± {deviation:.{digits}f}" if deviation is not None else "")


def _apart(pair: Pair) -> str | None:
    return None if pair.deviations is None else f"{round(pair.deviations, 1) + 0.0:+.1f}"  # no -0.0


_SHOWN: Mapping[str, Callable[[Pair], Cell]] = {
    "paper": _theirs,
    "ours": _ours,
    "our seeds": lambda pair: pair.found.seeds if pair.found else None,
    "apart": _apart,
}


def _at(column: str) -> str:
    return f"{int(column):,}" if column.isdigit() else column
