"""Contrastive active learning: images that look like labeled ones to a model that answers otherwise (Margatina et al.
2021, Alg. 1)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import UpToAll
from al_bench.network import Network
from al_bench.network.predict import embeddings_and, gather, stream
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import query_highest


@declare("strategy/contrastive_al")
@dataclass(frozen=True)
class ContrastiveAl(Strategy):
    """Asks for the unlabeled images whose nearest labeled ones the model answers most differently.

    neighbors: by Euclidean distance of the embeddings, as many as are labeled where these are fewer. The score is the
    mean over them of KL(neighbor's probabilities || the image's), in nats. Of a label map the mean of the probabilities
    over its positions stands in.
    """

    neighbors: UpToAll
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        known, answered = embeddings_and(_log_probabilities, model, pool.inputs, pool.labeled)

        def score(batch: Tensor) -> Tensor:
            embedded, logits = model.embed_and_classify(batch)
            return contrast(embedded, _log_probabilities(logits), known, answered, self.neighbors)

        scores = gather(stream(score, model, pool.inputs, pool.unlabeled), len(pool.unlabeled))
        return query_highest(scores, pool.unlabeled, size, rng)


def contrast(embedded: Tensor, logs: Tensor, known: Tensor, answered: Tensor, neighbors: int) -> Tensor:
    """(B,) mean divergence of the nearest labeled images' probabilities from each image's, in nats.

    embedded: (B, D) and known: (L, D) embeddings; logs: (B, K) and answered: (L, K) log-probabilities.
    """
    center = known.mean(0)  # of distances by products float32 keeps little where all lie far from 0
    nearest = torch.cdist(embedded - center, known - center).topk(min(neighbors, len(known)), largest=False).indices
    near = answered[nearest]  # (B, m, K)
    return (near.exp() * (near - logs[:, None])).sum(2).mean(1)


def _log_probabilities(logits: Tensor) -> Tensor:
    """(B, K) of (B, K[, H, W]) logits."""
    logs = logits.log_softmax(1)
    if logs.dim() == 2:
        return logs
    of_positions = logs.flatten(2)
    return of_positions.logsumexp(2) - math.log(of_positions.shape[2])  # finite where every probability underflows
