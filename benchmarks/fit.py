"""Training: what `Supervised` and `Fitter.fit` add to a loop that one would write by hand."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.learner.supervised import Supervised
from al_bench.network import Network
from al_bench.network.linear import Linear
from benchmarks import Goal, Measured, interleaved

SEED = 0
EPOCHS, BATCH_SIZE, RATE = 10, 10, 0.001  # ASAL A.1


def measure(num_images: int = 500, pairs: int = 21) -> list[Measured]:
    """One fit as at the end of ASAL's MNIST with two classes: 500 labels, ten epochs, batches of ten."""
    pool, adam = labeled_pool(num_images), partial(torch.optim.Adam, lr=RATE)
    learner = Supervised(network=Linear, epochs=EPOCHS, batch_size=BATCH_SIZE, optimizer=adam)
    inputs, labels = pool.training_set()
    runs = interleaved(
        lambda _: learner.fit(pool, None, SEED),
        lambda _: by_hand(inputs, labels, learner.empty(pool, SEED)),
        pairs,
    )
    steps = EPOCHS * -(-num_images // BATCH_SIZE)
    ours, plain = (seconds / steps * 1e6 for seconds in runs.medians)
    how = f"linear model, 1 x 28 x 28, {steps} steps of Adam: {ours:,.0f} us a step, by hand {plain:,.0f}"
    return [Measured("fit / hand-written loop, per step", runs.ratio, Goal(1.5), how, same(*runs.results[-1]))]


def labeled_pool(num_images: int) -> Pool:
    """A pool of random 28 x 28 images of two classes, all labeled."""
    rng = seeding.generator(SEED)
    images = torch.randint(256, (num_images, 1, 28, 28), generator=rng).to(torch.uint8)
    query = PoolQuery(torch.arange(num_images))
    return Pool.unlabeled_from(images, 2).with_labels(query, torch.randint(2, (num_images,), generator=rng))


def by_hand(inputs: Tensor, labels: Tensor, network: Network) -> Network:
    """The same arithmetic on the same batches, and nothing else."""
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    stream = seeding.seed_for(SEED, 0, "batches")
    for epoch in range(EPOCHS):
        order = torch.randperm(len(inputs), generator=seeding.generator(seeding.seed_for(stream, epoch, "order")))
        for chosen in order.split(BATCH_SIZE):
            loss = functional.cross_entropy(network(inputs[chosen].float() / 255), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks hold the same weights, as far as float32 goes."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(first, second, rtol=1e-4, atol=1e-6) for first, second in pairs)
