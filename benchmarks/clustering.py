"""Clustering: how near K-median's picks are to all points beside FasterPAM's, and K-means by FAISS beside
scikit-learn's."""

import statistics

import kmedoids
import numpy as np
import torch
from torch import Tensor

from al_bench import seeding
from al_bench.strategy.k_median import clustered, first_centers, nearest_to_centers, swapped
from al_bench.strategy.kmeans import clusters_by_faiss, clusters_by_scikit_learn
from benchmarks import Goal, Measured, interleaved

DRAWS = 5
MAX_ITER, TOLERANCE = 100, 1e-4  # of strategy=k_median


def measure(num_points: int = 1_500, num_clusters: int = 20, large: int = 40_000, many: int = 500) -> list[Measured]:
    """One row for each."""
    return [medians(num_points, num_clusters), means(large, many)]


def medians(num_points: int, num_clusters: int) -> Measured:
    """The median over draws of the sum of L1 distances to the nearest pick, over that of FasterPAM from the start."""
    ratios, unswapped = [], []
    for seed in range(DRAWS):
        points = made(num_points, num_clusters, 16, seed)
        pairs = torch.cdist(points, points, p=1).numpy()
        best = kmedoids.fasterpam(pairs, num_clusters, random_state=seed, n_cpu=1).loss
        centers = first_centers(points, num_clusters, seeding.generator(seed))
        picks, _ = nearest_to_centers(points, clustered(points, centers, MAX_ITER, TOLERANCE), num_clusters)
        unswapped.append(pairs[:, picks].min(1).sum() / best)
        ratios.append(pairs[:, swapped(points, picks)[0]].min(1).sum() / best)
    how = f"{num_points:,} x 16, {num_clusters} clusters, {DRAWS} draws, at most {max(ratios):.3f}"
    how = f"{how}; without swaps {statistics.median(unswapped):.3f}"
    return Measured("k-median, distances to picks / FasterPAM's", statistics.median(ratios), Goal(1.03), how)


def means(num_points: int, num_clusters: int) -> Measured:
    """Seconds of both; the sum of squared distances may not end more than 5 % higher."""
    points = made(num_points, 2 * num_clusters, 50, 0).numpy()
    runs = interleaved(
        lambda seed: clusters_by_faiss(points, num_clusters, seed),
        lambda seed: clusters_by_scikit_learn(points, num_clusters, seed),
        3,
    )
    ours, plain = runs.medians
    dearer = statistics.median(spread(points, *one) / spread(points, *other) for one, other in runs.results)
    how = f"{num_points:,} x 50, {num_clusters} centers: {ours:.2f} s, scikit-learn {plain:.2f} s, {dearer:.4f} the sum"
    return Measured("k-means by FAISS / by scikit-learn", runs.ratio, None, how, dearer <= 1.05)


def made(num_points: int, num_clusters: int, num_features: int, seed: int) -> Tensor:
    """Points around as many middles."""
    rng = seeding.generator(seed)
    middles = 3 * torch.randn(num_clusters, num_features, generator=rng)
    chosen = torch.randint(num_clusters, (num_points,), generator=rng)
    return middles[chosen] + torch.randn(num_points, num_features, generator=rng)


def spread(points: np.ndarray, centers: np.ndarray, labels: np.ndarray) -> float:
    """The sum of squared distances to the centers."""
    return float(((points - centers[labels]) ** 2).sum())
