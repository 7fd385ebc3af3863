"""Distances on the line against scipy, against fine grids, and by hand."""

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from al_bench.errors import UserError
from al_bench.procedure.toy.intervals import Intervals, h_divergence, threshold_error, wasserstein

UNIT = Intervals((0.0,), (1.0,), (1.0,))
APART = Intervals((0.0, 3.0), (1.0, 5.0), (0.25, 0.75))
GRID = (np.arange(200_000) + 0.5) / 200_000


def made(seed: int) -> Intervals:
    """Three intervals at random."""
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.uniform(-3, 3, 6))
    return Intervals(ends[::2].tolist(), ends[1::2].tolist(), rng.dirichlet([1, 1, 1]).tolist())


def test_a_mixture_by_hand() -> None:
    points = np.array([-1.0, 0.5, 1.0, 2.0, 4.0, 9.0])
    assert APART.cdf(points) == pytest.approx([0, 0.125, 0.25, 0.25, 0.625, 1])
    assert APART.quantile(np.array([0.0, 0.125, 0.625, 1.0])) == pytest.approx([0, 0.5, 4, 5])
    assert APART.interval_of(np.array([0.0, 0.9, 3.0, 4.9])).tolist() == [0, 0, 1, 1]


def test_draws_have_the_masses_and_are_the_generators() -> None:
    drawn = APART.draw(10_000, torch.Generator().manual_seed(0))
    assert (drawn < 2).mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 10_000))
    assert drawn[drawn > 2].mean() == pytest.approx(4, abs=0.05)
    assert (np.diff(drawn) >= 0).all()
    assert (drawn == APART.draw(10_000, torch.Generator().manual_seed(0))).all()


def test_w1_by_hand() -> None:
    """A shift costs its length; a crossing of the distribution functions costs on both sides."""
    assert wasserstein(UNIT, Intervals((5.0,), (6.0,), (1.0,))) == pytest.approx(5)
    assert wasserstein(UNIT, Intervals((0.25,), (0.75,), (1.0,))) == pytest.approx(1 / 8)
    assert wasserstein(UNIT, UNIT) == 0


@pytest.mark.parametrize("seed", range(20))
def test_w1_is_what_scipy_has_for_quantiles_on_a_fine_grid(seed: int) -> None:
    first, second = made(seed), made(seed + 100)
    fine = wasserstein_distance(first.quantile(GRID), second.quantile(GRID))
    assert wasserstein(first, second) == pytest.approx(fine, abs=2e-5)
    assert wasserstein(first, second) == pytest.approx(wasserstein(second, first))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("both_ways", [False, True])
def test_the_threshold_error_is_the_least_on_a_fine_grid(seed: int, both_ways: bool) -> None:
    first, second, fraction = made(seed), made(seed + 100), 0.2 + seed / 40
    points = [one.quantile(GRID[::100]) for one in (first, second)]
    errors = []
    for p in np.linspace(-3.1, 3.1, 2001):
        wrong = fraction * (points[0] >= p).mean() + (1 - fraction) * (points[1] < p).mean()
        errors += [wrong, 1 - wrong] if both_ways else [wrong]
    assert threshold_error(first, second, fraction, both_ways) == pytest.approx(min(errors), abs=5e-3)


def test_d_h_by_hand() -> None:
    """f(x) = 1{x >= p} finds a query right of the data, and not one left of it."""
    beyond = Intervals((2.0,), (3.0,), (1.0,))
    assert h_divergence(UNIT, beyond, 0.5) == 1
    assert h_divergence(beyond, UNIT, 0.5) == 0
    assert h_divergence(beyond, UNIT, 0.5, both_ways=True) == 1
    assert h_divergence(UNIT, UNIT, 0.7) == pytest.approx(0.4), "always the more frequent one"


@pytest.mark.parametrize(
    ("lows", "highs", "masses", "sentence"),
    [
        ((0.0, 0.5), (1.0, 2.0), (0.5, 0.5), "have to ascend"),
        ((0.0,), (0.0,), (1.0,), "have to ascend"),
        ((0.0, 1.0), (1.0, 2.0), (0.5, 0.6), "have to be positive and sum to 1"),
        ((0.0, 1.0), (1.0, 2.0), (1.5, -0.5), "have to be positive and sum to 1"),
        ((0.0,), (1.0, 2.0), (1.0,), "as many lows as highs"),
        ((), (), (), "at least one"),
    ],
)
def test_what_is_no_distribution_is_refused(lows: tuple, highs: tuple, masses: tuple, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Intervals(lows, highs, masses)
