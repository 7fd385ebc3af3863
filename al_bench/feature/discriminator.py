"""F_disc of ASAL (Sec. 3.2): what the discriminator sees just before it judges."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.feature import Feature
from al_bench.gan import Gan, GanNetworks
from al_bench.network import Network
from al_bench.network.predict import evaluating
from al_bench.storage.artifacts import Artifacts


@declare("feature/discriminator")
@dataclass(eq=False)
class Discriminator(Feature):
    """The input of the last layer of a trained GAN's discriminator or critic.

    In eval mode: the dropout of a consistency term is off, batch norm takes its running statistics. The
    range that the discriminator works in is its own. gan: the one that also generates, so that it is
    trained once. networks is None until `prepare`.
    """

    gan: Gan
    networks: GanNetworks | None = field(default=None, init=False, metadata={"identity": False})

    def __post_init__(self) -> None:
        if self.gan is None:
            raise UserError("feature=discriminator is that of a GAN and gan=none: choose another gan")

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains the GAN, or takes the stored one."""
        self.networks = self.gan.trained(dataset, artifacts)

    def size(self, image_shape: Sequence[int]) -> int:
        """Of the last layer's input, which the untrained discriminator already has."""
        discriminator = self.gan.networks(image_shape).discriminator
        with evaluating(discriminator), torch.no_grad():
            return discriminator.features(torch.zeros(1, *image_shape)).shape[1]

    def extract(self, images: Tensor, model: Network | None) -> Tensor:
        """(B, C, H, W) float images to (B, D)."""
        assert self.networks is not None, "prepare comes first"
        return self.networks.discriminator.features(images)
