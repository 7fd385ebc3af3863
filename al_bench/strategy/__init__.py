"""Strategies: what is asked for next."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.metric import Recorded
from al_bench.active.pool import Pool
from al_bench.active.query import Lowest, PoolQuery, Query
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts


class Strategy(ABC):
    """Chooses what to annotate from the model and the pool; never sees a hidden label or the test split."""

    needs: ClassVar[frozenset[str]] = frozenset()
    """What it asks of the model beyond logits, in the words of `Network.provides` and `Learner.provides`."""
    needs_images: ClassVar[bool] = False
    """Whether the inputs must be images, not features of a representation."""
    needs_decoder: ClassVar[bool] = False
    """Whether it makes up inputs that are no images, and so needs `Dataset.decode` to show them."""
    synthesizes: ClassVar[bool] = False
    """Whether it asks for labels of synthetic inputs, which not every oracle gives."""
    records: ClassVar[tuple[Recorded, ...]] = ()
    """What its queries' traces hold, nothing else."""
    order_invariant: ClassVar[bool] = True
    """Whether the same images are chosen however the pool is ordered, ties apart; a member says why where they are
    not."""

    def check(self, pool: Pool, labeled: float) -> None:  # noqa: B027  (most need nothing)
        """Raises UserError where what it will train does not fit the pool's inputs, classes or label maps, or so few
        labels; trains nothing. pool: may be empty; labeled: how many inputs at first."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:  # noqa: B027  (most need nothing)
        """Trains or loads what serves selection alone, once per run; `dataset` is blind."""

    @abstractmethod
    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> Query:
        """Exactly `size` annotations to ask for: distinct unlabeled positions, or synthetic inputs.

        size: at most the number of unlabeled positions. model and pool stay as they are. rng: a CPU generator, the
        only source of randomness, which also decides between images of equal score, never their place in the pool.
        """


def ask_strategy(strategy: Strategy, model: Network, pool: Pool, size: int, rng: torch.Generator) -> Query:
    """What a strategy asks for, held to what `Strategy.query` promises of this pool.

    Raises UserError where a part of one's own breaks the promise, for its run would be stored: a query that is short
    makes a curve of other annotations than its neighbors have, and a pool that is written into one that no start anew
    finds again.
    """
    before, name = pool.writes, f"{type(strategy).__module__}.{type(strategy).__qualname__}"
    query = strategy.query(model, pool, size, rng)
    if found := _flaw_of(query, pool, size):
        raise UserError(f"{name}.query {found}: it has to ask for exactly {size}, distinct and unlabeled")
    if pool.writes != before:
        raise UserError(
            f"{name}.query wrote into a tensor of the pool: it has to leave the pool as it is, so use a copy"
        )
    return query


def _flaw_of(query: object, pool: Pool, size: int) -> str | None:
    if not isinstance(query, Query):
        return f"returned a {type(query).__name__} and no PoolQuery or SyntheticQuery"
    if query.scores is not None and (not isinstance(query.scores, Tensor) or query.scores.shape != (query.size,)):
        return f"has scores that are no tensor of its {query.size}"
    ranks = {"ranks": query.ranks} if isinstance(query, PoolQuery) and query.ranks is not None else {}
    for name, rows in {**query.trace, **ranks}.items():
        if not isinstance(rows, Tensor) or rows.dim() == 0 or len(rows) != query.size:
            return f"has {name} that is no tensor with a row for each of its {query.size}"
    if isinstance(query, PoolQuery):
        if not isinstance(query.indices, Tensor) or query.indices.dtype != torch.int64 or query.indices.dim() != 1:
            return "has indices that are no (Q,) int64 tensor"
        free = torch.zeros(len(pool), dtype=torch.bool, device=pool.device)
        free[pool.unlabeled] = True
        asked = query.indices.to(pool.device)
        inside = asked[(asked >= 0) & (asked < len(pool))]
        if len(inside) < query.size or not free[inside].all():
            return "asked for an image that is not unlabeled"
        if len(inside.unique()) < query.size:
            return "asked for an image twice"
        free[inside] = False
        if query.lowest is not None and (found := _flaw_of_lowest(query.lowest, free)):
            return found
    return None if query.size == size else f"asked for {query.size} and not {size}"


def _flaw_of_lowest(lowest: object, free: Tensor) -> str | None:
    """free: (N,) bool, whether each image is unlabeled and not asked for."""
    if not isinstance(lowest, Lowest) or not all(isinstance(one, Tensor) for one in (lowest.indices, lowest.scores)):
        return "has as its lowest what is no Lowest of two tensors"
    indices = lowest.indices.to(free.device)
    if indices.dtype != torch.int64 or indices.dim() != 1 or lowest.scores.shape != indices.shape:
        return "has as its lowest no (L,) int64 positions with as many scores"
    if len(indices) > Lowest.MOST:
        return f"names {len(indices)} images of the lowest scores, more than {Lowest.MOST}"
    if not ((indices >= 0) & (indices < len(free))).all() or not free[indices].all():
        return "has among its lowest an image that is not unlabeled, or asked for"
    if len(indices.unique()) < len(indices):
        return "has an image twice among its lowest"
    rising = (lowest.scores[1:] >= lowest.scores[:-1]).all()
    return None if rising else "has lowest scores that do not come lowest first"
