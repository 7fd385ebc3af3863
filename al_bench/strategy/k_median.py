"""K-median: the unlabeled images nearest to the medians of as many clusters (WAAL Sec. 4)."""

from dataclasses import dataclass
from typing import ClassVar

import kmedoids
import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import Fraction, Pairwise, Rounds, UpToAll
from al_bench.network import Network
from al_bench.network.predict import embeddings
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import draw_candidates

_CHUNK = 2**22  # distances held at once: 16 MiB


@declare("strategy/k_median", revision=3)
@dataclass(frozen=True)
class KMedian(Strategy):
    """Clusters the embeddings by L1 distance and asks for the image nearest to each center, among its cluster's.

    WAAL says so and no more; the code behind its baselines takes means (strategy=kmeans). max_iter: rounds of new
    medians at most; tolerance: the fraction of the sum of all distances that a round has to save for another to follow.
    swap_up_to: unlabeled images up to which the images found are exchanged for others for as long as that lowers the
    sum of all distances to them (FasterPAM, Schubert and Rousseeuw 2021), which takes memory by the square.
    subset: see `draw_candidates`. Scores are the distances to the centers; between images at equal distances a draw
    decides.
    """

    max_iter: Rounds
    tolerance: Fraction
    swap_up_to: Pairwise
    subset: UpToAll | None = None
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})
    order_invariant: ClassVar[bool] = False  # the first centers are drawn by position

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        candidates = draw_candidates(pool.unlabeled, self.subset, size, rng)
        points = embeddings(model, pool.inputs, candidates).float()
        centers = first_centers(points, size, rng)
        order = torch.randperm(len(points), generator=rng).to(points.device)  # which is that of ties from here on
        points = points[order]
        centers = clustered(points, centers, self.max_iter, self.tolerance)
        chosen, distances = nearest_to_centers(points, centers, size)
        if len(points) <= self.swap_up_to:
            chosen, distances = swapped(points, chosen)
        return PoolQuery(candidates[order[chosen].to(pool.device)], scores=distances)


def first_centers(points: Tensor, size: int, rng: torch.Generator) -> Tensor:
    """(K, D) of the (U, D) points: one drawn uniformly, then each by its distance to the nearest drawn before, as
    k-means++ draws by the square. K is `size`, or the number of different points where that is smaller.

    Raises FloatingPointError where a number is not finite.
    """
    if not points.isfinite().all():
        raise FloatingPointError("an embedding is not finite")
    draws = torch.rand(size, generator=rng, dtype=torch.float64).tolist()
    picks = [int(draws[0] * len(points))]
    nearest = torch.full_like(points[:, 0], torch.inf)
    for draw in draws[1:]:
        nearest = torch.minimum(nearest, torch.cdist(points, points[picks[-1:]], p=1).squeeze(1))
        shares = nearest.double().cumsum(0)
        if shares[-1] == 0:
            break
        picks.append(int(torch.searchsorted(shares, draw * shares[-1], right=True)))
    return points[picks]


def clustered(points: Tensor, centers: Tensor, max_iter: int, tolerance: float) -> Tensor:
    """(K, D) centers after Lloyd's alternation: each point to the nearest center, each center to its points' median."""
    labels, distances = assigned(points, centers)
    for _ in range(max_iter):
        before = distances.sum(dtype=torch.float64)
        centers = medians(points, labels, distances, len(centers))
        labels, distances = assigned(points, centers)
        if before - distances.sum(dtype=torch.float64) <= tolerance * before:
            break
    return centers


def assigned(points: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """(U,) number of the center nearest to each point in L1, and the (U,) distances to them."""
    rows = max(1, _CHUNK // len(centers))
    parts = [torch.cdist(chunk, centers, p=1).min(1) for chunk in points.split(rows)]
    return torch.cat([part.indices for part in parts]), torch.cat([part.values for part in parts])


def medians(points: Tensor, labels: Tensor, distances: Tensor, num_clusters: int) -> Tensor:
    """(K, D) the median of each cluster in each coordinate, the lower of two. A cluster that has no point begins anew
    at one of the points that are farthest from their centers."""
    counts = torch.bincount(labels, minlength=num_clusters).tolist()
    clusters = points[labels.sort(stable=True).indices].split(counts)
    farthest = iter(distances.topk(counts.count(0)).indices.tolist())
    found = [cluster.median(0).values if len(cluster) else points[next(farthest)] for cluster in clusters]
    return torch.stack(found)


def swapped(points: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """The (K,) positions that no exchange of one for another brings nearer to the (U, D) points in sum, begun at those
    chosen, and their distances to the medians of their clusters."""
    apart = torch.cdist(points, points, p=1).cpu().numpy()
    medoids = kmedoids.fasterpam(apart, chosen.cpu().numpy().copy(), n_cpu=1).medoids
    found = torch.from_numpy(medoids.astype("int64")).to(points.device)
    labels, distances = assigned(points, points[found])
    centers = medians(points, labels, distances, len(found))
    return found, (points[found] - centers).abs().sum(1)


def nearest_to_centers(points: Tensor, centers: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """(size,) distinct positions, of each cluster that of the point nearest to its center, and their distances.

    Where fewer clusters have points, the points next nearest to their centers stand in. Of points at equal distances
    the first is taken.
    """
    labels, distances = assigned(points, centers)
    order = distances.sort(stable=True).indices
    ranked = labels[order]
    clusters = ranked.sort(stable=True)
    begins = clusters.values.diff(prepend=clusters.values.new_full((1,), -1)) > 0
    first = torch.zeros_like(begins)
    first[clusters.indices[begins]] = True
    chosen = torch.cat([order[first], order[~first]])[:size]
    return chosen, distances[chosen]
