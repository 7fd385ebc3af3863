"""Core-set: furthest-first traversal of the embeddings (k-center greedy; Sener and Savarese 2018)."""

from functools import cached_property
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
_FAR_OFF = (
    9.0  # times the mean squared distance from their middle that the middle's square is: points beside the origin
)
_UNSURE = 1e-5  # of squared norm and distance: by products in float32, squared distances are no closer than that


@declare("strategy/coreset", revision=2)
class CoreSet(Strategy):
    """Asks again and again for the unlabeled image that is farthest from everything labeled or asked for; of those
    that are equally far for one that is drawn.

    Memory grows with the embeddings, not with the pairs of them.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        points = embeddings(model, pool.inputs, pool.unlabeled)
        centers = embeddings(model, pool.inputs, pool.labeled)
        chosen, distances = furthest_first(points, centers, size, rng)
        return PoolQuery(pool.unlabeled[chosen.to(pool.device)], scores=distances)


def furthest_first(points: Tensor, centers: Tensor, size: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """The greedy 2-approximation of the k-center problem.

    points: (U, D); centers: (L, D), at least one, fixed beforehand. Returns (size,) distinct positions among the
    points, in order, and the (size,) Euclidean distance of each to all centers and points before it. Of points at
    equal distances the first in an order that `rng` draws is picked: equal as sums of squared differences in the
    points' precision, so copies of one point are, and those of a point picked before come last. One product of the
    points with a vector per pick; the sums are taken of those that it does not tell apart. No copy of the points is
    made, unless they all lie far off on one side. Raises FloatingPointError where a number is not finite.
    """
    rank = torch.randperm(len(points), generator=rng).argsort().to(points.device)
    pairs = _Products(points, centers.mean(0))
    nearest = pairs.to_centers(centers)  # squared, to the nearest center so far
    if not nearest.isfinite().all():
        raise FloatingPointError("an embedding is not finite")
    picks: list[Tensor] = []
    distances: list[Tensor] = []
    exact = _Exact(points, centers)
    for _ in range(size):
        rows = pairs.candidates(nearest)
        pick, distance = exact.farthest(rows[rank[rows].argsort()], nearest)
        picks.append(pick)
        distances.append(distance)
        exact.add(pick)
        torch.minimum(nearest, pairs.to_row(pick), out=nearest)
        nearest[pick] = -torch.inf
    return torch.stack(picks), torch.stack(distances)


class _Products:
    """Squared distances by products, around a middle, so that squares stay small beside their differences."""

    def __init__(self, points: Tensor, middle: Tensor) -> None:
        self.points, self.middle = points, middle
        self.squares = self._sum_squares(middle)
        if middle.square().sum() > _FAR_OFF * self.squares.mean():
            self.moved, self.shift = points - middle, torch.zeros_like(middle)
            self.sizes = self.squares
        else:
            self.moved, self.shift = points, middle
            self.sizes = torch.maximum(self.squares, self._sum_squares(torch.zeros_like(middle)))
        self.product = torch.empty_like(self.squares)

    def _sum_squares(self, middle: Tensor) -> Tensor:
        """(U,) squared distances to one place."""
        rows = max(1, _CHUNK // len(middle))
        return torch.cat([(part - middle).square().sum(1) for part in self.points.split(rows)])

    def to_centers(self, centers: Tensor) -> Tensor:
        """(U,) to the nearest of (L, D) centers."""
        centers = centers - self.middle
        rows = max(1, _CHUNK // max(centers.shape))
        near = (
            torch.addmm(centers.square().sum(1), part - self.middle, centers.T, alpha=-2)
            for part in self.points.split(rows)
        )
        return (torch.cat([part.amin(1) for part in near]) + self.squares).clamp_(min=0)

    def to_row(self, row: Tensor) -> Tensor:
        """(U,) to the point of this row; the next call writes over it."""
        place = self.points[row] - self.middle
        torch.mv(self.moved, place, out=self.product)
        return self.product.mul_(-2).add_(self.squares).add_(self.squares[row] + 2 * self.shift @ place).clamp_(min=0)

    def candidates(self, nearest: Tensor) -> Tensor:
        """(M,) rows of which each may be the farthest, as far as products tell squared distances apart."""
        unsure = _UNSURE * (self.sizes + nearest.clamp(min=0))
        return (nearest + unsure >= (nearest - unsure).max()).nonzero().squeeze(1)


class _Exact:
    """Distances of rows by the sums of squared differences, for those rows that they are asked of.

    A row's distance to all that was taken is computed once, and then kept up with what is added.
    """

    def __init__(self, points: Tensor, centers: Tensor) -> None:
        self.points, self.centers = points, centers
        self.taken = torch.empty(0, dtype=torch.int64, device=points.device)
        self.known = torch.zeros(len(points), dtype=torch.bool, device=points.device)
        self.distances = points.new_full((len(points),), torch.inf)

    @cached_property
    def places(self) -> Tensor:
        """(L', D) of the centers, each once, as a model that has collapsed puts them all in one place."""
        found: Tensor = self.centers.unique(dim=0)
        return found

    def farthest(self, rows: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor]:
        """The first of the (M,) rows that are farthest, and its distance; that of one row alone may be by its `nearest`
        square."""
        if len(rows) == 1 and not self.known[rows[0]]:
            return rows[0], nearest[rows[0]].sqrt()
        new = rows[~self.known[rows]]
        if len(new):
            self._lower(new, self.places)
            self._lower(new, self.points[self.taken])
            self.known[new] = True
        found = self.distances[rows].max(0)
        return rows[found.indices], found.values

    def add(self, row: Tensor) -> None:
        """Takes a row, which is asked for no more."""
        self.known[row] = False
        self.taken = torch.cat([self.taken, row[None]])
        self._lower((self.known & (self.distances > 0)).nonzero().squeeze(1), self.points[self.taken[-1:]])

    def _lower(self, rows: Tensor, taken: Tensor) -> None:
        """Lowers the distances of (M,) rows to those to the (T, D) taken."""
        if not len(taken):
            return
        for part in rows.split(max(1, _CHUNK // max(taken.shape))):
            apart = torch.cdist(self.points[part], taken, compute_mode="donot_use_mm_for_euclid_dist").amin(1)
            self.distances[part] = torch.minimum(self.distances[part], apart)
