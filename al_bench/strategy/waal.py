"""WAAL's query: uncertain images that do not look like what is labeled (WAAL Sec. 3.4, Eqs. 9 to 11)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol, cast

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from al_bench.active.metric import Recorded
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import Fraction
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.strategy import Strategy, highest

Score = Callable[[Tensor], Tensor]


class Criticizing(Protocol):
    """What "critic" means of a model."""

    def critique(self, features: Tensor) -> Tensor:
        """(B, F[, h, w]) features to g in [0, 1], (B,): towards 1 for what looks unlabeled."""


@declare("strategy/waal", revision=2)
@dataclass(frozen=True)
class Waal(Strategy):
    """Asks for the unlabeled images of smallest U(x) - coefficient g(x), by one pass over the pool (Alg. 1, line 9).

    U(x) = mixture a(x) + (1 - mixture) b(x), with two upper bounds of the loss under any label (Eqs. 10 and 11).
    bounds: minus a and minus b, functions of `al_bench.active.scores`. A chosen image's trace: its U and its g.
    """

    coefficient: NonNegativeFloat
    mixture: Fraction
    bounds: tuple[Score, Score]
    needs: ClassVar[frozenset[str]] = frozenset({"critic"})
    records: ClassVar[tuple[Recorded, ...]] = (Recorded("uncertainty", "U"), Recorded("critic", "g"))

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        critique = cast(Criticizing, model).critique
        first, second = self.bounds

        def uncertainty_and_critic(inputs: Tensor) -> Tensor:
            features = model.features(inputs)
            logits = model.classify(features)
            uncertainty = -self.mixture * first(logits) - (1 - self.mixture) * second(logits)
            return torch.stack([uncertainty, critique(features)], dim=1)

        found = torch.cat(list(stream(uncertainty_and_critic, model, pool.inputs, pool.unlabeled)))
        uncertainty, critic = found.unbind(1)
        scores = self.coefficient * critic - uncertainty
        rows = highest(scores, pool.unlabeled, size, rng)
        trace = {"uncertainty": uncertainty[rows], "critic": critic[rows]}
        return PoolQuery(pool.unlabeled[rows.to(pool.device)], scores=scores[rows], trace=trace)
