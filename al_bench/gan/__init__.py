"""Generative adversarial networks: what one is to a strategy, and how all of them are trained."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.inputs import Inputs, fingerprint
from al_bench.active.part import describe, hash_of
from al_bench.config.ranges import BatchSize, CriticSteps, Iterations, Precision, Seed, Width
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.gan.game import Game
from al_bench.network.class_conditional import ClassHeads
from al_bench.network.critic import Critic
from al_bench.network.dry_run import dry_run, norms_alone
from al_bench.storage.artifacts import Artifacts
from al_bench.training.fit import Fitter
from al_bench.training.image_batches import ImageBatches
from al_bench.training.loss_record import Trace
from al_bench.training.module import TrainerFactory


class GanNetworks(nn.Module):
    """A trained generator and its discriminator (or critic).

    generator: latents (B, Z), z ~ N(0, I), to float images (B, C, H, W) in [0, 1], whatever its own range.
    discriminator: see `Critic`; its values are a Wasserstein critic's, or logits of "real". artifact: the id of the
    stored one, "" of any other.
    """

    artifact: str = ""

    def __init__(self, generator: nn.Module, discriminator: Critic, latent_size: int) -> None:
        super().__init__()
        self.generator, self.discriminator, self.latent_size = generator, discriminator, latent_size

    def draw(self, count: int, rng: torch.Generator) -> Tensor:
        """(count, Z) latents of the prior, on the generator's device."""
        latents = torch.randn(count, self.latent_size, generator=rng)
        return latents.to(next(self.parameters()).device)


@dataclass(frozen=True)
class Gan(ABC):
    """How a GAN is trained; members differ in their losses.

    generator: factory of (latent_size, image_shape) -> module; discriminator: of (image_shape) -> module.
    *_optimizer: of (parameters) -> optimizer. iterations: of the generator. num_critic: discriminator steps before
    each of them. generator_batch_size: where it differs from that of the discriminator. dequantize: real pixels are
    (byte + U[0, 1)) / 256 in place of byte / 255. precision: of both networks; losses are float32 in any. seed: of the
    GAN itself; it is trained once and shared by runs of every seed. capture: see `training.module.Module`.
    conditional: what makes it class-conditional where a learner trains it (`learner=acgan`); elsewhere it plays no
    part.
    """

    generator: Callable[..., nn.Module]
    discriminator: Callable[..., Critic]
    generator_optimizer: Callable[..., Optimizer]
    discriminator_optimizer: Callable[..., Optimizer]
    latent_size: Width
    iterations: Iterations
    batch_size: BatchSize
    num_critic: CriticSteps
    generator_batch_size: BatchSize | None = None
    dequantize: bool = False
    precision: Precision = "32-true"
    schedule: Callable[[float], float] | None = None
    seed: Seed = 0
    conditional: ClassHeads | None = None
    capture: bool = field(default=False, metadata={"identity": False})
    trainer: TrainerFactory | None = field(default=None, metadata={"identity": False})

    @abstractmethod
    def discriminator_loss_of(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator minimises of its values of real and fake images, (B,) each, beside the penalty."""

    @abstractmethod
    def generator_loss_of(self, fake: Tensor) -> Tensor:
        """What the generator minimises of the discriminator's (B,) values of its images."""

    def penalty(self, discriminator: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator minimises beside it, by passes of its own; 0 unless a member says otherwise.

        real, fake: (B, C, H, W) float, fake detached.
        """
        return real.new_zeros(())

    def discriminator_loss(self, discriminator: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator minimises; real, fake: (B, C, H, W) float, fake detached."""
        loss = self.discriminator_loss_of(discriminator(real), discriminator(fake))
        return loss + self.penalty(discriminator, real, fake)

    def generator_loss(self, discriminator: Critic, fake: Tensor) -> Tensor:
        """What the generator minimises; fake: (B, C, H, W) float, with gradients to the generator."""
        return self.generator_loss_of(discriminator(fake))

    def networks(self, image_shape: Sequence[int]) -> GanNetworks:
        """Untrained networks for (C, H, W) images, their weights drawn by the GAN's own seed. Raises UserError as
        `check_discriminator` does."""
        with seeding.fork(seeding.seed_for(self.seed, 0, "gan weights")):
            generator = self.generator(latent_size=self.latent_size, image_shape=tuple(image_shape))
            discriminator = self.discriminator(image_shape=tuple(image_shape))
        self.check_discriminator(discriminator)
        return GanNetworks(generator, discriminator, self.latent_size)

    def check_discriminator(self, discriminator: Critic) -> None:
        """Raises UserError for one that its losses are not defined of; none is refused unless a member says so."""
        return

    def check(self, image_shape: Sequence[int]) -> None:
        """Raises UserError where its networks do not fit (C, H, W) images, or its batches them; trains nothing."""
        networks = self.networks(image_shape)
        if (made := dry_run(networks.generator, (self.latent_size,), "gan.generator")) != tuple(image_shape):
            raise UserError(f"gan.generator makes images of {made} for images of {tuple(image_shape)}: use another gan")
        dry_run(networks.discriminator, image_shape, "gan.discriminator")
        sizes = {"batch_size": self.batch_size, "generator_batch_size": self.generator_batch_size or self.batch_size}
        name, smallest = min(sizes.items(), key=lambda size: size[1])
        if smallest < 2 and not (
            norms_alone(networks.generator, (self.latent_size,)) and norms_alone(networks.discriminator, image_shape)
        ):
            raise UserError(f"gan.{name}={smallest} is too small for batch norm: give 2 or more")

    def check_told_classes(self) -> None:
        """Raises UserError for batches that a training with classes does not have: its generator learns from the fakes
        of the last critic step (ALCG Alg. 1), which are as many as the real images."""
        if self.batch_size < 2:
            raise UserError(f"gan.batch_size={self.batch_size} is too small for batch norm: give 2 or more")
        if self.generator_batch_size not in (None, self.batch_size):
            raise UserError(
                f"gan.generator_batch_size={self.generator_batch_size} is another than gan.batch_size="
                f"{self.batch_size}, and learner=acgan has one batch of fakes for both: leave it out"
            )

    def fit(self, images: Inputs, scratch: Path | None = None) -> tuple[GanNetworks, Trace]:
        """Plays the game on (N, C, H, W) images; returns the networks and the losses of every 50 iterations."""
        networks = self.networks(images.shape[1:])
        batches = ImageBatches(
            images,
            batch_size=self.batch_size,
            steps=self.iterations,
            seed=seeding.seed_for(self.seed, 0, "gan batches"),
            per_step=self.num_critic,
        )
        trace = Fitter(images.device, self.precision, self.trainer).fit(
            Game(self, networks),
            batches,
            seed=seeding.seed_for(self.seed, 0, "gan training"),
            name=type(self).__name__,
            scratch=scratch,
        )
        return networks, trace

    def trained(self, dataset: Dataset, artifacts: Artifacts) -> GanNetworks:
        """The networks of a data set's training images, trained once and stored. They take no gradient and are in eval
        mode, on the images' device."""
        images = dataset.train.images
        spec = {"gan": describe(self), "images": fingerprint(images)}
        untrained = self.networks(images.shape[1:])
        trained = artifacts.train_once("gan", spec, untrained, partial(self.fit, images), images.device)
        trained.artifact = hash_of(spec)
        return trained
