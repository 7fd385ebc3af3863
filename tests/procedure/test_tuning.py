"""procedure=tuning: what is trained on, what is measured on, and that neither is a test image."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from procedure.worlds import Brightness, dataset, split, store

from al_bench.active.initial_labels import initial_query
from al_bench.active.pool import Pool
from al_bench.dataset import Dataset, PictureFolder
from al_bench.errors import UserError
from al_bench.evaluator.accuracy import Accuracy
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.oracle.ground_truth import GroundTruth
from al_bench.oracle.noisy import Noisy
from al_bench.procedure.tuning import Tuning
from al_bench.representation.none import NoRepresentation
from al_bench.training.observation import Observer


@dataclass(frozen=True)
class Inverted(Learner):
    """Gives a model that takes white for black, and keeps the pools that it was trained on."""

    validates: bool = False  # type: ignore[misc]
    pools: list[Pool] = field(default_factory=list)
    needs: ClassVar[frozenset[str]] = frozenset()

    def empty(self, pool: Pool, seed: int) -> Network:
        return Brightness(-100.0)

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        self.pools.append(pool)
        return self.empty(pool, seed).eval()


class Diverging(Inverted):
    """Comes to a loss that is no number."""

    def fit(self, *arguments: Any, **named: Any) -> Network:
        raise FloatingPointError("cross_entropy is nan at step 7")


def made(images: Dataset, learner: Learner, folder: Path, **changed: Any) -> Tuning:
    settings: dict[str, Any] = {
        "initial": "random", "every_class": False, "initial_size": 10, "validation_size": 30, "artifacts": str(folder),
        "device": "cpu", "seed": 3,
    }  # fmt: skip
    return Tuning(images, NoRepresentation(), learner, Accuracy(), GroundTruth(), **(settings | changed))


def measured(tuning: Tuning, folder: Path) -> dict[str, Any]:
    with store(folder) as opened:
        tuning.run(opened)
        (record,) = opened.records
    return record.plain()


def test_trained_on_the_first_labels_of_a_run_and_measured_on_other_training_images(tmp_path: Path) -> None:
    learner, images = Inverted(), dataset()
    record = measured(made(images, learner, tmp_path), tmp_path)
    (pool,) = learner.pools
    first = initial_query(images.train.labels, 2, 10, "random", False, 3).indices
    assert pool.labeled.tolist() == first.tolist(), "as the first cycle of a run of this seed"
    assert record["metrics"]["accuracy"] == 0.0
    assert record["finished"] == (
        "accuracy 0.0000 on 30 validation labels, which are counted nowhere, after training on the first 10"
    )
    assert pool.validation is None


def test_a_setting_that_diverges_is_measured_as_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Refused, it would be missing for good, and nothing could be chosen among the others."""
    record = measured(made(dataset(), Diverging(), tmp_path), tmp_path)
    assert record["metrics"]["accuracy"] is None
    assert record["finished"] == "no accuracy: training on the first 10 came to a loss that is not finite"
    assert "this setting, seed 3: cross_entropy is nan at step 7" in caplog.text


def test_without_a_validation_split_no_first_label_is_measured_on(tmp_path: Path) -> None:
    tuning, images = made(dataset(), Inverted(), tmp_path), dataset()
    pool = tuning.label_first(images)
    rows = images.train.images.flatten(1).double()
    numbered = replace(images, train=replace(images.train, positions=torch.arange(len(rows))))
    positions = tuning.hold_out(numbered, pool).positions
    assert positions is not None
    assert len(positions.unique()) == 30
    assert not set(positions.tolist()) & set(pool.labeled.tolist())
    assert tuning.hold_out(numbered, pool).positions.tolist() == positions.tolist()  # type: ignore[union-attr]


def test_the_validation_split_is_taken_where_there_is_one_and_early_stopping_sees_the_same(tmp_path: Path) -> None:
    images, learner = replace(dataset(), validation=split(0, 40)), Inverted(validates=True)
    record = measured(made(images, learner, tmp_path), tmp_path)
    assert record["metrics"]["class_accuracy"] == [None, 0.0], "white images alone"
    (pool,) = learner.pools
    assert pool.validation is not None
    assert [len(part) for part in pool.validation] == [30, 30]
    assert pool.annotations == 10, "they are counted nowhere"


def test_test_images_are_not_read(tmp_path: Path) -> None:
    images = replace(dataset(), test=split(0, 0))
    assert measured(made(images, Inverted(), tmp_path), tmp_path)["metrics"]["accuracy"] == 0


def test_an_oracle_that_would_not_be_asked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="procedure=tuning reads the data set's own labels, and oracle=noisy gives others"
    ):
        Tuning(
            dataset(), NoRepresentation(), Inverted(), Accuracy(), Noisy(0.1, 0.0, 0), "random", False, 10, 30,
            str(tmp_path), "cpu", 3,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("validation", "words"),
    [
        (None, "more than the 110 images that are not among the first labels"),
        (20, "more than the 40 images that are in the val"),
    ],
)
def test_a_split_that_cannot_be_drawn_is_refused(tmp_path: Path, validation: int | None, words: str) -> None:
    images = dataset() if validation is None else replace(dataset(), validation=split(validation, validation))
    with store(tmp_path) as opened, pytest.raises(UserError, match=f"procedure.validation_size=111 is {words}"):
        made(images, Inverted(), tmp_path, validation_size=111).run(opened)


def test_pictures_without_labels_are_refused_with_what_helps_a_procedure_that_asks_nobody(tmp_path: Path) -> None:
    images = replace(dataset(), unlabeled=PictureFolder(tmp_path, [], decoder=None))  # type: ignore[arg-type]
    with store(tmp_path) as opened, pytest.raises(UserError, match="have no labels: leave out"):
        made(images, Inverted(), tmp_path).run(opened)
