"""ASAL: synthesize uncertain images, ask for their nearest neighbors in the pool (ASAL Alg. 1)."""

from collections.abc import Callable, Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from al_bench.active import scores
from al_bench.active.inputs import Inputs, as_stored
from al_bench.active.metric import Recorded
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import BatchSize, ModerateOrZero, SearchSteps, UpToAll
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.feature import Feature
from al_bench.feature.pca import Pca, fit_pca
from al_bench.gan import Gan, GanNetworks
from al_bench.gan.latent_search import Found, GeneratorMode, LatentSearch, Score, of_images
from al_bench.matcher import Matcher
from al_bench.network import Network
from al_bench.network.predict import predict, stream
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.row_file import empty_rows
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import highest
from al_bench.training.cost import measure_apart


@declare("strategy/asal", revision=2)
class Asal(Strategy):
    """One pool image per synthetic image, its nearest in a feature space after a PCA fitted on the pool.

    steps, optimizer, z_batch, generator_mode, prior_weight, stacked: of the latent search. pca_size: dimensions that
    matching takes place in. score: (B, K[, H, W]) logits to (B,), ascended; ASAL's is the entropy (Eq. 1). scan_pool:
    record the highest entropies that the pool has to give, for which all of it is scanned; that is measured apart, as
    "scan".

    candidates: matches, of which those of highest score are asked for (Fig. 16), no fewer than are asked for and no
    more than are unlabeled; None: as many as are asked for. candidates_from: `generator` makes a synthetic image for
    each, `neighbors` one for each that is asked for and takes equally many neighbors of all (ASAL-generate,
    ASAL-neighbors).
    """

    needs_images = True
    order_invariant = False  # GAN and auto-encoder are trained on batches that are drawn by position

    networks: GanNetworks
    pca: Pca

    def __init__(
        self,
        gan: Gan | None,
        feature: Feature | None,
        matcher: Matcher,
        steps: SearchSteps,
        optimizer: Callable[..., Optimizer],
        z_batch: BatchSize | None,
        pca_size: UpToAll,
        score: Score,
        generator_mode: GeneratorMode = "eval",
        prior_weight: ModerateOrZero = 0.0,
        scan_pool: bool = True,
        candidates: UpToAll | None = None,
        candidates_from: Literal["generator", "neighbors"] = "generator",
        stacked: bool = False,
    ) -> None:
        if gan is None or feature is None:
            missing = "gan" if gan is None else "feature"
            raise UserError(f"ASAL matches synthetic with real images and {missing}=none: choose another {missing}")
        self.gan, self.feature, self.matcher, self.score = gan, feature, matcher, score
        self.search = LatentSearch(steps, optimizer, z_batch, generator_mode, prior_weight, stacked)
        self.pca_size, self.scan_pool = pca_size, scan_pool
        self.candidates, self.candidates_from = candidates, candidates_from

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]  # what its features ask for, which it is given
        """What the features ask of the model."""
        return self.feature.needs

    def check(self, pool: Pool, labeled: float) -> None:
        scores.refuse_no_score(self.score, pool)
        image_shape = pool.inputs.shape[1:]
        self.gan.check(image_shape)
        self.feature.size(image_shape)

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains GAN and features; where these stay, the pool's are computed once and for all (Alg. 1, Input)."""
        self.networks = self.gan.trained(dataset, artifacts)
        self.feature.prepare(dataset, artifacts)
        if not self.feature.follows_model:
            self._index(dataset.train.images, None)

    records: ClassVar[tuple[Recorded, ...]] = (
        *Found.RECORDS,
        Recorded("entropy_of_match", "H of the match", "nats"),
        Recorded("distance_to_match", "distance to the match"),
        Recorded("generated", "synthetic images"),
        Recorded("pool_best_entropy", "H of the pool's best", "nats"),
    )

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        """The matches in the order of synthesis, of falling score where there are more candidates than are asked for;
        the query's scores are those of the synthetic images."""
        if self.feature.follows_model:
            self._index(pool.inputs, model)
        synthetic, neighbors = self._shares(size, len(pool.unlabeled))
        found = self.search(self.networks, model, self.score, synthetic, rng)
        # The nearest free one of every image first, then the second of every one
        queries = self._project(found.images, model).repeat(neighbors, 1)
        taken = pool.labeled if pool.withheld is None else torch.cat([pool.labeled, pool.withheld])
        matches = self.matcher.match(queries, taken, rng)
        kept = self._choose(matches.indices.to(pool.device), size, model, pool, rng)
        indices = matches.indices[kept].to(pool.device)
        with measure_apart("record"):
            found = found.rows(kept % synthetic)
            trace = {
                **found.trace(model),
                "entropy_of_match": predict(model, pool.inputs, indices, scores.entropy),
                "distance_to_match": matches.distances[kept],
                "generated": as_stored(found.images, torch.uint8),
            }
            best = of_images(model, found.images, self.score)
        if self.scan_pool:
            with measure_apart("scan"):
                entropies = predict(model, pool.inputs, pool.unlabeled, scores.entropy)
                trace["pool_best_entropy"] = entropies.topk(size).values
        return PoolQuery(indices, matches.ranks[kept], scores=best, trace=trace)

    def _shares(self, size: int, left: int) -> tuple[int, int]:
        """How many synthetic images to make, and how many neighbors of each to take."""
        candidates = min(max(self.candidates or size, size), left)
        return (size, candidates // size) if self.candidates_from == "neighbors" else (candidates, 1)

    def _choose(self, candidates: Tensor, size: int, model: Network, pool: Pool, rng: torch.Generator) -> Tensor:
        """(Q,) rows of the (M,) candidate positions that are asked for."""
        if len(candidates) == size:
            return torch.arange(size)
        return highest(predict(model, pool.inputs, candidates, self.score), candidates, size, rng).cpu()

    def _index(self, images: Inputs, model: Network | None) -> None:
        # Two passes, so that features before the PCA never exist for the whole pool
        self.pca = fit_pca(self._features(images, model), self.pca_size)
        self.matcher.fit(self._project(images, model))

    def _project(self, images: Inputs, model: Network | None) -> Tensor:
        projected = empty_rows((len(images), len(self.pca.components)), self.pca.mean.device)
        start = 0
        for part in self._features(images, model):  # filled as they come: joined at the end they would be there twice
            projected[start : start + len(part)] = self.pca.project(part)
            start += len(part)
        return projected

    def _features(self, images: Inputs, model: Network | None) -> Iterator[Tensor]:
        return stream(lambda batch: self.feature.extract(batch, model), model or self.networks, images)
