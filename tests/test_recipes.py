"""Each recipe against the table that its paper prints."""

from typing import NamedTuple

import pytest
from composing import compose, part

from al_bench.stopping import Stopping


class Row(NamedTuple):
    """Of ASAL's Table 1, with the settings of A.1 to A.7."""

    dataset: str
    cycles: int
    budget: int
    new: int
    initial: int
    rule: str
    classifier: str
    gan: str
    epochs: int
    batch_size: int


CELEBA = [f"celeba_{name}" for name in ("blond_hair", "wearing_hat", "bangs", "eyeglasses")]
TABLE_1 = [
    Row("mnist_two", 45, 500, 10, 50, "random", "linear", "wgan_gp", 10, 10),
    Row("cifar10_two", 95, 1000, 10, 50, "random", "linear", "wgan_gp", 10, 50),
    Row("mnist", 198, 10_000, 50, 100, "random", "lenet", "wgan_gp", 10, 50),
    Row("cifar10", 29, 30_000, 1000, 1000, "balanced", "all_cnn", "res_wgan_ct", 150, 128),
    *(Row(name, 190, 2000, 10, 100, "stratified", "celeba_cnn", "wgan_gp", 30, 50) for name in CELEBA),
    Row("svhn", 49, 50_000, 1000, 1000, "stratified", "conv_small", "wgan_gp", 120, 128),
    Row("lsun", 29, 30_000, 1000, 1000, "stratified", "conv_small_strided", "wgan_gp", 120, 128),
]
rows = pytest.mark.parametrize("row", TABLE_1, ids=[row.dataset for row in TABLE_1])


@rows
def test_asal_asks_as_often_as_table_1_says(row: Row) -> None:
    """The formula, and the loop's own stop rule counted out."""
    loop = compose(f"dataset={row.dataset}").loop
    assert (loop.budget - loop.initial_size) / loop.query_size == row.cycles
    stopping, annotations, cycles = Stopping(loop.budget, loop.max_cycles, None), loop.initial_size, 0
    while stopping.reason({"index": cycles, "annotations": annotations, "unlabeled": 1, "metrics": {}}) is None:
        annotations += stopping.next_size(loop.query_size, annotations, 10_000_000)
        cycles += 1
    assert (cycles, annotations) == (row.cycles, row.budget)


@rows
def test_asal_has_the_sizes_and_parts_of_table_1(row: Row) -> None:
    config = compose(f"dataset={row.dataset}")
    loop, chosen = config.loop, config.hydra.runtime.choices
    assert (loop.budget, loop.query_size, loop.initial_size) == (row.budget, row.new, row.initial)
    assert loop.initial == row.rule
    assert (chosen["network"], chosen["gan"]) == (row.classifier, row.gan)
    assert (config.learner.epochs, config.learner.batch_size) == (row.epochs, row.batch_size)
    assert (config.learner.augmentation is not None) == (row.dataset == "lsun"), "Sec. 4.2"


def test_all_cnn_learns_slower_from_epochs_130_and_140_on() -> None:
    """With 30,000 labels, 235 steps an epoch; so too with 1,000, 8 steps an epoch."""
    schedule = part("recipe", "dataset=cifar10")["schedule"]
    for per_epoch in (8, 235):
        for epoch, before, after in ((130, 1, 0.1), (140, 0.1, 0.01)):
            first = epoch * per_epoch
            rates = [schedule(step / (150 * per_epoch)) for step in (first - 1, first)]
            assert rates == pytest.approx([before, after])
