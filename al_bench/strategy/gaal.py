"""GAAL: synthesize images on the decision boundary and ask for *their* labels (Zhu and Bento 2017; ASAL Sec. 5.3)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from al_bench.artifacts import Artifacts
from al_bench.dataset import Dataset
from al_bench.errors import InputError
from al_bench.gan import Gan, Players
from al_bench.inputs import as_stored
from al_bench.latent_search import LatentSearch, of_images
from al_bench.network import Network
from al_bench.pool import Pool
from al_bench.query import Query
from al_bench.scores import boundary_distance
from al_bench.strategy import Strategy


class Gaal(Strategy):
    """Minimises the distance to the decision boundary over the latents of a generator.

    steps, optimizer, z_batch: of the latent search.
    """

    needs_images = True
    synthesizes = True
    order_invariant = False  # the GAN is trained on batches that are drawn by position

    players: Players

    def __init__(self, gan: Gan | None, steps: int, optimizer: Callable[..., Optimizer], z_batch: int | None) -> None:
        if gan is None:
            raise InputError("GAAL asks for labels of synthetic images and gan=none: choose another gan")
        self.gan, self.search = gan, LatentSearch(steps, optimizer, z_batch)

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains the GAN, or takes the stored one."""
        self.players = self.gan.trained(dataset, artifacts)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> Query:
        """Synthetic images as the pool stores its own; scores are their distances to the boundary."""
        found = self.search(self.players, model, _closeness, size, rng)
        synthetic = as_stored(found.images, pool.inputs.dtype)
        distances = of_images(model, synthetic, boundary_distance)
        return Query(synthetic=synthetic.unsqueeze(1), scores=distances, trace=found.trace(model))


def _closeness(logits: Tensor) -> Tensor:
    """(B, K[, H, W]) logits to (B,), at most 0: 0 on the boundary."""
    return -boundary_distance(logits)
