"""The stages of a query by ASAL (Alg. 1) one by one, so that each can be timed on a pool of any size."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from al_bench.active import scores
from al_bench.active.inputs import Inputs
from al_bench.feature import Feature
from al_bench.feature.pca import Pca, fit_pca
from al_bench.gan import GanNetworks
from al_bench.gan.latent_search import LatentSearch
from al_bench.matcher import Matcher
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.procedure.timing.growth import GrownFeatures
from al_bench.procedure.timing.timetable import time_calls
from al_bench.training.cost import measure_cost


@dataclass(frozen=True)
class Stages:
    """networks, feature: trained; feature follows no model. model: whose entropy is ascended, trained or not: that
    takes as long. repeats: the median of so many counts."""

    networks: GanNetworks
    feature: Feature
    matcher: Matcher
    search: LatentSearch
    model: Network
    pca_size: int
    repeats: int

    def pca(self, images: Inputs) -> tuple[float, Pca]:
        """Seconds of fitting the PCA on (N, C, H, W) images, extracting their features included; and the PCA."""
        return time_calls(lambda: fit_pca(self._features(images), self.pca_size), 1)

    def synthesize(self, size: int, pca: Pca, rng: torch.Generator) -> tuple[float, Tensor]:
        """Seconds of making `size` images, and their (size, P) features."""

        def queries() -> Tensor:
            found = self.search(self.networks, self.model, scores.entropy, size, rng)
            return torch.cat([pca.project(part) for part in self._features(found.images)])

        return time_calls(queries, self.repeats)

    def index(
        self, grown: GrownFeatures, copies: int, queries: dict[int, Tensor], labeled: int, rng: torch.Generator
    ) -> dict[str, float]:
        """Seconds of each step with the features of `copies` copies: of preparation, and of matching each of `queries`,
        by their number as text, beside `labeled` images that are taken. rng: decides ties."""
        features = grown.grow_to(copies)
        with measure_cost() as for_index:
            self.matcher.fit(features)
        taken = torch.arange(min(labeled, len(features) - max(queries)))
        matching = {
            str(size): time_calls(partial(self.matcher.match, rows, taken, rng), self.repeats)[0]
            for size, rows in queries.items()
        }
        return {"features": sum(grown.seconds[:copies]), "index": for_index.seconds, **matching}

    def _features(self, images: Inputs) -> Iterator[Tensor]:
        return stream(lambda batch: self.feature.extract(batch, None), self.networks, images)
