"""Queries by a ranking of the pool, and of a drawn part of it."""

from collections.abc import Mapping

import torch
from torch import Tensor

from al_bench.active.query import Lowest, PoolQuery
from al_bench.errors import UserError


def highest(scores: Tensor, candidates: Tensor, size: int, rng: torch.Generator) -> Tensor:
    """(size,) int64: the first of `order_by_score`."""
    return order_by_score(scores, candidates, rng)[:size]


def order_by_score(scores: Tensor, candidates: Tensor, rng: torch.Generator) -> Tensor:
    """(U,) int64 rows by their scores, highest first; those of equal score in an order that `rng` draws.

    scores: (U,), of the images at `candidates`, (U,) positions in the training split. Raises UserError at a score that
    is NaN, and where there are not as many scores as candidates.
    """
    if len(scores) != len(candidates):
        raise UserError(f"there are {len(scores)} scores of {len(candidates)} images: a score is one number of each")
    if scores.isnan().any():
        position = int(candidates[scores.isnan().nonzero()[0, 0]])
        raise UserError(f"the score of image {position} is NaN: a score has to be a number, whatever is answered")
    order = torch.randperm(len(scores), generator=rng).to(scores.device)
    return order[scores[order].sort(descending=True, stable=True).indices]


def query_highest(scores: Tensor, candidates: Tensor, size: int, rng: torch.Generator) -> PoolQuery:
    """Asks for the `size` candidates of highest score, and names those of the lowest.

    scores: (U,), of the images at `candidates`, (U,) positions in the training split. Raises UserError as
    `order_by_score` does.
    """
    order = order_by_score(scores, candidates, rng)
    return query_ranked(order[:size], order[size:], scores, candidates)


def query_ranked(
    chosen: Tensor, others: Tensor, scores: Tensor, candidates: Tensor, trace: Mapping[str, Tensor] | None = None
) -> PoolQuery:
    """Asks for the (Q,) `chosen` rows, in their order, and names the last of the (U - Q,) `others`, which are in the
    order of `order_by_score`.

    scores, candidates: (U,), see `order_by_score`; trace: of the chosen, Q rows each.
    """
    last = others[-Lowest.MOST :].flip(0)
    lowest = Lowest(candidates[last.to(candidates.device)], scores[last]) if len(last) else None
    return PoolQuery(candidates[chosen.to(candidates.device)], scores=scores[chosen], trace=trace or {}, lowest=lowest)


def draw_candidates(unlabeled: Tensor, subset: int | None, size: int, rng: torch.Generator) -> Tensor:
    """The (C,) positions that are looked at, in their order: `subset` drawn of the (U,) unlabeled ones, no fewer than
    `size`; all where it is None or no smaller than U."""
    if subset is None or subset >= len(unlabeled):
        return unlabeled
    drawn = torch.randperm(len(unlabeled), generator=rng)[: max(subset, size)]
    return unlabeled[drawn.to(unlabeled.device)].sort().values
