"""What every feature space promises to the strategies that match in it (al_bench/feature/__init__.py)."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from composing import members, part
from torch import Tensor

from al_bench.active.inputs import to_float
from al_bench.active.pool import Pool
from al_bench.dataset import Dataset
from al_bench.feature import Feature
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts
from al_bench.training.cost import measure_cost

OVERRIDES = ("dataset=digits", "scale=smoke")
Make = Callable[[], Feature]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    made: Dataset = part("dataset", *OVERRIDES)
    return made


@pytest.fixture(scope="module")
def model(dataset: Dataset) -> Network:
    pool = Pool.unlabeled_from(dataset.train.images, dataset.num_classes)
    made: Network = part("learner", *OVERRIDES).empty(pool, seed=0).eval()
    return made


@pytest.fixture(params=members("feature"))
def make(request: pytest.FixtureRequest, dataset: Dataset, tmp_path: Path) -> Make:
    """Makes the feature of a new run, prepared as in a run: with images, and no label."""

    def prepared() -> Feature:
        feature: Feature = part("feature", *OVERRIDES, "strategy=random", f"feature={request.param}")
        feature.prepare(dataset.blind(), Artifacts(tmp_path))
        return feature

    return prepared


@pytest.fixture
def images(dataset: Dataset) -> Tensor:
    return to_float(dataset.train.images[:20])


def test_one_vector_per_image(make: Make, images: Tensor, model: Network) -> None:
    feature = make()
    features = feature.extract(images, model)
    assert features.shape == (20, feature.size(images.shape[1:]))
    assert features.dtype == torch.float32
    assert features.isfinite().all()
    assert features.var(0).sum() > 0, "images differ"


def test_does_without_a_model_unless_it_follows_one(make: Make, images: Tensor, model: Network) -> None:
    feature = make()
    if not feature.follows_model:
        assert torch.equal(feature.extract(images, None), feature.extract(images, model))


def test_looks_at_each_image_alone(make: Make, images: Tensor, model: Network) -> None:
    feature = make()
    torch.testing.assert_close(feature.extract(images[:1], model), feature.extract(images, model)[:1])


def test_what_it_prepares_is_an_artifact(make: Make, images: Tensor, model: Network) -> None:
    first = make().extract(images, model)
    torch.manual_seed(1)
    with measure_cost() as cost:
        again = make()
    assert cost.optimizer_steps == 0
    assert torch.equal(again.extract(images, model), first)


def test_its_parameters_stand_still(make: Make, images: Tensor) -> None:
    feature = make()
    if not feature.follows_model:
        assert not feature.extract(images, None).requires_grad
