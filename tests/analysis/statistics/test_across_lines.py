"""Tests of what is said of several lines or data sets at once: by hand, and against published numbers."""

import numpy as np
import pytest
from scipy import stats

from al_bench.analysis.statistics.bootstrap import bootstrap_interval
from al_bench.analysis.statistics.penalty import penalty_matrix
from al_bench.analysis.statistics.power import seeds_needed
from al_bench.analysis.statistics.ranks import mean_ranks

GOOD = {10: {0: 0.90, 1: 0.91, 2: 0.92}, 20: {0: 0.95, 1: 0.96, 2: 0.97}}
POOR = {10: {0: 0.50, 1: 0.52, 2: 0.51}, 20: {0: 0.94, 1: 0.97, 2: 0.96}}  # level at 20
LONE = {10: {0: 0.10}}


def test_the_row_is_ahead_of_the_column() -> None:
    found = penalty_matrix([GOOD, POOR])
    assert found.tolist() == [[0.0, 0.5], [0.0, 0.0]]
    assert penalty_matrix([GOOD, POOR], higher_is_better=False).tolist() == [[0.0, 0.0], [0.5, 0.0]]


def test_lines_without_two_seeds_in_common_are_not_told_apart() -> None:
    assert np.isnan(penalty_matrix([GOOD, LONE])[0, 1])


@pytest.mark.parametrize(("effect", "pairs"), [(0.5, 34), (-0.5, 34), (1.0, 10), (2.0, 5)])  # as G*Power has them
def test_how_many_seeds_it_would_take(effect: float, pairs: int) -> None:
    assert seeds_needed(effect) == pairs


@pytest.mark.parametrize("effect", [3.28, 6.47, 20.0])
def test_of_a_large_effect_it_takes_the_first_number_with_that_power(effect: float) -> None:
    """By the noncentral t alone, of which statsmodels' two sides together are nan for some numbers."""

    def power(pairs: int) -> float:
        return float(stats.nct.sf(stats.t.isf(0.0025, pairs - 1), pairs - 1, effect * pairs**0.5))

    found = seeds_needed(effect, alpha=0.005)
    assert found is not None and power(found) >= 0.8 > (power(found - 1) if found > 2 else 0)


@pytest.mark.parametrize("effect", [None, 0.0, 0.01, float("nan")])
def test_no_number_of_seeds_would_do(effect: float | None) -> None:
    assert seeds_needed(effect) is None


def test_a_bootstrap_interval_holds_the_mean_and_is_the_same_again() -> None:
    values = [0.1, 0.4, 0.2, 0.35, 0.3]
    found = bootstrap_interval(values)
    assert found is not None and found == bootstrap_interval(values)
    assert found.mean == pytest.approx(0.27)
    assert 0.1 < found.low < found.mean < found.high < 0.4
    assert bootstrap_interval([0.1]) is None
    assert bootstrap_interval([0.1, 0.1]) is None


def test_a_critical_difference_takes_five_data_sets() -> None:
    """Four lines on 14 data sets are 1.25 apart at 5 % (Demsar 2006, Sec. 3.2.2: q = 2.569)."""
    rng = np.random.default_rng(0)
    values = rng.random((14, 4)) + np.array([0.0, 0.2, 0.4, 2.0])
    found = mean_ranks(values)
    assert found is not None
    assert found.difference == pytest.approx(1.25, abs=0.01)
    assert found.ranks[3] == 1.0, "the highest values are the best"
    assert found.p == pytest.approx(stats.friedmanchisquare(*values.T).pvalue)
    assert mean_ranks(values[:4]) is None
    alike = mean_ranks(np.ones((5, 3)))
    assert alike is not None and alike.p == 1.0
    turned = mean_ranks(values, higher_is_better=False)
    assert turned is not None and turned.ranks[3] == 4.0
