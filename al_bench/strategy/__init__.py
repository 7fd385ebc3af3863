"""Strategies: what is asked for next."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.metric import Recorded
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery, Query
from al_bench.dataset import Dataset
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

    def check(self, image_shape: Sequence[int]) -> None:  # noqa: B027  (most need nothing)
        """Raises UserError where what it will train does not fit the inputs, (C, H, W) of one; trains nothing."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:  # noqa: B027  (most need nothing)
        """Trains or loads what serves selection alone, once per run; `dataset` is blind."""

    @abstractmethod
    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> Query:
        """Exactly `size` annotations to ask for: distinct unlabeled positions, or synthetic inputs.

        size: at most the number of unlabeled positions. model and pool stay as they are. rng: a CPU generator, the
        only source of randomness, which also decides between images of equal score, never their place in the pool.
        """


def highest(scores: Tensor, candidates: Tensor, size: int, rng: torch.Generator) -> Tensor:
    """(size,) int64 rows of the highest scores, highest first; those of equal score in an order that `rng` draws.

    scores: (U,), of the images at `candidates`, (U,) positions in the training split. Raises ValueError at a score that
    is NaN.
    """
    if scores.isnan().any():
        position = int(candidates[scores.isnan().nonzero()[0, 0]])
        raise ValueError(f"the score of image {position} is NaN")
    order = torch.randperm(len(scores), generator=rng).to(scores.device)
    return order[scores[order].sort(descending=True, stable=True).indices[:size]]


def query_highest(scores: Tensor, candidates: Tensor, size: int, rng: torch.Generator) -> PoolQuery:
    """Asks for the `size` candidates of highest score, see `highest`."""
    rows = highest(scores, candidates, size, rng)
    return PoolQuery(candidates[rows.to(candidates.device)], scores=scores[rows])


def draw_candidates(unlabeled: Tensor, subset: int | None, size: int, rng: torch.Generator) -> Tensor:
    """The (C,) positions that are looked at, in their order: `subset` drawn of the (U,) unlabeled ones, no fewer than
    `size`; all where it is None or no smaller than U."""
    if subset is None or subset >= len(unlabeled):
        return unlabeled
    drawn = torch.randperm(len(unlabeled), generator=rng)[: max(subset, size)]
    return unlabeled[drawn.to(unlabeled.device)].sort().values
