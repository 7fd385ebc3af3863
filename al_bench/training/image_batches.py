"""Batches of images without labels, as a GAN and an auto-encoder read them."""

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs
from al_bench.active.view import in_memory
from al_bench.training.batches import Batches
from al_bench.training.sampler import EpochSampler


class ImageBatches(Batches):
    """Stored inputs (per_step, B, ...) without labels, whole batches only.

    steps: of the training; per_step: how many new batches one step reads.
    """

    def __init__(self, inputs: Inputs, *, batch_size: int, steps: int, seed: int, per_step: int = 1) -> None:
        self.inputs, self.steps, self.per_step = inputs, steps, per_step
        self.order = EpochSampler(len(inputs), batch_size, seed, inputs.device, "left_out")

    def __len__(self) -> int:
        return self.steps

    def load(self, step: int) -> Tensor:
        return self.inputs_at(self.positions(step))

    def positions(self, step: int) -> Tensor:
        """(per_step, B) int64: where the images of a step stand among the inputs."""
        first = step * self.per_step
        return torch.stack([self.order[number] for number in range(first, first + self.per_step)])

    def inputs_at(self, positions: Tensor) -> Tensor:
        """(per_step, B, ...) stored inputs at (per_step, B) positions."""
        images: Tensor = self.inputs[positions.flatten()].unflatten(0, positions.shape)
        return images

    @property
    def waits(self) -> bool:
        return not in_memory(self.inputs)

    @property
    def images_per_step(self) -> float:
        return float(self.per_step * self.order.batch_size)
