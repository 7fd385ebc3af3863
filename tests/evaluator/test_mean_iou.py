from pathlib import Path

import pytest
import torch
from torch import nn

from al_bench.active.part import describe
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator.mean_iou import MeanIou
from al_bench.network import Network
from al_bench.network.predict import BATCH_SIZE
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts
from al_bench.training.losses import IGNORED

CLASSES = 3


def random_task() -> tuple[Network, Dataset]:
    """More images than a batch, and a model that is right now and then; the last class never occurs."""
    rng = generator(0)
    images = torch.randint(256, (BATCH_SIZE + 300, 1, 3, 2), generator=rng).to(torch.uint8)
    maps = torch.randint(CLASSES - 1, (len(images), 3, 2), generator=rng).to(torch.uint8)
    maps[torch.rand(maps.shape, generator=rng) < 0.2] = IGNORED
    split = Split(images, maps)
    network = Network(nn.Identity(), nn.Identity(), nn.Conv2d(1, CLASSES, 1))
    network.head.weight.data = torch.tensor([-3.0, 3.0, 0.0])[:, None, None, None]
    network.head.bias.data = torch.tensor([2.0, -2.0, 0.9])
    return network, Dataset(split, None, split, CLASSES, tuple("abc"))


def test_agrees_with_counting_in_a_loop() -> None:
    model, dataset = random_task()
    found = model(dataset.test.images[:].float() / 255).argmax(1).flatten().tolist()
    true = dataset.test.labels.flatten().tolist()
    pairs = [pair for pair in zip(found, true, strict=True) if pair[1] != IGNORED]
    assert {answer for answer, _ in pairs} == {0, 1, 2}
    iou = [sum(a == b == k for a, b in pairs) / sum(k in (a, b) for a, b in pairs) for k in range(CLASSES - 1)]
    metrics = MeanIou().evaluate(model, dataset).metrics
    listed = metrics["iou"]
    assert isinstance(listed, list)
    assert listed[:2] == pytest.approx(iou)
    assert metrics["mean_iou"] == pytest.approx(sum(iou) / 2)
    assert metrics["pixel_accuracy"] == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))


def test_a_class_that_is_never_found_counts_with_zero() -> None:
    """And is not left out as one that no test pixel has: two of six pixels are of class 0, all are taken for it."""
    maps = torch.tensor([[[0, 0, 1], [1, 1, 1]]], dtype=torch.uint8)
    split = Split(torch.zeros(1, 1, 2, 3, dtype=torch.uint8), maps)
    network = Network(nn.Identity(), nn.Identity(), nn.Conv2d(1, CLASSES, 1))
    network.head.bias.data = torch.tensor([9.0, 0.0, 0.0])
    metrics = MeanIou().evaluate(network, Dataset(split, None, split, CLASSES, tuple("abc"))).metrics
    assert metrics["mean_iou"] == pytest.approx((2 / 6 + 0) / 2)


def test_refuses_class_labels_before_training(tmp_path: Path) -> None:
    split = Split(torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64))
    with pytest.raises(UserError, match="evaluator=mean_iou needs label maps"):
        MeanIou().prepare(Dataset(split, None, split, 2, ("a", "b")), Artifacts(tmp_path))


def test_keeps_the_maps_that_the_model_gave_the_first_images() -> None:
    model, dataset = random_task()
    found = model(dataset.test.images[:].float() / 255).argmax(1).to(torch.uint8)
    assert torch.equal(MeanIou().evaluate(model, dataset).predicted, found[:4])
    many = BATCH_SIZE + 1
    assert torch.equal(MeanIou(kept_maps=many).evaluate(model, dataset).predicted, found[:many])
    none = MeanIou(kept_maps=0).evaluate(model, dataset)
    assert none.predicted is None
    torch.testing.assert_close(none.metrics, MeanIou().evaluate(model, dataset).metrics, equal_nan=True, rtol=0, atol=0)


def test_how_many_maps_are_kept_moves_no_id() -> None:
    assert describe(MeanIou(kept_maps=0)) == describe(MeanIou()) == {"part": "evaluator/mean_iou@1"}
