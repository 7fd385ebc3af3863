"""MAL Sec. 4.1's five ratios, and what any ratios keep."""

import pytest
import torch
from torch import Tensor

from al_bench.dataset.imbalance import Imbalance
from al_bench.errors import UserError

MAL = (0.01, 0.0316227766, 0.1, 0.316227766, 1.0)


@pytest.fixture(scope="module")
def labels() -> Tensor:
    """Of CIFAR-100's size, its classes mixed."""
    return torch.arange(50_000) * 7 % 100


def counts(labels: Tensor, imbalance: Imbalance, num_classes: int = 100) -> list[int]:
    return torch.bincount(labels[imbalance.positions(labels, num_classes)], minlength=num_classes).tolist()


def test_mals_ratios_give_twenty_classes_each(labels: Tensor) -> None:
    found = counts(labels, Imbalance(MAL))
    assert {size: found.count(size) for size in set(found)} == {5: 20, 16: 20, 50: 20, 158: 20, 500: 20}
    assert sum(found) == 14_580
    assert found != sorted(found), "twenty random ones"


def test_positions_ascend_and_the_seed_alone_draws_them(labels: Tensor) -> None:
    first, again, other = (Imbalance(MAL, split_seed=seed).positions(labels, 100) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert (first.diff() > 0).all()
    assert len(first) == len(other)
    assert not torch.equal(first, other)
    assert counts(labels, Imbalance(MAL)) != counts(labels, Imbalance(MAL, split_seed=1)), "other classes"


def test_a_larger_ratio_keeps_the_same_images_and_more(labels: Tensor) -> None:
    small, large = (set(Imbalance([ratio]).positions(labels, 100).tolist()) for ratio in (0.1, 0.2))
    assert small < large


def test_in_order_the_first_classes_have_the_first_ratio(labels: Tensor) -> None:
    found = counts(labels, Imbalance([1, 0.5, 0.1, 0], assigned="in_order", floor=0))
    assert found == [500] * 25 + [250] * 25 + [50] * 25 + [0] * 25


def test_images_kept_by_chance_are_as_many_on_average_and_never_below_the_floor(labels: Tensor) -> None:
    """Of the binomial: 14,578.5 on average, deviation 59, of which the floor adds about 17."""
    drawn = [counts(labels, Imbalance(MAL, seed, rounding="bernoulli", floor=5)) for seed in range(20)]
    totals = torch.tensor([sum(found) for found in drawn]).double()
    assert abs(totals.mean() - 14_596) < 4 * 59 / 20**0.5
    assert totals.std() > 20
    assert min(map(min, drawn)) == 5
    least = [counts(labels, Imbalance(MAL, seed, rounding="bernoulli", floor=0)) for seed in range(5)]
    assert min(map(min, least)) < 5


def test_a_class_smaller_than_the_floor_stays_whole() -> None:
    labels = torch.tensor([0] * 3 + [1] * 100)
    assert counts(labels, Imbalance([0.01], floor=5), 2) == [3, 5]


@pytest.mark.parametrize("ratios", [(1.0, 0.5, 0.1), ()])
def test_ratios_that_cannot_be_divided_are_refused(labels: Tensor, ratios: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match=rf"imbalance\.ratios has {len(ratios)} ratios.* 100 classes"):
        Imbalance(ratios).positions(labels, 100)
