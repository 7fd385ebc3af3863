"""Evaluating generation: 5,000 samples by `evaluator=gan_quality`, beside 100 iterations of a GAN that makes such."""

import tempfile
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from al_bench import seeding
from al_bench.config.ranges import Precision
from al_bench.dataset import Dataset, Split
from al_bench.evaluator.gan_quality import GanQuality
from al_bench.gan.dcgan import Dcgan
from al_bench.network import Network
from al_bench.network.conv_gan import ConvCritic, ConvGenerator
from al_bench.network.lenet5 import LeNet5
from al_bench.storage.artifacts import Artifacts
from benchmarks import Goal, Measured, interleaved

SEED = 0
CLASSES, SHAPE = 10, (1, 28, 28)
LATENTS, BATCH_SIZE = 128, 50
CHANNELS = (128, 64, 32)


class Made(Network):
    """Untrained: what its images cost does not depend on what is in them."""

    latent_size, num_classes = LATENTS, CLASSES

    def __init__(self, generator: nn.Module) -> None:
        super().__init__(nn.Flatten(), nn.Identity(), nn.Linear(SHAPE[1] * SHAPE[2], CLASSES))
        self.generator = generator

    def generate(self, latents: Tensor, classes: Tensor) -> Tensor:
        images: Tensor = self.generator(torch.cat([latents, functional.one_hot(classes, CLASSES).float()], 1))
        return images


class Judge:
    """The network of the recipe for Fashion-MNIST, untrained."""

    min_confidence = 0.0

    def __init__(self) -> None:
        with seeding.fork(SEED):
            self.model: Network = LeNet5(SHAPE, CLASSES, 0.1307, 0.3081).eval()

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """It is what it is."""


def measure(
    samples: int = 5000, iterations: int = 100, pairs: int = 3, channels: tuple[int, ...] = CHANNELS
) -> list[Measured]:
    """A look into a training, and what a cycle ends with but for GAN-train, which trains a classifier."""
    precision: Precision = "bf16-mixed" if torch.cpu._is_avx512_bf16_supported() else "32-true"  # as scale=small trains
    gan, dataset = dcgan(channels, iterations, precision), made_images(samples)
    with seeding.fork(SEED):
        model = Made(gan.generator(LATENTS + CLASSES, SHAPE))
    evaluator = evaluator_of(samples)
    with tempfile.TemporaryDirectory() as folder:
        evaluator.prepare(dataset, Artifacts(Path(folder)))
    looks = interleaved(lambda _: evaluator.look(model, dataset), lambda _: gan.fit(dataset.train.images), pairs)
    whole = interleaved(lambda _: evaluator.evaluate(model, dataset), lambda _: None, pairs)
    look, games = looks.medians
    how = f"1 x 28 x 28, channels {channels}, batches of {BATCH_SIZE}, {precision}: {look:.2f} s, the GAN {games:.2f} s"
    name = f"{samples:,} samples / {iterations} iterations of DCGAN"
    with_neighbors = f"with precision and recall: {whole.medians[0]:.2f} s"
    return [
        Measured(f"Evaluating {name}", looks.ratio, Goal(1.0), how),
        Measured(f"Evaluating at a cycle's end {name}", whole.medians[0] / games, Goal(1.0), with_neighbors),
    ]


def dcgan(channels: tuple[int, ...], iterations: int, precision: Precision) -> Dcgan:
    """The base that ALCG's AC-DCGAN has, without losses of classes."""
    adam = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    return Dcgan(
        generator=partial(
            ConvGenerator,
            channels=channels,
            kernel_size=5,
            activation=nn.ReLU,
            batch_norm=True,
            output="sigmoid",
            initialization="he_mean_glorot",
        ),
        discriminator=partial(
            ConvCritic,
            channels=channels[::-1],
            kernel_size=5,
            slope=0.2,
            norm="batch",
            input_range="signed",
            initialization="he_mean_glorot",
        ),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        latent_size=LATENTS,
        iterations=iterations,
        batch_size=BATCH_SIZE,
        num_critic=1,
        precision=precision,
    )


def evaluator_of(samples: int) -> GanQuality:
    """As `conf/evaluator/gan_quality.yaml` has it."""
    return GanQuality(
        Judge(),
        samples=samples,
        real="train",
        splits=10,
        kid_subsets=10,
        kid_subset_size=1000,
        neighbors=3,
        mode_share=0.02,
        columns=10,
        seed=SEED,
    )


def made_images(count: int) -> Dataset:
    """Noise, as many real images as samples."""
    rng = seeding.generator(SEED)
    images = torch.randint(256, (count, *SHAPE), generator=rng).to(torch.uint8)
    split = Split(images, torch.arange(count) % CLASSES)
    return Dataset(split, None, split, CLASSES, tuple("abcdefghij"))
