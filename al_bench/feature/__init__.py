"""Feature spaces in which a synthetic image is matched with the pool (ASAL Sec. 3.2)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from al_bench.dataset import Dataset
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts


class Feature(ABC):
    """Images to vectors, fitted on training images alone."""

    follows_model: ClassVar[bool] = False
    """Whether the space moves with the model, so that the pool's features are computed anew each cycle."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """What it asks of the model, in the words of `Network.provides`; a strategy that takes it asks for the same."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:  # noqa: B027  (nothing to prepare is common)
        """Trains or loads what the features need; `dataset` is blind."""

    @abstractmethod
    def size(self, image_shape: Sequence[int]) -> int:
        """D of a (C, H, W) image, known before anything is trained. Raises UserError where what it will train does not
        fit such images."""

    @abstractmethod
    def extract(self, images: Tensor, model: Network | None) -> Tensor:
        """(B, C, H, W) float images to (B, D).

        model: the current one, for features that follow it; None where there is none yet.
        """
