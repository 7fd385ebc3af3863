"""Training: what `Supervised` and `Fitter.fit` add to a loop that one would write by hand, and what they save.

The loop by hand computes in float32 whatever ours does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parameters_to_vector

from al_bench import seeding
from al_bench.active.inputs import read_all
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import Precision
from al_bench.learner.supervised import Supervised
from al_bench.network import Network, NetworkFactory
from al_bench.network.lenet import LeNet
from al_bench.network.linear import Linear
from al_bench.network.resnet18 import ResNet18
from benchmarks import Goal, Measured, interleaved

SEED, RATE = 0, 0.001  # ASAL A.1


@dataclass(frozen=True)
class Training:
    """One fit: so many epochs of a pool of `num_images` of `shape`, all labeled. precision: of ours; pairs: how often
    both sides are measured."""

    name: str
    network: NetworkFactory
    num_images: int
    epochs: int
    batch_size: int
    pairs: int
    goal: Goal
    shape: tuple[int, int, int] = (1, 28, 28)
    precision: Precision = "32-true"

    @property
    def steps(self) -> int:
        """Of the whole fit."""
        return self.epochs * -(-self.num_images // self.batch_size)


TRAININGS = (
    # As at the end of ASAL's MNIST with two classes: what the loop adds.
    Training("linear model", Linear, num_images=500, epochs=10, batch_size=10, pairs=21, goal=Goal(1.5)),
    # What one kernel for all of Adam's updates and images laid out channels last save.
    Training("LeNet", LeNet, num_images=256, epochs=1, batch_size=64, pairs=15, goal=Goal(0.85)),
    # What bfloat16 saves besides, on processors that multiply in it.
    Training("LeNet", LeNet, 1_280, 1, 64, pairs=5, goal=Goal(0.45), precision="bf16-mixed"),
    Training(
        "ResNet18",
        partial(ResNet18, stem="cifar", width=64, mean=0.5, std=0.25),
        num_images=128,
        epochs=1,
        batch_size=64,
        pairs=3,
        goal=Goal(0.45),
        shape=(3, 32, 32),
        precision="bf16-mixed",
    ),
)


def measure(trainings: Sequence[Training] = TRAININGS) -> list[Measured]:
    """One row for each; those in bfloat16 on processors that have the instructions."""
    has_bfloat16 = torch.cpu._is_avx512_bf16_supported()
    return [row(training) for training in trainings if has_bfloat16 or training.precision == "32-true"]


def row(training: Training) -> Measured:
    """`Supervised` and the hand-written loop, on the same batches with the same dropout."""
    pool, learner = labeled_pool(training.num_images, training.shape), learner_of(training)
    view, labels = pool.training_set()
    inputs = read_all(view)
    runs = interleaved(
        lambda _: learner.fit(pool, None, SEED),
        lambda _: by_hand(training, inputs, labels, learner.empty(pool, SEED)),
        training.pairs,
    )
    ours, plain = (seconds / training.steps * 1e6 for seconds in runs.medians)
    size = " x ".join(map(str, training.shape))
    batches = f"{size}, {training.steps} steps of Adam on {training.batch_size} images"
    how = f"{training.name}, {batches}: {ours:,.0f} us a step, by hand {plain:,.0f}"
    rounded = training.precision != "32-true"
    name = f"fit{' in bfloat16' if rounded else ''} / hand-written loop, per step, {training.name}"
    compare = of_one_way if rounded else alike
    return Measured(name, runs.ratio, training.goal, how, compare(*runs.results[-1], learner.empty(pool, SEED)))


def learner_of(training: Training) -> Supervised:
    """Ours."""
    return Supervised(
        network=training.network,
        epochs=training.epochs,
        batch_size=training.batch_size,
        optimizer=partial(torch.optim.Adam, lr=RATE),
        precision=training.precision,
    )


def labeled_pool(num_images: int, shape: tuple[int, int, int] = (1, 28, 28)) -> Pool:
    """A pool of random images of two classes, all labeled."""
    rng = seeding.generator(SEED)
    images = torch.randint(256, (num_images, *shape), generator=rng).to(torch.uint8)
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


def of_one_way(one: nn.Module, other: nn.Module, start: nn.Module) -> bool:
    """Whether two trainings from the same weights, of which one rounds, moved all weights together into one direction:
    their cosine is at least 0.5. Few steps on noise tell apart what rounding changes, and a deep network more so."""
    moved = [parameters_to_vector(network.parameters()).detach() for network in (one, other, start)]
    return float(functional.cosine_similarity(moved[0] - moved[2], moved[1] - moved[2], 0)) >= 0.5


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks hold the same weights, as far as float32 goes."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(first, second, rtol=1e-4, atol=1e-6) for first, second in pairs)
