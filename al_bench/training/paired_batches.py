"""Batches of labeled inputs, each with as many unlabeled ones: what learners that tell them apart train on."""

from typing import Literal

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.inputs import Inputs, to_float
from al_bench.active.pool import Pool
from al_bench.active.view import in_memory
from al_bench.training.batches import Augmentation, Batches
from al_bench.training.labeled_batches import LabeledBatches
from al_bench.training.sampler import EpochSampler, LastBatch, PerEpoch

Batch = tuple[Tensor, Tensor, Tensor]  # labeled inputs, their labels, unlabeled inputs
Loaded = tuple[Tensor, Tensor, Tensor, Tensor]  # the same as stored, and the positions of the unlabeled ones
Pairing = Literal["replacement", "modulo"]


class PairedBatches(Batches):
    """Labeled batches, each with as many float unlabeled inputs (as there are, at most).

    The last batch of both kinds is that of `labeled`. least: of unlabeled inputs, see `EpochSampler`.
    """

    def __init__(self, labeled: LabeledBatches, inputs: Inputs, unlabeled: Tensor, seed: int, least: int = 1) -> None:
        self.labeled, self.inputs, self.unlabeled = labeled, inputs, unlabeled
        self.per_epoch = labeled.per_epoch
        size, last = labeled.order.batch_size, labeled.order.last
        self.order = EpochSampler(len(unlabeled), size, seed, inputs.device, last, least) if len(unlabeled) else None

    def __len__(self) -> int:
        return len(self.labeled)

    def load(self, step: int) -> Loaded:
        inputs, labels = self.labeled.load(step)
        chosen = self.unlabeled if self.order is None else self.unlabeled[self.order[step]]
        places = chosen[: len(inputs)]
        return inputs, labels, self.inputs[places], places

    def augment(self, loaded: Loaded) -> Batch:
        inputs, labels, others, places = loaded
        inputs, labels = self.labeled.augment((inputs, labels))
        if self.labeled.augmentation is not None:
            others, _ = self.labeled.augmentation(others, places)
        return inputs, labels, to_float(others)

    @property
    def waits(self) -> bool:
        return self.labeled.waits or not in_memory(self.inputs)

    @property
    def images_per_step(self) -> float:
        return 2 * self.labeled.images_per_step


class UnlabeledWithLabeled(Batches):
    """Labeled inputs, their labels, and as many unlabeled inputs, all float; without the last where all is labeled.

    The larger of both sets is passed over once an epoch. pairing: of the smaller one, "replacement", drawn with
    replacement, or "modulo", the larger one's position modulo its size. augmentation: of both kinds. last_batch, least:
    of the larger one, see `EpochSampler`.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        batch_size: int,
        epochs: int,
        pairing: Pairing,
        seed: int,
        augmentation: Augmentation | None = None,
        last_batch: LastBatch = "smaller",
        least: int = 1,
    ) -> None:
        (self.inputs, self.labels), self.pool = pool.training_set(), pool
        self.epochs, self.pairing, self.seed, self.augmentation = epochs, pairing, seed, augmentation
        self.sizes = len(self.labels), len(pool.unlabeled)
        self.order = EpochSampler(max(self.sizes), batch_size, seed, pool.device, last_batch, least)
        self.drawn = PerEpoch(self._draw)

    def __len__(self) -> int:
        return self.epochs * self.order.per_epoch

    def load(self, step: int) -> Loaded:
        chosen = self.order[step]
        labeled, unlabeled = (self._positions(chosen, size, step) for size in self.sizes)
        places = self.pool.unlabeled[unlabeled]
        return self.inputs[labeled], self.labels[labeled], self.pool.inputs[places], places

    def augment(self, loaded: Loaded) -> Batch:
        inputs, labels, others, places = loaded
        if self.augmentation is not None:
            inputs, labels = self.augmentation(inputs, labels)
            others, _ = self.augmentation(others, places)
        return to_float(inputs), labels, to_float(others)

    @property
    def waits(self) -> bool:
        return not in_memory(self.pool.inputs)

    @property
    def images_per_step(self) -> float:
        return (2 if min(self.sizes) else 1) * self.order.mean_size

    def _positions(self, chosen: Tensor, size: int, step: int) -> Tensor:
        """(B,) positions in one of the sets, (0,) where it is empty."""
        if size == self.order.num_items or size == 0:
            return chosen[:size]
        if self.pairing == "modulo":
            return chosen % size
        return self.order.take(step, self.drawn)

    def _draw(self, epoch: int) -> Tensor:
        """Positions in the smaller set for a whole epoch."""
        rng = seeding.generator(seeding.seed_for(self.seed, epoch, "with replacement"))
        return torch.randint(min(self.sizes), (self.order.num_items,), generator=rng).to(self.pool.device)
