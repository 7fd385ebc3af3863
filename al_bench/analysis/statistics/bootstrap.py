"""Intervals that assume no distribution: means of seeds that are drawn again from those there are."""

from collections.abc import Sequence

import numpy as np

from al_bench.analysis.statistics.paired import LEVEL, Interval, has_spread

_DRAWS = 9999


def bootstrap_interval(values: Sequence[float], level: float = LEVEL, seed: int = 0) -> Interval | None:
    """Of the mean, bias-corrected and accelerated; None for fewer than two, and for values that are all the same.

    values: (N,), of independent seeds. Below ten it is too narrow (it knows only the values that it has). seed: of the
    draws.
    """
    from scipy import stats

    drawn = np.asarray(values, dtype=float)
    if len(drawn) < 2 or not has_spread(drawn):
        return None
    found = stats.bootstrap(
        (drawn,), np.mean, confidence_level=level, n_resamples=_DRAWS, rng=np.random.default_rng(seed)
    ).confidence_interval
    return Interval(float(drawn.mean()), float(found.low), float(found.high))
