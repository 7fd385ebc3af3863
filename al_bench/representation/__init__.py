"""Representations: the inputs replaced once by features, for every part that comes after."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from al_bench.dataset import Dataset
from al_bench.storage.artifacts import Artifacts


class Representation(ABC):
    """How images become what the learner reads; learner, evaluator and strategy do not care."""

    gives_images: ClassVar[bool]
    """Whether the inputs are still images, which strategies that generate images need."""
    decodes: ClassVar[bool] = False
    """Whether the data set that `apply` gives has a `decode`, which strategies that make up inputs need."""

    @abstractmethod
    def shape(self, image_shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of one input that `apply` makes of a (C, H, W) image, known before anything is trained. Raises
        UserError where what it will train does not fit such images."""

    @abstractmethod
    def apply(self, dataset: Dataset, artifacts: Artifacts) -> Dataset:
        """The data set with the inputs of every split replaced; labels are neither read nor changed."""
