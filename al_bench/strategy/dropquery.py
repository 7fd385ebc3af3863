"""DropQuery: clusters of the images whose predicted class does not outlast dropout of their embedding (Gupte et al.
2024)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import ProperFraction, Repeats, UpToAll
from al_bench.network import Network, Wrapped
from al_bench.network.predict import embeddings, stream
from al_bench.strategy import Strategy
from al_bench.strategy.kmeans import Library, nearest_to_centers
from al_bench.strategy.ranking import draw_candidates, highest


@declare("strategy/dropquery")
@dataclass(frozen=True)
class DropQuery(Strategy):
    """Clusters the images that most of `passes` predictions under dropout give another class than the plain one, and
    asks for the image nearest to the center of each cluster ("Revisiting Active Learning in the Era of Vision
    Foundation Models", DropQuery).

    Dropout takes each number of the last layer's input away with probability `dropout`; the network itself needs none.
    Where fewer images disagree than are asked for, those that disagree next most often stand in. On label maps an
    image disagrees by the share of its pixels that do. Scores are these shares. library: of `kmeans`; subset: see
    `draw_candidates`.
    """

    passes: Repeats
    dropout: ProperFraction
    library: Library = "scikit-learn"
    subset: UpToAll | None = None
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})
    order_invariant: ClassVar[bool] = False  # masks and first centers are drawn by position

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        candidates = draw_candidates(pool.unlabeled, self.subset, size, rng)
        shares = self._disagreements(model, pool, candidates, rng)
        rows = (shares > 0.5).nonzero().squeeze(1)
        if len(rows) < size:
            rows = highest(shares, candidates, size, rng)
        points = embeddings(model, pool.inputs, candidates[rows.to(pool.device)]).float().cpu().numpy()
        chosen = rows[torch.from_numpy(nearest_to_centers(points, size, rng, self.library)).to(rows.device)]
        return PoolQuery(candidates[chosen.to(pool.device)], scores=shares[chosen])

    def _disagreements(self, model: Network, pool: Pool, candidates: Tensor, rng: torch.Generator) -> Tensor:
        """(U,) `disagreement` of each candidate."""
        network = model.network if isinstance(model, Wrapped) else model

        def of_batch(inputs: Tensor) -> Tensor:
            embedding = network.neck(network.features(inputs))
            return disagreement(network.head, embedding, self.passes, self.dropout)

        with seeding.fork(int(torch.randint(2**62, (), generator=rng))):
            return torch.cat(list(stream(of_batch, model, pool.inputs, candidates)))


def disagreement(head: Callable[[Tensor], Tensor], embedding: Tensor, passes: int, dropout: float) -> Tensor:
    """(B,) the share of `passes` that predict another class under dropout than without, from 0 to 1.

    head: (B, E[, h, w]) embeddings to (B, K[, H, W]) logits. Of maps the mean over pixels. Masks are of torch's global
    generator.
    """
    plain = head(embedding).argmax(1)
    shares = torch.zeros(len(plain), device=plain.device)
    for _ in range(passes):
        other = head(functional.dropout(embedding, dropout)).argmax(1)
        shares += (other != plain).flatten(1).float().mean(1) if plain.dim() > 1 else (other != plain).float()
    return shares / passes
