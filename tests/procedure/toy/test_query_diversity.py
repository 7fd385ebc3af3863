"""WAAL Eq. 3 and App. C: closed forms against what the distributions come to; where the appendix is refuted."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import quad

from al_bench.errors import UserError
from al_bench.procedure.toy import query_diversity as theory
from al_bench.procedure.toy.intervals import Intervals, h_divergence, wasserstein
from al_bench.procedure.toy.query_diversity import QueryDiversity

SIZES = [(2.0, 0.8), (1.0, 0.1), (1.0, 0.5), (3.0, 1.0), (5.0, 0.02), (0.7, 0.3)]


def by_quantiles(first: Intervals, second: Intervals) -> float:
    """W1 as C.2 begins: the integral of the difference of the quantile functions."""
    integrand: Callable[[float], float] = lambda z: float(abs(first.quantile(z) - second.quantile(z)))  # noqa: E731
    return sum(quad(integrand, *ends, limit=200)[0] for ends in ((0, 0.5), (0.5, 1)))


def diverse_centers(a: float, b: float) -> np.ndarray:
    return np.linspace(a + b / 2, 2 * a - b / 2, 17)


def biased_centers(a: float, b: float) -> np.ndarray:
    return np.linspace(a + b, 2 * a - b, 17)


@pytest.mark.parametrize(("a", "b"), SIZES)
def test_closed_forms_of_w1_are_the_distributions(a: float, b: float) -> None:
    source = theory.data(a)
    for x0 in diverse_centers(a, b):
        assert theory.diverse_distance(a, b, x0) == pytest.approx(wasserstein(source, theory.diverse(b, x0)), abs=1e-12)
    for x0 in biased_centers(a, b):
        assert theory.biased_distance(a, b, x0) == pytest.approx(wasserstein(source, theory.biased(b, x0)), abs=1e-12)


@pytest.mark.parametrize(("a", "b"), SIZES)
def test_closed_forms_of_w1_are_the_quantiles_as_the_appendix_begins(a: float, b: float) -> None:
    source = theory.data(a)
    for x0 in diverse_centers(a, b)[::8]:
        assert theory.diverse_distance(a, b, x0) == pytest.approx(by_quantiles(source, theory.diverse(b, x0)), rel=1e-6)
    for x0 in biased_centers(a, b)[::8]:
        assert theory.biased_distance(a, b, x0) == pytest.approx(by_quantiles(source, theory.biased(b, x0)), rel=1e-6)


@pytest.mark.parametrize(("a", "b"), SIZES)
def test_eq_3_holds_for_w1_by_more_than_printed(a: float, b: float) -> None:
    diverse = [theory.diverse_distance(a, b, x0) for x0 in diverse_centers(a, b)]
    biased = [theory.biased_distance(a, b, x0) for x0 in biased_centers(a, b)]
    assert max(diverse) == pytest.approx(theory.most_of_diverse(a, b))
    assert min(diverse) == pytest.approx((a - b) / 4), "at the middle, 3a/2"
    assert min(biased) == biased[0] == pytest.approx(theory.least_of_biased(a, b))
    assert min(biased) > max(diverse)
    assert min(biased) - max(diverse) > theory.least_of_biased(a, b) - theory.printed_most_of_diverse(a, b) > 0


@pytest.mark.parametrize(("a", "b"), SIZES)
def test_the_appendix_is_wrong_about_the_diverse_query_at_every_x0(a: float, b: float) -> None:
    source = theory.data(a)
    for x0 in diverse_centers(a, b):
        assert theory.printed_diverse_distance(a, b, x0) - wasserstein(source, theory.diverse(b, x0)) > (a + b) / 2
    at_most = theory.printed_diverse_distance(a, b, 2 * a - b / 2)
    assert at_most == pytest.approx(1.5 * a + b / 2), "not the 3a/2 - b/2 that it prints, nor is that the maximum"
    assert theory.printed_most_of_diverse(a, b) - theory.most_of_diverse(a, b) == pytest.approx(a)


def test_the_numbers_of_an_example() -> None:
    """a = 2, b = 0.8 (docs/papers/waal.md, Figs. 1 and 2, App. C)."""
    assert theory.most_of_diverse(2, 0.8) == pytest.approx(0.6)
    assert theory.printed_most_of_diverse(2, 0.8) == pytest.approx(2.6)
    assert theory.divergence(2, 0.8) == pytest.approx(3 / 7)
    assert theory.printed_divergence(2, 0.8) == pytest.approx(2 / 7)


@pytest.mark.parametrize(("a", "b"), SIZES)
@pytest.mark.parametrize("both_ways", [False, True])
def test_d_h_is_the_same_for_both_queries_if_shares_are_lengths(a: float, b: float, both_ways: bool) -> None:
    """In both directions of the classifier, as the one that never predicts the query is among the best."""
    source, share, expected = theory.data(a), QueryDiversity(a, b, 2).data_share, theory.divergence(a, b)
    queries = [theory.diverse(b, x0) for x0 in diverse_centers(a, b)]
    queries += [theory.biased(b, x0) for x0 in biased_centers(a, b)]
    assert [h_divergence(source, query, share, both_ways) for query in queries] == pytest.approx([expected] * 34)


@pytest.mark.parametrize(("a", "b"), SIZES)
def test_d_h_tells_the_queries_apart_if_data_and_query_are_equally_many(a: float, b: float) -> None:
    """Then Eq. 3's equality holds at no x0: the biased query is the farther one, as by W1."""
    source = theory.data(a)
    most = max(h_divergence(source, theory.diverse(b, x0), 0.5) for x0 in diverse_centers(a, b))
    least = min(h_divergence(source, theory.biased(b, x0), 0.5) for x0 in biased_centers(a, b))
    assert most == pytest.approx((a - b) / (2 * a))
    assert least == pytest.approx(1 / 2)


def test_all_of_it_at_once() -> None:
    found = QueryDiversity(2.0, 0.8, 7)
    assert found.centers == pytest.approx([2.4, 2.6, 2.8, 3.0, 3.2, 3.4, 3.6]), "the range of D3 is 2.8 to 3.2"
    values = found.compute()
    assert np.isnan(values["w1_biased"]).tolist() == [True] * 2 + [False] * 3 + [True] * 2
    assert values["w1_diverse"] == pytest.approx([0.6, 13 / 30, 1 / 3, 0.3, 1 / 3, 13 / 30, 0.6])
    assert QueryDiversity(2.0, 0.6, 2).centers == pytest.approx([2.3, 2.6, 3.4, 3.7]), "all ends of both"


@pytest.mark.parametrize(
    ("a", "b", "positions", "sentence"),
    [
        (2.0, 1.1, 5, "use 0 < b <= a/2"),
        (2.0, 0.0, 5, "use 0 < b <= a/2"),
    ],
)
def test_what_leaves_no_room_is_refused(a: float, b: float, positions: int, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        QueryDiversity(a, b, positions)
