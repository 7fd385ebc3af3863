"""ADBA: ask where along a line across the boundary the class changes (Huijser and van Gemert 2017; ASAL Sec. 5.3)."""

from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.inputs import as_stored, read_all
from al_bench.active.metric import Recorded
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import SyntheticQuery
from al_bench.active.scores import boundary_distance
from al_bench.config.ranges import LineImages
from al_bench.dataset import Dataset
from al_bench.network import Network
from al_bench.network.hyperplane import chords, distances, feet, hyperplane
from al_bench.network.predict import predict
from al_bench.storage.artifacts import Artifacts
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import highest

_SAME = 1e-3  # from a line through a latent; float32 latents of standardised dimensions are 1e-5 off


@declare("strategy/adba", revision=2)
class Adba(Strategy):
    """One line per unlabeled latent that is near the boundary: perpendicular to it, through the latent, as long as the
    sphere around the pool's mean that holds the pool. One line is one annotation of n_line_images images.

    A pool latent whose line was asked for stays unlabeled, as the annotator labels the images of the line; it is asked
    for again only when every other one was.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"hyperplane"})
    needs_decoder: ClassVar[bool] = True
    synthesizes: ClassVar[bool] = True
    order_invariant: ClassVar[bool] = False  # the GAN that decodes is trained on batches that are drawn by position

    def __init__(self, n_line_images: LineImages) -> None:
        self.n_line_images = n_line_images

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Takes what the representation decodes by."""
        assert dataset.decode is not None, "`fitting` refuses a representation without"
        self.decode = dataset.decode

    records: ClassVar[tuple[Recorded, ...]] = (Recorded("position", "image that the line begins at"),)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> SyntheticQuery:
        """Lines as latents (Q, V, D), shown as images; scores are the distances of their pool latents to the boundary.

        trace: `position` (Q,) of that latent in the training split.
        """
        normal, offset = (value.detach() for value in hyperplane(model, pool.inputs.shape[1:].numel()))
        gaps = predict(model, pool.inputs, pool.unlabeled, boundary_distance) / normal.norm()
        order = highest(-gaps - self._asked(pool) * (gaps.max() + 1), pool.unlabeled, size, rng)
        positions = pool.unlabeled[order]
        center, radius = sphere(pool)
        lines = chords(feet(pool.inputs[positions], normal, offset), normal, center, radius, self.n_line_images)
        shown = as_stored(self.decode(lines.flatten(0, 1)), torch.uint8).unflatten(0, lines.shape[:2])
        synthetic = as_stored(lines, pool.inputs.dtype)
        return SyntheticQuery(synthetic, shown, scores=gaps[order], trace={"position": positions})

    def _asked(self, pool: Pool) -> Tensor:
        """(U,) bool: which unlabeled latents lie on a line that was asked for. Read off the lines themselves, so that
        a run that is resumed knows it too."""
        lines = [line for line, _ in pool.lines() if len(line) > 1]
        if not lines:
            return torch.zeros(len(pool.unlabeled), dtype=torch.bool, device=pool.device)
        return (distances(pool.inputs[pool.unlabeled], torch.stack(lines)) < _SAME).any(1)


def sphere(pool: Pool) -> tuple[Tensor, Tensor]:
    """Mean (D,) of the pool's inputs (N, D) and the largest distance () of one from it."""
    inputs = read_all(pool.inputs)
    center = inputs.mean(0)
    return center, (inputs - center).norm(dim=1).max()
