"""Monte-Carlo dropout: the whole pool is scanned several times with dropout on (DBAL and BALD)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import refuse_no_score
from al_bench.config.ranges import Repeats
from al_bench.network import Network
from al_bench.network.predict import predict
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import query_highest


@declare("strategy/dropout", revision=2, beside=("whole_passes",))
@dataclass(frozen=True)
class Dropout(Strategy):
    """Asks for the unlabeled images of highest `score` over `passes` stochastic passes.

    score: (T, B, K[, H, W]) logits to (B,), higher is more uncertain: a function of `al_bench.active.scores`. Dropout
    alone is random; batch norm stays in eval mode, unlike in the code that WAAL's baselines come from. whole_passes:
    what lies before the first dropout is computed in each pass, as in that code, in place of once; the choice is the
    same, and its time is what others measured.
    """

    score: Callable[[Tensor], Tensor]
    passes: Repeats
    whole_passes: bool = False
    needs: ClassVar[frozenset[str]] = frozenset({"dropout"})
    order_invariant: ClassVar[bool] = False  # an image's masks are drawn by its place in its batch

    def check(self, pool: Pool, labeled: float) -> None:
        refuse_no_score(self.score, pool, of_passes=True)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        seed = int(torch.randint(2**62, (), generator=rng))
        scores = predict(model, pool.inputs, pool.unlabeled, self.score, self.passes, seed, self.whole_passes)
        return query_highest(scores, pool.unlabeled, size, rng)
