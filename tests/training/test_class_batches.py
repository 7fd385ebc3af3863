"""Images come with their own labels."""

import pytest
import torch

from al_bench.training.class_batches import ClassBatches
from al_bench.training.image_batches import ImageBatches

LABELS = torch.arange(20) * 7 % 5
IMAGES = torch.arange(20, dtype=torch.uint8)[:, None, None, None]  # (20, 1, 1, 1), each its own position


def images_of(images: torch.Tensor, seed: int) -> ImageBatches:
    return ImageBatches(images, batch_size=6, steps=10, seed=seed, per_step=2)


@pytest.mark.parametrize("with_others", [False, True])
def test_each_image_has_its_own_label(with_others: bool) -> None:
    others = images_of(IMAGES + 100, 1) if with_others else None
    batches = ClassBatches(images_of(IMAGES, 0), LABELS, others)
    seen = set[int]()
    for step in range(len(batches)):
        images, labels, *rest = batches.load(step)
        assert images.shape == (2, 6, 1, 1, 1) and labels.shape == (2, 6)
        positions = images.flatten(2).squeeze(2).long()
        assert torch.equal(labels, LABELS[positions])
        seen.update(positions.flatten().tolist())
        assert [bool((part >= 100).all()) for part in rest] == [True] * with_others
    assert seen == set(range(20))
    assert batches.images_per_step == 12 * (1 + with_others)
