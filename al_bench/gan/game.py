"""The game that all GANs play: discriminator steps, then one of the generator."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim import Optimizer

from al_bench.active.inputs import to_float
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module, frozen

if TYPE_CHECKING:  # the contract itself starts the game
    from al_bench.gan import Gan, GanNetworks


class Game(Module):
    """One iteration: `num_critic` steps of the discriminator, each on new images, then one of the generator."""

    def __init__(self, gan: "Gan", networks: "GanNetworks") -> None:
        super().__init__()
        self.gan, self.networks, self.schedule, self.capture = gan, networks, gan.schedule, gan.capture

    def step(self, batch: Tensor, optimizers: Sequence[Optimizer]) -> Losses:
        """batch: (num_critic, B, C, H, W) uint8 images."""
        discriminator_optimizer, generator_optimizer = optimizers
        discriminator = self.networks.discriminator
        for images in batch:
            with torch.no_grad():
                fake = self._fake(len(images), images.device)
            real = to_real(images, self.gan.dequantize)
            discriminator_loss = self.gan.discriminator_loss(discriminator, real, fake)
            self.update(discriminator_optimizer, discriminator_loss)
        with frozen(discriminator):
            fake = self._fake(self.gan.generator_batch_size or batch.shape[1], batch.device)
            generator_loss = self.gan.generator_loss(discriminator, fake)
            self.update(generator_optimizer, generator_loss)
        return {"discriminator_loss": discriminator_loss.detach(), "generator_loss": generator_loss.detach()}

    def _fake(self, count: int, device: torch.device) -> Tensor:
        latents = torch.randn(count, self.networks.latent_size, device=device)
        images: Tensor = self.networks.generator(latents)
        return images.float()  # so that losses and interpolates are float32 in any precision

    def configure_optimizers(self) -> list[Optimizer]:
        """Discriminator first."""
        return [
            self.optimizer_of(self.gan.discriminator_optimizer, self.networks.discriminator),
            self.optimizer_of(self.gan.generator_optimizer, self.networks.generator),
        ]


def to_real(images: Tensor, dequantize: bool) -> Tensor:
    """(..., C, H, W) uint8 images to float ones in [0, 1], as a discriminator is shown them. dequantize: see `Gan`."""
    if not dequantize:
        return to_float(images)
    return (images + torch.rand(images.shape, device=images.device)) / 256
