"""Two lines over the seeds that both have: how large the difference is, and whether it could be chance.

A pair is one seed: both lines begin with its first labels and weights. With fewer than six pairs a two-sided
signed-rank test cannot come below 5 % (five pairs: 2/32 = 6.25 %), so that the paired t test, which assumes that the
differences are normal, is the one that says "better"; from six pairs on the signed-rank test is given beside it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

LEVEL = 0.95  # of every interval, and one less this of every test
FEWEST_RANKED = 6  # pairs from which a two-sided signed-rank test can come below 5 %
_MOST_SIGNS = 13  # pairs of which all signs are gone through, 2 ** 13, as scipy does where differences are equal
_ROUNDING = 1e-12  # of values of about one, or of the largest
ASSUMES = "paired t over seeds, which assumes that the differences are normal"


@dataclass(frozen=True)
class PairedTest:
    """The first line minus the second, in the unit of what was compared.

    seeds: those that both have, by which pairs are made; unpaired: those of one line alone, left out. differences: of
    each pair. low, high: the ends of the interval at `LEVEL`; p: of the t test, two-sided; both None for a single pair
    and for differences without a spread, of which p is 1 where all are 0. effect: the mean over the deviation of the
    differences (Cohen's d of pairs); None where they do not differ. better: whether the first line is (False: the
    second is); None where the test does not tell.
    """

    seeds: Sequence[int]
    unpaired: Sequence[int]
    differences: Sequence[float]
    mean: float
    low: float | None
    high: float | None
    p: float | None
    effect: float | None
    better: bool | None

    @property
    def n(self) -> int:
        return len(self.seeds)

    @property
    def test(self) -> str:
        """Which test `p` is of, "" where there is none."""
        return "" if self.p is None else "paired t"

    @cached_property
    def ranked(self) -> float | None:
        """p of the two-sided signed-rank test; None below `FEWEST_RANKED` pairs and where no pair differs.

        Exact, by all signs, up to `_MOST_SIGNS` pairs, also where differences are equal or zero; of more it is scipy's.
        """
        from scipy import stats

        rounded = _without_rounding(self.differences)
        if self.n < FEWEST_RANKED or not rounded.any():
            return None
        if self.n > _MOST_SIGNS:
            return float(stats.wilcoxon(rounded).pvalue)
        differences = rounded[rounded != 0]
        if len(differences) == 1:
            return 1.0  # of one rank both signs are as far off
        ranks = np.sign(differences) * stats.rankdata(np.abs(differences))
        return float(
            stats.permutation_test((ranks,), _sum_above_zero, permutation_type="samples", vectorized=True).pvalue
        )


@dataclass(frozen=True)
class Interval:
    """The mean of paired differences and the ends of its confidence interval, by Student's t."""

    mean: float
    low: float
    high: float


def interval(differences: Sequence[float] | np.ndarray, level: float = LEVEL) -> Interval | None:
    """Of paired differences that are drawn independently, (N,); None for fewer than two and for those
    without a spread."""
    from scipy import special

    values = np.asarray(differences, dtype=float)
    if len(values) < 2 or not has_spread(values):
        return None
    half = special.stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1) / math.sqrt(len(values))
    return Interval(float(values.mean()), float(values.mean() - half), float(values.mean() + half))


def compare_pairs(
    first: Mapping[int, float], second: Mapping[int, float], higher_is_better: bool = True
) -> PairedTest | None:
    """What the seeds that both lines have say of them; None where they have none in common.

    first, second: finite values by seed.
    """
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return None
    differences = np.array([first[seed] - second[seed] for seed in seeds], dtype=float)
    found, p = interval(differences), probability(differences)
    told = p is not None and p < 1 - LEVEL
    mean = float(differences.mean())
    return PairedTest(
        seeds,
        sorted(first.keys() ^ second.keys()),
        differences.tolist(),
        mean,
        None if found is None else found.low,
        None if found is None else found.high,
        p,
        _effect(differences),
        (mean > 0) == higher_is_better if told else None,
    )


def probability(differences: Sequence[float] | np.ndarray) -> float | None:
    """p of the two-sided paired t test; None for fewer than two, and for those that are all the same number
    but 0: on a few test images that happens by chance, and says nothing of how much other seeds would differ."""
    from scipy import special

    values = np.asarray(differences, dtype=float)
    if len(values) < 2:
        return None
    if not has_spread(values):
        return 1.0 if np.abs(values).max() <= _unit(values) else None
    t = values.mean() / values.std(ddof=1) * math.sqrt(len(values))
    return float(2 * special.stdtr(len(values) - 1, -abs(t)))  # as stats.ttest_1samp, in a fifth of its time


def has_spread(differences: np.ndarray) -> bool:
    """Whether these differ by more than rounding: 0.8 - 0.7 and 0.9 - 0.8 are one number, and no test may take the
    rounding of a double for how much seeds differ."""
    return bool(np.ptp(differences) > _unit(differences))


def _unit(differences: np.ndarray) -> float:
    """What differs by less is one number."""
    return _ROUNDING * max(1.0, float(np.abs(differences).max(initial=0.0)))


def _without_rounding(differences: Sequence[float]) -> np.ndarray:
    """Equal where they are one number, for ranks."""
    values = np.asarray(differences, dtype=float)
    unit = _unit(values)
    return np.asarray(np.round(values / unit) * unit)


def _sum_above_zero(ranks: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(np.maximum(ranks, 0).sum(axis))


def _effect(values: np.ndarray) -> float | None:
    return float(values.mean() / values.std(ddof=1)) if len(values) > 1 and has_spread(values) else None
