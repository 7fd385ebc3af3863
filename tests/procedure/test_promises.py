"""Parts of one's own that break a promise: one sentence, before anything of them is stored."""

from dataclasses import replace

import pytest
import torch
from composing import compose
from procedure.worlds import Brightness, dataset, split
from torch import nn

from al_bench.active.pool import Pool
from al_bench.config.identity import identify
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator import Evaluation
from al_bench.evaluator.accuracy import Accuracy
from al_bench.learner.supervised import Supervised
from al_bench.procedure.promises import fit_held, held_evaluation, refuse_dataset
from al_bench.storage.store import RunStore
from run import instantiated

WORLD = dataset()
IMAGES, LABELS = WORLD.train.images, WORLD.train.labels
MAPS = Split(IMAGES[:3], torch.tensor([0, 1, 255, 0], dtype=torch.uint8).repeat(3, 4, 1))
GOOD = {"accuracy": 0.5, "negative_log_likelihood": 1.0, "calibration_error": 0.1}


class Decoded:
    """Inputs that nobody may read before they are asked for."""

    shape, dtype, device = IMAGES.shape, IMAGES.dtype, IMAGES.device

    def __len__(self) -> int:
        return len(IMAGES)

    def __getitem__(self, indices: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a picture was decoded")

    def to(self, device: torch.device) -> "Decoded":
        return self


@pytest.mark.parametrize(
    "made",
    [
        WORLD,
        replace(WORLD, train=Split(Decoded(), LABELS)),
        Dataset(MAPS, None, MAPS, 2, ("a", "b")),
        replace(WORLD, train=Split(IMAGES.float() / 255, LABELS), test=Split(IMAGES[:3].float() / 255, LABELS[:3])),
    ],
)
def test_a_whole_data_set_is_taken_and_no_picture_is_decoded(made: Dataset) -> None:
    refuse_dataset(made)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ({"train": IMAGES}, "is a dict: it has to be a Dataset"),
        (replace(WORLD, num_classes=1), "num_classes=1: .* at least 2"),
        (replace(WORLD, class_names=("black",)), r"class_names=\('black',\): .* each of its 2 classes"),
        (replace(WORLD, test=None), "a test that is a NoneType: it has to be a Split"),
        (replace(WORLD, train=Split(IMAGES[:110], LABELS)), "has 110 images and 120 labels in its train split"),
        (replace(WORLD, train=Split(IMAGES, LABELS, torch.arange(5))), "120 images and 120 labels and 5 positions"),
        (replace(WORLD, train=Split(IMAGES.long(), LABELS)), "train images of torch.int64: .*uint8"),
        (replace(WORLD, test=Split(IMAGES[:, :, :2], LABELS)), "test images of 1 x 2 x 4 uint8 and train .* 1 x 4 x 4"),
        (replace(WORLD, test=Split(IMAGES.float(), LABELS)), "test images of 1 x 4 x 4 float32 and train .* uint8"),
        (replace(WORLD, train=Split(IMAGES, LABELS.int())), "train labels of torch.int32: .* int64"),
        (replace(WORLD, test=Split(IMAGES, LABELS[:, None])), r"test labels of shape \(120, 1\): "),
        (replace(WORLD, train=Split(IMAGES, LABELS + 1)), "train labels from 1 to 2: they have to be from 0 to 1"),
        (replace(WORLD, validation=Split(IMAGES, LABELS - 1)), "validation labels from -1 to 0: "),
        (Dataset(MAPS, None, replace(MAPS, labels=MAPS.labels * 2), 2, ("a", "b")), "test label maps with .* 255"),
        (Dataset(replace(MAPS, labels=MAPS.labels.long()), None, MAPS, 2, ("a", "b")), "train labels of .*uint8"),
    ],
)
def test_a_data_set_that_is_none_is_refused(made: Dataset, sentence: str) -> None:
    with pytest.raises(UserError, match=f"^the data set .*{sentence}"):
        refuse_dataset(made)


@pytest.mark.parametrize(
    ("evaluation", "sentence"),
    [
        (GOOD, "returned a dict: it has to return an Evaluation"),
        (Evaluation({**GOOD, "accuracy": "good"}), "accuracy='good': a metric has to be a number"),
        (Evaluation({**GOOD, "class_accuracy": ["good"]}), r"class_accuracy=\['good'\]: a metric"),
        (Evaluation({"error": 0.5}), "returned error and declares .*: accuracy, negative_log_likelihood, calib"),
        (Evaluation({"class_accuracy": [0.5], **GOOD}), "returned class_accuracy first: one of accuracy, "),
        (Evaluation(GOOD, torch.ones(40)), "correct of torch.float32 on cpu: .* bool"),
        (Evaluation(GOOD, torch.ones(5, dtype=torch.bool)), r"correct of shape \(5,\): .* one of 40 images"),
        (Evaluation(GOOD, [True] * 40), "correct of list"),
    ],
)
def test_an_evaluation_that_is_none_is_refused(evaluation: Evaluation, sentence: str) -> None:
    with pytest.raises(UserError, match=rf"^al_bench.evaluator.accuracy.Accuracy.evaluate .*{sentence}"):
        held_evaluation(Accuracy(), evaluation, 40)


def test_an_evaluation_of_what_is_declared_is_taken() -> None:
    for correct in (None, torch.ones(40, dtype=torch.bool)):
        evaluation = Evaluation({**GOOD, "class_accuracy": [0.5, float("nan")]}, correct)
        assert held_evaluation(Accuracy(), evaluation, 40) is evaluation


def test_a_model_is_a_network_in_eval_mode_and_the_pool_as_it_was() -> None:
    learner, pool = Supervised(network=None, epochs=1, batch_size=1, optimizer=None), Pool.unlabeled_from(IMAGES, 2)
    model, writes = Brightness(1.0).eval(), pool.writes
    assert fit_held(learner, model, pool, writes) is model
    for wrong, words in ((None, "a NoneType"), (nn.Linear(1, 1), "a Linear"), (Brightness(1.0), "training mode")):
        with pytest.raises(UserError, match=rf"Supervised.fit returned .*{words}"):
            fit_held(learner, wrong, pool, writes)
    pool = Pool.unlabeled_from(split(2, 2).images, 2)
    before = pool.writes
    pool.inputs[0] = 1
    with pytest.raises(UserError, match="fit wrote into a tensor of the pool"):
        fit_held(learner, model, pool, before)


@pytest.mark.parametrize(
    ("place", "instead", "sentence"),
    [
        ("al_bench.dataset.digits.digits", lambda **_: replace(WORLD, num_classes=1), "the data set has num_classes=1"),
        (f"{Accuracy.__module__}.Accuracy.evaluate", lambda *_: {}, "Accuracy.evaluate returned a dict"),
        (f"{Supervised.__module__}.Supervised.fit", lambda *_: None, "Supervised.fit returned a NoneType"),
    ],
)
def test_a_run_holds_its_parts_to_what_they_promise(tmp_path, monkeypatch, place, instead, sentence) -> None:
    monkeypatch.setattr(place, instead)
    paths = f"paths.outputs={tmp_path}"
    for own in ("procedure=loop", "procedure=tuning"):
        config = compose("scale=smoke", "strategy=random", "gan=none", "device=cpu", paths, own)
        with (
            RunStore(tmp_path / own, identify(config), {}) as store,
            pytest.raises(UserError, match=sentence),
        ):
            instantiated(config.procedure).run(store)
        assert not store.records
