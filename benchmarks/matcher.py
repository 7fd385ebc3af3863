"""Matching: the exact matcher against SciPy's k-d tree, where trees are at their worst and at their best."""

import importlib.util

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from al_bench import seeding
from al_bench.feature.pca import fit_pca
from al_bench.matcher.exact import Exact
from benchmarks import Goal, Measured, interleaved, timed

SIZE = 50  # of ASAL's features after its PCA
INTRINSIC, HIDDEN, NOISE = 12, 64, 0.05
QUERIES = 10
BLOCK = 2**16  # points made at once


def measure(num_points: int = 1_000_000, pairs: int = 7) -> list[Measured]:
    """Ten queries on points of full dimension, which has the goal, and on points of intrinsic dimension 12."""
    worst = compared(falling(num_points + QUERIES), pairs)
    best = compared(folded(num_points + QUERIES), pairs)
    name = "exact matcher / scipy's k-d tree"
    return [
        Measured(f"{name}, deviation 1/sqrt(rank)", worst[0], Goal(0.2), worst[1], worst[2]),
        Measured(f"{name}, intrinsic dimension {INTRINSIC}", best[0], None, best[1], best[2]),
    ]


def compared(rows: Tensor, pairs: int) -> tuple[float, str, bool]:
    """Ratio of the time of ten queries, how it was found, and whether the nearest neighbors are the same."""
    points, queries = rows[:-QUERIES], rows[-QUERIES:]
    matcher, taken = Exact("auto"), torch.empty(0, dtype=torch.int64)
    build, _ = timed(lambda _: matcher.fit(points), 0)
    build_tree, tree = timed(lambda _: cKDTree(points.numpy()), 0)
    runs = interleaved(
        lambda _: matcher.match(queries, taken, seeding.generator(0)).indices,
        lambda _: torch.from_numpy(tree.query(queries.numpy())[1]),
        pairs,
    )
    ours, scipys = (1000 * seconds for seconds in runs.medians)
    backend = "FAISS" if importlib.util.find_spec("faiss") else "torch"
    how = (
        f"{len(points):,} x {SIZE}, {QUERIES} queries: {backend} {ours:,.1f} ms, tree {scipys:,.1f} ms "
        f"(built in {build:.1f} s and {build_tree:.1f} s)"
    )
    return runs.ratio, how, torch.equal(*runs.results[-1])


def falling(num_points: int) -> Tensor:
    """(N, 50) normal points, dimension r of deviation 1 / sqrt(r): all matter, and a tree has to look everywhere."""
    points = torch.randn(num_points, SIZE, generator=seeding.generator(0))
    return points.div_(torch.arange(1, SIZE + 1).sqrt())


def folded(num_points: int) -> Tensor:
    """(N, 50) points near a surface of 12 dimensions: latents through a fixed random map of two layers and 5 % noise,
    rotated by PCA, as the features of a network are."""
    rng = seeding.generator(0)
    first, second = (torch.randn(*shape, generator=rng) for shape in ((INTRINSIC, HIDDEN), (HIDDEN, SIZE)))
    latents, points = torch.randn(num_points, INTRINSIC, generator=rng), torch.empty(num_points, SIZE)
    blocks = list(zip(points.split(BLOCK), latents.split(BLOCK), strict=True))  # in place: 16 million are 3 GiB
    for block, drawn in blocks:
        block.copy_((drawn @ first).relu_() @ second)
    deviation = NOISE * float(points.std())
    for block, _ in blocks:
        block.add_(torch.randn(block.shape, generator=rng), alpha=deviation)
    pca = fit_pca(points.split(BLOCK), SIZE)
    for block, _ in blocks:
        block.copy_(pca.project(block))
    return points
