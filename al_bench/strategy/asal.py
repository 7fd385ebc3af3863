"""ASAL: synthesize uncertain images, ask for their nearest neighbors in the pool (ASAL Alg. 1)."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.optim import Optimizer

from al_bench import scores
from al_bench.artifacts import Artifacts
from al_bench.dataset import Dataset
from al_bench.errors import InputError
from al_bench.feature import Feature
from al_bench.gan import Gan, Players
from al_bench.inputs import Inputs, as_stored
from al_bench.latent_search import LatentSearch, Score, of_images
from al_bench.matcher import Matcher
from al_bench.network import Network
from al_bench.pca import Pca, fit_pca
from al_bench.pool import Pool
from al_bench.predict import predict, stream
from al_bench.query import Query
from al_bench.strategy import Strategy


class Asal(Strategy):
    """One pool image per synthetic image, its nearest in a feature space after a PCA fitted on the pool.

    steps, optimizer, z_batch: of the latent search. pca_size: dimensions that matching takes place in. score:
    (B, K[, H, W]) logits to (B,), ascended; ASAL's is the entropy (Eq. 1).
    """

    needs_images = True
    order_invariant = False  # GAN and auto-encoder are trained on batches that are drawn by position

    players: Players
    pca: Pca

    def __init__(
        self,
        gan: Gan | None,
        feature: Feature | None,
        matcher: Matcher,
        steps: int,
        optimizer: Callable[..., Optimizer],
        z_batch: int | None,
        pca_size: int,
        score: Score,
    ) -> None:
        if gan is None or feature is None:
            missing = "gan" if gan is None else "feature"
            raise InputError(f"ASAL matches synthetic with real images and {missing}=none: choose another {missing}")
        self.gan, self.feature, self.matcher, self.score = gan, feature, matcher, score
        self.search = LatentSearch(steps, optimizer, z_batch)
        self.pca_size = pca_size

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains GAN and features; where these stay, the pool's are computed once and for all (Alg. 1, Input)."""
        self.players = self.gan.trained(dataset, artifacts)
        self.feature.prepare(dataset, artifacts)
        if not self.feature.follows_model:
            self._index(dataset.train.images, None)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> Query:
        """The matches in the order of synthesis; scores are those of the synthetic images."""
        if self.feature.follows_model:
            self._index(pool.inputs, model)
        found = self.search(self.players, model, self.score, size, rng)
        queries = torch.cat([self.pca.project(part) for part in self._features(found.images, model)])
        matches = self.matcher.match(queries, pool.labeled)
        indices = matches.indices.to(pool.device)
        trace = {
            **found.trace(model),
            "entropy_of_match": predict(model, pool.inputs, indices, scores.entropy),
            "distance_to_match": matches.distances,
            "generated": as_stored(found.images, torch.uint8),
        }
        return Query(indices, scores=of_images(model, found.images, self.score), ranks=matches.ranks, trace=trace)

    def _index(self, images: Inputs, model: Network | None) -> None:
        # Two passes, so that features before the PCA never exist for the whole pool
        self.pca = fit_pca(self._features(images, model), self.pca_size)
        self.matcher.fit(torch.cat([self.pca.project(part) for part in self._features(images, model)]))

    def _features(self, images: Inputs, model: Network | None) -> Iterator[Tensor]:
        return stream(lambda batch: self.feature.extract(batch, model), model or self.players, images)
