"""Uncertainty sampling: the whole pool is scanned and the images of highest score are asked for."""

from collections.abc import Callable

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import refuse_no_score
from al_bench.network import Network
from al_bench.network.predict import predict
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import query_highest


@declare("strategy/uncertainty", revision=2)
class Uncertainty(Strategy):
    """Asks for the unlabeled images of highest `score`.

    score: (B, K[, H, W]) logits to (B,), higher is more uncertain: a function of `al_bench.active.scores`.
    """

    def __init__(self, score: Callable[[Tensor], Tensor]) -> None:
        self.score = score

    def check(self, pool: Pool, labeled: float) -> None:
        refuse_no_score(self.score, pool)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        scores = predict(model, pool.inputs, pool.unlabeled, self.score)
        return query_highest(scores, pool.unlabeled, size, rng)
