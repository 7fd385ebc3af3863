"""Lines over several data sets: mean ranks, and how far apart they have to be (Demsar 2006)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_SETS = 5  # data sets, below which a critical difference says nothing


@dataclass(frozen=True)
class MeanRanks:
    """ranks: (L,), 1 the best; p: of Friedman's test that all lines are alike; difference: that two ranks have to be
    apart by at 5 % (Nemenyi)."""

    ranks: np.ndarray
    p: float
    difference: float


def mean_ranks(values: np.ndarray | Sequence[Sequence[float]], higher_is_better: bool = True) -> MeanRanks | None:
    """Of one value for each data set and line; None for fewer than `FEWEST_SETS` data sets or three lines.

    values: (S, L). Equal values share their mean rank.
    """
    from scipy import stats

    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or table.shape[0] < FEWEST_SETS or table.shape[1] < 3:
        return None
    sets, lines = table.shape
    ranks = stats.rankdata(-table if higher_is_better else table, axis=1)
    spread = stats.studentized_range.ppf(0.95, lines, math.inf) / math.sqrt(2)
    difference = float(spread * math.sqrt(lines * (lines + 1) / (6 * sets)))
    tied = bool((ranks == ranks[:, :1]).all())  # on every data set, of which the test's statistic is 0 / 0
    p = 1.0 if tied else float(stats.friedmanchisquare(*ranks.T).pvalue)
    return MeanRanks(ranks.mean(axis=0), p, difference)
