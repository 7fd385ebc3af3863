"""Labeled inputs are dark and unlabeled ones bright, so that they are told apart."""

import pytest
import torch

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.training.augmentation import FlipCrop
from al_bench.training.batches import Augmentation
from al_bench.training.labeled_batches import LabeledBatches
from al_bench.training.paired_batches import PairedBatches, Pairing, UnlabeledWithLabeled

LABELED, UNLABELED = 20, 50


def made_pool(labeled: int = LABELED, unlabeled: int = UNLABELED) -> Pool:
    inputs = 0.3 * torch.randn(labeled + unlabeled, 2, generator=seeding.generator(0))
    inputs[labeled:, 0] += 2
    labels = (inputs[:labeled, 1] > 0).long()
    return Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.arange(labeled)), labels)


def unlabeled_with_labeled(
    pool: Pool, pairing: Pairing = "replacement", augmentation: Augmentation | None = None
) -> UnlabeledWithLabeled:
    return UnlabeledWithLabeled(pool, batch_size=8, epochs=30, pairing=pairing, seed=0, augmentation=augmentation)


def test_an_epoch_reads_every_unlabeled_input_once_and_draws_labeled_ones_with_replacement() -> None:
    pool = made_pool()
    batches = unlabeled_with_labeled(pool)
    assert len(batches) == 30 * 7
    epochs = [[batches[7 * epoch + number] for number in range(7)] for epoch in range(2)]
    for epoch in epochs:
        others = torch.cat([others for _, _, others in epoch])
        assert torch.equal(others.sort(0).values, pool.inputs[pool.unlabeled].sort(0).values)
        assert all(len(inputs) == len(labels) == len(others) for inputs, labels, others in epoch)
    drawn = torch.cat([inputs for inputs, _, _ in epochs[0]])
    counts = drawn.unique(dim=0, return_counts=True)[1]
    assert counts.min() < 2 or counts.max() > 3, "passes would read each of the 20 two or three times"
    assert not torch.equal(drawn, torch.cat([inputs for inputs, _, _ in epochs[1]]))
    assert torch.equal(batches[3][0], epochs[0][3][0]), "any batch can be asked for at any time"


def test_modulo_pairs_positions_of_the_larger_set() -> None:
    pool = made_pool(3, 7)
    batches = unlabeled_with_labeled(pool, "modulo")
    order = batches.order[0]
    inputs, labels, others = batches[0]
    assert torch.equal(inputs, pool.inputs[order % 3])
    assert torch.equal(labels, pool.labels[order % 3])
    assert torch.equal(others, pool.inputs[pool.unlabeled[order]])
    assert len(order) == 7


@pytest.mark.parametrize("pairing", ["replacement", "modulo"])
def test_once_more_is_labeled_than_not_an_epoch_reads_every_label(pairing: Pairing) -> None:
    pool = made_pool(50, 20)
    batches = unlabeled_with_labeled(pool, pairing)
    epoch = [batches[number] for number in range(7)]
    assert torch.equal(torch.cat([inputs for inputs, _, _ in epoch]).sort(0).values, pool.inputs[:50].sort(0).values)
    assert all(len(inputs) == len(others) for inputs, _, others in epoch)


def test_both_kinds_are_augmented() -> None:
    images = torch.full((30, 1, 4, 4), 255, dtype=torch.uint8)
    pool = Pool.unlabeled_from(images, 2).with_labels(PoolQuery(torch.arange(10)), torch.zeros(10).long())
    torch.manual_seed(0)
    inputs, _, others = unlabeled_with_labeled(pool, augmentation=FlipCrop(padding=4, flip=True))[0]
    assert (inputs == 0).any()
    assert (others == 0).any()


def test_each_labeled_batch_has_as_many_unlabeled_inputs_and_all_are_read() -> None:
    pool = made_pool()
    inputs, labels = pool.training_set()
    labeled = LabeledBatches(inputs, labels, batch_size=8, epochs=20, seed=0)
    batches = PairedBatches(labeled, pool.inputs, pool.unlabeled, seed=1)
    sizes, seen = [], []
    for inputs, _, others in batches:
        sizes.append((len(inputs), len(others)))
        seen += [tuple(row) for row in others.tolist()]
    assert set(sizes) <= {(8, 8), (8, 2), (4, 4), (4, 2)}
    assert (8, 8) in sizes
    assert all(row[0] > 1 for row in seen), "bright: unlabeled"
    assert len(set(seen)) == UNLABELED
    assert batches.images_per_step == pytest.approx(2 * LABELED / 3)


def test_both_kinds_are_augmented_alike() -> None:
    images = torch.full((12, 1, 6, 6), 200, dtype=torch.uint8)
    moved = FlipCrop(padding=2, flip=True)
    labeled = LabeledBatches(images[:6], torch.zeros(6).long(), batch_size=6, epochs=1, seed=0, augmentation=moved)
    with seeding.fork(0):
        inputs, _, others = PairedBatches(labeled, images, torch.arange(6, 12), seed=1)[0]
    for kind in (inputs, others):
        assert (kind == 0).any(), "padding came in"
