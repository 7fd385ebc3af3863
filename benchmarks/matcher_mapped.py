"""Matching a hundred million features in a mapped file: what ivf_pq finds, holds and takes, and how each grows."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from al_bench import seeding
from al_bench.feature.pca import fit_pca
from al_bench.matcher.ivf_pq import IvfPq
from al_bench.matcher.tuning import needed, recall, tune
from benchmarks import Goal, Measured, timed
from benchmarks.matcher import HIDDEN, INTRINSIC, NOISE, SIZE
from benchmarks.matcher_scale import apart
from benchmarks.memory import resident

SIZES = (1_000_000, 10_000_000, 100_000_000)
TUNED_ON, HELD_OUT = 500, 1_000  # queries, none of which is in the file; each takes a scan of it
MIN_RECALL, MEMORY = 0.95, 12.0  # of the nearest neighbor; GiB
BLOCK = 2**18  # features made and written at once
SCANNED, ASKED = 2048, 500  # features and queries whose distances are computed at once
T = TypeVar("T")
Draw = Callable[[int, torch.Generator], Tensor]


@dataclass(frozen=True)
class Found:
    """Of one file of features. memory: GiB of the process's own at most, without the pages of the mapped file."""

    num_points: int
    recall: float
    memory: float
    built: float
    searched: float
    scanned: float
    lists: int
    probes: int

    @property
    def how(self) -> str:
        """All of it in words."""
        return (
            f"{self.num_points:,} x {SIZE} in a mapped file of {self.num_points * SIZE * 4 / 2**30:.1f} GiB: "
            f"{self.probes} of {self.lists:,} lists, {self.searched:.2f} ms a query, a scan {self.scanned:,.1f}; "
            f"built in {self.built:,.0f} s"
        )


def measure(sizes: tuple[int, ...] = SIZES) -> Iterator[Measured]:
    """Recall at each size and kind of features, and memory at the largest."""
    for kind, made in KINDS.items():
        for num_points in sizes:
            if (lacking := num_points * SIZE * 4 - shutil.disk_usage(tempfile.gettempdir()).free) > 0:
                how = f"skipped: {lacking / 2**30:,.1f} GiB more are needed in {tempfile.gettempdir()}"
                yield Measured(f"ivf_pq {num_points:,}, {kind}, recall", float("nan"), None, how)
                continue
            found = apart(take, made, num_points)
            goal = Goal(MIN_RECALL, "%", at_least=True)
            yield Measured(f"ivf_pq {num_points:,}, {kind}, recall", found.recall, goal, found.how)
            if num_points == max(sizes):
                how = "of the process's own; the mapped file's pages come and go"
                yield Measured(f"ivf_pq {num_points:,}, {kind}, memory", found.memory, Goal(MEMORY, "GiB"), how)


def take(made: Callable[[torch.Generator], Draw], num_points: int) -> Found:
    """Writes features, builds the index, finds as many probes as it takes, and measures on other queries."""
    rng = seeding.generator(0)
    draw = made(rng)
    with tempfile.TemporaryDirectory() as folder:
        points = written(Path(folder) / "features", draw, num_points, rng)
        tuned_on, held_out = draw(TUNED_ON, rng), draw(HELD_OUT, rng)
        seconds, least = timed(lambda _: least_squared(points, torch.cat([tuned_on, held_out])), 0)
        matcher = IvfPq(None, 1, sample_per_list=40, features_per_code=1, refine=4, seed=0)
        memory, (built, _) = peak(lambda: timed(lambda _: matcher.fit(points), 0))
        tune(matcher, tuned_on, least[:TUNED_ON], needed(MIN_RECALL, TUNED_ON))
        kept = recall(matcher, held_out, least[TUNED_ON:])
        searching, _ = timed(lambda _: [matcher.search(query, 16) for query in held_out.split(1)], 0)
    per_query = 1e3 / HELD_OUT
    scan = 1e3 * seconds / (TUNED_ON + HELD_OUT)
    return Found(num_points, kept, memory, built, searching * per_query, scan, matcher.most_effort, matcher.effort)


def written(path: Path, draw: Draw, num_points: int, rng: torch.Generator) -> Tensor:
    """(N, 50) features in a file, mapped."""
    with path.open("wb") as file:
        for start in range(0, num_points, BLOCK):
            file.write(draw(min(BLOCK, num_points - start), rng).numpy().tobytes())
    return torch.from_numpy(np.asarray(np.memmap(path, np.float32, "c", shape=(num_points, SIZE))))


def falling(rng: torch.Generator) -> Draw:
    """Dimension r has the deviation 1 / sqrt(r), as `benchmarks.matcher.falling`."""
    deviations = torch.arange(1, SIZE + 1).rsqrt()
    return lambda count, rng: torch.randn(count, SIZE, generator=rng) * deviations


def folded(rng: torch.Generator) -> Draw:
    """Near a surface of 12 dimensions, as `benchmarks.matcher.folded`; noise and rotation are those of a sample."""
    first, second = (torch.randn(*shape, generator=rng) for shape in ((INTRINSIC, HIDDEN), (HIDDEN, SIZE)))

    def surface(count: int, rng: torch.Generator) -> Tensor:
        return (torch.randn(count, INTRINSIC, generator=rng) @ first).relu_() @ second

    sample = surface(BLOCK, rng)
    deviation = NOISE * float(sample.std())
    pca = fit_pca([sample + deviation * torch.randn(sample.shape, generator=rng)], SIZE)
    return lambda count, rng: pca.project(
        surface(count, rng).add_(torch.randn(count, SIZE, generator=rng), alpha=deviation)
    )


KINDS = {"deviation 1/sqrt(rank)": falling, f"intrinsic dimension {INTRINSIC}": folded}


def least_squared(points: Tensor, queries: Tensor) -> Tensor:
    """(Q,) float64 squared distances to the nearest of all points, in one pass over them.

    Block by block in the cache: 0.4 of the time of FAISS's scan of as many queries.
    """
    least, nearest = torch.full((len(queries),), torch.inf), torch.zeros(len(queries), dtype=torch.int64)
    for start in range(0, len(points), SCANNED):
        block = points[start : start + SCANNED]
        norms = block.square().sum(1)
        found = [torch.addmm(norms, part, block.T, alpha=-2).min(1) for part in queries.split(ASKED)]
        distances, positions = (torch.cat(parts) for parts in zip(*found, strict=True))
        nearer = distances < least
        least, nearest = torch.where(nearer, distances, least), torch.where(nearer, start + positions, nearest)
    return (points[nearest].double() - queries).square().sum(1)


def peak(task: Callable[[], T], every: float = 0.1) -> tuple[float, T]:
    """GiB of its own, without mapped files, that this process held at most while it did a task, and the result."""
    most, done = [resident("RssAnon")], threading.Event()

    def watch() -> None:
        while not done.wait(every):
            most[0] = max(most[0], resident("RssAnon"))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        result = task()
    finally:
        done.set()
        watching.join()
    return max(most[0], resident("RssAnon")) / 2**30, result
