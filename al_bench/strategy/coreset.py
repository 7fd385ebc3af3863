"""Core-set: furthest-first traversal of the embeddings (k-center greedy; Sener and Savarese 2018)."""

from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.network.predict import embeddings
from al_bench.strategy import Strategy

_CHUNK = 2**24  # distances held at once while those to the labeled images are taken: 64 MiB


@declare("strategy/coreset")
class CoreSet(Strategy):
    """Asks again and again for the unlabeled image that is farthest from everything labeled or asked for.

    Memory grows with the embeddings, not with the pairs of them.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        points = embeddings(model, pool.inputs, pool.unlabeled)
        centers = embeddings(model, pool.inputs, pool.labeled)
        chosen, distances = furthest_first(points, centers, size)
        return PoolQuery(pool.unlabeled[chosen.to(pool.device)], scores=distances)


def furthest_first(points: Tensor, centers: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The greedy 2-approximation of the k-center problem.

    points: (U, D); centers: (L, D), at least one, fixed beforehand. Returns (size,) distinct positions among the
    points, in order, and the (size,) Euclidean distance of each to all centers and points before it. Ties go to the
    lower position. One product of the points with a vector per pick. Raises ValueError where a number is not finite.
    """
    middle = centers.mean(0)  # moved there, so that squares stay small beside their differences
    points, centers = points - middle, centers - middle
    squares = points.square().sum(1)
    nearest = _to_centers(points, squares, centers)  # squared, to the nearest center so far
    if not nearest.isfinite().all():
        raise ValueError("an embedding is not finite")
    product, picks, distances = torch.empty_like(nearest), [], []
    for _ in range(size):
        pick = nearest.argmax()
        picks.append(pick)
        distances.append(nearest[pick].clone())
        torch.mv(points, points[pick], out=product)
        torch.minimum(nearest, product.mul_(-2).add_(squares).add_(squares[pick]).clamp_(min=0), out=nearest)
        nearest[pick] = -torch.inf
    return torch.stack(picks), torch.stack(distances).sqrt()


def _to_centers(points: Tensor, squares: Tensor, centers: Tensor) -> Tensor:
    """(U,) squared distances to the nearest center."""
    rows = max(1, _CHUNK // len(centers))
    chunks = [points[first : first + rows] for first in range(0, len(points), rows)]
    parts = [torch.addmm(centers.square().sum(1), chunk, centers.T, alpha=-2).amin(1) for chunk in chunks]
    return (torch.cat(parts) + squares).clamp_(min=0)
