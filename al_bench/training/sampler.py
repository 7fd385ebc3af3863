"""Which positions are in which batch."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from al_bench import seeding

LastBatch = Literal["smaller", "even", "filled"]
"""What becomes of the items that an epoch's whole batches leave over: they are a "smaller" batch, as of published code,
whose step counts as any; all batches of the epoch are "even", but for one item; or the batch is "filled" by the next
order, so that each is whole and the orders follow each other without a border."""


class EpochSampler:
    """Positions 0 .. num_items - 1 in batches, in a new order each epoch; any batch can be asked for at any time.

    last: see `LastBatch`; "left_out": there is none. least: where what is left over is fewer, an epoch has a batch
    less, and its last one these, too. A batch never exceeds num_items.
    """

    def __init__(
        self,
        num_items: int,
        batch_size: int,
        seed: int,
        device: torch.device,
        last: LastBatch | Literal["left_out"] = "smaller",
        least: int = 1,
    ) -> None:
        self.num_items, self.batch_size = num_items, min(batch_size, num_items)
        self.seed, self.device, self.last = seed, device, last
        left_out = last == "left_out"
        self.per_epoch = num_items // self.batch_size if left_out else steps_of_a_pass(num_items, batch_size, least)
        self.orders = PerEpoch(self._draw)

    def __getitem__(self, number: int) -> Tensor:
        """(B,) int64 positions of the batch with this number, counted over all epochs."""
        return self.take(number, self.orders)

    def take(self, number: int, drawn: "PerEpoch") -> Tensor:
        """(B, ...) what is drawn for the items of a batch. drawn: (num_items, ...) of each epoch, in its order."""
        if self.last == "filled":
            epoch, first = divmod(number * self.batch_size, self.num_items)
            found = drawn[epoch][first : first + self.batch_size]
            missing = self.batch_size - len(found)
            return torch.cat([found, drawn[epoch + 1][:missing]]) if missing else found
        epoch, batch = divmod(number, self.per_epoch)
        return drawn[epoch][self._begin(batch) : self._begin(batch + 1)]

    @property
    def mean_size(self) -> float:
        """Items of a batch, on average."""
        return self.num_items / self.per_epoch if self.last in ("smaller", "even") else float(self.batch_size)

    def _begin(self, batch: int) -> int:
        """Where a batch begins in its epoch's order."""
        if self.last == "even":
            return batch * self.num_items // self.per_epoch
        ends = batch == self.per_epoch and self.last == "smaller"
        return self.num_items if ends else batch * self.batch_size

    def _draw(self, epoch: int) -> Tensor:
        rng = seeding.generator(seeding.seed_for(self.seed, epoch, "order"))
        return torch.randperm(self.num_items, generator=rng).to(self.device)


class PerEpoch:
    """What is drawn for a whole epoch at once; of two epochs it is kept, as threads read ahead across their border.

    draw: of the number of an epoch; pure, as two threads may draw the same.
    """

    def __init__(self, draw: Callable[[int], Tensor]) -> None:
        self.draw, self._kept = draw, tuple[tuple[int, Tensor], ...]()

    def __getitem__(self, epoch: int) -> Tensor:
        kept = self._kept
        for number, drawn in kept:
            if number == epoch:
                return drawn
        drawn = self.draw(epoch)
        self._kept = (*kept[-1:], (epoch, drawn))  # one assignment, so that no thread sees half of it
        return drawn


def steps_of_a_pass(num_items: int, batch_size: int, least: int = 1) -> int:
    """How many batches hold `num_items`, at least one: the last may be smaller, and one of fewer than `least` joins the
    one before it."""
    full, rest = divmod(num_items, min(batch_size, num_items))
    return full + (rest >= least)
