"""Which positions are in which batch."""

from collections.abc import Callable

import torch
from torch import Tensor

from al_bench import seeding


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
        self.per_epoch = num_items // self.batch_size if whole else steps_of_a_pass(num_items, batch_size, least)
        self.orders = PerEpoch(self._draw)

    def __getitem__(self, number: int) -> Tensor:
        """(B,) int64 positions of the batch with this number, counted over all epochs."""
        epoch, batch = divmod(number, self.per_epoch)
        end = self.num_items if batch == self.per_epoch - 1 and not self.whole else (batch + 1) * self.batch_size
        return self.orders[epoch][batch * self.batch_size : end]

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
