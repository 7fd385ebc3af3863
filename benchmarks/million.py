"""A million pictures of 512 features: what each strategy that works on features or logits takes to ask for 1,000."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
import yaml
from torch import nn

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config import experiment as config
from al_bench.config.groups import CONF
from al_bench.network import Network
from al_bench.strategy import Strategy
from benchmarks import Goal, Measured
from benchmarks.memory import apart, resident

SIZES = (10_000, 100_000, 1_000_000)
NUM_FEATURES, NUM_CLASSES, NUM_LABELED = 512, 10, 100
STRATEGIES: Mapping[str, Mapping[str, Any]] = {
    "random": {},
    "entropy": {},
    "margin": {},
    "bald": {},
    "power_bald": {},
    "batchbald": {"subset": 2_000},
    "badge": {},
    "contrastive_al": {},
    "coreset": {},
    "kmeans": {"library": "faiss"},
    "k_median": {"subset": 20_000},
    "typiclust": {},
    "probcover": {"subset": 20_000},
    "dropquery": {"library": "faiss"},
    "maxherding": {},
    "uherding": {"learner": None, "temperature": 1},  # alone, without the training that calibrates it
}  # by their names in conf/strategy, with what bounds those that would take hours


def measure(
    sizes: Sequence[int] = SIZES, asked: int = 1_000, names: Mapping[str, Mapping[str, Any]] = STRATEGIES
) -> Iterator[Measured]:
    """One row for each strategy: memory at the largest pool, its features included, and seconds at each."""
    for name, keys in names.items():
        taken = [apart(take, name, dict(keys), size, asked) for size in sizes]
        yield row(name, keys, sizes, asked, taken)


def row(
    name: str, keys: Mapping[str, Any], sizes: Sequence[int], asked: int, taken: Sequence[tuple[float, int]]
) -> Measured:
    """taken: seconds and bytes at each size. The exponent is that of seconds between the last two sizes."""
    seconds = [
        f"{spent:,.1f} s and {held / 2**30:.2f} GiB at {size:,}"
        for size, (spent, held) in zip(sizes, taken, strict=True)
    ]
    exponent = math.log(taken[-1][0] / taken[-2][0]) / math.log(sizes[-1] / sizes[-2])
    bounded = "".join(f", {key}={value}" for key, value in keys.items())
    how = f"{asked:,} asked{bounded}: {', '.join(seconds)}; exponent {exponent:.2f}"
    return Measured(f"{name}, memory at {sizes[-1]:,} x {NUM_FEATURES}", taken[-1][1] / 2**30, Goal(6.0, "GiB"), how)


def take(name: str, keys: dict[str, Any], size: int, asked: int) -> tuple[float, int]:
    """Seconds of one query, and the bytes that this process held at most since it began."""
    torch.set_num_threads(1)
    strategy, model, pool = made(name, keys), made_model(), made_pool(size)
    start = time.perf_counter()
    query = strategy.query(model, pool, asked, seeding.generator(0))
    seconds = time.perf_counter() - start
    assert query.size == asked
    return seconds, resident("VmHWM")


def made(name: str, keys: Mapping[str, Any]) -> Strategy:
    """The strategy of conf/strategy with these keys."""
    node = yaml.safe_load((CONF / "strategy" / f"{name}.yaml").read_text())
    strategy: Strategy = config.made({**node, **keys})
    return strategy


def made_model() -> Network:
    """A linear model behind dropout."""
    with seeding.fork(0):
        return Network(nn.Identity(), nn.Dropout(0.5), nn.Linear(NUM_FEATURES, NUM_CLASSES)).eval()


def made_pool(size: int) -> Pool:
    """Features as networks give them, not negative, around as many middles as classes."""
    rng = seeding.generator(0)
    inputs = torch.empty(size, NUM_FEATURES).normal_(generator=rng)
    for number, middle in enumerate(torch.randn(NUM_CLASSES, NUM_FEATURES, generator=rng)):
        inputs[number::NUM_CLASSES] += middle
    pool = Pool.unlabeled_from(inputs.relu_(), NUM_CLASSES)
    labeled = torch.arange(NUM_LABELED)
    return pool.with_labels(PoolQuery(labeled), labeled % NUM_CLASSES)
