"""Batches of labeled and of unlabeled images beside each other, two of either for each round."""

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.view import in_memory
from al_bench.training.batches import Augmentation, Batches
from al_bench.training.sampler import EpochSampler

Batch = tuple[Tensor, Tensor]  # stored labeled and unlabeled images, (2, B, C, H, W) each


class BothKinds(Batches):
    """Two batches of labeled and two of unlabeled stored images for each round.

    least: images of a batch; where a kind has fewer, they are in it more than once.
    """

    def __init__(
        self,
        pool: Pool,
        rounds: int,
        batch_size: int,
        seed: int,
        augmentation: Augmentation | None = None,
        least: int = 1,
    ) -> None:
        self.inputs, self.rounds, self.augmentation, self.least = pool.inputs, rounds, augmentation, least
        self.kinds = [(pool.labeled, "labeled"), (pool.unlabeled, "unlabeled")]
        self.orders = [
            EpochSampler(len(positions), batch_size, seeding.seed_for(seed, 0, kind), pool.device, "left_out")
            for positions, kind in self.kinds
        ]

    def __len__(self) -> int:
        return self.rounds

    def load(self, step: int) -> Batch:
        return self._two(0, step), self._two(1, step)

    def augment(self, loaded: Batch) -> Batch:
        return self._moved(loaded[0]), self._moved(loaded[1])

    @property
    def waits(self) -> bool:
        return not in_memory(self.inputs)

    def _two(self, kind: int, step: int) -> Tensor:
        order, (positions, _) = self.orders[kind], self.kinds[kind]
        times = -(-self.least // order.batch_size)
        chosen = [positions[order[number]].repeat(times) for number in (2 * step, 2 * step + 1)]
        return torch.stack([self.inputs[batch] for batch in chosen])

    def _moved(self, images: Tensor) -> Tensor:
        """(2, B, C, H, W) stored images, augmented."""
        if self.augmentation is None:
            return images
        moved, _ = self.augmentation(images.flatten(0, 1), torch.zeros(images.shape[:2].numel(), device=images.device))
        pairs: Tensor = moved.unflatten(0, images.shape[:2])
        return pairs

    @property
    def images_per_step(self) -> float:
        return 2.0 * sum(order.batch_size for order in self.orders)
