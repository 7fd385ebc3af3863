"""The images as they are."""

from collections.abc import Sequence
from typing import ClassVar

from al_bench.active.part import declare
from al_bench.dataset import Dataset
from al_bench.representation import Representation
from al_bench.storage.artifacts import Artifacts


@declare("representation/none")
class NoRepresentation(Representation):
    """Changes nothing."""

    gives_images: ClassVar[bool] = True

    def shape(self, image_shape: Sequence[int]) -> tuple[int, ...]:
        return tuple(image_shape)

    def apply(self, dataset: Dataset, artifacts: Artifacts) -> Dataset:
        return dataset
