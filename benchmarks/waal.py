"""WAAL's training: one step, of as many labeled and unlabeled images and of the critic, beside a supervised step, and
in bfloat16 beside float32."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.learner.supervised import Supervised
from al_bench.learner.waal import Waal
from al_bench.network import NetworkFactory
from al_bench.network.lenet5 import LeNet5
from al_bench.network.vgg16_bn import Vgg16Bn
from benchmarks import Goal, Measured, interleaved
from benchmarks.fit import of_one_way

SEED = 0
BATCH_SIZE, HIDDEN = 64, 50  # WAAL Tab. 3, App. G.2
SGD = partial(torch.optim.SGD, lr=0.01, momentum=0.5)
NETWORKS: Mapping[str, tuple[NetworkFactory, tuple[int, int, int], float]] = {
    "LeNet5": (partial(LeNet5, mean=0.1307, std=0.3081), (1, 28, 28), 3.0),
    "VGG16-BN": (partial(Vgg16Bn, hidden=HIDDEN, dropout=0.5, mean=0.5, std=0.5), (3, 32, 32), 2.3),
}  # network, images, goal
STEPS = {"LeNet5": 200, "VGG16-BN": 2}  # of each side


def measure(pairs: int = 5) -> list[Measured]:
    """The feature extractor reads twice as many images; what is above 2 is the critic."""
    rows = [row(name, *settings, STEPS[name], pairs) for name, settings in NETWORKS.items()]
    if torch.cpu._is_avx512_bf16_supported():
        rows += [rounded(name, network, shape, STEPS[name], pairs) for name, (network, shape, _) in NETWORKS.items()]
    return rows


def row(
    name: str, network: NetworkFactory, shape: tuple[int, int, int], goal: float, steps: int, pairs: int
) -> Measured:
    """Both learners for the same number of steps on the same pool."""
    pool = half_labeled(2 * steps * BATCH_SIZE, shape)
    adversarial = learner_of(network)
    supervised = Supervised(network=network, epochs=1, batch_size=BATCH_SIZE, optimizer=SGD)
    runs = interleaved(lambda _: adversarial.fit(pool, None, SEED), lambda _: supervised.fit(pool, None, SEED), pairs)
    ours, plain = (1e3 * seconds / steps for seconds in runs.medians)
    how = f"batches of {BATCH_SIZE}, {steps} steps: {ours:,.1f} ms a step, supervised {plain:,.1f}"
    return Measured(f"WAAL step / supervised step, {name}", runs.ratio, Goal(goal), how)


def rounded(name: str, network: NetworkFactory, shape: tuple[int, int, int], steps: int, pairs: int) -> Measured:
    """The same training in bfloat16 and in float32; the critic and its penalty stay in float32."""
    pool, plain = half_labeled(2 * steps * BATCH_SIZE, shape), learner_of(network)
    half = replace(plain, precision="bf16-mixed")
    runs = interleaved(lambda _: half.fit(pool, None, SEED), lambda _: plain.fit(pool, None, SEED), pairs)
    ours, full = (1e3 * seconds / steps for seconds in runs.medians)
    how = f"batches of {BATCH_SIZE}, {steps} steps: {ours:,.1f} ms a step, in float32 {full:,.1f}"
    agrees = of_one_way(*runs.results[-1], plain.empty(pool, SEED))
    return Measured(f"WAAL step in bfloat16 / in float32, {name}", runs.ratio, Goal(0.6), how, agrees)


def learner_of(network: NetworkFactory) -> Waal:
    """WAAL with what its paper prints."""
    return Waal(
        network=network,
        epochs=1,
        batch_size=BATCH_SIZE,
        optimizer=SGD,
        trade_off=0.01,
        hidden=HIDDEN,
        query_size=BATCH_SIZE,
        weighting="eq8",
        pairing="replacement",
        penalty_weight=2.0,
        penalty_at="interpolates",
        reversed_penalty=False,
        fresh_features=False,
    )


def half_labeled(num_images: int, shape: tuple[int, int, int]) -> Pool:
    """A pool of noise of ten classes, the first half of it labeled."""
    rng = seeding.generator(SEED)
    images = torch.randint(256, (num_images, *shape), generator=rng).to(torch.uint8)
    query = PoolQuery(torch.arange(num_images // 2))
    return Pool.unlabeled_from(images, 10).with_labels(query, torch.randint(10, (num_images // 2,), generator=rng))
