"""Tests of paired differences, against scipy and by hand."""

import numpy as np
import pytest
from scipy import stats

from al_bench.analysis.statistics.correction import correct, holm
from al_bench.analysis.statistics.paired import compare_pairs
from al_bench.analysis.statistics.power import seeds_needed

FIRST = {0: 91.0, 1: 93.0, 2: 92.5, 3: 95.0, 4: 91.5, 9: 10.0}
SECOND = {0: 90.0, 1: 91.0, 2: 91.0, 3: 92.5, 4: 91.0, 7: 99.0}


def test_pairs_are_the_seeds_that_both_have() -> None:
    found = compare_pairs(FIRST, SECOND)
    assert found is not None and found.n == 5
    assert (found.seeds, found.unpaired) == ([0, 1, 2, 3, 4], [7, 9])
    both = [[line[seed] for seed in range(5)] for line in (FIRST, SECOND)]
    scipys = stats.ttest_rel(*both)
    low, high = scipys.confidence_interval(0.95)
    assert (found.p, found.low, found.high) == pytest.approx((scipys.pvalue, low, high))
    assert found.mean == pytest.approx(1.5)
    assert found.effect == pytest.approx(1.5 / 0.7905694150420949)
    assert found.better is True


def test_less_is_better_turns_the_verdict_and_nothing_else() -> None:
    more, less = compare_pairs(FIRST, SECOND), compare_pairs(FIRST, SECOND, higher_is_better=False)
    assert more is not None and less is not None
    assert (more.mean, more.p, more.better, less.better) == (less.mean, less.p, True, False)


def test_what_cannot_be_told_is_told_by_nobody() -> None:
    alone = compare_pairs({3: 1.0}, {3: 0.0})
    assert alone is not None
    assert (alone.mean, alone.p, alone.low, alone.effect, alone.better, alone.test) == (1.0, None, None, None, None, "")
    assert compare_pairs({0: 1.0}, {1: 1.0}) is None
    near = compare_pairs({0: 1.0, 1: 0.0}, {0: 0.0, 1: 1.0})
    assert near is not None and near.better is None


def test_one_difference_among_equals_says_nothing() -> None:
    found = compare_pairs(dict.fromkeys(range(6), 0.9) | {5: 0.8}, dict.fromkeys(range(6), 0.9))
    assert found is not None and found.ranked == 1


@pytest.mark.parametrize(("pairs", "ranked"), [(5, None), (6, 2 / 64)])
def test_signed_ranks_begin_where_they_can_say_something(pairs: int, ranked: float | None) -> None:
    first = {seed: 1.0 + seed for seed in range(pairs)}
    found = compare_pairs(first, dict.fromkeys(first, 0.0))
    assert found is not None
    assert found.ranked == (None if ranked is None else pytest.approx(ranked))


@pytest.mark.parametrize("pairs", [6, 9, 13, 14])
@pytest.mark.parametrize("differences", ["distinct", "equal", "zero"])
def test_signed_ranks_are_scipys(differences: str, pairs: int) -> None:
    """With equal differences, too, and with none, where scipy goes through all signs one after the other."""
    drawn = np.random.default_rng(pairs).normal(0.5, 1, pairs)
    of_kind = {"distinct": drawn, "equal": np.rint(2 * drawn) + 0.5, "zero": np.where(drawn > 0.8, 0.0, drawn)}
    values = of_kind[differences]
    found = compare_pairs(dict(enumerate(values)), dict.fromkeys(range(pairs), 0.0))
    assert found is not None
    assert found.ranked == pytest.approx(stats.wilcoxon(values).pvalue)


@pytest.mark.parametrize("values", [(7, 8, 9, 6, 5, 9), (7, 7, 9, 7, 7, 8), (7, 8, 9, 6, 5, 9, 8, 8, 7, 9, 9, 5, 6, 9)])
def test_signed_ranks_take_rounding_for_no_difference(values: tuple[int, ...]) -> None:
    """0.8 - 0.7 and 0.9 - 0.8 are tied, as are the same in tenths, and 0.3 - (0.1 + 0.2) is none."""
    whole = compare_pairs(dict(enumerate(map(float, values))), dict.fromkeys(range(len(values)), 7.0))
    tenths = compare_pairs(
        {seed: value / 10 for seed, value in enumerate(values)}, dict.fromkeys(range(len(values)), 0.1 + 0.6)
    )
    assert whole is not None and tenths is not None
    assert tenths.ranked == pytest.approx(whole.ranked)


@pytest.mark.parametrize(("difference", "p", "better"), [(0.0, 1.0, None), (0.5, None, None)])
def test_seeds_that_all_differ_by_the_same(difference: float, p: float | None, better: bool | None) -> None:
    found = compare_pairs(dict.fromkeys(range(4), difference), dict.fromkeys(range(4), 0.0))
    assert found is not None
    assert (found.p, found.effect, found.better) == (p, None, better)


def test_a_test_among_others_has_to_hold_after_correction() -> None:
    """A p of 0.033 is 0.065 where there are two of it."""
    alone = compare_pairs({0: 1.0, 1: 1.2, 2: 1.5}, dict.fromkeys(range(3), 0.45))
    assert alone is not None and alone.p is not None and 0.025 < alone.p < 0.05
    (once,) = correct([alone])
    first, second = correct([alone, alone])
    assert (once.better, first.better, second.better) == (True, None, None)
    assert (once.p, first.p) == pytest.approx((alone.p, 2 * alone.p))
    pairless = compare_pairs({0: 1.0}, {0: 0.0})
    assert pairless is not None
    assert [one.p for one in correct([pairless, alone])] == [None, pytest.approx(alone.p)]


def test_holm_raises_each_by_those_not_yet_passed() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_rounding_is_no_spread() -> None:
    """0.8 - 0.7, 0.81 - 0.71 and 0.82 - 0.72 are three doubles and one difference."""
    found = compare_pairs({0: 0.8, 1: 0.81, 2: 0.82}, {0: 0.7, 1: 0.71, 2: 0.72})
    assert found is not None
    assert len(set(found.differences)) > 1
    assert (found.p, found.low, found.effect, found.better) == (None, None, None, None)


def test_the_first_step_of_the_correction_is_the_level_by_the_number_of_tests() -> None:
    """One without a p value is none of them. d = 1 takes ten pairs at 5 %, thirteen at 2.5 % (noncentral t)."""
    first = {0: 0.8, 1: 0.83, 2: 0.82}
    told = compare_pairs(first, {0: 0.7, 1: 0.71, 2: 0.75})
    single = compare_pairs({0: 0.8}, {0: 0.7})
    assert told is not None and single is not None
    assert [one.level for one in correct([told, told, single])] == pytest.approx([0.025] * 3)
    assert seeds_needed(1.0) == 10
    assert seeds_needed(1.0, alpha=0.025) == 13
