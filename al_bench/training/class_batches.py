"""Labeled images as a class-conditional GAN reads them: several batches a step, whole ones only."""

from torch import Tensor

from al_bench.training.batches import Batches
from al_bench.training.image_batches import ImageBatches

Batch = tuple[Tensor, ...]  # labeled images, their labels, and images of the pool where they are read


class ClassBatches(Batches):
    """Stored images (per_step, B, C, H, W), their labels (per_step, B), and as many images of `others` where there are
    some.

    labels: (L,) of the images that `labeled` reads.
    """

    def __init__(self, labeled: ImageBatches, labels: Tensor, others: ImageBatches | None = None) -> None:
        self.labeled, self.labels, self.others = labeled, labels, others

    def __len__(self) -> int:
        return len(self.labeled)

    def load(self, step: int) -> Batch:
        chosen = self.labeled.positions(step)
        read = self.labeled.inputs_at(chosen), self.labels[chosen]
        return read if self.others is None else (*read, self.others.load(step))

    @property
    def waits(self) -> bool:
        return self.labeled.waits or (self.others is not None and self.others.waits)

    @property
    def images_per_step(self) -> float:
        return self.labeled.images_per_step + (0 if self.others is None else self.others.images_per_step)
