"""Training: what `Supervised` and `Fitter.fit` add to a loop that one would write by hand, and what they save."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from al_bench import seeding
from al_bench.active.inputs import read_all
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.learner.supervised import Supervised
from al_bench.network import Network, NetworkFactory
from al_bench.network.lenet import LeNet
from al_bench.network.linear import Linear
from benchmarks import Goal, Measured, interleaved

SEED, RATE = 0, 0.001  # ASAL A.1


@dataclass(frozen=True)
class Training:
    """One fit: so many epochs of a pool of `num_images`, all labeled. pairs: how often both sides are measured."""

    name: str
    network: NetworkFactory
    num_images: int
    epochs: int
    batch_size: int
    pairs: int
    goal: Goal

    @property
    def steps(self) -> int:
        """Of the whole fit."""
        return self.epochs * -(-self.num_images // self.batch_size)


TRAININGS = (
    # As at the end of ASAL's MNIST with two classes: what the loop adds.
    Training("linear model", Linear, num_images=500, epochs=10, batch_size=10, pairs=21, goal=Goal(1.5)),
    # What one kernel for all of Adam's updates and images laid out channels last save.
    Training("LeNet", LeNet, num_images=256, epochs=1, batch_size=64, pairs=15, goal=Goal(0.85)),
)


def measure(trainings: Sequence[Training] = TRAININGS) -> list[Measured]:
    """One row for each."""
    return [row(training) for training in trainings]


def row(training: Training) -> Measured:
    """`Supervised` and the hand-written loop, on the same batches with the same dropout."""
    pool, learner = labeled_pool(training.num_images), learner_of(training)
    view, labels = pool.training_set()
    inputs = read_all(view)
    runs = interleaved(
        lambda _: learner.fit(pool, None, SEED),
        lambda _: by_hand(training, inputs, labels, learner.empty(pool, SEED)),
        training.pairs,
    )
    ours, plain = (seconds / training.steps * 1e6 for seconds in runs.medians)
    batches = f"1 x 28 x 28, {training.steps} steps of Adam on {training.batch_size} images"
    how = f"{training.name}, {batches}: {ours:,.0f} us a step, by hand {plain:,.0f}"
    name = f"fit / hand-written loop, per step, {training.name}"
    return Measured(name, runs.ratio, training.goal, how, alike(*runs.results[-1], learner.empty(pool, SEED)))


def learner_of(training: Training) -> Supervised:
    """Ours."""
    return Supervised(
        network=training.network,
        epochs=training.epochs,
        batch_size=training.batch_size,
        optimizer=partial(torch.optim.Adam, lr=RATE),
    )


def labeled_pool(num_images: int) -> Pool:
    """A pool of random 28 x 28 images of two classes, all labeled."""
    rng = seeding.generator(SEED)
    images = torch.randint(256, (num_images, 1, 28, 28), generator=rng).to(torch.uint8)
    query = PoolQuery(torch.arange(num_images))
    return Pool.unlabeled_from(images, 2).with_labels(query, torch.randint(2, (num_images,), generator=rng))


def by_hand(training: Training, inputs: Tensor, labels: Tensor, network: Network) -> Network:
    """The same arithmetic on the same batches, and nothing else: the optimizer as torch makes it and images as they
    lie."""
    stream = seeding.seed_for(SEED, 0, "batches")
    backbone, rest = network.backbone, nn.Sequential(network.neck, network.head)  # past `features`, which lays out anew
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    with seeding.fork(seeding.seed_for(SEED, 0, "training")):
        for epoch in range(training.epochs):
            rng = seeding.generator(seeding.seed_for(stream, epoch, "order"))
            for chosen in torch.randperm(len(inputs), generator=rng).split(training.batch_size):
                loss = functional.cross_entropy(rest(backbone(inputs[chosen].float() / 255)), labels[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return network


def alike(one: nn.Module, other: nn.Module, start: nn.Module) -> bool:
    """Whether two trainings from the same weights moved each tensor alike, up to a hundredth of how far it went: Adam's
    first steps make as much of a gradient that is all rounding as of any other, which `same` would not forgive."""
    tensors = zip(*(network.state_dict().values() for network in (one, other, start)), strict=True)
    return all((first - second).norm() <= 0.01 * (second - begun).norm() for first, second, begun in tensors)


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks hold the same weights, as far as float32 goes."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(first, second, rtol=1e-4, atol=1e-6) for first, second in pairs)
