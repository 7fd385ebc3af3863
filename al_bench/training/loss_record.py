"""The losses of a training: their means over blocks of steps, and a stop at one that is not finite."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from al_bench.active.metric import ITERATION

_FLUSH_STEPS = 50  # between two looks at the losses: each look waits for the device

MOST_POINTS = 50  # of a loss that are kept with a cycle

Trace = dict[str, list[float]]
Losses = Mapping[str, Tensor]


class LossRecord:
    """Losses of every step, looked at in blocks: a block's mean is kept, and a loss that is not finite stops."""

    def __init__(self) -> None:
        self.trace: Trace = {}
        self.first = 0
        self.waiting: list[Losses] = []

    def add(self, losses: Losses) -> None:
        """Takes the losses of the next step."""
        self.waiting.append(losses)
        if len(self.waiting) == _FLUSH_STEPS:
            self.flush()

    def flush(self) -> None:
        """Raises FloatingPointError, naming loss and step, where one is not finite."""
        for name, values in self._values().items():
            bad = (~values.isfinite()).nonzero()
            if len(bad):
                step = self.first + int(bad[0])
                raise FloatingPointError(f"{name} is {float(values[bad[0]])} at step {step}")
            self.trace.setdefault(name, []).append(float(values.mean()))
        self.first += len(self.waiting)
        self.waiting = []

    def summarize(self) -> Trace:
        """Means over at most `MOST_POINTS` stretches of the training, equally long but for the last, and how many steps
        were done at the end of each; empty before the first step."""
        blocks = range(0, self.first, _FLUSH_STEPS)
        steps = [min(_FLUSH_STEPS, self.first - start) for start in blocks]
        each = -(-len(blocks) // MOST_POINTS)
        parts = [slice(start, start + each) for start in range(0, len(blocks), each)] if each else []
        means = {name: [fmean(values[part], steps[part]) for part in parts] for name, values in self.trace.items()}
        ends = [float(min(part.stop * _FLUSH_STEPS, self.first)) for part in parts]
        return {ITERATION: ends, **means} if parts else {}

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, so that blocks fall as in an uncut training."""
        return {"trace": self.trace, "first": self.first, "waiting": self._values()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Puts a state back."""
        self.trace, self.first = state["trace"], state["first"]
        names, columns = list(state["waiting"]), list(state["waiting"].values())
        self.waiting = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def _values(self) -> dict[str, Tensor]:
        last = self.waiting[-1] if self.waiting else {}  # those from a checkpoint may be on another device
        return {
            name: torch.stack([losses[name].detach().to(value.device) for losses in self.waiting]).float().cpu()
            for name, value in last.items()
        }
