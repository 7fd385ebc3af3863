"""WAAL's query: uncertain images that do not look like what is labeled (WAAL Sec. 3.4, Eqs. 9 to 11)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, cast

import torch
from torch import Tensor

from al_bench.active.metric import Recorded
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import refuse_no_score
from al_bench.config.ranges import Fraction, ModerateOrZero
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import order_by_score, query_ranked
from al_bench.training.cost import measure_apart

Score = Callable[[Tensor], Tensor]


class Criticizing(Protocol):
    """What "critic" means of a model."""

    def critique(self, features: Tensor) -> Tensor:
        """(B, F[, h, w]) features to g in [0, 1], (B,): towards 1 for what looks unlabeled."""


@declare("score/label_bounds")
def label_bounds(logits: Tensor, bounds: Sequence[Score], mixture: Fraction) -> Tensor:
    """Minus U(x) = mixture a(x) + (1 - mixture) b(x), upper bounds of the loss under any label (WAAL Sec. 3.4, Eqs. 10
    and 11): higher is more uncertain.

    logits: (B, K[, H, W]), returns (B,). bounds: minus a and minus b, functions of `al_bench.active.scores`. It is what
    WAAL's query is without its critic, and needs nothing but logits.
    """
    first, second = bounds
    return mixture * first(logits) + (1 - mixture) * second(logits)


@declare("strategy/waal", revision=2)
@dataclass(frozen=True)
class Waal(Strategy):
    """Asks for the unlabeled images of smallest U(x) - coefficient g(x), by one pass over the pool (Alg. 1, line 9).

    U(x) is minus `label_bounds`, of which mixture and bounds are. A chosen image's trace: its U, its g, and whether U
    alone would have chosen it, 1 or 0 (1 for all that share the last chosen U); and beside these, the same in every row
    of a cycle, the means of g over the pool it was chosen from and over what is labeled.
    """

    coefficient: ModerateOrZero
    mixture: Fraction
    bounds: tuple[Score, Score]
    needs: ClassVar[frozenset[str]] = frozenset({"critic"})
    records: ClassVar[tuple[Recorded, ...]] = (
        Recorded("uncertainty", "U"),
        Recorded("critic", "g"),
        Recorded("by_uncertainty", "share that U alone would have chosen"),
        Recorded("critic_of_pool", "mean g of the pool"),
        Recorded("critic_of_labeled", "mean g of what is labeled"),
    )

    def check(self, pool: Pool, labeled: float) -> None:
        for bound in self.bounds:
            refuse_no_score(bound, pool)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        critique = cast(Criticizing, model).critique

        def uncertainty_and_critic(inputs: Tensor) -> Tensor:
            features = model.features(inputs)
            uncertainty = -label_bounds(model.classify(features), self.bounds, self.mixture)
            return torch.stack([uncertainty, critique(features)], dim=1)

        found = torch.cat(list(stream(uncertainty_and_critic, model, pool.inputs, pool.unlabeled)))
        uncertainty, critic = found.unbind(1)
        scores = self.coefficient * critic - uncertainty
        order = order_by_score(scores, pool.unlabeled, rng)
        rows = order[:size]
        with measure_apart("record"):
            of_labeled = stream(lambda inputs: critique(model.features(inputs)), model, pool.inputs, pool.labeled)
            means = {"critic_of_pool": critic.mean(), "critic_of_labeled": torch.cat(list(of_labeled)).mean()}
            alone = uncertainty[rows] <= uncertainty.kthvalue(size).values
        trace = {"uncertainty": uncertainty[rows], "critic": critic[rows], "by_uncertainty": alone.float()}
        trace |= {name: mean.repeat(size) for name, mean in means.items()}
        return query_ranked(rows, order[size:], scores, pool.unlabeled, trace)
