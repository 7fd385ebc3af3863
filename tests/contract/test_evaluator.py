"""What every evaluator promises to the loop and the report (al_bench/evaluator/__init__.py)."""

import math
from dataclasses import dataclass
from pathlib import Path

import made_generators
import pytest
import torch
from composing import compose, members, part
from hydra.utils import get_class
from torch import Tensor, nn

from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator import Evaluator, Metrics
from al_bench.network import Network
from al_bench.procedure.promises import held_evaluation
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


def made(name: str) -> Evaluator:
    """An evaluator as it is configured, on few images."""
    of_made = ("evaluator.samples=24", "evaluator.splits=2") if name in GENERATION else ()
    found: Evaluator = part("evaluator", f"evaluator={name}", "scale=smoke", "network=small_cnn", *of_made)
    return found


def needs_of(name: str) -> frozenset[str]:
    """What the class of an evaluator asks of a model; nothing is made."""
    needs: frozenset[str] = get_class(compose(f"evaluator={name}").evaluator._target_).needs
    return needs


GENERATION = [name for name in members("evaluator") if "sample" in needs_of(name)]
RECOGNITION = [name for name in members("evaluator") if not needs_of(name)]


def test_every_evaluator_is_of_a_kind_that_is_tested_here() -> None:
    assert {*GENERATION, *RECOGNITION} == set(members("evaluator")) and GENERATION


@pytest.fixture(params=RECOGNITION)
def evaluator(request: pytest.FixtureRequest) -> Evaluator:
    return made(request.param)


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


@dataclass(frozen=True)
class Case:
    """A prepared evaluator and what it measures."""

    evaluator: Evaluator
    dataset: Dataset
    model: Network

    @property
    def metrics(self) -> Metrics:
        return self.evaluator.evaluate(self.model, self.dataset).metrics


@pytest.fixture(params=members("evaluator"))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    """Every evaluator, on a model that gives what it asks for."""
    evaluator = made(request.param)
    if request.param in GENERATION:
        world, model = made_generators.dataset(), made_generators.Painter()
    else:
        world = dataset_of(LABEL_MAPS if request.param == "mean_iou" else CLASS_LABELS)
        model = constant(world)
    evaluator.prepare(world, Artifacts(tmp_path))
    return Case(evaluator, world, model)


def test_a_perfect_model_gets_one(evaluator: Evaluator, dataset: Dataset) -> None:
    assert evaluator.evaluate(perfect(dataset), dataset).metrics[evaluator.scalars[0].name] == 1


def test_a_constant_model_gets_the_share_of_its_class(evaluator: Evaluator, dataset: Dataset) -> None:
    """Four of eight images are of class 0; so are three of six pixels, shared by the three classes that occur."""
    expected = 0.5 / 3 if dataset.map_shape else 0.5
    assert evaluator.evaluate(constant(dataset), dataset).metrics[evaluator.scalars[0].name] == pytest.approx(expected)


def test_names_each_metric_that_is_one_number(case: Case) -> None:
    measured = {name: value for name, value in case.metrics.items() if isinstance(value, float)}
    assert set(measured) == {metric.name for metric in case.evaluator.scalars}
    assert next(iter(case.metrics)) == case.evaluator.scalars[0].name
    assert all(map(math.isfinite, measured.values()))
    declared = {metric.name for metric in type(case.evaluator).scalars}
    assert {metric.name for metric in case.evaluator.scalars} <= declared


def test_a_fraction_is_one(case: Case) -> None:
    fractions = [case.metrics[metric.name] for metric in case.evaluator.scalars if metric.unit == "fraction"]
    assert fractions and all(isinstance(value, float) and 0 <= value <= 1 for value in fractions)


def test_a_run_takes_it(case: Case) -> None:
    evaluation = case.evaluator.evaluate(case.model, case.dataset)
    assert held_evaluation(case.evaluator, evaluation, len(case.dataset.test)) is evaluation


def test_measures_the_same_again(case: Case) -> None:
    first, second = (case.evaluator.evaluate(case.model, case.dataset) for _ in range(2))
    torch.testing.assert_close(first.metrics, second.metrics, equal_nan=True, rtol=0, atol=0)


def test_a_look_into_a_training_sees_what_is_measured_at_its_end(case: Case) -> None:
    looked, whole = case.evaluator.look(case.model, case.dataset), case.metrics
    assert case.evaluator.scalars[0].name in looked
    torch.testing.assert_close(looked, {name: whole[name] for name in looked}, equal_nan=True, rtol=0, atol=0)


def test_a_list_has_a_number_for_each_class(case: Case) -> None:
    lists = [value for value in case.metrics.values() if isinstance(value, list)]
    assert lists and all(len(value) == case.dataset.num_classes for value in lists)


def test_what_is_shown_of_each_class_has_words(case: Case) -> None:
    """`report.by_class` shows "class_" and the name of a metric of all classes, or what is declared for it."""
    alike = {f"class_{metric.name}" for metric in case.evaluator.scalars}
    named = {recorded.name for recorded in type(case.evaluator).records if recorded.words}
    shown = {name for name in case.metrics if name.startswith("class_")}
    assert shown <= alike | named and not alike & named


def test_samples_are_a_row_of_images_for_each_class(case: Case) -> None:
    samples = case.evaluator.evaluate(case.model, case.dataset).samples
    assert (samples is None) == ("sample" not in case.evaluator.needs)
    if samples is not None:
        assert samples.dtype == torch.uint8 and samples.device.type == "cpu"
        assert (len(samples), samples.shape[2:]) == (case.dataset.num_classes, case.dataset.train.images.shape[1:])


def test_a_class_without_a_test_image_is_nan(evaluator: Evaluator, dataset: Dataset) -> None:
    always_absent = model_for(dataset, torch.zeros(CLASSES, CLASSES), 50 * torch.eye(CLASSES)[ABSENT])
    for model in (perfect(dataset), constant(dataset), always_absent):
        lists = [value for value in evaluator.evaluate(model, dataset).metrics.values() if isinstance(value, list)]
        for per_class in lists:
            assert len(per_class) == CLASSES
            assert [math.isnan(value) for value in per_class] == [False, False, True, False]


def test_leaves_the_model_and_the_generators_as_they_were(case: Case) -> None:
    model = case.model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    drawn = torch.get_rng_state()
    case.evaluator.evaluate(model, case.dataset)
    case.evaluator.look(model, case.dataset)
    assert torch.equal(torch.get_rng_state(), drawn) and torch.is_grad_enabled()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(part.training for part in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
