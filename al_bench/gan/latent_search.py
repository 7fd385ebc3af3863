"""Images that a model is unsure about, by gradient ascent in a generator's latent space (ASAL Eq. 1; GAAL)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor
from torch.optim import Optimizer

from al_bench.active import scores
from al_bench.active.metric import Recorded
from al_bench.active.part import declare
from al_bench.errors import UserError
from al_bench.gan import GanNetworks
from al_bench.network import Network
from al_bench.network.predict import batch_statistics, evaluating, predict
from al_bench.progress import progress
from al_bench.training.cost import measure_apart

Score = Callable[[Tensor], Tensor]
GeneratorMode = Literal["eval", "batch"]


@dataclass(frozen=True)
class Found:
    """What a search began with and what it came to: latents (Q, Z) and their float images (Q, C, H, W)."""

    start: Tensor
    start_images: Tensor
    latents: Tensor
    images: Tensor

    RECORDS: ClassVar[tuple[Recorded, ...]] = (
        Recorded("entropy_before", "H of the start", "nats"),
        Recorded("entropy_after", "H synthetic", "nats"),
        Recorded("norm_before", "|z| of the start"),
        Recorded("norm_after", "|z| found"),
    )

    def trace(self, model: Network) -> Mapping[str, Tensor]:
        """(Q,) each: predictive entropy of the image and Euclidean norm of its latent, before and after."""
        return {
            "entropy_before": of_images(model, self.start_images, scores.entropy),
            "entropy_after": of_images(model, self.images, scores.entropy),
            "norm_before": self.start.norm(dim=1),
            "norm_after": self.latents.norm(dim=1),
        }

    def rows(self, positions: Tensor) -> "Found":
        """What is at (R,) positions, in their order; one may occur more than once."""
        return Found(*(tensor[positions.to(tensor.device)] for tensor in vars(self).values()))

    def replaced(self, positions: Tensor, others: "Found") -> "Found":
        """This, with `others` in place of what is at (R,) positions."""
        order = torch.arange(len(self.latents))
        order[positions.cpu()] = len(order) + torch.arange(len(positions))
        both = zip(vars(self).values(), vars(others).values(), strict=True)
        return Found(*(torch.cat(pair) for pair in both)).rows(order)


@declare("gan/latent_search")
@dataclass(frozen=True)
class LatentSearch:
    """How latents are moved.

    steps: of ascent. optimizer: of ([latents]) -> optimizer. z_batch: latents that are moved at once; None: all.
    generator_mode: of the generator's batch norm. `eval` takes its running statistics, so that no image depends on the
    others; `batch` those of the whole z-batch, as the GANs' own code does, and latents that only fill up
    the last one are dropped. prior_weight: of -|z|^2 / 2, the prior's log-density, beside the score.
    """

    steps: NonNegativeInt
    optimizer: Callable[..., Optimizer]
    z_batch: PositiveInt | None
    generator_mode: GeneratorMode = "eval"
    prior_weight: NonNegativeFloat = 0.0

    def __post_init__(self) -> None:
        if self.generator_mode not in ("eval", "batch"):
            raise UserError(f"strategy.generator_mode={self.generator_mode} is not known: use eval or batch")
        if self.z_batch is not None and self.z_batch < self._fewest:
            raise UserError(
                f"strategy.z_batch={self.z_batch} with generator_mode={self.generator_mode}: use {self._fewest} or "
                "more, or null for all of a cycle"
            )

    @property
    def _fewest(self) -> int:
        return 2 if self.generator_mode == "batch" else 1  # one image alone has no variance

    def __call__(self, networks: GanNetworks, model: Network, score: Score, size: int, rng: torch.Generator) -> Found:
        """`size` images, each ascended from a draw of the prior.

        score: (B, K[, H, W]) acquisition logits to (B,), ascended. The model is in eval mode meanwhile, and neither it
        nor the generator, their statistics and their gradients change. Raises FloatingPointError where a latent is not
        finite.
        """
        at_once = self.z_batch or max(size, self._fewest)
        drawn = size if self.generator_mode == "eval" else -(-size // at_once) * at_once
        start = torch.split(networks.draw(drawn, rng), at_once)
        batch_norm = batch_statistics if self.generator_mode == "batch" else evaluating
        with evaluating(networks), evaluating(model), batch_norm(networks.generator):
            with progress("latent search", self.steps * len(start)) as bar:
                end = [self._ascended(part, networks, model, score, bar.advance) for part in start]
            if not all(part.isfinite().all() for part in end):
                raise FloatingPointError(f"a latent is not finite after {self.steps} steps of the latent search")
            with torch.no_grad():
                after = [networks.generator(part) for part in end]
                with measure_apart("record"):
                    before = [networks.generator(part) for part in start]
        found = Found(*(torch.cat(list(parts)) for parts in (start, before, end, after)))
        return found.rows(torch.arange(size))

    def _ascended(
        self, start: Tensor, networks: GanNetworks, model: Network, score: Score, advance: Callable[[], None]
    ) -> Tensor:
        latents = start.clone().requires_grad_(True)
        optimizer = self.optimizer([latents])
        for _ in range(self.steps):
            with torch.enable_grad():
                of_model = score(model.acquisition_logits(networks.generator(latents))).sum()
                total = of_model - self.prior_weight / 2 * latents.square().sum()
                (gradient,) = torch.autograd.grad(total, latents)  # parameters' own gradients stay as they are
            latents.grad = -gradient
            optimizer.step()
            advance()
        return latents.detach()


def of_images(model: Network, images: Tensor, score: Score) -> Tensor:
    """(Q,) scores of images that are not the pool's."""
    return predict(model, images, torch.arange(len(images), device=images.device), score)
