"""F_CLS of ASAL (Sec. 3.2 and App. A.4): the classifier's own embedding, which moves with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.feature import Feature
from al_bench.network import Network, NetworkFactory
from al_bench.network.predict import evaluating


@declare("feature/classifier")
@dataclass(frozen=True)
class Classifier(Feature):
    """The input of the current model's last layer; the mean over positions where that is a map.

    network: the model's, for the features' size alone.
    """

    network: NetworkFactory
    follows_model: ClassVar[bool] = True
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def size(self, image_shape: Sequence[int]) -> int:
        """Of an untrained network's embedding, which does not depend on the number of classes."""
        with seeding.fork(0):
            network = self.network(input_shape=tuple(image_shape), num_classes=2)
        with evaluating(network), torch.no_grad():
            return network.embed(torch.zeros(1, *image_shape)).shape[1]

    def extract(self, images: Tensor, model: Network | None) -> Tensor:
        """(B, C, H, W) float images to (B, E)."""
        assert model is not None, "the features are the model's"
        return model.embed(images)
