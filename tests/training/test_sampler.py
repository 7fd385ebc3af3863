"""What becomes of the items that an epoch's whole batches leave over."""

from dataclasses import replace
from functools import partial
from typing import Any, get_args

import pytest
import torch
from torch.optim import SGD

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.learner.supervised import Supervised
from al_bench.network.linear import Linear
from al_bench.training.cost import measure_cost
from al_bench.training.labeled_batches import LabeledBatches
from al_bench.training.paired_batches import PairedBatches, UnlabeledWithLabeled
from al_bench.training.sampler import EpochSampler, LastBatch, PerEpoch

CPU = torch.device("cpu")
ALL = list(get_args(LastBatch))


def sampler(num_items: int, batch_size: int, last: Any, least: int = 1) -> EpochSampler:
    return EpochSampler(num_items, batch_size, 0, CPU, last, least)


def made_pool(labeled: int, unlabeled: int) -> Pool:
    inputs = torch.arange(labeled + unlabeled).float()[:, None]
    labels = torch.arange(labeled) % 2
    return Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.arange(labeled)), labels)


@pytest.mark.parametrize(
    ("last", "sizes"),
    [("smaller", [8, 8, 2]), ("even", [6, 6, 6]), ("filled", [8, 8, 8]), ("left_out", [8, 8])],
)
def test_the_sizes_of_an_epochs_batches(last: str, sizes: list[int]) -> None:
    order = sampler(18, 8, last)
    assert [len(order[number]) for number in range(order.per_epoch)] == sizes
    assert order.mean_size == sum(sizes) / len(sizes)


@pytest.mark.parametrize("last", ["smaller", "even"])
@pytest.mark.parametrize("num_items", [1, 7, 8, 9, 17, 50])
@pytest.mark.parametrize("least", [1, 2])
def test_an_epoch_has_every_item_once(last: str, num_items: int, least: int) -> None:
    order = sampler(num_items, 8, last, least)
    for epoch in range(2):
        batches = [order[epoch * order.per_epoch + number] for number in range(order.per_epoch)]
        assert torch.cat(batches).sort().values.tolist() == list(range(num_items))
        assert min(map(len, batches)) >= min(least, num_items)
        if last == "even":
            assert max(map(len, batches)) - min(map(len, batches)) <= 1


def test_what_is_even_takes_as_many_steps_as_what_is_not() -> None:
    for num_items in range(1, 60):
        assert sampler(num_items, 8, "even", 2).per_epoch == sampler(num_items, 8, "smaller", 2).per_epoch


@pytest.mark.parametrize("num_items", [3, 8, 9, 20])
def test_whole_batches_follow_one_order_after_the_other(num_items: int) -> None:
    order = sampler(num_items, 8, "filled")
    size = min(8, num_items)
    batches = [order[number] for number in range(3 * num_items)]
    assert {len(batch) for batch in batches} == {size}
    everything = torch.cat(batches).split(num_items)
    assert all(sorted(epoch.tolist()) == list(range(num_items)) for epoch in everything)
    assert torch.equal(order[5], sampler(num_items, 8, "filled")[5]), "any batch can be asked for at any time"


def test_of_what_is_drawn_beside_the_order_a_batch_takes_its_own_part() -> None:
    drawn = PerEpoch(lambda epoch: 100 * epoch + torch.arange(20))
    assert sampler(20, 8, "smaller").take(5, drawn).tolist() == [116, 117, 118, 119]
    assert sampler(20, 8, "even").take(4, drawn).tolist() == [106, 107, 108, 109, 110, 111, 112]
    assert sampler(20, 8, "filled").take(2, drawn).tolist() == [16, 17, 18, 19, 100, 101, 102, 103]


@pytest.mark.parametrize(("last", "sizes"), [("smaller", [8, 8, 4]), ("even", [6, 7, 7]), ("filled", [8, 8, 8])])
def test_labeled_batches_and_those_beside_them_have_one_size(last: LastBatch, sizes: list[int]) -> None:
    pool = made_pool(20, 50)
    inputs, labels = pool.training_set()
    labeled = LabeledBatches(inputs, labels, batch_size=8, epochs=2, seed=0, last_batch=last)
    assert [len(labeled[step][0]) for step in range(3)] == sizes
    beside = PairedBatches(labeled, pool.inputs, pool.unlabeled, seed=1)
    assert len(beside) == len(labeled) == 6
    if last == "filled":
        assert all(len(one) == len(other) == 8 for one, _, other in beside)


@pytest.mark.parametrize("last", ALL)
@pytest.mark.parametrize("pairing", ["replacement", "modulo"])
def test_the_smaller_set_gives_as_many_as_the_larger(last: LastBatch, pairing: Any) -> None:
    batches = UnlabeledWithLabeled(made_pool(20, 50), batch_size=8, epochs=3, pairing=pairing, seed=0, last_batch=last)
    sizes = [(len(labeled), len(labels), len(others)) for labeled, labels, others in batches]
    assert all(size == (sizes[number][0],) * 3 for number, size in enumerate(sizes))
    assert sum(size[0] for size in sizes) == (3 * 7 * 8 if last == "filled" else 150)


def test_under_matched_steps_whole_batches_show_as_many_labels_as_waals() -> None:
    """Of 20 labels every second batch had four: two thirds of the labeled images that WAAL sees in as many steps."""
    plan: dict[str, Any] = {"network": Linear, "epochs": 1, "batch_size": 16, "optimizer": partial(SGD, lr=0.01)}
    pool, seen = made_pool(20, 1417), {}
    for last in ALL:
        with measure_cost() as cost:
            replace(Supervised(**plan, match_steps=True), last_batch=last).fit(pool, None, seed=0)
        assert cost.optimizer_steps == 89
        seen[last] = cost.images_seen
    assert seen["smaller"] == seen["even"] == pytest.approx(890, abs=10)
    assert seen["filled"] == 89 * 16
