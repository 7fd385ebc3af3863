"""TypiClust: the most typical image of each of the largest clusters without labels (Hacohen et al. 2022, Alg. 1)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from torch.nn import functional

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import NoneToAll, Repeats, UpToAll
from al_bench.network import Network
from al_bench.network.predict import embeddings
from al_bench.strategy import Strategy
from al_bench.strategy.clusters import cluster, torchs_threads

_WHOLE, _BATCH = 50, 5000  # clusters up to which k-means sees all points in each step, and points that it sees beyond


@declare("strategy/typiclust", revision=2)
@dataclass(frozen=True)
class TypiClust(Strategy):
    """Clusters labeled and unlabeled images and asks the clusters, in rounds, for their most typical image.

    There are as many clusters as labels after this query, up to max_clusters. In each round come first those with the
    fewest labels, then the largest; of a cluster the image whose `neighbors` nearest there, half of it at most, are at
    the smallest mean distance, that of the squares where squared. Labeled images and those asked for before are no
    neighbors. Clusters of no more than `ignored` images are asked once nothing else is left. normalize: whether
    embeddings are brought to length 1. n_init: how often k-means starts anew. Scores are minus the mean distances;
    between equals a draw decides.
    """

    max_clusters: UpToAll
    neighbors: UpToAll
    ignored: NoneToAll
    n_init: Repeats
    normalize: bool
    squared: bool
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})
    order_invariant: ClassVar[bool] = False  # the first centers are drawn by position

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        indices = torch.cat([pool.labeled, pool.unlabeled])
        points = embeddings(model, pool.inputs, indices).float()
        if self.normalize:
            functional.normalize(points, out=points)
        rows = points.cpu().numpy()
        num_labeled, seed = len(pool.labeled), int(torch.randint(2**32, (), generator=rng))
        count = min(num_labeled + size, self.max_clusters)
        clusters = cluster(rows, count, seed, self.n_init, _BATCH if count > _WHOLE else None)
        with torchs_threads():
            chosen, distances = self.pick(rows, clusters, num_labeled, size, rng)
        return PoolQuery(indices[torch.from_numpy(chosen).to(indices.device)], scores=-torch.from_numpy(distances))

    def pick(
        self, points: np.ndarray, clusters: np.ndarray, num_labeled: int, size: int, rng: torch.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """(size,) rows of the points (N, D), the first of which are labeled, and the mean distance of each.

        clusters: (N,) numbers from 0. What is left of a cluster lies in a drawn order, in which the first of equals is
        picked.
        """
        order = num_labeled + torch.randperm(len(points) - num_labeled, generator=rng).numpy()
        left = _members(clusters, order)
        kept, small = _in_turn(clusters, num_labeled, self.ignored, rng)
        picks: list[int] = []
        distances: list[float] = []
        while len(picks) < size:
            turn = [number for number in kept if len(left[number])] or [number for number in small if len(left[number])]
            for number in turn[: size - len(picks)]:
                apart = mean_distances(points[left[number]], self.neighbors, self.squared)
                place = int(apart.argmin())
                picks.append(int(left[number][place]))
                distances.append(float(apart[place]))
                left[number] = np.delete(left[number], place)
        return np.array(picks), np.array(distances)


def _members(clusters: np.ndarray, order: np.ndarray) -> list[np.ndarray]:
    """Of each cluster the rows of `order` that are in it, in that order."""
    by_cluster = order[np.argsort(clusters[order], kind="stable")]
    ends = np.bincount(clusters[order], minlength=clusters.max() + 1).cumsum()
    return np.split(by_cluster, ends[:-1])


def _in_turn(clusters: np.ndarray, num_labeled: int, ignored: int, rng: torch.Generator) -> tuple[list[int], list[int]]:
    """The clusters of more than `ignored` points and the others: the fewest labels first, then the largest; equals in
    an order that is drawn."""
    sizes = np.bincount(clusters)
    labels = np.bincount(clusters[:num_labeled], minlength=len(sizes))
    order = np.lexsort((torch.randperm(len(sizes), generator=rng).numpy(), -sizes, labels))
    large = sizes[order] > ignored
    return order[large].tolist(), order[~large].tolist()


def mean_distances(points: np.ndarray, neighbors: int, squared: bool) -> np.ndarray:
    """(M,) mean Euclidean distances, or their squares, of each of (M, D) points to its nearest others, half of them at
    most: the reciprocal of typicality (Eq. 4)."""
    if len(points) == 1:
        return np.zeros(1)
    count = min(neighbors, len(points) // 2)
    distances, _ = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(points).kneighbors()
    means: np.ndarray = (np.square(distances) if squared else distances).mean(1)
    return means
