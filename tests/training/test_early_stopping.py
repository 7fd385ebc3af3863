"""A training that gains nothing more ends, and its best model is what is kept."""

import math
from dataclasses import replace
from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from toy_training import Toy, assert_equal, batches

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError
from al_bench.learner.supervised import Supervised
from al_bench.network import Network
from al_bench.network.linear import Linear
from al_bench.training import interruption
from al_bench.training.cost import measure_cost
from al_bench.training.early_stopping import BestKept, EarlyStopping, callback_of, closeness_each, correct_each
from al_bench.training.fit import Fitter
from al_bench.training.losses import IGNORED

CPU = torch.device("cpu")
STEPS, EPOCHS = len(batches()), 6  # seven steps an epoch


class Scripted(BestKept):
    """Measures what it is told to, look by look."""

    def __init__(self, module, values, stopping):
        super().__init__(stopping, module, torch.empty(0), torch.empty(0), STEPS, STEPS // EPOCHS)
        self.values, self.seen = list(values), []

    def measured(self):
        weights = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.seen.append(weights)
        return self.values[len(self.seen) - 1]


def fitted(values, every=1, patience=2, trainer=None):
    module = Toy()
    watched = Scripted(module, values, EarlyStopping("accuracy", every, patience))
    Fitter(CPU, trainer=trainer).fit(module, batches(), seed=2, name="toy", callback=watched)
    return module, watched


@pytest.mark.parametrize("trainer", [None, pl.Trainer])
def test_it_ends_after_its_patience_with_the_best_weights(trainer):
    with measure_cost() as cost:
        module, watched = fitted([0.1, 0.5, 0.4, 0.5, 0.9, 0.9], trainer=trainer)
    assert len(watched.seen) == 4, "two epochs without a better value; an equal one is none"
    assert cost.optimizer_steps == 2 * 4 * 7
    assert cost.images_seen == 4 * 50
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, watched.seen[1][name]), name


@pytest.mark.parametrize(("every", "looks"), [(1, 6), (2, 3), (4, 2), (10, 1)])
def test_it_looks_every_so_many_epochs_and_at_the_end(every, looks):
    _, watched = fitted([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], every=every, patience=20)
    assert len(watched.seen) == looks


@pytest.mark.parametrize(("steps", "looks"), [(None, 6), (3, 1), (14, 2), (50, 8)])
def test_epochs_of_a_training_of_so_many_steps_are_passes_over_what_is_labeled(monkeypatch, steps, looks):
    """A pass over 50 in batches of eight has seven steps; the plan's own six epochs say nothing then."""
    seen = []
    monkeypatch.setattr(BestKept, "measured", lambda watched: seen.append(watched) or float(len(seen)))
    inputs, labels = torch.arange(50.0)[:, None], torch.arange(50) % 2
    pool = Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.arange(50)), labels)
    plan = {"epochs": 6, "batch_size": 8, "optimizer": partial(torch.optim.SGD, lr=0.1), "steps": steps}
    learner = Supervised(network=Linear, early_stopping=EarlyStopping("accuracy", 1, 20), **plan)
    learner.fit(replace(pool, validation=(inputs, labels)), None, seed=0)
    assert len(seen) == looks


def test_both_drivers_keep_the_same_model():
    values = [0.1, 0.5, 0.7, 0.4, 0.2, 0.9]
    assert_equal(fitted(values)[0], fitted(values, trainer=pl.Trainer)[0])


def test_a_stopped_training_goes_on_to_the_same_end(tmp_path):
    values = [0.1, 0.5, 0.4, 0.3, 0.2, 0.1]
    uncut, _ = fitted(values)
    module = Toy(signal_at=17)  # in the third epoch, after the best look
    watched = Scripted(module, values, EarlyStopping("accuracy", 1, 2))
    options = {"seed": 2, "name": "toy", "scratch": tmp_path}
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        Fitter(CPU).fit(module, batches(), callback=watched, checkpoint_seconds=1e9, **options)
    again = Toy()
    rest = Scripted(again, values[2:], EarlyStopping("accuracy", 1, 2))
    Fitter(CPU).fit(again, batches(), callback=rest, **options)
    assert len(rest.seen) == 2
    assert_equal(uncut, again)


def test_the_criteria_in_closed_form():
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    labels = torch.tensor([0, 0, 1])
    assert correct_each(logits, labels).tolist() == [1, 0, 0]
    expected = [-math.log1p(math.exp(-2)), -math.log1p(math.exp(2)), -math.log(2)]
    assert closeness_each(logits, labels).tolist() == pytest.approx(expected)


def test_ignored_pixels_are_not_counted():
    logits = torch.zeros(1, 2, 2, 2)
    logits[:, 1] = 1
    labels = torch.tensor([[[1, 1], [0, IGNORED]]], dtype=torch.uint8)
    assert correct_each(logits, labels).tolist() == pytest.approx([2 / 3])
    assert correct_each(logits, torch.full_like(labels, IGNORED)).tolist() == [0]


class Threshold(Network):
    """Says 1 above its threshold."""

    def __init__(self, threshold):
        torch.nn.Module.__init__(self)
        self.threshold = torch.nn.Parameter(torch.tensor(threshold))

    def forward(self, inputs):
        above = inputs[:, 0] - self.threshold
        return torch.stack([-above, above], dim=1)


def test_the_whole_validation_split_is_measured():
    inputs = torch.arange(300.0)[:, None]
    labels = (inputs[:, 0] > 100).long()
    pool = Pool.unlabeled_from(inputs, 2)
    watched = partial(BestKept, EarlyStopping("accuracy", 1, 1), inputs=inputs, labels=labels, steps=1, per_epoch=1)
    assert watched(Threshold(100.5)).measured() == 1
    assert watched(Threshold(130.5)).measured() == pytest.approx(0.9)
    with pytest.raises(UserError, match="needs a validation split"):
        callback_of(EarlyStopping("accuracy", 1, 1), Threshold(1.0), pool, 1, 1)
    assert callback_of(None, Threshold(1.0), pool, 1, 1) is None


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("acuracy", 5, 20), "early_stopping.criterion=acuracy is not known: use accuracy or loss"),
        (("loss", 0, 20), "early_stopping.every=0 must be at least 1 epoch"),
        (("loss", 5, 0), "early_stopping.patience=0 must be at least 1 epoch"),
    ],
)
def test_values_that_cannot_be(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        EarlyStopping(*settings)
