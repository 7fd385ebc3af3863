"""Sampling by predicted loss (Yoo and Kweon 2019), one of the methods that scan the pool in ASAL Tab. 2."""

from typing import ClassVar, Protocol, cast

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import query_highest


class LossPredicting(Protocol):
    """What "predicted_loss" means of a model."""

    def predicted_loss(self, inputs: Tensor) -> Tensor:
        """(B, ...) float inputs to (B,)."""


@declare("strategy/learning_loss", revision=2)
class LearningLoss(Strategy):
    """Asks for the unlabeled images of the highest loss that the model predicts of itself.

    All of them are scanned; the original looks at 10,000 drawn ones, so that it does not ask for near duplicates.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"predicted_loss"})

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        predicting = cast(LossPredicting, model).predicted_loss
        predicted = torch.cat(list(stream(predicting, model, pool.inputs, pool.unlabeled)))
        return query_highest(predicted, pool.unlabeled, size, rng)
