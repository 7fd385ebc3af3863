"""A training is looked at, and ends as if nobody had."""

import signal
from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from toy_training import CPU, INPUTS, LABELS, Toy, assert_equal, batches

from al_bench.active.metric import Metric
from al_bench.training import interruption, observation
from al_bench.training.callback import Callback
from al_bench.training.cost import measure_cost
from al_bench.training.early_stopping import BestKept, EarlyStopping
from al_bench.training.fit import Fitter
from al_bench.training.labeled_batches import LabeledBatches
from al_bench.training.observation import Observer

STEPS = len(batches())


def loss_of(module):
    """A look that draws and depends on modes."""
    logits = module.second(module.first(INPUTS))
    loss = torch.nn.functional.cross_entropy(logits, LABELS)
    return {"loss": float(loss.detach()), "drawn": float(torch.rand(()))}


def fitted(observer=None, *, trainer=None, scratch=None, module=None, precision="32-true", seconds=0.0):
    module = module or Toy()
    watching = observer.watching(module, STEPS) if observer else None
    options = {"seed": 2, "name": "toy", "scratch": scratch, "callback": watching, "checkpoint_seconds": seconds}
    Fitter(CPU, precision, trainer).fit(module, batches(), **options)
    return module


def without_seconds(trace):
    return {name: values for name, values in trace.items() if name != "seconds"}


@pytest.mark.parametrize("trainer", [None, pl.Trainer])
@pytest.mark.parametrize(
    ("every", "looks"), [(10, [10, 20, 30, 40, STEPS]), (21, [21, STEPS]), (1000, [STEPS])], ids=str
)
def test_it_looks_every_so_many_steps_and_at_the_last_one_and_changes_nothing(trainer, every, looks):
    observer = Observer(loss_of, every, seed=7)
    module = fitted(observer, trainer=trainer)
    assert_equal(fitted(), module)
    assert list(observer.trace) == ["iteration", "seconds", "loss", "drawn"]
    assert observer.trace["iteration"] == looks
    assert observer.trace["loss"][-1] == loss_of(module)["loss"], "in eval mode, as the finished module"
    assert len(set(observer.trace["drawn"])) == 1, "each look draws the same"
    assert observer.trace["seconds"] == sorted(observer.trace["seconds"])


def test_a_look_says_its_first_number_by_its_words(caplog):
    declared = (Metric("loss", "nats", higher_is_better=False, words="what is lost"),)
    with caplog.at_level("INFO"):
        fitted(Observer(loss_of, 1000, seed=7, metrics=declared))
        fitted(Observer(loss_of, 1000, seed=7))
    said = [line for line in caplog.messages if line.startswith("iteration")]
    assert "what is lost 0." in said[0] or "what is lost 1." in said[0]
    assert f"{STEPS} of      {STEPS}  loss " in said[1] or f"{STEPS} of {STEPS}  loss " in said[1]


def test_a_look_is_in_full_precision_whoever_drives():
    traces = []
    for trainer in (None, pl.Trainer):
        observer = Observer(loss_of, 10, seed=7)
        module = fitted(observer, trainer=trainer, precision="bf16-mixed")
        assert observer.trace["loss"][-1] == loss_of(module)["loss"]
        traces.append(without_seconds(observer.trace))
    assert traces[0] == traces[1]


class Ends(Callback):
    """Ends after 25 steps; its state is how often it was asked."""

    def __init__(self):
        self.asked = self.finished = 0

    def ends(self, steps_done):
        self.asked += 1
        return steps_done == 25

    def finish(self):
        self.finished += 1

    def state(self):
        return {"asked": self.asked}

    def load(self, state):
        self.asked = state["asked"]


@pytest.mark.parametrize("trainer", [None, pl.Trainer])
def test_a_training_that_ends_early_is_looked_at_where_it_ends(trainer):
    observer, ends, module = Observer(loss_of, 10, seed=7), Ends(), Toy()
    watching = observer.watching(module, STEPS, ends)
    Fitter(CPU, trainer=trainer).fit(module, batches(), seed=2, name="toy", callback=watching)
    assert observer.trace["iteration"] == [10, 20, 25]
    assert (ends.asked, ends.finished) == (25, 1)


class Scripted(BestKept):
    """Measures, look by look, what it is told to."""

    def measured(self):
        return self.values.pop(0)


def test_early_stopping_keeps_its_best_weights_beside_it(tmp_path):
    def stopped(observer):
        module = Toy()
        watched = Scripted(EarlyStopping("accuracy", 1, 2), module, INPUTS, LABELS, STEPS, 7)
        watched.values = [0.1, 0.5, 0.4, 0.3]
        watching = observer.watching(module, STEPS, watched) if observer else watched
        Fitter(CPU).fit(module, batches(), seed=2, name="toy", callback=watching, scratch=tmp_path)
        return module

    observer = Observer(loss_of, 10, seed=7)
    assert_equal(stopped(None), stopped(observer))
    assert observer.trace["iteration"] == [10, 20, 28], "four epochs of seven steps"


@pytest.mark.parametrize("at", [3, 10, 19, 20, 21])
def test_killed_and_taken_up_again_no_look_is_missed_and_none_is_made_twice(tmp_path, at):
    uncut, (cut, rest) = Observer(loss_of, 10, seed=7), (Observer(loss_of, 10, seed=7) for _ in range(2))
    whole = fitted(uncut)
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        fitted(cut, scratch=tmp_path, module=Toy(signal_at=at), seconds=1e9)
    assert cut.trace.get("iteration", []) == [10.0, 20.0][: at // 10]
    resumed = fitted(rest, scratch=tmp_path)
    assert_equal(whole, resumed)
    assert without_seconds(rest.trace) == without_seconds(uncut.trace)


def test_what_ended_it_early_knows_after_a_kill_what_it_knew(tmp_path):
    asked = []
    for module in (Toy(signal_at=15), Toy()):
        observer, ends = Observer(loss_of, 10, seed=7), Ends()
        watching = observer.watching(module, STEPS, ends)
        options = {"seed": 2, "name": "toy", "scratch": tmp_path, "callback": watching, "checkpoint_seconds": 1e9}
        try:
            with interruption.signals_handled():
                Fitter(CPU).fit(module, batches(), **options)
        except interruption.Interrupted:
            pass
        asked.append(ends.asked)
    assert asked == [15, 25]
    assert observer.trace["iteration"] == [10, 20, 25]


def test_a_signal_inside_a_look_that_trains_leaves_no_half_trained_number(tmp_path):
    def train_inside(_module, signal_at=None):
        inner = Toy(signal_at=signal_at)
        Fitter(CPU).fit(inner, LabeledBatches(INPUTS, LABELS, batch_size=8, epochs=1, seed=1), seed=5, name="inner")
        return loss_of(inner)

    uncut, cut, rest = (Observer(train_inside, 10, seed=7) for _ in range(3))
    whole = fitted(uncut)
    cut.look = partial(train_inside, signal_at=3)
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted) as stopped:
        fitted(cut, scratch=tmp_path)
    assert stopped.value.signum == signal.SIGTERM
    assert cut.trace == {}
    assert_equal(whole, fitted(rest, scratch=tmp_path))
    assert without_seconds(rest.trace) == without_seconds(uncut.trace)


def test_seconds_are_of_the_training_and_looks_are_apart(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def slow_look(_module):
        now[0] += 100.0
        return {"loss": 1.0}

    class Slow(Toy):
        def step(self, batch, optimizers):
            now[0] += 1.0
            return super().step(batch, optimizers)

    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        fitted(Observer(slow_look, 10, seed=7), scratch=tmp_path, module=Slow(signal_at=15), seconds=1e9)
    observer = Observer(slow_look, 10, seed=7)
    with measure_cost() as cost:
        fitted(observer, scratch=tmp_path, module=Slow())
    assert observer.trace["seconds"] == [10, 20, 30, 40, 42]
    assert cost.seconds == pytest.approx(42)
    assert cost.apart[observation.PART].seconds == pytest.approx(500)
