"""What every evaluator promises to the loop and the report (al_bench/evaluator/__init__.py)."""

import math
from pathlib import Path

import pytest
import torch
from composing import members, part
from torch import Tensor, nn

from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator import Evaluator
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts

CLASSES = 4
ABSENT = 2  # has no test image

CLASS_LABELS = torch.tensor([0, 0, 0, 1, 3, 1, 3, 0])
LABEL_MAPS = torch.tensor([[[0, 1], [255, 3]], [[0, 0], [255, 1]]], dtype=torch.uint8)


def dataset_of(labels: Tensor) -> Dataset:
    """Images that are their label: channel k is white where the class is k."""
    white = nn.functional.one_hot(labels.long().clamp(max=CLASSES), CLASSES + 1)[..., :CLASSES] * 255
    images = white.movedim(-1, 1).to(torch.uint8) if labels.dim() > 1 else white.to(torch.uint8)[:, :, None, None]
    split = Split(images, labels)
    return Dataset(split, None, split, CLASSES, tuple("abcd"))


def model_for(dataset: Dataset, weight: Tensor, bias: Tensor) -> Network:
    """Logits that are linear in the channels of a pixel."""
    last = nn.Conv2d(CLASSES, CLASSES, 1)
    last.weight.data, last.bias.data = weight[:, :, None, None].clone(), bias.clone()  # type: ignore[union-attr]
    return Network(nn.Identity(), nn.Dropout(0.5), last if dataset.map_shape else nn.Sequential(last, nn.Flatten()))


def perfect(dataset: Dataset) -> Network:
    return model_for(dataset, 50 * torch.eye(CLASSES), torch.zeros(CLASSES))


def constant(dataset: Dataset) -> Network:
    """Answers class 0 whatever it sees."""
    return model_for(dataset, torch.zeros(CLASSES, CLASSES), 50 * torch.eye(CLASSES)[0])


@pytest.fixture(params=members("evaluator"))
def evaluator(request: pytest.FixtureRequest) -> Evaluator:
    made: Evaluator = part("evaluator", f"evaluator={request.param}")
    return made


@pytest.fixture
def dataset(evaluator: Evaluator, tmp_path: Path) -> Dataset:
    """The first data set that the evaluator does not refuse."""
    for labels in (CLASS_LABELS, LABEL_MAPS):
        try:
            evaluator.prepare(dataset_of(labels), Artifacts(tmp_path))
        except UserError:
            continue
        return dataset_of(labels)
    raise AssertionError("the evaluator takes neither class labels nor label maps")


def test_a_perfect_model_gets_one(evaluator: Evaluator, dataset: Dataset) -> None:
    assert evaluator.evaluate(perfect(dataset), dataset).metrics[evaluator.scalars[0].name] == 1


def test_a_constant_model_gets_the_share_of_its_class(evaluator: Evaluator, dataset: Dataset) -> None:
    """Four of eight images are of class 0; so are three of six pixels, shared by the three classes that occur."""
    expected = 0.5 / 3 if dataset.map_shape else 0.5
    assert evaluator.evaluate(constant(dataset), dataset).metrics[evaluator.scalars[0].name] == pytest.approx(expected)


def test_names_each_metric_that_is_one_number(evaluator: Evaluator, dataset: Dataset) -> None:
    metrics = evaluator.evaluate(constant(dataset), dataset).metrics
    measured = {name for name, value in metrics.items() if isinstance(value, float)}
    assert measured == {metric.name for metric in evaluator.scalars}
    assert all(math.isfinite(value) for value in metrics.values() if isinstance(value, float))


def test_a_class_without_a_test_image_is_nan(evaluator: Evaluator, dataset: Dataset) -> None:
    always_absent = model_for(dataset, torch.zeros(CLASSES, CLASSES), 50 * torch.eye(CLASSES)[ABSENT])
    for model in (perfect(dataset), constant(dataset), always_absent):
        lists = [value for value in evaluator.evaluate(model, dataset).metrics.values() if isinstance(value, list)]
        for per_class in lists:
            assert len(per_class) == CLASSES
            assert [math.isnan(value) for value in per_class] == [False, False, True, False]


def test_leaves_the_model_as_it_was(evaluator: Evaluator, dataset: Dataset) -> None:
    model = perfect(dataset).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    evaluator.evaluate(model, dataset)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(part.training for part in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
