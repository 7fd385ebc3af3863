"""What every oracle promises to the loop (al_bench/oracle/__init__.py)."""

from pathlib import Path

import pytest
import torch
from composing import members, part

from al_bench.active.pool import UNKNOWN
from al_bench.active.query import PoolQuery, SyntheticQuery
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.oracle import Oracle, Person
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts


@pytest.fixture(scope="module")
def digits() -> Dataset:
    made: Dataset = part("dataset", "dataset=digits")
    return made


PEOPLE = ("files", "human")  # who answer when they like: `tests/procedure/labeling`


@pytest.fixture(params=[name for name in members("oracle") if name not in PEOPLE])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def prepared(name: str, dataset: Dataset, folder: Path) -> Oracle:
    made: Oracle = part("oracle", "dataset=digits", f"oracle={name}", "scale=smoke")
    made.prepare(dataset, Artifacts(folder))
    return made


@pytest.fixture
def oracle(name: str, digits: Dataset, tmp_path: Path) -> Oracle:
    return prepared(name, digits, tmp_path)


def asked(count: int, dataset: Dataset, seed: int = 0) -> PoolQuery:
    return PoolQuery(torch.randperm(len(dataset.train), generator=generator(seed))[:count])


def synthetic(count: int, views: int) -> SyntheticQuery:
    return SyntheticQuery(torch.randint(256, (count, views, 1, 8, 8), generator=generator(0)).to(torch.uint8))


def test_answers_every_row_with_a_class_or_unknown(oracle: Oracle, digits: Dataset) -> None:
    labels = oracle.label(asked(300, digits))
    assert labels.shape == (300,)
    assert labels.dtype == torch.int64
    assert ((labels == UNKNOWN) | ((labels >= 0) & (labels < 10))).all()


def test_most_answers_are_true(oracle: Oracle, digits: Dataset) -> None:
    query = asked(1000, digits)
    assert (oracle.label(query) == digits.train.labels[query.indices]).double().mean() > 0.5


def test_one_that_says_it_is_the_truth_is(oracle: Oracle, digits: Dataset) -> None:
    """Its answers are not stored, see `Oracle.is_truth`."""
    query = asked(len(digits.train), digits)
    if oracle.is_truth:
        assert torch.equal(oracle.label(query), digits.train.labels[query.indices])
        assert not oracle.labels_synthetic
    else:
        assert oracle.labels_synthetic or not torch.equal(oracle.label(query), digits.train.labels[query.indices])


def test_the_same_image_gets_the_same_answer(oracle: Oracle, digits: Dataset) -> None:
    query = asked(300, digits)
    first = oracle.label(query)
    assert torch.equal(oracle.label(query), first)
    backwards = PoolQuery(query.indices.flip(0)[:100])
    assert torch.equal(oracle.label(backwards), first.flip(0)[:100])


def test_prepared_again_it_answers_the_same(name: str, digits: Dataset, tmp_path: Path) -> None:
    """As in a run that is resumed, or with another strategy of the same seed."""
    first, second = (prepared(name, digits, tmp_path) for _ in range(2))
    assert torch.equal(first.label(asked(300, digits)), second.label(asked(300, digits)))


def test_labels_synthetic_inputs_or_says_that_it_cannot(oracle: Oracle) -> None:
    if not oracle.labels_synthetic:
        with pytest.raises(TypeError, match="synthetic"):
            oracle.label(synthetic(4, views=1))
        return
    for views in (1, 3):
        labels = oracle.label(synthetic(4, views))
        assert labels.shape == (4, views)
        assert labels.dtype == torch.int64
        assert ((labels >= UNKNOWN) & (labels < 10)).all()


@pytest.mark.parametrize("name", PEOPLE)
def test_a_person_labels_pictures_without_labels_alone(name: str, digits: Dataset) -> None:
    person = part("oracle", "dataset=digits", f"oracle={name}")
    assert isinstance(person, Person) and not isinstance(person, Oracle) and not person.labels_synthetic
    with pytest.raises(UserError, match="dataset=image_folder"):
        person.check(digits)


def test_label_maps_are_answered_or_refused_before_training(name: str, tmp_path: Path) -> None:
    maps: Dataset = part("dataset", "dataset=shapes_seg", "dataset.train_size=20", "dataset.test_size=1")
    try:
        oracle = prepared(name, maps, tmp_path)
    except UserError:
        with pytest.raises(UserError, match="labels are maps: use oracle="):
            prepared(name, maps, tmp_path)
        return
    assert torch.equal(oracle.label(asked(5, maps)), maps.train.labels[asked(5, maps).indices])
