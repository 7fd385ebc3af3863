"""K-means: the unlabeled images nearest to the centers of as many clusters (WAAL's "K-Median")."""

from typing import ClassVar

import numpy as np
import torch
from sklearn.cluster import KMeans as Clustering

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.network.predict import embeddings
from al_bench.strategy import Strategy


@declare("strategy/kmeans", revision=2)
class KMeans(Strategy):
    """Clusters the embeddings and asks for the image nearest to each center, among those of its cluster.

    The code that WAAL's baselines come from means where the paper says "K-Median"; so does this.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})
    order_invariant: ClassVar[bool] = False  # the first centers are drawn by position

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        points = embeddings(model, pool.inputs, pool.unlabeled).float().cpu().numpy()
        chosen = nearest_to_centers(points, size, rng)
        return PoolQuery(pool.unlabeled[torch.from_numpy(chosen).to(pool.device)])


def nearest_to_centers(points: np.ndarray, size: int, rng: torch.Generator) -> np.ndarray:
    """(size,) distinct positions: of each of `size` clusters the point nearest to its center.

    points: (U, D). Where fewer than `size` points differ there are fewer clusters, and the points next nearest to
    their centers stand in. Between points at equal distances a draw decides.
    """
    seed = int(torch.randint(2**32, (), generator=rng))
    num_clusters = min(size, len(np.unique(points, axis=0)))
    found = Clustering(num_clusters, n_init=1, random_state=seed).fit(points)
    distances = np.linalg.norm(points - found.cluster_centers_[found.labels_], axis=1)
    drawn = torch.randperm(len(points), generator=rng).numpy()
    order = drawn[np.argsort(distances[drawn], kind="stable")]
    _, firsts = np.unique(found.labels_[order], return_index=True)  # of each cluster, the place in `order`
    return np.concatenate([order[firsts], np.delete(order, firsts)])[:size]
