"""Each number against its closed form, or another way to compute it."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from al_bench.evaluator.generation import (
    Moments,
    count_modes,
    fraction_by_class,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_and_recall,
)
from al_bench.seeding import generator

CLASSES = 5


def gaussian(count: int, size: int, seed: int, mix: float = 0.5) -> Tensor:
    """(count, size) with correlated columns of unequal mean."""
    rng = generator(seed)
    turn = torch.randn(size, size, generator=rng) * mix + torch.eye(size)
    return torch.randn(count, size, generator=rng) @ turn + torch.randn(size, generator=rng)


def moments_of(features: Tensor, batch: int = 64) -> Moments:
    found = Moments.none(features.shape[1], features.device)
    for part in features.split(batch):
        found = found.with_rows(part)
    return found


def known(mean: Tensor, covariance: Tensor, count: int = 101) -> Moments:
    return Moments(count, mean.double(), covariance.double() * (count - 1))


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_moments_in_batches_are_those_of_all(offset: float) -> None:
    """A large common offset, in whose square a plain sum would lose the variances."""
    features = gaussian(500, 6, 0).double() + offset
    found = moments_of(features, 7)
    assert found.count == 500
    torch.testing.assert_close(found.mean, features.mean(0))
    torch.testing.assert_close(found.covariance, torch.from_numpy(np.cov(features.numpy(), rowvar=False)))


def test_fid_of_gaussians_with_one_covariance_is_the_squared_distance_of_means() -> None:
    shape = moments_of(gaussian(300, 4, 1))
    moved = Moments(shape.count, shape.mean + torch.tensor([3.0, 0, -4, 0]), shape.scatter)
    assert frechet_distance(shape, moved) == pytest.approx(25)
    assert frechet_distance(shape, shape) == pytest.approx(0, abs=1e-9)


def test_fid_of_gaussians_with_the_same_axes_is_that_of_each_axis() -> None:
    """|m1 - m2|^2 + sum (s1 - s2)^2, turned by the same rotation."""
    turn = torch.linalg.qr(torch.randn(3, 3, generator=generator(2), dtype=torch.float64)).Q
    first, second = torch.tensor([1.0, 4, 9]).double(), torch.tensor([4.0, 4, 1]).double()
    one, other = (known(torch.zeros(3), turn @ values.diag() @ turn.T) for values in (first, second))
    assert frechet_distance(one, other) == pytest.approx(1 + 0 + 4)


def test_fid_agrees_with_scipys_square_root() -> None:
    one, other = moments_of(gaussian(400, 8, 3)), moments_of(gaussian(500, 8, 4))
    root = scipy.linalg.sqrtm(one.covariance.numpy() @ other.covariance.numpy())
    expected = (one.mean - other.mean).square().sum() + np.trace(
        one.covariance.numpy() + other.covariance.numpy() - 2 * root.real
    )
    assert frechet_distance(one, other) == pytest.approx(float(expected), rel=1e-8)
    assert frechet_distance(other, one) == pytest.approx(float(expected), rel=1e-8)


def test_a_collapsed_generator_has_a_distance() -> None:
    """Every sample the same: what is left is the distance of means and the trace of the real covariance. Warnings are
    errors here."""
    real = moments_of(gaussian(200, 12, 5))
    collapsed = moments_of(torch.full((50, 12), 0.3))
    expected = float((real.mean - 0.3).square().sum() + real.covariance.trace())
    assert frechet_distance(real, collapsed) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(collapsed, collapsed) == pytest.approx(0, abs=1e-9)
    two = moments_of(torch.eye(12)[[0, 1] * 20])  # rank one
    assert 0 < frechet_distance(real, two) < math.inf


def test_fid_of_what_is_not_finite_is_nan() -> None:
    real = moments_of(gaussian(200, 3, 5))
    for value in (math.inf, math.nan):
        assert math.isnan(frechet_distance(real, moments_of(torch.tensor([[1.0, 2, value], [0, 1, 2]]))))


@pytest.mark.parametrize("gap", [50.0, 5000.0])
def test_inception_score_counts_classes_that_are_sure_and_equally_often(gap: float) -> None:
    """K; also where a probability is less than a float64 holds."""
    logits = gap * torch.eye(CLASSES)[torch.arange(2000) % CLASSES]
    assert inception_score(logits, splits=1, seed=0) == pytest.approx(CLASSES, rel=1e-6)
    parts = inception_score(logits, splits=10, seed=0)
    assert CLASSES - 0.1 < parts < CLASSES - 0.01, "parts are not exactly even"


def test_inception_score_shuffles_before_it_splits() -> None:
    """Images that come class by class would else be of one class in each part."""
    logits = 50.0 * torch.eye(CLASSES)[torch.arange(2000) * CLASSES // 2000]
    assert inception_score(logits, splits=10, seed=0) > CLASSES - 0.1


def test_inception_score_of_one_answer_is_one() -> None:
    sure = 50 * torch.eye(CLASSES)[torch.zeros(300, dtype=torch.int64)]
    for logits in (sure, torch.zeros(300, CLASSES), torch.randn(1, CLASSES, generator=generator(0)).repeat(300, 1)):
        assert inception_score(logits, splits=10, seed=0) == pytest.approx(1)


def test_kid_is_the_unbiased_estimate() -> None:
    """Against a double loop that leaves out an image with itself; all images in one subset."""
    samples, real = gaussian(9, 3, 6).double(), gaussian(9, 3, 7).double()

    def mean(rows: Tensor, others: Tensor, pairs: list[tuple[int, int]]) -> float:
        return sum((float(rows[i] @ others[j]) / 3 + 1) ** 3 for i, j in pairs) / len(pairs)

    every = [(i, j) for i in range(9) for j in range(9)]
    apart = [(i, j) for i, j in every if i != j]
    expected = mean(samples, samples, apart) + mean(real, real, apart) - 2 * mean(samples, real, every)
    assert kernel_distance(samples, real, 3, 1000, generator(0)) == pytest.approx(expected)


def test_kid_of_one_distribution_is_zero_on_average() -> None:
    """The biased estimate, which has an image's kernel with itself in it, is above 0 by far."""
    both = gaussian(4000, 4, 8)
    found = [kernel_distance(both[:2000], both[2000:], 1, 50, generator(seed)) for seed in range(200)]
    mean, error = np.mean(found), np.std(found) / 200**0.5
    assert abs(mean) < 4 * error
    assert min(found) < 0 < max(found)


def test_precision_and_recall_of_the_same_and_of_distant_images() -> None:
    real = gaussian(60, 4, 9)
    assert precision_and_recall(real, real, 3) == (1, 1)
    assert precision_and_recall(real + 1000, real, 3) == (0, 0)


def test_a_collapsed_generator_has_precision_and_no_recall() -> None:
    real = gaussian(60, 4, 10)
    samples = real[:1] + 1e-3 * torch.randn(60, 4, generator=generator(0))
    precision, recall = precision_and_recall(samples, real, 3)
    assert (precision, recall) == (1, pytest.approx(1 / 60, abs=1 / 60))


def test_precision_and_recall_by_hand() -> None:
    """One neighbor. Real images at 0, 1, 10 reach 1, 1 and 9 far; samples at -0.9, 5, 30 reach 5.9, 5.9 and 25."""
    real, samples = torch.tensor([[0.0], [1.0], [10.0]]), torch.tensor([[-0.9], [5.0], [30.0]])
    assert precision_and_recall(samples, real, 1) == (pytest.approx(2 / 3), pytest.approx(1))


def test_precision_and_recall_do_not_depend_on_where_features_lie() -> None:
    """Distances by products, of which float32 keeps little where all features are large."""
    real, samples = (torch.randn(400, 84, generator=generator(seed)).relu() for seed in (1, 2))
    found = precision_and_recall(samples, real, 3)
    assert min(found) > 0.2 and max(found) < 0.98
    assert precision_and_recall(samples + 1000, real + 1000, 3) == found
    assert precision_and_recall(samples.double(), real.double(), 3) == found


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_real_images_that_are_not_finite_measure_nothing(value: float) -> None:
    real, samples = (torch.randn(300, 32, generator=generator(seed)).relu() for seed in (3, 4))
    real[0, 0] = value
    assert all(map(math.isnan, precision_and_recall(samples, real, 3)))


def test_modes_are_classes_above_a_share() -> None:
    answers = torch.tensor([0] * 48 + [1] * 49 + [2] * 1 + [3] * 2)
    assert count_modes(answers, CLASSES, 0.02) == 2, "two of a hundred are not above a fiftieth"
    assert count_modes(answers, CLASSES, 0.019) == 3


def test_a_class_that_was_not_asked_for_has_no_fraction() -> None:
    hits, classes = torch.tensor([True, False, True]), torch.tensor([0, 0, 2])
    found = fraction_by_class(hits, classes, 3)
    assert (found[0], found[2]) == (0.5, 1) and math.isnan(found[1])
