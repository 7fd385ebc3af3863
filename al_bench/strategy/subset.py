"""Uncertainty sampling in a random part of the pool, so that the whole is not scanned (ASAL Fig. 16, "random")."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import refuse_no_score
from al_bench.config.ranges import UpToAll
from al_bench.network import Network
from al_bench.network.predict import predict
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import query_highest


@declare("strategy/subset", revision=2)
@dataclass(frozen=True)
class Subset(Strategy):
    """Asks for the images of highest `score` among as many unlabeled ones, drawn anew in each cycle.

    score: (B, K[, H, W]) logits to (B,), higher is more uncertain: a function of `al_bench.active.scores`. candidates:
    drawn; no fewer than are asked for and no more than are unlabeled.
    """

    score: Callable[[Tensor], Tensor]
    candidates: UpToAll
    order_invariant: ClassVar[bool] = False  # draws positions, so another order of the pool is another draw

    def check(self, pool: Pool, labeled: float) -> None:
        refuse_no_score(self.score, pool)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        drawn = torch.randperm(len(pool.unlabeled), generator=rng)[: max(self.candidates, size)]
        candidates = pool.unlabeled[drawn.to(pool.device)].sort().values  # read in their order
        return query_highest(predict(model, pool.inputs, candidates, self.score), candidates, size, rng)
