"""The part of each batch that one of several processes of a Trainer reads."""

from typing import Any

import pytorch_lightning as pl

from al_bench.training.batches import Batches


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
