"""Images that a model is unsure about, by gradient ascent in a generator's latent space (ASAL Eq. 1; GAAL)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from al_bench import scores
from al_bench.gan import Players
from al_bench.network import Network
from al_bench.predict import evaluating, predict, stream
from al_bench.progress import progress

Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Found:
    """What a search began with and what it came to: latents (Q, Z) and their canonical images (Q, C, H, W)."""

    start: Tensor
    start_images: Tensor
    latents: Tensor
    images: Tensor

    def trace(self, model: Network) -> Mapping[str, Tensor]:
        """(Q,) each: predictive entropy of the image and Euclidean norm of its latent, before and after."""
        return {
            "entropy_before": of_images(model, self.start_images, scores.entropy),
            "entropy_after": of_images(model, self.images, scores.entropy),
            "norm_before": self.start.norm(dim=1),
            "norm_after": self.latents.norm(dim=1),
        }


@dataclass(frozen=True)
class LatentSearch:
    """steps: of ascent. optimizer: of ([latents]) -> optimizer. z_batch: latents that are moved at once; None: all."""

    steps: int
    optimizer: Callable[..., Optimizer]
    z_batch: int | None

    def __call__(self, players: Players, model: Network, score: Score, size: int, rng: torch.Generator) -> Found:
        """`size` images, each ascended from a draw of the prior.

        score: (B, K[, H, W]) acquisition logits to (B,), ascended. Generator and model are in eval mode meanwhile, so
        no image depends on the others of its batch, and neither they nor their gradients change. Raises
        FloatingPointError where a latent is not finite.
        """
        start = players.draw(size, rng)
        parts = torch.split(start, self.z_batch or max(size, 1))
        with evaluating(players), evaluating(model), progress("latent search", self.steps * len(parts)) as bar:
            latents = torch.cat([self._ascended(part, players, model, score, bar.advance) for part in parts])
        if not latents.isfinite().all():
            raise FloatingPointError(f"a latent is not finite after {self.steps} steps of the latent search")
        return Found(start, generated(players, start), latents, generated(players, latents))

    def _ascended(
        self, start: Tensor, players: Players, model: Network, score: Score, advance: Callable[[], None]
    ) -> Tensor:
        latents = start.clone().requires_grad_(True)
        optimizer = self.optimizer([latents])
        for _ in range(self.steps):
            with torch.enable_grad():
                total = score(model.acquisition_logits(players.generator(latents))).sum()
                (gradient,) = torch.autograd.grad(total, latents)  # parameters' own gradients stay as they are
            latents.grad = -gradient
            optimizer.step()
            advance()
        return latents.detach()


def generated(players: Players, latents: Tensor) -> Tensor:
    """(Q, C, H, W) canonical images of (Q, Z) latents."""
    return torch.cat(list(stream(players.generator, players, latents)))


def of_images(model: Network, images: Tensor, score: Score) -> Tensor:
    """(Q,) scores of images that are not the pool's."""
    return predict(model, images, torch.arange(len(images), device=images.device), score)
