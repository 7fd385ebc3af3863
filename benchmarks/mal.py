"""MAL's training: one round of Algorithm 1, of as many labeled and unlabeled images and of the discriminator, beside a
supervised step."""

from collections.abc import Mapping
from functools import partial

import torch

from al_bench.learner.mal import Mal
from al_bench.learner.supervised import Supervised
from al_bench.network import NetworkFactory
from al_bench.network.aligned import Aligned
from al_bench.network.resnet18 import ResNet18
from benchmarks import Goal, Measured, interleaved
from benchmarks.waal import half_labeled

SEED = 0
BATCH_SIZE = 64
GOAL = 2.3
ADAM = partial(torch.optim.Adam, lr=0.001)
NETWORKS: Mapping[str, tuple[NetworkFactory, int]] = {
    "ResNet18 of width 16, 3 x 3 stem": (partial(ResNet18, stem="cifar", width=16, mean=0.5, std=0.5), 8),
    "ResNet18": (partial(ResNet18, stem="imagenet", width=64, mean=0.5, std=0.5), 8),
}  # network, steps of each side


def measure(pairs: int = 5, num_steps: int | None = None) -> list[Measured]:
    """Images of 32 x 32. The features read twice as many images; what is above 2 is prototypes and discriminator.

    num_steps: in place of those of each network.
    """
    return [row(name, network, num_steps or steps, pairs) for name, (network, steps) in NETWORKS.items()]


def row(name: str, network: NetworkFactory, steps: int, pairs: int) -> Measured:
    """Both for the same number of steps on the same pool; MAL's task model, which trains as a supervised one does, is
    left out."""
    pool = half_labeled(2 * steps * BATCH_SIZE, (3, 32, 32))
    minimax = Mal(
        network=network,
        epochs=1,
        task_epochs=1,
        batch_size=BATCH_SIZE,
        optimizer=ADAM,
        classifier_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        task_optimizer=ADAM,
        minimax=True,
        discriminator=True,
        d_to_f="none",
        discriminator_reads="train",
        reversal="inside",
        normalize="embedding",
        temperature=0.05,
        discriminator_temperature=1.0,
        weight=0.1,
        hidden=256,
        discriminator_hidden=[512, 512],
        discriminator_channels=[256, 128, 64],
        head="linear",
        carry_over=False,
    )
    supervised = Supervised(network=network, epochs=1, batch_size=BATCH_SIZE, optimizer=ADAM)

    def align(_: object) -> None:
        model = minimax.empty(pool, SEED)
        assert isinstance(model, Aligned)
        minimax.align(model, pool, SEED, None)

    runs = interleaved(align, lambda _: supervised.fit(pool, None, SEED), pairs)
    ours, plain = (1e3 * seconds / steps for seconds in runs.medians)
    how = f"batches of {BATCH_SIZE}, {steps} steps: {ours:,.1f} ms a step, supervised {plain:,.1f}"
    return Measured(f"MAL step / supervised step, {name}", runs.ratio, Goal(GOAL), how)
