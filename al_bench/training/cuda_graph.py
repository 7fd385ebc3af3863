"""A training step as one CUDA graph: small networks wait for the launches of their kernels, not for the kernels.

`torch.compile` cannot differentiate a penalty on gradients, a graph records whatever the step launches. Replays draw
new random numbers, read the learning rates from tensors and wait for nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

Batch = Tensor | tuple[Tensor, ...]
Step = Callable[[Batch], Mapping[str, Tensor]]

_EAGER_STEPS = 3  # before the capture: optimizers and libraries allocate what they keep in their first steps


def capturable(optimizers: Sequence[Optimizer]) -> None:
    """Lets a graph read what changes between steps, learning rates among it, from tensors on the device.

    Before the first step of the optimizers, or right after their state was loaded.
    """
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            device = group["params"][0].device
            group["capturable"] = True
            group.setdefault("initial_lr", float(group["lr"]))
            group["lr"] = torch.as_tensor(group["lr"], dtype=torch.float32, device=device)
        for state in optimizer.state.values():
            if "step" in state:
                state["step"] = state["step"].to(device)


class Counting(Protocol):
    """What counts its updates in Python, which a replay does not run."""

    updates: int


class Captured:
    """Calls a step; from the fourth call on as the replay of a graph.

    step: takes a batch, tensors of always the same shapes and dtypes on the GPU, and returns its losses. It may not
    look at a value on the device. The first calls run as they are, on a stream of their own, and count as steps like
    any other. counting: whose `updates` the step raises.
    """

    def __init__(self, step: Step, counting: Counting) -> None:
        self.step, self.counting, self.calls = step, counting, 0
        self.stream = torch.cuda.Stream()

    def __call__(self, batch: Batch) -> Mapping[str, Tensor]:
        self.calls += 1
        if self.calls <= _EAGER_STEPS:
            return self._eager(batch)
        if self.calls == _EAGER_STEPS + 1:
            self._capture(batch)
        for own, read in zip(_tensors(self.batch), _tensors(batch), strict=True):
            own.copy_(read)
        self.graph.replay()
        self.counting.updates += self.updates
        return {name: loss.clone() for name, loss in self.losses.items()}  # the next replay writes over them

    def _eager(self, batch: Batch) -> Mapping[str, Tensor]:
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            losses = self.step(batch)
        torch.cuda.current_stream().wait_stream(self.stream)
        return losses

    def _capture(self, batch: Batch) -> None:
        """Records the step without running it."""
        own = tuple(read.clone() for read in _tensors(batch))
        self.batch: Batch = own[0] if isinstance(batch, Tensor) else own
        self.graph = torch.cuda.CUDAGraph()
        before = self.counting.updates
        with torch.cuda.graph(self.graph, stream=self.stream):
            self.losses = self.step(self.batch)
        self.updates = self.counting.updates - before
        self.counting.updates = before


def _tensors(batch: Batch) -> tuple[Tensor, ...]:
    """Those that a batch is made of."""
    return (batch,) if isinstance(batch, Tensor) else batch
