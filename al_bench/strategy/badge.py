"""BADGE: k-means++ seeding of the last layer's gradients (Ash et al. 2020, Alg. 1)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.network.predict import embeddings_and
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import highest

_WAITING = 32  # picks whose distances are taken by one product, which costs little more than that of one pick
_CHUNK = 2**16  # gradients whose distances are taken at once
_PAIRS = 2**13  # of gradients that products do not tell apart, subtracted at once
_UNSURE = 1e-3  # of squared norms: below, squared distances by products have errors that count
_SAME = 1e-12  # of squared norms: closer ones are equal up to the rounding of a forward pass

First = Literal["largest", "drawn"]


@declare("strategy/badge")
@dataclass(frozen=True)
class Badge(Strategy):
    """Draws images far apart in the gradients that their loss would have at the model's own guesses.

    That of the last layer's weights is the product of the softmax minus the guess, (K,), and of the embedding, (D,):
    long where the model is unsure. The bias is left out, as in the code of the authors. Of a label map the mean of
    either over its positions stands in. first: how the first image is picked, the longest gradient or one drawn evenly.
    """

    first: First
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})
    order_invariant: ClassVar[bool] = False  # draws are by position

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        embedded, errors = embeddings_and(loss_gradients, model, pool.inputs, pool.unlabeled)
        chosen = draw_apart(OuterProducts(errors, embedded), size, rng, self.first)
        return PoolQuery(pool.unlabeled[chosen.to(pool.device)])


def loss_gradients(logits: Tensor) -> Tensor:
    """(B, K) gradients of the cross entropy with the most probable class as label, by the logits (B, K[, H, W]).

    At the label what the others have, and not the probability minus 1, which is 0 once a logit lies 17 above.
    """
    guesses = logits.argmax(1, keepdim=True)
    others = logits.softmax(1).scatter(1, guesses, 0)
    gradients = others.scatter(1, guesses, -others.sum(1, keepdim=True))
    return gradients.flatten(2).mean(2) if gradients.dim() > 2 else gradients


class OuterProducts:
    """The (U, K D) outer products of the rows of (U, K) and (U, D), of which no more than two factors are kept.

    The inner product of two is the product of those of their factors.
    """

    def __init__(self, left: Tensor, right: Tensor) -> None:
        self.left, self.right = left, right
        parts = zip(left.split(_CHUNK), right.split(_CHUNK), strict=True)
        self.squares = torch.cat([one.square().sum(1) * other.square().sum(1) for one, other in parts])

    def __len__(self) -> int:
        return len(self.squares)

    def distances(self, rows: Tensor | slice, others: Tensor) -> Tensor:
        """(R, O) squared distances between rows and others, 0 between copies.

        By products, and where rounding would count by differences: a b' - c d' = a (b - d)' + (a - c) d'.
        """
        left, right, squares = self.left[rows], self.right[rows], self.squares[rows, None]
        both = squares + self.squares[others]
        found = (left @ self.left[others].T).mul_(right @ self.right[others].T).mul_(-2).add_(both)
        for pairs in (found <= _UNSURE * both).nonzero().split(_PAIRS):
            row, other = pairs[:, 0], others[pairs[:, 1]]
            apart, errors = right[row] - self.right[other], left[row] - self.left[other]
            crossed = (left[row] * errors).sum(1) * (apart * self.right[other]).sum(1)
            exact = left[row].square().sum(1) * apart.square().sum(1) + 2 * crossed
            exact += errors.square().sum(1) * self.right[other].square().sum(1)
            found[row, pairs[:, 1]] = exact
        return found.masked_fill_(found <= _SAME * both, 0)


def draw_apart(points: OuterProducts, size: int, rng: torch.Generator, first: First) -> Tensor:
    """(size,) distinct rows by k-means++ seeding: each drawn by its squared distance to the nearest drawn before it
    (Arthur and Vassilvitskii 2007); once all are at distance 0, evenly.

    A draw by the distances to all but the last few picks that is kept with the probability by which those lower it is
    one by the distances to all. So some picks wait, and lower everybody's distances by one product. Raises
    FloatingPointError where a number is not finite.
    """
    if not points.squares.isfinite().all():
        raise FloatingPointError("a gradient is not finite")
    even = torch.ones_like(points.squares)
    start = highest(points.squares if first == "largest" else even, torch.arange(len(points)), 1, rng)
    picks, nearest = start, torch.full_like(points.squares, torch.inf)
    waiting = start
    while len(picks) < size:
        _lower(nearest, points, waiting)
        waiting = _draw(nearest, points, min(_WAITING, size - len(picks)), rng)
        if not len(waiting):
            left = torch.ones_like(nearest).index_fill_(0, picks, -1)
            waiting = highest(left, torch.arange(len(points)), size - len(picks), rng)
        picks = torch.cat([picks, waiting])
    return picks


def _lower(nearest: Tensor, points: OuterProducts, picks: Tensor) -> None:
    """Lowers the (U,) squared distances to those to the (P,) picks."""
    for start in range(0, len(points), _CHUNK):
        rows = slice(start, start + _CHUNK)
        nearest[rows] = torch.minimum(nearest[rows], points.distances(rows, picks).amin(1))


def _draw(nearest: Tensor, points: OuterProducts, most: int, rng: torch.Generator) -> Tensor:
    """(P,) rows, up to `most`: of as many draws by the distances (U,) those that the ones before them leave. The first
    is always one, unless all distances are 0."""
    shares = nearest.double().cumsum(0)
    draws = torch.rand(most, 2, generator=rng, dtype=torch.float64)
    places = (draws[:, 0] * shares[-1].cpu()).to(shares)
    rows = torch.searchsorted(shares, places, right=True).clamp_(max=len(shares) - 1)
    picks = rows[:0]
    for row, draw in zip(rows.split(1), draws[:, 1].tolist(), strict=True):
        left = float(torch.cat([nearest[row], points.distances(row, picks).flatten()]).min())
        if draw * float(nearest[row]) < left:
            picks = torch.cat([picks, row])
    return picks
