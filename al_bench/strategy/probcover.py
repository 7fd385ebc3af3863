"""ProbCover: the images whose balls cover most of the pool (Yehuda et al. 2022, Alg. 1)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import Moderate, ProperFraction, UpToAll
from al_bench.network import Network
from al_bench.network.predict import embeddings
from al_bench.strategy import Strategy
from al_bench.strategy.clusters import cluster
from al_bench.strategy.ranking import draw_candidates

_ROWS, _COLUMNS = 2**10, 2**13  # of a block of distances that is held at once: 32 MiB


@declare("strategy/probcover")
@dataclass(frozen=True)
class ProbCover(Strategy):
    """Asks again and again for an image whose ball of radius delta covers most that none covers yet.

    Labeled images cover, too. The graph of who covers whom is never kept: distances are computed where they count,
    twice for each pair at most, so that memory grows with the embeddings alone and time with the square of their
    number. subset: see `draw_candidates`; nothing else is covered or asked for. delta: the radius; None: the largest at
    which a fraction `purity` of the balls lies in one cluster each, of as many as there are classes (Sec. 3.3).
    draw_among: of how many that cover most one is drawn. normalize: whether embeddings are brought to length 1. Scores
    are the numbers of images that each newly covers.
    """

    delta: Moderate | None
    purity: ProperFraction
    draw_among: UpToAll
    normalize: bool
    subset: UpToAll | None = None
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})
    order_invariant: ClassVar[bool] = False  # candidates and the clusters' first centers are drawn by position

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        candidates = draw_candidates(pool.unlabeled, self.subset, size, rng)
        points = embeddings(model, pool.inputs, torch.cat([pool.labeled, candidates])).float()
        if self.normalize:
            functional.normalize(points, out=points)
        points.sub_(points.mean(0))  # so that squares stay small beside their differences
        delta = self.delta or self.find_radius(points, pool.num_classes, rng)
        chosen, gains = cover(Balls(points, delta), len(pool.labeled), size, self.draw_among, rng)
        return PoolQuery(candidates[chosen.to(pool.device)], scores=gains)

    def find_radius(self, points: Tensor, num_classes: int, rng: torch.Generator) -> float:
        """Delta by the purity of the balls around all (N, D) points."""
        seed = int(torch.randint(2**32, (), generator=rng))
        clusters = cluster(points.cpu().numpy(), num_classes, seed)
        return largest_pure_radius(points, torch.from_numpy(clusters.astype(np.int64)).to(points.device), self.purity)


class Balls:
    """Balls of radius delta, borders excluded as in the code of the authors, around (N, D) points."""

    def __init__(self, points: Tensor, delta: float) -> None:
        self.points, self.delta = points, delta
        self.squares = points.square().sum(1)

    def __len__(self) -> int:
        return len(self.points)

    def count(self, rows: Tensor) -> Tensor:
        """(N,) in how many of the balls around the (R,) rows each point lies, which is how many of them lie in its."""
        counts = torch.zeros(len(self), dtype=torch.int32, device=rows.device)
        for _, columns, squares in _blocks(self.points, self.squares, rows):
            counts[columns] += (squares < self.delta**2).sum(0, dtype=torch.int32)
        return counts


def _blocks(points: Tensor, norms: Tensor, rows: Tensor) -> Iterator[tuple[Tensor, slice, Tensor]]:
    """Squared distances from (R,) rows to all of the (N, D) points, block by block: which rows and points, and (R', C)
    distances. norms: (N,) squared lengths."""
    for part in rows.split(_ROWS):
        around, own = points[part], norms[part, None]
        for start in range(0, len(points), _COLUMNS):
            columns = slice(start, start + _COLUMNS)
            yield part, columns, torch.addmm(norms[columns], around, points[columns].T, alpha=-2).add_(own)


def cover(balls: Balls, num_labeled: int, size: int, draw_among: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """(size,) picks among the points from num_labeled on, counted from there, and how many points each newly covers.

    draw_among: of how many that cover most one is drawn. The points lie in an order that is drawn, so that a place in
    the pool decides between no equals.
    """
    device, rows = balls.points.device, torch.arange(len(balls), device=balls.points.device)
    uncovered = balls.count(rows[:num_labeled]) == 0
    gains = balls.count(rows[uncovered])
    order = num_labeled + torch.randperm(len(balls) - num_labeled, generator=rng).to(device)
    picks, scores = [], []
    for _ in range(size):
        best = gains[order].topk(min(draw_among, len(order))).indices
        place = best[int(torch.randint(len(best), (), generator=rng))]
        pick = order[place]
        picks.append(pick)
        scores.append(gains[pick].clone())
        order = torch.cat([order[:place], order[place + 1 :]])
        newly = uncovered & (balls.count(pick[None]) > 0)
        uncovered &= ~newly
        fewer = newly.sum() <= uncovered.sum()  # so that no more distances are computed than are needed
        gains = gains - balls.count(rows[newly]) if fewer else balls.count(rows[uncovered])
    return torch.stack(picks) - num_labeled, torch.stack(scores)


def largest_pure_radius(points: Tensor, clusters: Tensor, purity: float) -> float:
    """The largest delta at which the balls of a fraction `purity` of (N, D) points hold no point of another cluster.

    That is a point's distance to the nearest one of another cluster, of which a fraction 1 - purity is smaller.
    Infinite where there is one cluster alone.
    """
    apart = torch.full_like(points[:, 0], torch.inf)
    norms = points.square().sum(1)
    for rows, columns, squares in _blocks(points, norms, torch.arange(len(points), device=points.device)):
        squares.masked_fill_(clusters[rows, None] == clusters[columns], torch.inf)
        apart[rows] = torch.minimum(apart[rows], squares.amin(1))
    impure = len(points) - math.ceil(purity * len(points) - 1e-9)  # 0.95 times 100 is not quite 95
    return float(apart.sort().values[min(impure, len(points) - 1)].clamp(min=0).sqrt())
