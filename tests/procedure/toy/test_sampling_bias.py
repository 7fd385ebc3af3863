"""WAAL Fig. 1: the risks it names, and which rules end at which."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from composing import part
from numpy.typing import NDArray

from al_bench.errors import UserError
from al_bench.procedure.toy.intervals import Intervals
from al_bench.procedure.toy.sampling_bias import (
    SamplingBias,
    fit_threshold,
    furthest_first,
    nearest_to_boundary,
    uniform,
)

RNG = torch.Generator()


@pytest.fixture(scope="module")
def figure() -> SamplingBias:
    found: SamplingBias = part("procedure.bias", "procedure=toy", "procedure.bias.draws=5")
    return found


def test_the_figure_has_its_masses_and_its_two_risks(figure: SamplingBias) -> None:
    assert sorted(figure.line.masses) == [0.05, 0.05, 0.1, 0.4, 0.4]
    assert sum(low > high for low, high in zip(figure.line.lows[1:], figure.line.highs, strict=False)) == 3, "gaps"
    assert figure.minima == pytest.approx([0.05, 0.10])
    assert min(figure.risk(t) for t in np.linspace(-1, 3, 4001)) == pytest.approx(0.05), "the true optimum"


def test_exact_risks_are_those_of_many_points(figure: SamplingBias) -> None:
    points = figure.line.draw(100_000, RNG.manual_seed(0))
    labels = np.array(figure.labels)[figure.line.interval_of(points)]
    for threshold in (-1.0, 0.2, 0.45, 0.55, 0.7, 0.93, 0.97, 1.1, 1.5, 2.0):
        assert figure.risk(threshold) == pytest.approx(((points >= threshold) != labels).mean(), abs=0.006)


def test_uncertainty_stays_at_ten_percent_where_random_and_diverse_find_five(figure: SamplingBias) -> None:
    found = figure.risks(seed=1)
    initial = {name: rows[:, 0].tolist() for name, rows in found.items()}
    assert initial["uncertainty"] == initial["random"] == initial["diverse"], "the same initial labels"
    assert found["uncertainty"][:, 50:] == pytest.approx(0.10, abs=1e-3), "and it does not leave it"
    assert found["random"][:, -1] == pytest.approx(0.05, abs=1e-3)
    assert found["diverse"][:, 20:] == pytest.approx(0.05, abs=1e-3)


def test_the_same_seed_is_the_same_simulation(figure: SamplingBias) -> None:
    short = replace(figure, draws=2, queries=20)
    first, again, other = (short.risks(seed) for seed in (0, 0, 1))
    assert all((first[name] == again[name]).all() for name in first)
    assert (first["random"] != other["random"]).any()


def test_where_the_intervals_lie_decides_which_boundary_uncertainty_finds(figure: SamplingBias) -> None:
    """The positions are ours: with the second interval in the middle it is the better one."""
    line = replace(figure.line, lows=[0, 0.8, 1.1, 1.15, 1.3], highs=[0.4, 0.9, 1.15, 1.2, 1.7])
    moved = replace(figure, line=line)
    assert moved.minima == pytest.approx(figure.minima)
    assert moved.risks(seed=0)["uncertainty"][:, -1] == pytest.approx(0.05, abs=1e-3)


def test_initial_labels_are_of_the_extremes(figure: SamplingBias) -> None:
    odd = replace(figure, initial_size=5)
    pool = odd.line.draw(1000, RNG.manual_seed(0))
    assert odd.line.interval_of(pool[odd.extremes(pool, RNG)]).tolist() == [0, 0, 4, 4, 4]


def errors_of(threshold: float, points: NDArray[np.float64], labels: NDArray[np.int64]) -> int:
    return int(((points >= threshold) != labels).sum())


@pytest.mark.parametrize("seed", range(30))
def test_the_fit_is_as_good_as_any_threshold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, labels = np.sort(rng.uniform(size=12)), rng.integers(0, 2, 12)
    labels[[0, -1]] = 0, 1
    middles = (points[1:] + points[:-1]) / 2
    errors = [errors_of(middle, points, labels) for middle in middles]
    found = fit_threshold(points, labels)
    assert errors_of(found, points, labels) == min(errors)
    gaps = [gap for gap, wrong in zip(np.diff(points), errors, strict=True) if wrong == min(errors)]
    assert np.diff(points)[np.isclose(middles, found)] == pytest.approx(max(gaps)), "of equals the widest gap"


def test_rules_by_hand() -> None:
    unlabeled, labeled = np.array([0.1, 0.3, 0.45, 0.9, 1.3]), np.array([0.0, 0.4, 1.0])
    assert unlabeled[nearest_to_boundary(unlabeled, labeled, 0.7, RNG)] == 0.9
    assert unlabeled[furthest_first(unlabeled, labeled, 0.7, RNG)] == 1.3
    assert unlabeled[furthest_first(unlabeled[:-1], labeled, 0.7, RNG)] in (0.1, 0.3, 0.9), "all 0.1 away"
    drawn = [uniform(unlabeled, labeled, 0.7, RNG.manual_seed(seed)) for seed in range(100)]
    assert set(drawn) == set(range(5))


@pytest.mark.parametrize("seed", range(5))
def test_the_diverse_rule_is_the_greedy_one_of_core_set(seed: int) -> None:
    """`strategy.coreset.furthest_first`, which knows no order of points, on a line."""
    from al_bench.strategy.coreset import furthest_first as core_set

    rng = np.random.default_rng(seed)
    unlabeled, labeled = np.sort(rng.uniform(size=50)), np.sort(rng.uniform(size=6))
    (pick,), _ = core_set(torch.from_numpy(unlabeled)[:, None], torch.from_numpy(labeled)[:, None], 1, RNG)
    assert furthest_first(unlabeled, labeled, 0.5, RNG) == int(pick)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"labels": [0, 1, 0, 1]}, "has to have a 0 or 1 for each interval"),
        ({"labels": [1, 1, 0, 1, 1]}, "has to begin with 0 and to end with 1"),
        ({"queries": 4990}, "less than pool_size=5000"),
    ],
)
def test_what_cannot_be_simulated_is_refused(figure: SamplingBias, changes: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        replace(figure, **changes)


def test_too_few_points_in_an_extreme_are_refused(figure: SamplingBias) -> None:
    rare = Intervals(figure.line.lows, figure.line.highs, [0.001, 0.4, 0.1, 0.1, 0.399])
    with pytest.raises(UserError, match="points in an extreme interval, not 5"):
        replace(figure, line=rare, pool_size=400).risks(seed=0)
