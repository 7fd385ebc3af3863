"""Which line of a column is best, where tests say so of it and of nobody else."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean

from al_bench.analysis.statistics.correction import correct
from al_bench.analysis.statistics.paired import compare_pairs

Values = Mapping[int, float]  # of a line, by seed


def find_best(columns: Sequence[Sequence[Values]], higher_is_better: bool) -> list[int | None]:
    """For each column the place of the line that is told from every other line of it; None where there is none.

    columns: of each the values of each line, empty where it has none there. The tests are of a column's best mean
    against each other line, corrected over all columns; a line without a seed in common leaves the column undecided.
    """
    leads = [_find_lead(column, higher_is_better) for column in columns]
    pairs = [
        [compare_pairs(column[lead], other, higher_is_better) for other in _others(column, lead)]
        for column, lead in zip(columns, leads, strict=True)
    ]
    corrected = iter(correct([test for of_column in pairs for test in of_column if test is not None]))
    found: list[int | None] = []
    for lead, of_column in zip(leads, pairs, strict=True):
        told = [None if test is None else next(corrected).better for test in of_column]
        found.append(lead if told and all(told) else None)
    return found


def say_best(lines: Sequence[Collection[int]]) -> str:
    """What a mark of the best means. lines: the seeds of each."""
    common = sorted({len({*first} & {*second}) for first, second in itertools.combinations(lines, 2)} - {0})
    numbers = " to ".join(map(str, dict.fromkeys([common[0], common[-1]]))) if common else "0"
    return (
        f"bold: better than every other of its column, paired t over the seeds that both lines have (n = {numbers}), "
        "after Holm's correction over the table"
    )


def _find_lead(column: Sequence[Values], higher_is_better: bool) -> int:
    """The first of the best means; 0 where there is none."""
    means = {place: fmean(values.values()) for place, values in enumerate(column) if values}
    sign = 1 if higher_is_better else -1
    return max(means, key=lambda place: sign * means[place], default=0)


def _others(column: Sequence[Values], lead: int) -> list[Values]:
    return [values for place, values in enumerate(column) if place != lead and values]
