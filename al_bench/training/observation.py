"""Looks at a model while it is trained: how good it is after so many steps and so many seconds.

A look changes nothing: the weights that a training ends with are the same with and without, bit for bit on a CPU.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from al_bench import seeding
from al_bench.active.metric import ITERATION, SECONDS, Metric, words_of
from al_bench.network import Network
from al_bench.network.predict import evaluating
from al_bench.training import interruption
from al_bench.training.callback import Callback
from al_bench.training.cost import add_apart, measure_apart

logger = logging.getLogger(__name__)

PART = "observe"  # the name of the looks among the parts of a cycle's cost

Look = Callable[[Network], Mapping[str, float]]


@dataclass
class Observer:
    """Looks at the one training of a fit that makes the evaluated model.

    look: measures a model, the number to be said first in front. every: steps from look to look; the last step is
    looked at too. seed: of the global generators inside each look. metrics: those that are declared, for what is said.
    trace: a number per look: "iteration", the steps done; "seconds", what the training took until then without the
    looks, early stopping's included; then what `look` gave.
    """

    look: Look
    every: int
    seed: int
    metrics: Sequence[Metric] = ()
    trace: dict[str, list[float]] = field(default_factory=dict)

    def watching(self, model: Network, steps: int, callback: Callback | None = None) -> "Observation":
        """The callback of a training of `steps` steps that `model` is a part of. callback: watches it too."""
        return Observation(self, model, steps, callback)


class Observation(Callback):
    """Looks at a training and never ends it; `callback` may, and is looked at where it does."""

    def __init__(self, observer: Observer, model: Network, steps: int, callback: Callback | None) -> None:
        self.observer, self.model, self.steps, self.callback = observer, model, steps, callback
        self.trained = self.looked = 0.0  # seconds; trained: until `since`
        self.since = time.perf_counter()

    def ends(self, steps_done: int) -> bool:
        ended = self.callback is not None and self.callback.ends(steps_done)
        if ended or steps_done == self.steps or steps_done % self.observer.every == 0:
            self._look(steps_done)
        return ended

    def _look(self, steps_done: int) -> None:
        with measure_apart(PART):
            began = time.perf_counter()  # here the device has done all steps
            self.trained += began - self.since
            found = self._measured()
        self.since = time.perf_counter()
        self.looked += self.since - began
        for name, value in {ITERATION: steps_done, SECONDS: self.trained, **found}.items():
            self.observer.trace.setdefault(name, []).append(float(value))
        name, value = next(iter(found.items()))
        said = f"{words_of(name, self.observer.metrics)} {value:.4f}"
        logger.info(f"iteration {steps_done:7,} of {self.steps:,}  {said}  {self.trained:.2f} s trained")

    def _measured(self) -> Mapping[str, float]:
        """As after the training: in eval mode, in full precision, beside its random numbers. A signal is not put off,
        or a training inside would end early and be measured."""
        full = torch.autocast(next(self.model.parameters()).device.type, enabled=False)
        with evaluating(self.model), seeding.fork(self.observer.seed), full, interruption.at_once():
            return self.observer.look(self.model)

    def finish(self) -> None:
        if self.callback is not None:
            self.callback.finish()

    def state(self) -> dict[str, Any]:
        trained = self.trained + time.perf_counter() - self.since
        state = {"trace": self.observer.trace, "trained": trained, "looked": self.looked}
        return state if self.callback is None else {**state, "callback": self.callback.state()}

    def load(self, state: Mapping[str, Any]) -> None:
        self.observer.trace.update(state["trace"])
        self.trained, self.looked, self.since = state["trained"], state["looked"], time.perf_counter()
        add_apart(PART, self.looked)  # which the training's seconds before it was stopped hold
        if self.callback is not None:
            self.callback.load(state["callback"])
