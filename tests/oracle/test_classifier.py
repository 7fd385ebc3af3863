from pathlib import Path

import pytest
import torch
from composing import part

from al_bench.active.pool import UNKNOWN
from al_bench.active.query import PoolQuery, SyntheticQuery
from al_bench.dataset import Dataset
from al_bench.oracle.classifier import Classifier
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts


@pytest.fixture(scope="module")
def digits() -> Dataset:
    made: Dataset = part("dataset", "dataset=digits")
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


def prepared(digits: Dataset, folder: Path, min_confidence: float = 0.0) -> Classifier:
    made: Classifier = part("oracle", "oracle=classifier", f"oracle.min_confidence={min_confidence}")
    made.prepare(digits, Artifacts(folder))
    return made


def test_labels_unseen_images_as_well_as_a_person_nearly(digits: Dataset, folder: Path) -> None:
    unseen = SyntheticQuery(digits.test.images[:][:, None])
    labels = prepared(digits, folder).label(unseen).squeeze(1)
    assert (labels == digits.test.labels).double().mean() > 0.96


def test_gives_real_images_their_true_label(digits: Dataset, folder: Path) -> None:
    everything = PoolQuery(torch.arange(len(digits.train)))
    assert torch.equal(prepared(digits, folder, min_confidence=1.0).label(everything), digits.train.labels)


def test_passes_on_what_it_is_less_sure_of(digits: Dataset, folder: Path) -> None:
    noise = torch.randint(256, (60, 5, 1, 8, 8), generator=generator(0)).to(torch.uint8)
    sure, strict = (prepared(digits, folder, c).label(SyntheticQuery(noise)) for c in (0.0, 0.9))
    passed = strict == UNKNOWN
    assert (sure != UNKNOWN).all()
    assert 0.1 < passed.double().mean() < 1
    assert torch.equal(strict[~passed], sure[~passed])


def test_is_trained_once_for_all(digits: Dataset, folder: Path) -> None:
    prepared(digits, folder)
    stored = {path: path.stat().st_mtime_ns for path in (folder / "oracle").glob("*.safetensors")}
    prepared(digits, folder, min_confidence=0.5)
    assert len(stored) == 1
    assert {path: path.stat().st_mtime_ns for path in (folder / "oracle").glob("*.safetensors")} == stored


def test_other_labels_are_another_model(digits: Dataset, tmp_path: Path) -> None:
    made: Classifier = part("oracle", "oracle=classifier", "scale=smoke")
    made.prepare(digits, Artifacts(tmp_path))
    digits.train.labels[0] = (digits.train.labels[0] + 1) % 10
    made.prepare(digits, Artifacts(tmp_path))
    digits.train.labels[0] = (digits.train.labels[0] - 1) % 10
    assert len(list((tmp_path / "oracle").glob("*.safetensors"))) == 2


def test_looks_at_what_is_shown_where_that_is_not_the_input(digits: Dataset, folder: Path) -> None:
    """A line of ADBA: eleven latents are asked for and their images shown."""
    images = digits.test.images[torch.arange(22)].unflatten(0, (2, 11))
    oracle = prepared(digits, folder)
    found = oracle.label(SyntheticQuery(torch.zeros(2, 11, 5), shown=images))
    assert torch.equal(found, oracle.label(SyntheticQuery(images)))
