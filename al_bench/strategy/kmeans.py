"""K-means: the unlabeled images nearest to the centers of as many clusters (WAAL's "K-Median")."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from sklearn.cluster import KMeans as Clustering
from sklearn.cluster import kmeans_plusplus

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import UpToAll
from al_bench.errors import UserError
from al_bench.matcher.faiss_index import required, use_torchs_threads
from al_bench.network import Network
from al_bench.network.predict import embeddings
from al_bench.strategy import Strategy
from al_bench.strategy.clusters import count_different, torchs_threads
from al_bench.strategy.ranking import draw_candidates

Library = Literal["scikit-learn", "faiss"]

_ROWS = 2**14  # points that are compared with their centers at once
_FIRST = 32  # points a center among which the first centers are drawn for FAISS: its own are random, 6 % higher in sum
_UNSURE = 1e-6  # of distance and center: by sums in float32, distances are no closer than that


@declare("strategy/kmeans", revision=3)
@dataclass(frozen=True)
class KMeans(Strategy):
    """Clusters the embeddings and asks for the image nearest to each center, among those of its cluster.

    The code that WAAL's baselines come from means where the paper says "K-Median"; so does this. library: scikit-learn,
    as that code, or faiss, which begins and trains on few points for each center, so that the sum of squared distances
    ends up to 2 % higher and time grows by the points alone. subset: see `draw_candidates`.
    """

    library: Library = "scikit-learn"
    subset: UpToAll | None = None
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})
    order_invariant: ClassVar[bool] = False  # the first centers are drawn by position

    def __post_init__(self) -> None:
        if self.library not in ("scikit-learn", "faiss"):
            raise UserError(f"strategy.library={self.library} is not known: use scikit-learn or faiss")
        if self.library == "faiss":
            required("strategy.library=faiss", "strategy.library=scikit-learn")

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        candidates = draw_candidates(pool.unlabeled, self.subset, size, rng)
        points = embeddings(model, pool.inputs, candidates).float().cpu().numpy()
        chosen = nearest_to_centers(points, size, rng, self.library)
        return PoolQuery(candidates[torch.from_numpy(chosen).to(pool.device)])


def nearest_to_centers(
    points: np.ndarray, size: int, rng: torch.Generator, library: Library = "scikit-learn"
) -> np.ndarray:
    """(size,) distinct positions: of each of `size` clusters the point nearest to its center.

    points: (U, D). Where fewer than `size` points differ there are fewer clusters, and the points next nearest to
    their centers stand in. Between points at equal distances a draw decides.
    """
    seed = int(torch.randint(2**32, (), generator=rng))
    cluster = clusters_by_faiss if library == "faiss" else clusters_by_scikit_learn
    with torchs_threads():
        centers, labels = cluster(points, count_different(points, size), seed)
    parts = [slice(first, first + _ROWS) for first in range(0, len(points), _ROWS)]
    distances = np.concatenate([np.linalg.norm(points[part] - centers[labels[part]], axis=1) for part in parts])
    distances = level_ties(distances, labels, centers)
    drawn = torch.randperm(len(points), generator=rng).numpy()
    order = drawn[np.argsort(distances[drawn], kind="stable")]
    _, firsts = np.unique(labels[order], return_index=True)  # of each cluster, the place in `order`
    return np.concatenate([order[firsts], np.delete(order, firsts)])[:size]


def level_ties(distances: np.ndarray, labels: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """(U,) distances to the centers, of which those that rounding alone may keep above a cluster's least are set to it,
    as in every cluster of two points."""
    least = np.full(len(centers), np.inf)
    np.minimum.at(least, labels, distances)
    unsure = _UNSURE * (least + np.linalg.norm(centers, axis=1))
    return np.where(distances <= (least + unsure)[labels], least[labels], distances)


def clusters_by_scikit_learn(points: np.ndarray, num_clusters: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(K, D) centers and the (U,) number of each point's."""
    found = Clustering(num_clusters, n_init=1, random_state=seed).fit(points)
    return found.cluster_centers_, found.labels_


def clusters_by_faiss(points: np.ndarray, num_clusters: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(K, D) centers and the (U,) number of each point's; trained on 256 points a center, and 25 rounds, as FAISS does
    by itself."""
    faiss = required("strategy.library=faiss", "strategy.library=scikit-learn")
    use_torchs_threads()
    drawn = np.random.default_rng(seed).permutation(len(points))[: _FIRST * num_clusters]
    first, _ = kmeans_plusplus(points[drawn], num_clusters, random_state=seed)
    found = faiss.Kmeans(points.shape[1], num_clusters, seed=seed % 2**31, min_points_per_centroid=1)
    found.train(points, init_centroids=first)
    return found.centroids, found.index.search(points, 1)[1][:, 0]
