"""A paper's numbers beside ours, as tables and in a sentence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from al_bench.analysis.comparison import ComparedNumber, compare_numbers
from al_bench.analysis.grouping import Group
from al_bench.analysis.published import Number, Published
from al_bench.errors import amount
from al_bench.report.measures import factor_of, listed, measure
from al_bench.report.tables import Cell, Table

_MOST_LISTED = 12  # numbers; more than these are shown as the paper prints them


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


def compare(table: Published, groups: Sequence[Group]) -> Comparison | None:
    """Published beside measured; None where there is no number to compare."""
    pairs = compare_numbers(table, groups, factor_of)
    if not pairs:
        return None
    name = "published-" + table.name.replace("/", "-")
    spread = any(pair.number.std is not None for pair in pairs)
    return Comparison(_table(name, table.name, pairs), _grid(name, table.name, pairs), spread, summarize(pairs))


def summarize(pairs: Sequence[ComparedNumber]) -> str:
    """How many are measured, how many of these are near the published mean, which is farthest from it; of those that
    nobody doubts."""
    pairs = [pair for pair in pairs if not pair.number.doubt]
    apart = {pair: pair.deviations for pair in pairs}
    known = {pair: value for pair, value in apart.items() if value is not None}
    if not known:
        return ""
    within = [sum(abs(value) <= most for value in known.values()) for most in (1, 2)]
    far, most = max(known.items(), key=lambda one: abs(one[1]))
    single = [pair.line for pair in known if pair.deviation is None]
    return (
        f"{len(known):,} of {amount(len(pairs), 'number')} measured, {within[0]:,} within one deviation of the "
        f"paper's mean and {within[1]:,} within two; farthest from it is {far.line} at {_at(far.number.column)}, by "
        f"{abs(most):.1f} {'above' if most > 0 else 'below'}."
    ) + (f" Of one seed alone: {len(single):,} ({listed(list(dict.fromkeys(single)))})." if single else "")


def _table(name: str, about: str, pairs: Sequence[ComparedNumber]) -> Table:
    columns = (
        "method", "at", "published", "its std", "its n", "measured", "our std", "seeds",
        "difference", "in deviations", "source",
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            pair.line if pair.found else f"{pair.line} (not measured)",
            pair.number.column, pair.number.mean, pair.number.std, pair.number.n,
            pair.mean, pair.deviation, pair.found.seeds if pair.found else None,
            pair.difference, pair.deviations, _source(pair.number),
        ]
        for pair in pairs
    ]  # fmt: skip
    return Table(name, f"Published numbers of {about}", columns, rows)


def _source(number: Number) -> str:
    return f"{number.source}; compared with nothing: {number.doubt}" if number.doubt else number.source


def _grid(name: str, about: str, pairs: Sequence[ComparedNumber]) -> Table | None:
    """Of the numbers at a number of annotations: for each the paper's, ours, our seeds, the difference."""
    cells = {(pair.line, pair.number.column): pair for pair in pairs if pair.number.column.isdigit()}
    if len(cells) <= _MOST_LISTED:
        return None
    lines, columns = (list(dict.fromkeys(key[place] for key in cells)) for place in (0, 1))
    rows: list[list[Cell]] = []
    for column in columns:
        row = [cells.get((line, column)) for line in lines]
        rows += [
            [_at(column), words, *(value(pair) if pair else None for pair in row)] for words, value in _ROWS.items()
        ]
    about = f"{about}, means and deviations over seeds: the paper's, ours, and how many deviations these are apart"
    return Table(f"{name}-grid", about, ["annotations", "", *lines], rows)


def _theirs(pair: ComparedNumber) -> str:
    return _format(pair, pair.number.mean, pair.number.std) + (" (doubted)" if pair.number.doubt else "")


def _ours(pair: ComparedNumber) -> str | None:
    return None if pair.mean is None else _format(pair, pair.mean, pair.deviation)


def _format(pair: ComparedNumber, mean: float, deviation: float | None) -> str:
    digits = measure(pair.metric, pair.declared).digits + 1 if pair.found else 2
    return f"{mean:.{digits}f}" + (f" ± {deviation:.{digits}f}" if deviation is not None else "")


def _apart(pair: ComparedNumber) -> str | None:
    return None if pair.deviations is None else f"{round(pair.deviations, 1) + 0.0:+.1f}"  # no -0.0


_ROWS: Mapping[str, Callable[[ComparedNumber], Cell]] = {
    "paper": _theirs,
    "ours": _ours,
    "our seeds": lambda pair: pair.found.seeds if pair.found else None,
    "apart": _apart,
}


def _at(column: str) -> str:
    return f"{int(column):,}" if column.isdigit() else column
