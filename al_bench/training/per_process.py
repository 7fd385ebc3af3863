"""The part of each batch that one of several processes of a Trainer reads."""

from collections.abc import Generator, Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from al_bench.training.batches import Batches
from al_bench.training.losses import IGNORED
from al_bench.training.module import Part


class PerProcess(Batches):
    """What one device of a Trainer reads; its rank is known only once the Trainer runs. least: see `divide`."""

    def __init__(self, batches: Batches, trainer: pl.Trainer, least: int) -> None:
        self.batches, self.trainer, self.least = batches, trainer, least
        self.reading: Iterator[Any] | None = None

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        self.reading = super().__iter__()
        return self.reading

    def close(self) -> None:
        """Ends what reads ahead, however the Trainer ended."""
        if isinstance(self.reading, Generator):
            self.reading.close()

    def load(self, step: int) -> Any:
        return self.batches.load(step)

    def augment(self, loaded: Any) -> Any:
        batch = self.batches.augment(loaded)
        if self.trainer.world_size == 1:
            return batch
        return divide(batch, self.trainer.global_rank, self.trainer.world_size, self.least)

    @property
    def waits(self) -> bool:
        return self.batches.waits

    @property
    def images_per_step(self) -> float:
        return self.batches.images_per_step


def divide(batch: tuple[Tensor, ...], rank: int, world_size: int, least: int = 1) -> Part:
    """Every world_size-th row of each tensor; all rows, on each device, where one would have fewer than `least`. Rows
    count alike, and label maps, which a batch has beside its inputs, by their pixels that losses look at."""
    rows = len(batch[0])
    if rows < least * world_size:
        return Part(batch, 1.0)
    own, whole = float(len(range(rank, rows, world_size))), float(rows)
    if len(batch) == 2 and batch[1].dim() > 1:
        counted = (batch[1] != IGNORED).flatten(1).sum(1)
        own, whole = torch.stack([counted[rank::world_size].sum(), counted.sum()]).tolist()
    weight = own * world_size / whole if whole else 1.0  # of maps of which all is ignored, whose loss is 0
    return Part(tuple(tensor[rank::world_size] for tensor in batch), weight)
