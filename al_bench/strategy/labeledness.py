"""What a discriminator takes for unlabeled: the diversity half of MAL's query alone (MAL Tabs. 7 and 8, Div)."""

from typing import ClassVar, cast

import torch

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.network.labeledness import Discriminating
from al_bench.network.predict import stream
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import query_highest


@declare("strategy/labeledness")
class Labeledness(Strategy):
    """Asks for the unlabeled inputs that the model's discriminator is surest are unlabeled, by its (U,) logits of being
    labeled, lowest first (MAL Sec. 5, Div)."""

    needs: ClassVar[frozenset[str]] = frozenset({"labeledness"})

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        labeledness = cast(Discriminating, model).labeledness
        answers = torch.cat(list(stream(labeledness, model, pool.inputs, pool.unlabeled)))
        return query_highest(-answers, pool.unlabeled, size, rng)
