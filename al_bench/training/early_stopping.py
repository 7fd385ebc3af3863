"""Early stopping: a training ends when the validation split no longer gains, and its best model is kept.

WAAL Sec. 4 names the technique and nothing else of it: criterion, interval and patience are ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.ranges import Epochs
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.training import losses
from al_bench.training.callback import Callback


def correct_each(logits: Tensor, labels: Tensor) -> Tensor:
    """(B,) fractions of what was predicted as labeled: 0 or 1 of a class, in [0, 1] of a label map.

    logits: (B, K) or (B, K, H, W); labels: (B,) or (B, H, W) maps, of which IGNORED pixels do not count.
    """
    right, counted = (logits.argmax(1) == labels), labels != losses.IGNORED
    if labels.dim() == 1:
        return right.float()
    return (right & counted).flatten(1).sum(1) / counted.flatten(1).sum(1).clamp(min=1)


def closeness_each(logits: Tensor, labels: Tensor) -> Tensor:
    """(B,) cross entropies, negative so that higher is better."""
    return -losses.cross_entropy_each(logits, labels)


CRITERIA: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"accuracy": correct_each, "loss": closeness_each}


@declare("training/early_stopping")
@dataclass(frozen=True)
class EarlyStopping:
    """criterion: "accuracy" or "loss" on the validation split; every: epochs from look to look, the end of the training
    being one; patience: a training ends when so many epochs brought nothing better.

    Raises UserError for values that cannot be.
    """

    criterion: Literal["accuracy", "loss"]
    every: Epochs
    patience: Epochs

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise UserError(f"early_stopping.criterion={self.criterion} is not known: use {' or '.join(CRITERIA)}")
        for name in ("every", "patience"):
            if getattr(self, name) < 1:
                raise UserError(f"early_stopping.{name}={getattr(self, name)} must be at least 1 epoch")


def callback_of(
    stopping: EarlyStopping | None, network: Network, pool: Pool, steps: int, per_epoch: int
) -> Callback | None:
    """What looks at a training of `network` that takes `steps` steps, `per_epoch` an epoch; None without a rule.

    Raises UserError where the pool brings no validation split.
    """
    if stopping is None:
        return None
    if pool.validation is None:
        raise UserError("learner.early_stopping needs a validation split and there is none: use null")
    return BestKept(stopping, network, *pool.validation, steps, per_epoch)


class BestKept(Callback):
    """Keeps the weights of the best look; the first of equals stays."""

    def __init__(
        self, stopping: EarlyStopping, network: Network, inputs: Inputs, labels: Inputs, steps: int, per_epoch: int
    ) -> None:
        self.stopping, self.network, self.inputs, self.labels = stopping, network, inputs, labels
        self.steps, self.per_epoch = steps, per_epoch
        self.value, self.step, self.weights = -torch.inf, 0, dict[str, Tensor]()

    def ends(self, steps_done: int) -> bool:
        if steps_done % (self.stopping.every * self.per_epoch) and steps_done < self.steps:
            return False
        value = self.measured()
        if value > self.value:
            kept = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
            self.value, self.step, self.weights = value, steps_done, kept
        return steps_done - self.step >= self.stopping.patience * self.per_epoch

    def measured(self) -> float:
        """The criterion on the whole validation split, higher is better."""
        criterion, parts, first = CRITERIA[self.stopping.criterion], [], 0
        for logits in stream(self.network, self.network, self.inputs):
            places = torch.arange(first, first + len(logits), device=self.labels.device)
            parts.append(criterion(logits, self.labels[places].to(logits.device)))
            first += len(logits)
        return float(torch.cat(parts).double().mean())

    def finish(self) -> None:
        if self.weights:
            self.network.load_state_dict(self.weights)

    def state(self) -> dict[str, Any]:
        return {"value": self.value, "step": self.step, "weights": self.weights}

    def load(self, state: Mapping[str, Any]) -> None:
        self.value, self.step, self.weights = state["value"], state["step"], dict(state["weights"])
