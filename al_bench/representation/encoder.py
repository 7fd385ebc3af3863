"""An encoder of a GAN's images, trained on what the generator draws: pairs (G(z), z)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.inputs import Inputs, fingerprint
from al_bench.active.part import declare, describe
from al_bench.config.ranges import BatchSize, Iterations, Precision, Seed
from al_bench.gan import Gan, GanNetworks
from al_bench.storage.artifacts import Artifacts
from al_bench.training.batches import Batches
from al_bench.training.fit import Fitter
from al_bench.training.loss_record import Losses, Trace
from al_bench.training.module import Module, TrainerFactory


@declare("representation/encoder")
@dataclass(frozen=True)
class Encoder:
    """How the network that guesses latents is trained.

    network: factory of (image_shape, latent_size) -> module from float images to latents. optimizer: of
    (parameters) -> optimizer. iterations: each of `batch_size` new pairs. seed: of the encoder itself; it is trained
    once and shared by runs of every seed.
    """

    network: Callable[..., nn.Module]
    optimizer: Callable[..., Optimizer]
    iterations: Iterations
    batch_size: BatchSize
    precision: Precision = "32-true"
    seed: Seed = 0
    trainer: TrainerFactory | None = field(default=None, metadata={"identity": False})

    def untrained(self, image_shape: Sequence[int], latent_size: int) -> nn.Module:
        """Its weights are drawn by its own seed."""
        with seeding.fork(seeding.seed_for(self.seed, 0, "encoder weights")):
            return self.network(image_shape=tuple(image_shape), latent_size=latent_size)

    def fit(
        self, networks: GanNetworks, image_shape: Sequence[int], scratch: Path | None = None
    ) -> tuple[nn.Module, Trace]:
        """Trains on what the generator draws; returns the encoder and the losses of every 50 steps."""
        network = self.untrained(image_shape, networks.latent_size)
        seed = seeding.seed_for(self.seed, 0, "encoder latents")
        trace = Fitter(next(networks.parameters()).device, self.precision, self.trainer).fit(
            Inversion(network, self.optimizer),
            DrawnPairs(networks, self.batch_size, self.iterations, seed),
            seed=seeding.seed_for(self.seed, 0, "encoder training"),
            name=type(self).__name__,
            scratch=scratch,
        )
        return network, trace

    def trained(self, gan: Gan, networks: GanNetworks, images: Inputs, artifacts: Artifacts) -> nn.Module:
        """The encoder of a GAN that was trained on `images`, trained once and stored."""
        spec = {"encoder": {**describe(self), "gan": describe(gan)}, "images": fingerprint(images)}
        untrained = self.untrained(images.shape[1:], networks.latent_size)
        fit = partial(self.fit, networks, images.shape[1:])
        return artifacts.train_once("encoder", spec, untrained, fit, images.device)


class DrawnPairs(Batches):
    """Images that a generator draws (B, C, H, W), and their latents (B, Z), new ones in every step."""

    def __init__(self, networks: GanNetworks, batch_size: int, steps: int, seed: int) -> None:
        self.networks, self.batch_size, self.steps, self.seed = networks, batch_size, steps, seed

    def __len__(self) -> int:
        return self.steps

    def load(self, step: int) -> tuple[Tensor, Tensor]:
        latents = self.networks.draw(self.batch_size, seeding.generator(seeding.seed_for(self.seed, step, "pairs")))
        with torch.no_grad():
            return self.networks.generator(latents), latents

    @property
    def images_per_step(self) -> float:
        return float(self.batch_size)


class Inversion(Module):
    """Squared error of the latent, summed over its dimensions, its mean over images."""

    def __init__(self, network: nn.Module, optimizer: Callable[..., Optimizer]) -> None:
        super().__init__()
        self.network, self.make_optimizer = network, optimizer

    def step(self, batch: tuple[Tensor, Tensor], optimizers: Sequence[Optimizer]) -> Losses:
        """batch: float images (B, C, H, W) and the latents (B, Z) that they were made of."""
        images, latents = batch
        loss = (self.network(images) - latents).square().sum(1).mean()
        self.update(optimizers[0], loss)
        return {"squared_error": loss.detach()}

    def configure_optimizers(self) -> list[Optimizer]:
        """One, of the whole network."""
        return [self.optimizer_of(self.make_optimizer, self.network)]
