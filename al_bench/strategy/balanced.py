"""Sampling by a score within each predicted class, so that no class takes all of a query."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import refuse_no_score
from al_bench.network import Network, pooled
from al_bench.network.predict import predict
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import order_by_score, query_ranked


@declare("strategy/balanced")
@dataclass(frozen=True)
class Balanced(Strategy):
    """Asks for equally many unlabeled images of each class that the model predicts, of each those of highest `score`.

    They are asked for in rounds: the best of each class, by their scores, then the second of each. A class that has no
    more is left out, and what is left of the last round is its highest scores. The class of a label map is that of its
    mean logits. score: (B, K[, H, W]) logits to (B,): a function of `al_bench.active.scores`.
    """

    score: Callable[[Tensor], Tensor]

    def check(self, pool: Pool, labeled: float) -> None:
        refuse_no_score(self.score, pool)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        def read(logits: Tensor) -> Tensor:
            classes = pooled(logits).argmax(1)
            return torch.stack([self.score(logits).double(), classes.double()], dim=1)

        scores, classes = predict(model, pool.inputs, pool.unlabeled, read).unbind(1)
        order = order_by_score(scores, pool.unlabeled, rng)
        places = rounds_of(classes[order].long()).sort(stable=True).indices
        chosen, others = order[places[:size]], order[places[size:].sort().values]
        return query_ranked(chosen, others, scores.float(), pool.unlabeled)


def rounds_of(classes: Tensor) -> Tensor:
    """(U,) how many before each are of its class. classes: (U,) int64, best first."""
    counts = classes.bincount()
    ordered = classes.sort(stable=True)
    before = torch.arange(len(classes), device=classes.device) - (counts.cumsum(0) - counts)[ordered.values]
    return torch.empty_like(before).scatter(0, ordered.indices, before)
