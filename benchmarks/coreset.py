"""Core-set: furthest-first traversal against the straight way to write it, and what memory it takes."""

from pathlib import Path

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.strategy.coreset import furthest_first
from benchmarks import Goal, Measured, interleaved
from benchmarks.memory import apart, resident

SIZE = 512


def measure(num_points: int = 10_000, num_labeled: int = 1_000, num_picks: int = 300, pairs: int = 7) -> list[Measured]:
    """Time against one `cdist` per pick; growth of memory with four times the pool and four times the labels."""
    points, centers = embeddings(num_points, num_labeled)
    runs = interleaved(
        lambda _: furthest_first(points, centers, num_picks, seeding.generator(0))[0],
        lambda _: straight(points, centers, num_picks),
        pairs,
    )
    ours, plain = runs.medians
    how = f"{num_points:,} x {SIZE}, {num_labeled:,} labeled, {num_picks} picks: {ours:.2f} s, straight {plain:.2f} s"
    same = torch.equal(*(picks.sort().values for picks in runs.results[-1]))  # near ties may come in another order
    time = Measured("core-set / a cdist per pick", runs.ratio, Goal(0.4), how, same)
    return [time, memory(num_points, num_labeled)]


def embeddings(num_points: int, num_labeled: int) -> tuple[Tensor, Tensor]:
    """Unlabeled and labeled rows of a pool of `num_points` normal embeddings."""
    points = torch.randn(num_points, SIZE, generator=seeding.generator(0))
    return points[num_labeled:], points[:num_labeled]


def straight(points: Tensor, centers: Tensor, size: int) -> Tensor:
    """(size,) picks: the distances to the newest center by `cdist`, kept where they are smaller."""
    nearest = torch.cdist(points, centers).amin(1)
    picks = []
    for _ in range(size):
        picks.append(int(nearest.argmax()))
        nearest = torch.minimum(nearest, torch.cdist(points, points[picks[-1:]]).squeeze(1))
        nearest[picks[-1]] = -torch.inf
    return torch.tensor(picks)


def memory(num_points: int, num_labeled: int) -> Measured:
    """Memory of O(N D) grows at most four times with a pool four times as large; a table of all pairs 16 times."""
    small, large = (peak_memory(scale * num_points, scale * num_labeled) for scale in (1, 4))
    held, pairs = (4 * num_points * width / 2**20 for width in (SIZE, num_points))  # MiB of float32
    how = (
        f"{small / 2**20:,.0f} MiB at {num_points:,} points beside {held:,.0f} MiB of embeddings (all pairs: "
        f"{pairs:,.0f}); {large / 2**20:,.0f} MiB at {4 * num_points:,} points"
    )
    return Measured("core-set, peak memory at 4 N / at N", large / small, Goal(4.0), how)


def peak_memory(num_points: int, num_labeled: int) -> int:
    """Bytes that furthest-first holds at most, above its arguments, in a process of its own."""
    return apart(_peak_here, num_points, num_labeled)


def _peak_here(num_points: int, num_labeled: int) -> int:
    torch.set_num_threads(1)
    furthest_first(*embeddings(300, 100), 2, seeding.generator(0))  # what the libraries take once
    points, centers = embeddings(num_points, num_labeled)
    Path("/proc/self/clear_refs").write_text("5")  # the peak of this process is what it holds now
    before = resident("VmRSS")
    furthest_first(points, centers, 5, seeding.generator(0))
    return resident("VmHWM") - before
