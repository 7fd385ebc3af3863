"""Batches as index gathers from images that live where the model is trained."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from al_bench import seeding
from al_bench.active.inputs import Inputs, to_float
from al_bench.errors import UserError

Augmentation = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Batches(ABC):
    """Batches as a pure function of the step, so that a training can be taken up anywhere."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of steps of the whole training."""

    @abstractmethod
    def __getitem__(self, step: int) -> Any:
        """What `Module.step` takes, on the device that trains. May draw from the global generators (augmentation)."""

    @property
    @abstractmethod
    def images_per_step(self) -> float:
        """How many images one step reads, on average."""

    def part_of(self, batch: Any, rank: int, world_size: int) -> Any:
        """The part of a batch that one of several devices takes: every world_size-th row of each tensor."""
        return tuple(tensor[rank::world_size] for tensor in batch)

    def __iter__(self) -> Iterator[Any]:
        return (self[step] for step in range(len(self)))


class EpochSampler:
    """Positions 0 .. num_items - 1 in batches, in a new order each epoch; any batch can be asked for at any time.

    whole: leave the last, smaller batch of an epoch out. least: a last batch of fewer joins the one before it. A batch
    never exceeds num_items.
    """

    def __init__(
        self, num_items: int, batch_size: int, seed: int, device: torch.device, whole: bool = False, least: int = 1
    ) -> None:
        self.num_items, self.batch_size = num_items, min(batch_size, num_items)
        self.seed, self.device, self.whole = seed, device, whole
        self.per_epoch = num_items // self.batch_size if whole else steps_of_a_pass(num_items, self.batch_size)
        if num_items % self.batch_size < least and not whole:
            self.per_epoch = max(1, num_items // self.batch_size)
        self._epoch, self._order = -1, torch.empty(0)

    def __getitem__(self, number: int) -> Tensor:
        """(B,) int64 positions of the batch with this number, counted over all epochs."""
        epoch, batch = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            rng = seeding.generator(seeding.seed_for(self.seed, epoch, "order"))
            self._epoch, self._order = epoch, torch.randperm(self.num_items, generator=rng).to(self.device)
        end = self.num_items if batch == self.per_epoch - 1 and not self.whole else (batch + 1) * self.batch_size
        return self._order[batch * self.batch_size : end]


class LabeledBatches(Batches):
    """Float inputs (B, ...) and labels (B, ...) of a training set, `epochs` times over.

    augmentation: takes and returns a batch of stored inputs and labels. least: see `EpochSampler`. per_epoch: batches
    of an epoch, which goes on in the next order where one is through; None: one pass.
    """

    def __init__(
        self,
        inputs: Tensor,
        labels: Tensor,
        *,
        batch_size: int,
        epochs: int,
        seed: int,
        augmentation: Augmentation | None = None,
        least: int = 1,
        per_epoch: int | None = None,
    ) -> None:
        self.inputs, self.labels, self.augmentation = inputs, labels, augmentation
        self.order = EpochSampler(len(inputs), batch_size, seed, inputs.device, least=least)
        self.steps = epochs * (per_epoch or self.order.per_epoch)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        chosen = self.order[step]
        inputs, labels = self.inputs[chosen], self.labels[chosen]
        if self.augmentation is not None:
            inputs, labels = self.augmentation(inputs, labels)
        return to_float(inputs), labels

    @property
    def images_per_step(self) -> float:
        return len(self.inputs) / self.order.per_epoch


def least_batch(module: nn.Module, num_items: int) -> int:
    """How many items a batch of a training needs at least: two where batch norm has to tell them apart.

    Raises UserError where there are fewer.
    """
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm)]
    if norms and num_items < 2:
        raise UserError(
            f"{num_items} labeled input is too few for the batch norm of {type(module).__name__}: label at least 2 at "
            "first (loop.initial_size)"
        )
    return 2 if norms else 1


def steps_of_a_pass(num_items: int, batch_size: int) -> int:
    """How many batches hold `num_items`, the last of which may be smaller."""
    return -(-num_items // batch_size)


class ImageBatches(Batches):
    """Stored inputs (per_step, B, ...) without labels, whole batches only.

    steps: of the training; per_step: how many new batches one step reads.
    """

    def __init__(self, inputs: Inputs, *, batch_size: int, steps: int, seed: int, per_step: int = 1) -> None:
        self.inputs, self.steps, self.per_step = inputs, steps, per_step
        self.order = EpochSampler(len(inputs), batch_size, seed, inputs.device, whole=True)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Tensor:
        first = step * self.per_step
        chosen = torch.stack([self.order[number] for number in range(first, first + self.per_step)])
        images: Tensor = self.inputs[chosen.flatten()].unflatten(0, chosen.shape)
        return images

    def part_of(self, batch: Tensor, rank: int, world_size: int) -> Tensor:
        return batch[:, rank::world_size]

    @property
    def images_per_step(self) -> float:
        return float(self.per_step * self.order.batch_size)


class PerProcess(Batches):
    """What one device of a Trainer reads; its rank is known only once the Trainer runs."""

    def __init__(self, batches: Batches, trainer: pl.Trainer) -> None:
        self.batches, self.trainer = batches, trainer

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, step: int) -> Any:
        batch = self.batches[step]
        if self.trainer.world_size == 1:
            return batch
        return self.batches.part_of(batch, self.trainer.global_rank, self.trainer.world_size)

    @property
    def images_per_step(self) -> float:
        return self.batches.images_per_step
