"""Which line of a column is best, where tests say so of it and of nobody else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from al_bench.analysis.statistics.correction import correct
from al_bench.analysis.statistics.paired import compare_pairs

Values = Mapping[int, float]  # of a line, by seed


@dataclass(frozen=True)
class Best:
    """The line of a column that is told from every other. place: its number; pairs: how many seeds each of the tests
    was over."""

    place: int
    pairs: Sequence[int]


def find_best(columns: Sequence[Sequence[Values]], higher_is_better: bool) -> list[Best | None]:
    """For each column the line that is told from every other line of it; None where there is none.

    columns: of each the values of each line, empty where it has none there. The tests are of a column's best mean
    against each other line, corrected over all columns; a line without a seed in common leaves the column undecided.
    """
    leads = [_find_lead(column, higher_is_better) for column in columns]
    tests = [
        [compare_pairs(column[lead], other, higher_is_better) for other in _others(column, lead)]
        for column, lead in zip(columns, leads, strict=True)
    ]
    corrected = iter(correct([test for of_column in tests for test in of_column if test is not None]))
    found: list[Best | None] = []
    for lead, of_column in zip(leads, tests, strict=True):
        told = [None if test is None else next(corrected).better for test in of_column]
        pairs = [test.n for test in of_column if test is not None]
        found.append(Best(lead, pairs) if told and all(told) else None)
    return found


def say_best(found: Sequence[Best | None]) -> str:
    """What the marks of the best mean, over how many seeds the tests behind them are; "" where nothing is marked."""
    numbers = sorted({pairs for best in found if best is not None for pairs in best.pairs})
    if not numbers:
        return ""
    several = " to ".join(map(str, dict.fromkeys([numbers[0], numbers[-1]])))
    return (
        f"bold: better than every other of its column, paired t over the seeds that both lines have (n = {several}), "
        "after Holm's correction over the table"
    )


def _find_lead(column: Sequence[Values], higher_is_better: bool) -> int:
    """The first of the best means; 0 where there is none."""
    means = {place: fmean(values.values()) for place, values in enumerate(column) if values}
    sign = 1 if higher_is_better else -1
    return max(means, key=lambda place: sign * means[place], default=0)


def _others(column: Sequence[Values], lead: int) -> list[Values]:
    return [values for place, values in enumerate(column) if place != lead and values]
