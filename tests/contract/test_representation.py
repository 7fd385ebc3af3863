"""What every representation promises to learner, evaluator and strategy (al_bench/representation/__init__.py)."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from composing import part
from made_backbone import model_of
from torch import Tensor

from al_bench.config.groups import members
from al_bench.dataset import Dataset, Sealed, Split
from al_bench.representation import Representation
from al_bench.storage.artifacts import Artifacts


@pytest.fixture(scope="module")
def images() -> Dataset:
    digits: Dataset = part("dataset", "dataset=digits")
    train, test = digits.train.subset(torch.arange(300)), digits.test
    return replace(digits, train=train, validation=test.subset(torch.arange(20)), test=test)


@pytest.fixture(params=members("representation"))
def representation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Representation:
    needed = {"backbone": ("weights", model_of)}  # files that a member has no default for
    more = []
    if request.param in needed:
        argument, make = needed[request.param]
        more = [f"representation.{argument}={make(tmp_path_factory.mktemp('needed') / 'file')}"]
    made: Representation = part("representation", f"representation={request.param}", "scale=smoke", *more)
    return made


def splits(dataset: Dataset) -> list[Split]:
    assert dataset.validation is not None
    return [dataset.train, dataset.validation, dataset.test]


def values(split: Split) -> Tensor:
    return split.images[torch.arange(len(split))]


def test_replaces_inputs_and_nothing_else(representation: Representation, images: Dataset, tmp_path: Path) -> None:
    found = representation.apply(images, Artifacts(tmp_path))
    for before, after in zip(splits(images), splits(found), strict=True):
        assert len(after) == len(before) == len(after.labels)
        assert torch.equal(after.labels, before.labels)
    assert (found.num_classes, found.class_names) == (images.num_classes, images.class_names)


def test_knows_the_shape_of_its_inputs_before_it_trains(
    representation: Representation, images: Dataset, tmp_path: Path
) -> None:
    expected = representation.shape((1, 8, 8))
    assert not list(tmp_path.iterdir())
    for split in splits(representation.apply(images, Artifacts(tmp_path))):
        assert split.images.shape[1:] == expected
        assert (split.images.dtype == torch.uint8) == (len(expected) == 3) == representation.gives_images


def test_different_images_stay_different(representation: Representation, images: Dataset, tmp_path: Path) -> None:
    found = values(representation.apply(images, Artifacts(tmp_path)).train)
    assert not found.requires_grad
    assert found.isfinite().all()
    assert len(found.unique(dim=0)) == len(values(images.train).unique(dim=0))


def test_applied_again_it_gives_the_same(representation: Representation, images: Dataset, tmp_path: Path) -> None:
    first, second = (representation.apply(images, Artifacts(tmp_path)) for _ in range(2))
    for before, after in zip(splits(first), splits(second), strict=True):
        assert torch.equal(values(before), values(after))


def test_reads_no_label(representation: Representation, images: Dataset, tmp_path: Path) -> None:
    def hidden(split: Split) -> Split:
        return Split(split.images, Sealed())  # type: ignore[arg-type]

    train, validation, test = (hidden(split) for split in splits(images))
    sealed = replace(images, train=train, validation=validation, test=test)
    found = representation.apply(sealed, Artifacts(tmp_path))
    assert torch.equal(values(found.train), values(representation.apply(images, Artifacts(tmp_path)).train))
