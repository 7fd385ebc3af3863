"""What a training has done so far, beside its weights and optimizers."""

import time
from collections.abc import Mapping
from typing import Any

from al_bench.training.callback import Callback
from al_bench.training.loss_record import Losses, LossRecord


class Account:
    """Steps, updates of all optimizers, losses and seconds of one training, and what its callback knows.

    steps_planned: of the whole training. earlier_seconds: what it took before it was stopped and taken up again.
    """

    def __init__(self, steps_planned: int = 1, callback: Callback | None = None) -> None:
        self.steps_planned, self.callback = steps_planned, callback
        self.steps_done = self.updates = 0
        self.ended = False  # by its callback
        self.losses = LossRecord()
        self.earlier_seconds, self._began = 0.0, time.perf_counter()

    @property
    def fraction(self) -> float:
        """How much of the training is done, in [0, 1)."""
        return self.steps_done / self.steps_planned

    @property
    def seconds(self) -> float:
        """What it took so far, all its parts together."""
        return self.earlier_seconds + time.perf_counter() - self._began

    def add_step(self, losses: Losses) -> bool:
        """Takes the losses of the next step. Returns whether the callback ends the training with it."""
        self.losses.add(losses)
        self.steps_done += 1
        self.ended = self.callback is not None and self.callback.ends(self.steps_done)
        return self.ended

    @property
    def is_whole(self) -> bool:
        """Whether all steps are done, or its own callback ended the training."""
        return self.ended or self.steps_done == self.steps_planned

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the steps done."""
        state = {"losses": self.losses.state(), "updates": self.updates, "seconds": self.seconds}
        state |= {"ended": True} if self.ended else {}
        return state if self.callback is None else {**state, "callback": self.callback.state()}

    def load(self, steps_done: int, state: Mapping[str, Any]) -> None:
        """Puts a state back."""
        self.losses.load(state["losses"])
        self.steps_done, self.updates, self.earlier_seconds = steps_done, state["updates"], state["seconds"]
        self.ended = state.get("ended", False)
        if self.callback is not None:
            self.callback.load(state["callback"])
