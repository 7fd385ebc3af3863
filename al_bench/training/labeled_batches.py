"""Batches of a training set as index gathers from inputs that live where the model is trained."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from al_bench.active.inputs import Inputs, to_float
from al_bench.active.view import in_memory
from al_bench.errors import UserError
from al_bench.network import name_network
from al_bench.network.dry_run import norms_alone
from al_bench.training.batches import Augmentation, Batches
from al_bench.training.sampler import EpochSampler, LastBatch


class LabeledBatches(Batches):
    """Float inputs (B, ...) and labels (B, ...) of a training set, `epochs` times over.

    augmentation: takes and returns a batch of stored inputs and labels. last_batch, least: see `EpochSampler`.
    per_epoch: batches of an epoch, which goes on in the next order where one is through; None: one pass. steps: batches
    of all epochs together; None: as many as they have.
    """

    def __init__(
        self,
        inputs: Inputs,
        labels: Tensor,
        *,
        batch_size: int,
        epochs: int,
        seed: int,
        augmentation: Augmentation | None = None,
        last_batch: LastBatch = "smaller",
        least: int = 1,
        per_epoch: int | None = None,
        steps: int | None = None,
    ) -> None:
        self.inputs, self.labels, self.augmentation = inputs, labels, augmentation
        self.order = EpochSampler(len(inputs), batch_size, seed, inputs.device, last_batch, least)
        self.per_epoch = per_epoch or self.order.per_epoch
        self.steps = steps or epochs * self.per_epoch

    def __len__(self) -> int:
        return self.steps

    def load(self, step: int) -> tuple[Tensor, Tensor]:
        chosen = self.order[step]
        return self.inputs[chosen], self.labels[chosen]

    def load_rows(self, steps: Iterable[int]) -> tuple[Tensor, Tensor]:
        """What `load` gives for each of the steps, one after another in one tensor (R, ...): one gather for all."""
        chosen = torch.cat([self.order[step] for step in steps])
        return self.inputs[chosen], self.labels[chosen]

    def augment(self, loaded: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        inputs, labels = loaded
        if self.augmentation is not None:
            inputs, labels = self.augmentation(inputs, labels)
        return to_float(inputs), labels

    @property
    def waits(self) -> bool:
        return not in_memory(self.inputs)

    @property
    def images_per_step(self) -> float:
        return self.order.mean_size


def least_batch(
    module: nn.Module, num_items: float, batch_size: int, input_shape: Sequence[int], on_maps: bool = False
) -> int:
    """How many items a batch of a training needs at least: two where batch norm has to tell them apart.

    num_items: of the training set, infinity where that is not known yet. input_shape: of one input. on_maps: whether
    labels are maps, of which one alone may have positions enough to tell apart. Raises UserError where there are fewer
    items, or batches are asked to be smaller.
    """
    if not any(isinstance(part, _BatchNorm) for part in module.modules()):
        return 1
    if min(batch_size, num_items) > 1 or (on_maps and norms_alone(module, input_shape)):
        return 2
    norm = f"the batch norm of {name_network(module)}"
    if batch_size < 2:
        raise UserError(f"learner.batch_size={batch_size} is too small for {norm}: give 2 or more")
    raise UserError(f"{num_items:g} labeled input is too few for {norm}: label at least 2 at first (loop.initial_size)")
