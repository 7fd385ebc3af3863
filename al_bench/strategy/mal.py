"""MAL's query: inputs that look unlabeled to a discriminator and lie far from all prototypes (MAL Sec. 3.3, Alg. 2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor

from al_bench.active import scores
from al_bench.active.metric import Recorded
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.ranking import quantiles, ranks
from al_bench.network import Network
from al_bench.network.labeledness import Discriminating
from al_bench.network.predict import stream
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import order_by_score, query_ranked
from al_bench.training.cost import measure_apart


def intersect(diversity: Tensor, uncertainty: Tensor, labeledness: Tensor) -> Tensor:
    """(U,) places by the larger of both (U,) ranks: the smallest k for which an input is among the first k by both.

    Alg. 2 takes those among the first b by both, which may be fewer than b; so k grows until there are b.
    """
    return torch.maximum(diversity, uncertainty)


def filter_unlabeled(diversity: Tensor, uncertainty: Tensor, labeledness: Tensor) -> Tensor:
    """(U,) places by the (U,) rank of the entropy of all that D takes for unlabeled, p < 0.5, by its (U,) logits
    (abstract, Fig. 1); behind them the others, by the (U,) rank of D."""
    return torch.where(labeledness < 0, uncertainty, len(labeledness) + diversity)


def rank_sum(diversity: Tensor, uncertainty: Tensor, labeledness: Tensor) -> Tensor:
    """(U,) places by the sum of both (U,) ranks: ours, of which the paper says nothing."""
    return diversity + uncertainty


# Ranks by D and by entropy, (U,) int64 from 0, and D's (U,) logits, to (U,) int64 places, the first 0.
RULES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "intersect": intersect,
    "filter": filter_unlabeled,
    "rank_sum": rank_sum,
}


@declare("strategy/mal")
@dataclass(frozen=True)
class Mal(Strategy):
    """Asks for the unlabeled inputs of the first places by `rule`, of equal places for the higher entropy.

    rule: how the rank by D, ascending, and the rank by C's entropy, descending, meet: `intersect`, `filter` or
    `rank_sum`, functions of this module. D is ranked by its logits, as its probabilities round to 1.

    A chosen input's trace: its entropy and D's logit, and whether the entropy alone and D alone would have chosen it, 1
    or 0. Beside these, as many values as were asked for: quantiles of D's logits over unlabeled and labeled inputs.
    """

    rule: Literal["intersect", "filter", "rank_sum"]
    needs: ClassVar[frozenset[str]] = frozenset({"labeledness"})
    records: ClassVar[tuple[Recorded, ...]] = (
        Recorded("entropy", "entropy of C", "nats"),
        Recorded("labeledness", "D's logit of being labeled"),
        Recorded("by_entropy", "share that the entropy alone would have chosen"),
        Recorded("by_labeledness", "share that D alone would have chosen"),
        Recorded("labeledness_of_pool", "D's logits of unlabeled inputs"),
        Recorded("labeledness_of_labeled", "D's logits of labeled inputs"),
    )

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        asked = cast(Discriminating, model)

        def entropy_and_labeledness(inputs: Tensor) -> Tensor:
            logits, labeledness = asked.logits_and_labeledness(inputs)
            return torch.stack([scores.entropy(logits), labeledness], dim=1)

        found = torch.cat(list(stream(entropy_and_labeledness, model, pool.inputs, pool.unlabeled)))
        if found.isnan().any():
            raise FloatingPointError("an entropy or an answer of the discriminator is NaN")
        entropy, labeledness = found.unbind(1)
        uncertainty, diversity = ranks(-entropy), ranks(labeledness)
        places = RULES[self.rule](diversity, uncertainty, labeledness)
        order = order_by_score(-(places.double() * len(places) + uncertainty), pool.unlabeled, rng)
        rows = order[:size]
        with measure_apart("record"):
            of_labeled = torch.cat(list(stream(asked.labeledness, model, pool.inputs, pool.labeled)))
            trace = {
                "entropy": entropy[rows],
                "labeledness": labeledness[rows],
                "by_entropy": (uncertainty[rows] < size).float(),
                "by_labeledness": (diversity[rows] < size).float(),
                "labeledness_of_pool": quantiles(labeledness, size),
                "labeledness_of_labeled": quantiles(of_labeled, size),
            }
        return query_ranked(rows, order[size:], -places.float(), pool.unlabeled, trace)
