"""PowerBALD: images drawn by a power of their BALD score, for queries that are not of one kind (Kirsch et al. 2023)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import refuse_no_score
from al_bench.config.ranges import Moderate, Repeats
from al_bench.network import Network
from al_bench.network.predict import predict
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import highest


@declare("strategy/power_bald", revision=2)
@dataclass(frozen=True)
class PowerBald(Strategy):
    """Draws unlabeled images without replacement, each by its `score` to the power `beta` ("Stochastic Batch
    Acquisition", power acquisition).

    score: (T, B, K[, H, W]) logits of `passes` dropout passes to (B,), higher is more uncertain. Scores at or below 0
    are drawn last. The query's scores are those of `score`, in the order of the draw.
    """

    score: Callable[[Tensor], Tensor]
    passes: Repeats
    beta: Moderate
    needs: ClassVar[frozenset[str]] = frozenset({"dropout"})
    order_invariant: ClassVar[bool] = False  # masks and images are drawn by position

    def check(self, pool: Pool, labeled: float) -> None:
        refuse_no_score(self.score, pool, of_passes=True)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        seed = int(torch.randint(2**62, (), generator=rng))
        scores = predict(model, pool.inputs, pool.unlabeled, self.score, self.passes, seed)
        rows = highest(perturbed(scores, self.beta, rng), pool.unlabeled, size, rng)
        return PoolQuery(pool.unlabeled[rows.to(pool.device)], scores=scores[rows])


def perturbed(scores: Tensor, beta: float, rng: torch.Generator) -> Tensor:
    """(U,) logarithms of scores, each with noise of Gumbel's distribution of scale 1 / beta: the highest of them are a
    draw without replacement by scores^beta."""
    least = torch.finfo(torch.float64).tiny  # 0 has no logarithm
    draws = torch.rand(len(scores), generator=rng, dtype=torch.float64).clamp(min=least).to(scores.device)
    noise = -(-draws.log()).log()
    return scores.double().clamp(min=least).log() + noise / beta
