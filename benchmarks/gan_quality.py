"""Evaluating generation: 5,000 samples by `evaluator=gan_quality`, beside 100 iterations of the training of the AC-GAN
that makes them."""

import statistics
import tempfile
from functools import partial
from pathlib import Path

import torch

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.dataset import Dataset, Split
from al_bench.evaluator.gan_quality import GanQuality
from al_bench.learner.supervised import Supervised
from al_bench.network import Network
from al_bench.network.lenet import LeNet
from al_bench.storage.artifacts import Artifacts
from benchmarks import Goal, Measured, interleaved, timed
from benchmarks.acgan import BASES, CHANNELS, CLASSES, SEED, SHAPE, gan_of, learner

BASE = "AC-DCGAN"  # the fastest to train, so the hardest goal


class Judge:
    """The network of the recipe for Fashion-MNIST, untrained."""

    min_confidence = 0.0

    def __init__(self) -> None:
        with seeding.fork(SEED):
            self.model: Network = LeNet(SHAPE, CLASSES).eval()

    def check(self, dataset: Dataset) -> None:
        """It takes any."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """It is what it is."""


def measure(
    samples: int = 5000, iterations: int = 100, pairs: int = 3, channels: tuple[int, ...] = CHANNELS, epochs: int = 10
) -> list[Measured]:
    """What a cycle ends with, without GAN-train and with it, which trains a classifier of so many epochs; beside it a
    look into a training."""
    losses, norm, num_critic, _ = BASES[BASE]
    gan = learner(gan_of(losses, norm, num_critic, iterations, channels), gamma=1)
    dataset, evaluator, whole = made_images(samples), evaluator_of(samples), evaluator_of(samples, epochs)
    everything = PoolQuery(torch.arange(samples))
    pool = Pool.unlabeled_from(dataset.train.images, CLASSES).with_labels(everything, dataset.train.classes)
    model = gan.empty(pool, SEED).eval()
    with tempfile.TemporaryDirectory() as folder:
        for one in (evaluator, whole):
            one.prepare(dataset, Artifacts(Path(folder)))
    ends = interleaved(lambda _: evaluator.evaluate(model, dataset), lambda _: gan.fit(pool, None, SEED), pairs)
    look = statistics.median(timed(lambda _: evaluator.look(model, dataset), number)[0] for number in range(pairs))
    with_training = statistics.median(timed(lambda _: whole.evaluate(model, dataset), pair)[0] for pair in range(pairs))
    end, training = ends.medians
    what, size = f"{samples:,} samples / {iterations} iterations of {BASE}", f"1 x 28 x 28, channels {channels}"
    return [
        Measured(f"Evaluating {what}", ends.ratio, Goal(1.0), f"{size}: {end:.2f} s, training {training:.2f} s"),
        Measured(
            f"Evaluating with GAN-train {what}", with_training / training, Goal(1.0), f"{size}: {with_training:.2f} s"
        ),
        Measured(f"A look at {what}", look / training, None, f"without precision and recall: {look:.2f} s"),
    ]


def evaluator_of(samples: int, epochs: int | None = None) -> GanQuality:
    """As `conf/evaluator/gan_quality.yaml` has it, with the recipe's network for Fashion-MNIST. epochs: of GAN-train,
    None: without it."""
    adam = partial(torch.optim.Adam, lr=0.001)
    classifier = Supervised(network=LeNet, epochs=epochs, batch_size=64, optimizer=adam) if epochs else None
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
        gan_train=classifier,
    )


def made_images(count: int) -> Dataset:
    """Noise, as many real images as samples: what a judge's pass costs does not depend on what it sees."""
    rng = seeding.generator(SEED)
    images = torch.randint(256, (count, *SHAPE), generator=rng).to(torch.uint8)
    split = Split(images, torch.arange(count) % CLASSES)
    return Dataset(split, None, split, CLASSES, tuple("abcdefghij"))
