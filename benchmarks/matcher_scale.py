"""Matching at the size of ten million images and more: exact and ivf against SciPy's k-d tree, and how each grows."""

import multiprocessing
import os
import resource
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from scipy.spatial import cKDTree
from torch import Tensor
from torchvision.datasets.mnist import read_image_file

from al_bench import seeding
from al_bench.feature.pca import fit_pca
from al_bench.matcher import Matcher
from al_bench.matcher.auto import Auto
from al_bench.matcher.exact import Exact
from al_bench.matcher.hnsw import Hnsw
from al_bench.matcher.ivf import Ivf
from al_bench.matcher.tuning import nearest_squared, needed, recall, tune
from benchmarks import Goal, Measured, Pairs, Side, timed
from benchmarks.matcher import BLOCK, INTRINSIC, QUERIES, SIZE, falling, folded

TUNED_ON, HELD_OUT = 4_000, 1_000  # points that ivf is tuned on, and others that its recall is measured on
MIN_RECALL = 0.99
TAKEN = -1
SIZES = (160_000, 640_000, 2_500_000, 16_000_000)
AUTO_SIZE = 640_000
MEMORY = 20.0  # GiB that a process may hold at most: points, tree, ivf
KINDS = {  # name: points, goal of exact, goal of ivf
    "deviation 1/sqrt(rank)": (falling, Goal(1 / 15), Goal(1 / 300)),
    f"intrinsic dimension {INTRINSIC}": (folded, None, Goal(1 / 25)),
}
T = TypeVar("T")
DATA = Path(os.environ.get("AL_BENCH_DATA", "data"))


@dataclass(frozen=True)
class Found:
    """Seconds of ten queries and of building, on one pool of points; memory: GiB that the process held at most."""

    num_points: int
    exact: Pairs
    ivf: Pairs
    built: tuple[float, float, float]  # exact, ivf, tree
    lists: int
    probes: int
    recall: float
    memory: float

    @property
    def how(self) -> str:
        """All of it in words."""
        exact, ivf, tree = (1000 * seconds for seconds in (self.exact.medians[0], *self.ivf.medians))
        return (
            f"{self.num_points:,} x {SIZE}, {QUERIES} queries: exact {exact:,.1f} ms, ivf {ivf:,.1f} ms "
            f"({self.probes} of {self.lists:,} lists, recall {self.recall:.3f}), tree {tree:,.1f} ms; built in "
            "{:,.1f}, {:,.1f} and {:,.1f} s; ".format(*self.built)
            + f"{self.memory:.1f} GiB at most"
        )

    @property
    def same(self) -> bool:
        """Whether the exact matcher and the tree found the same, where no earlier query had it."""
        return all(ours in (found, TAKEN) for pair in self.exact.results for ours, found in zip(*pair, strict=True))


def measure(sizes: tuple[int, ...] = SIZES, auto_size: int = AUTO_SIZE, data: Path = DATA) -> Iterator[Measured]:
    """The largest size, which has the goals, the smaller ones beside it, what auto takes, and MNIST's images."""
    for kind, (made, exact_goal, ivf_goal) in KINDS.items():
        for num_points in sizes:
            found = apart(compared, made, num_points)
            largest = num_points == max(sizes)
            goals = (exact_goal, ivf_goal) if largest else (None, None)
            yield from rows(f"{kind}, {num_points:,}", found, *goals)
            if largest:
                name = f"matching {num_points:,}, {kind}, peak memory"
                yield Measured(name, found.memory, Goal(MEMORY, "GiB"), "points, tree and ivf in one process")
        yield apart(auto, kind, auto_size)
    yield from mnist(data)


def rows(kind: str, found: Found, exact_goal: Goal | None, ivf_goal: Goal | None) -> list[Measured]:
    """Both ratios. An ivf that misses more than it may has not met its claim, however fast it is."""
    kept = found.recall >= MIN_RECALL
    return [
        Measured(f"exact matcher / k-d tree, {kind}", found.exact.ratio, exact_goal, found.how, found.same),
        Measured(f"ivf matcher / k-d tree, {kind}", found.ivf.ratio, ivf_goal, found.how, kept),
    ]


def compared(made: Callable[[int], Tensor], num_points: int, pairs: int = 5) -> Found:
    """Exact, ivf and tree on `num_points` of a kind, queried in turn while all are in memory."""
    others = TUNED_ON + HELD_OUT + QUERIES
    points, queries = made(num_points + others).split([num_points, others])
    return compared_on(points, queries, pairs)


def compared_on(points: Tensor, others: Tensor, pairs: int) -> Found:
    """As `compared`; others: points to tune on, to measure the recall on, and the ten queries."""
    queries, held_out, tuned_on = others.split([QUERIES, HELD_OUT, len(others) - QUERIES - HELD_OUT])
    exact, ivf = Exact("auto"), Ivf(lists=None, probes=1, sample_per_list=40, seed=0)
    built = timed(lambda _: exact.fit(points), 0)[0], timed(lambda _: ivf.fit(points), 0)[0]
    tune(ivf, tuned_on, nearest_squared(exact, tuned_on), needed(MIN_RECALL, len(tuned_on)))
    kept = recall(ivf, held_out, nearest_squared(exact, held_out))
    built_tree, tree = timed(lambda _: cKDTree(points.numpy()), 0)
    one, other = in_turn(
        [lambda _: first_choices(exact, queries), lambda _: first_choices(ivf, queries)],
        lambda _: tree.query(queries.numpy())[1].tolist(),
        pairs,
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # from KiB, as Linux counts them
    return Found(len(points), one, other, (*built, built_tree), ivf.most_effort, ivf.effort, kept, memory)


def in_turn(ours: Sequence[Side], theirs: Side, pairs: int) -> list[Pairs]:
    """As `interleaved`, with several of ours against one of theirs, which takes longest."""
    runs = [([timed(side, number) for side in ours], timed(theirs, number)) for number in range(pairs + 1)][1:]
    return [
        Pairs(
            [mine[side][0] for mine, _ in runs],
            [their[0] for _, their in runs],
            [(mine[side][1], their[1]) for mine, their in runs],
        )
        for side in range(len(ours))
    ]


def first_choices(matcher: Matcher, queries: Tensor) -> list[int]:
    """Each query's match, or TAKEN where an earlier query has its nearest neighbor."""
    matches = matcher.match(queries, torch.empty(0, dtype=torch.int64), seeding.generator(0))
    return matches.indices.where(matches.ranks == 0, TAKEN).tolist()


def auto(kind: str, num_points: int) -> Measured:
    """Recall, on all points, of what auto takes on a sample of them."""
    points, held_out = KINDS[kind][0](num_points + HELD_OUT).split([num_points, HELD_OUT])
    matcher, exact = Auto(candidates(), MIN_RECALL, 0, 50_000, 4_000, 10_000, seed=0), Exact("auto")
    seconds, _ = timed(lambda _: matcher.fit(points), 0)
    exact.fit(points)
    kept = recall(matcher, held_out, nearest_squared(exact, held_out))
    how = f"{matcher.why}; chosen and built in {seconds:,.1f} s"
    return Measured(f"matcher=auto {num_points:,}, {kind}, recall", kept, Goal(MIN_RECALL, "%", at_least=True), how)


def candidates() -> list[Callable[[], Ivf | Hnsw]]:
    """Those of conf/matcher/auto.yaml."""
    return [lambda: Ivf(None, 1, 40, 0), lambda: Hnsw(32, 80, 1)]


def mnist(data: Path, num_train: int = 60_000, pairs: int = 21) -> list[Measured]:
    """PCA features of MNIST's images: the 60,000 for training, queried with images for testing."""
    folder, kind = data / "MNIST" / "raw", "MNIST's pixels after PCA"
    names = [folder / f"{name}-images-idx3-ubyte" for name in ("train", "t10k")]
    if not all(path.exists() for path in names):
        how = f"skipped: no {names[0].name} in {folder}; AL_BENCH_DATA names the folder of data"
        return [Measured(f"matching {kind}", float("nan"), None, how)]
    train, test = (read_image_file(str(path)).flatten(1) / 255 for path in names)
    train = train[:num_train]
    pca = fit_pca(train.split(BLOCK), SIZE)
    points, others = pca.project(train), pca.project(test[: TUNED_ON + HELD_OUT])
    return rows(kind, compared_on(points, others, pairs), None, None)


def apart(task: Callable[..., T], *arguments: object) -> T:
    """The result of a task in a process of its own, which gives its memory back, on one thread."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), torch.set_num_threads, (1,)) as process:
        return process.submit(task, *arguments).result()
