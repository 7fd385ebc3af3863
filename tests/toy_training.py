"""A training in which all that can go wrong in one goes on at once."""

import os
import signal
from functools import partial

import torch
from torch import nn

from al_bench.training.callback import Callback
from al_bench.training.labeled_batches import LabeledBatches
from al_bench.training.losses import cross_entropy
from al_bench.training.module import Module, frozen
from al_bench.training.schedule import StepDecay

CPU = torch.device("cpu")
INPUTS = torch.rand(50, 4, generator=torch.Generator().manual_seed(0))
LABELS = (INPUTS[:, 0] > INPUTS[:, 1]).long()


class Toy(Module):
    """Dropout and batch norm, two optimizers, a schedule: all that can go wrong in one."""

    def __init__(self, bad_step=None, signal_at=None):
        super().__init__()
        torch.manual_seed(3)
        self.first = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5))
        self.second = nn.Linear(8, 2)
        self.schedule = StepDecay(at=[0.5, 0.75])
        self.bad_step, self.signal_at, self.calls = bad_step, signal_at, 0

    def step(self, batch, optimizers):
        inputs, labels = batch
        loss = cross_entropy(self.second(self.first(inputs)), labels)
        self.update(optimizers[0], loss)
        with frozen(self.first):
            loss = cross_entropy(self.second(self.first(inputs)), labels)
            self.update(optimizers[1], loss)
        self.calls += 1
        if self.calls == self.signal_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"loss": loss.detach() * (float("nan") if self.calls == self.bad_step else 1)}

    def configure_optimizers(self):
        adam, sgd = partial(torch.optim.Adam, lr=0.01), partial(torch.optim.SGD, lr=0.1, momentum=0.9)
        return [self.optimizer_of(adam, self.first), self.optimizer_of(sgd, self.second)]


class Straight(Module):
    """No dropout and no batch norm, so that halves of a batch add up to the whole."""

    divisible = True

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.network = nn.Linear(4, 2)

    def step(self, batch, optimizers):
        inputs, labels = batch
        loss = cross_entropy(self.network(inputs), labels)
        self.update(optimizers[0], loss)
        return {"loss": loss.detach()}

    def configure_optimizers(self):
        return [torch.optim.SGD(self.network.parameters(), 0.1)]


class Normed(Straight):
    """With batch norm, which has nothing to tell apart in a single row."""

    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2))


class StopsAt(Callback):
    """Ends a training after so many steps; what it saw comes back from wherever that was."""

    def __init__(self, step):
        self.step, self.seen, self.finished = step, 0, False

    def ends(self, steps_done):
        self.seen = steps_done
        return steps_done == self.step

    def finish(self):
        self.finished = True

    def state(self):
        return {"seen": self.seen}

    def load(self, state):
        self.seen = state["seen"]


def batches(epochs=6):
    return LabeledBatches(INPUTS, LABELS, batch_size=8, epochs=epochs, seed=1)


def assert_equal(one, other):
    for (name, first), second in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(first, second), name
