"""Uniform sampling without replacement: the lower reference of every paper."""

from typing import ClassVar

import torch

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.strategy import Strategy


@declare("strategy/random")
class Random(Strategy):
    """Asks for unlabeled images drawn uniformly."""

    order_invariant: ClassVar[bool] = False  # draws positions, so another order of the pool is another draw

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        drawn = torch.randperm(len(pool.unlabeled), generator=rng)[:size]
        return PoolQuery(pool.unlabeled[drawn.to(pool.device)])
