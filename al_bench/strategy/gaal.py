"""GAAL: synthesize images on the decision boundary and ask for *their* labels (Zhu and Bento 2017; ASAL Sec. 5.3)."""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim import Optimizer

from al_bench.active.inputs import as_stored
from al_bench.active.metric import Recorded
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import SyntheticQuery
from al_bench.active.scores import boundary_closeness, boundary_distance
from al_bench.config.ranges import BatchSize, ModerateOrZero, Repeats, SearchSteps
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.gan import Gan, GanNetworks
from al_bench.gan.latent_search import Found, GeneratorMode, LatentSearch, of_images
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts
from al_bench.strategy import Strategy
from al_bench.training.cost import measure_apart


@declare("strategy/gaal")
class Gaal(Strategy):
    """Minimises the distance to the decision boundary over the latents of a generator.

    steps, optimizer, z_batch, generator_mode, prior_weight, stacked: of the latent search. max_tries: searches per
    image, each from a fresh latent, until one ends within `tolerance` of the boundary; the nearest of them counts.
    tolerance: difference of the two largest logits; a hinge loss wants it to be 1 or more.
    """

    needs_images = True
    synthesizes = True
    order_invariant = False  # the GAN is trained on batches that are drawn by position

    networks: GanNetworks

    def __init__(
        self,
        gan: Gan | None,
        steps: SearchSteps,
        optimizer: Callable[..., Optimizer],
        z_batch: BatchSize | None,
        max_tries: Repeats,
        tolerance: ModerateOrZero,
        generator_mode: GeneratorMode = "eval",
        prior_weight: ModerateOrZero = 0.0,
        stacked: bool = False,
    ) -> None:
        if gan is None:
            raise UserError("GAAL asks for labels of synthetic images and gan=none: choose another gan")
        self.gan, self.max_tries, self.tolerance = gan, max_tries, tolerance
        self.search = LatentSearch(steps, optimizer, z_batch, generator_mode, prior_weight, stacked)

    def check(self, pool: Pool, labeled: float) -> None:
        self.gan.check(pool.inputs.shape[1:])

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains the GAN, or takes the stored one."""
        self.networks = self.gan.trained(dataset, artifacts)

    records: ClassVar[tuple[Recorded, ...]] = (*Found.RECORDS, Recorded("tries", "searches"))

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> SyntheticQuery:
        """Synthetic images as the pool stores its own; scores are their distances to the boundary."""
        found, tries = self._search(model, size, rng)
        synthetic = as_stored(found.images, pool.inputs.dtype)
        with measure_apart("record"):
            distances, trace = of_images(model, synthetic, boundary_distance), {**found.trace(model), "tries": tries}
        return SyntheticQuery(synthetic.unsqueeze(1), scores=distances, trace=trace)

    def _search(self, model: Network, size: int, rng: torch.Generator) -> tuple[Found, Tensor]:
        """The images, and the (Q,) searches that each took."""
        found = self.search(self.networks, model, boundary_closeness, size, rng)
        distances = of_images(model, found.images, boundary_distance)
        tries = torch.ones(size)
        for _ in range(self.max_tries - 1):
            missed = (distances > self.tolerance).nonzero().squeeze(1)
            if not len(missed):
                break
            again = self.search(self.networks, model, boundary_closeness, len(missed), rng)
            new = of_images(model, again.images, boundary_distance)
            nearer = new < distances[missed]
            found = found.replaced(missed[nearer], again.rows(nearer.nonzero().squeeze(1)))
            distances[missed] = torch.minimum(new, distances[missed])
            tries[missed.cpu()] += 1
        return found, tries
