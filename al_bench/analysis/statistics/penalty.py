"""Which line beats which, and how often: the pairwise penalty matrix.

At each number of annotations a line that beats another by a two-sided paired t test gives it a share of one: the entry
of a row and a column is the fraction of sizes at which the row's line is ahead of the column's (BADGE, Ash et al. 2020,
Sec. 4). So a good line has large numbers in its row and small ones in its column.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from al_bench.analysis.statistics.paired import compare_pairs

Values = Mapping[int, Mapping[int, float]]  # of a line: by size, then by seed


def penalty_matrix(lines: Sequence[Values], higher_is_better: bool = True) -> np.ndarray:
    """(L, L) of fractions in [0, 1]; nan where two lines have no size with two seeds in common, 0 on the diagonal."""
    found = np.full((len(lines), len(lines)), np.nan)
    for row, first in enumerate(lines):
        found[row, row] = 0.0
        for column in range(row + 1, len(lines)):
            tests = [
                compare_pairs(first[size], lines[column][size], higher_is_better)
                for size in sorted(first.keys() & lines[column].keys())
            ]
            told = [test.better for test in tests if test is not None and test.p is not None]
            if told:
                found[row, column] = told.count(True) / len(told)
                found[column, row] = told.count(False) / len(told)
    return found
