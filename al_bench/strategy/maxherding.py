"""MaxHerding: greedy maximisation of generalized coverage (Bae et al. 2024)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import Moderate, UpToAll
from al_bench.network import Network
from al_bench.network.predict import embeddings
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import draw_candidates

_CHUNK = 2**24  # similarities held at once: 64 MiB


@declare("strategy/maxherding")
@dataclass(frozen=True)
class MaxHerding(Strategy):
    """Asks again and again for the image that adds most to the mean similarity of all candidates to the nearest image
    that is labeled or asked for ("Generalized Coverage for More Robust Low-Budget Active Learning").

    Similar are x and y by exp(-|x - y|^2 / bandwidth^2) of their embeddings over their lengths. subset: see
    `draw_candidates`; it bounds what is asked for and what is to be covered, as time grows by its square. Scores are
    what each image adds.
    """

    bandwidth: Moderate
    subset: UpToAll | None = None
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})
    order_invariant: ClassVar[bool] = False  # of a larger pool a subset is drawn by position

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        candidates = draw_candidates(pool.unlabeled, self.subset, size, rng)
        points = unit_embeddings(model, pool, candidates)
        labeled = unit_embeddings(model, pool, pool.labeled)
        chosen, gains = herd(points, labeled, torch.ones_like(points[:, 0]), self.bandwidth, size, rng)
        return PoolQuery(candidates[chosen.to(pool.device)], scores=gains)


def unit_embeddings(model: Network, pool: Pool, indices: Tensor) -> Tensor:
    """(len(indices), D) embeddings over their lengths. Raises FloatingPointError where a number is not finite."""
    return functional.normalize(embeddings(model, pool.inputs, indices).float())


def herd(
    points: Tensor, labeled: Tensor, weights: Tensor, bandwidth: float, size: int, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Greedy maximisation of the weighted coverage of points by some of them and what is labeled.

    points: (U, D); labeled: (L, D), L may be 0; weights: (U,), at least 0. Returns (size,) distinct positions, in
    order, and the (size,) mean of weight times similarity that each adds. Of points that add equally much the first in
    an order that `rng` draws is picked.

    A pick changes what others add by those points alone that it is the most similar to: similarities to these are
    computed anew and none is kept, so that time is U^2 D (1 + log((L + size) / L)) where such parts are of like size,
    and memory that of the points.
    """
    order = torch.randperm(len(points), generator=rng).to(points.device)
    kernel, weights = _Kernel(points[order], bandwidth), weights[order]
    covered = kernel.nearest(labeled)
    gains = torch.zeros(len(points), dtype=torch.float64, device=points.device)
    whole = torch.full_like(covered, torch.inf)
    kernel.add_gains(gains, torch.arange(len(points), device=points.device), covered, whole, weights)
    picks, added = [], []
    for _ in range(size):
        pick = gains.argmax()
        picks.append(pick)
        added.append(gains[pick].clamp(min=0))
        similar = kernel.rows(pick[None])[0]
        nearer = (similar > covered).nonzero().squeeze(1)
        kernel.add_gains(gains, nearer, covered[nearer], similar[nearer], -weights[nearer])
        covered[nearer] = similar[nearer]
        gains[pick] = -torch.inf
    return order[torch.stack(picks)], torch.stack(added).div_(len(points)).float()


class _Kernel:
    """Similarities of rows of points to all of them, computed when they are asked for."""

    def __init__(self, points: Tensor, bandwidth: float) -> None:
        self.middle = points.mean(0)
        self.points = points - self.middle  # squares stay small beside their differences
        self.squares, self.bandwidth = self.points.square().sum(1), bandwidth
        self.at_once = max(1, _CHUNK // len(points))

    def rows(self, rows: Tensor) -> Tensor:
        """(M, U) similarities; that of a point to itself is 1 exactly."""
        similar = self._to(self.points[rows], self.squares[rows])
        similar[torch.arange(len(rows), device=rows.device), rows] = 1
        return similar

    def nearest(self, others: Tensor) -> Tensor:
        """(U,) similarity of each point to the most similar of (L, D) others, 0 where there are none."""
        nearest = torch.zeros_like(self.squares)
        for part in (others - self.middle).split(self.at_once) if len(others) else ():
            nearest = torch.maximum(nearest, self._to(part, part.square().sum(1)).amax(0))
        return nearest

    def add_gains(self, gains: Tensor, rows: Tensor, lower: Tensor, upper: Tensor, weights: Tensor) -> None:
        """Adds to the (U,) gains of every point the weighted part of its similarities to the (M,) rows that lies
        between lower and upper bounds, (M,) each."""
        for part, low, high, weight in zip(
            *(each.split(self.at_once) for each in (rows, lower, upper, weights)), strict=True
        ):
            similar = self.rows(part)
            gains += weight @ torch.minimum(similar, high[:, None]).sub_(low[:, None]).clamp_(min=0)

    def _to(self, others: Tensor, squares: Tensor) -> Tensor:
        """(M, U) similarities to (M, D) others."""
        apart = torch.addmm(self.squares[None], others, self.points.T, alpha=-2).add_(squares[:, None]).clamp_(min=0)
        return apart.mul_(-1 / self.bandwidth**2).exp_()
