"""Images that a model makes, as they are stored and as a network sees them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.inputs import as_stored
from al_bench.evaluator.extractor import Extract
from al_bench.evaluator.generation import Moments
from al_bench.network import Network
from al_bench.network.generating import Generating
from al_bench.network.predict import stream

Judged = Callable[[Tensor], Tensor]  # (B, C, H, W) uint8 to (B,) int64 classes


@dataclass(frozen=True)
class MadeImages:
    """N images. classes: (N,) int64, those that were asked for; answers: (N,) int64, those that a judge sees; features:
    (N, D), logits: (N, K'), of an extractor; moments: of the features; images: (M, C, H, W) uint8, the first of them;
    finite: whether every pixel of all N is a finite number."""

    classes: Tensor
    answers: Tensor
    features: Tensor
    logits: Tensor
    moments: Moments
    images: Tensor
    finite: bool

    @property
    def hits(self) -> Tensor:
        """(N,) bool, whether the judge sees the class that was asked for."""
        return self.answers == self.classes


def make_images(
    model: Network, count: int, num_classes: int, seed: int, kept: int, extract: Extract, judged: Judged | None
) -> MadeImages:
    """`count` images, of class 0, 1, ..., K - 1, 0, ... in turn, from latents that `seed` draws; the model is in eval
    mode meanwhile. They go by in batches and no more than `kept` of them stay.

    judged: None where the extractor's own logits answer.
    """
    generating, device = cast(Generating, model), next(model.parameters()).device
    rng = seeding.generator(seeding.seed_for(seed, 0, "latents"))
    latents = torch.randn(count, generating.latent_size, generator=rng).to(device)
    classes = torch.arange(count, device=device) % num_classes
    finite, first, moments = True, 0, None
    images, parts = list[Tensor](), list[tuple[Tensor, Tensor, Tensor]]()
    made = stream(lambda rows: generating.generate(latents[rows], classes[rows]), model, torch.arange(count))
    for batch in made:
        finite = finite and bool(batch.isfinite().all())
        stored = as_stored(batch.float().nan_to_num(), torch.uint8)  # as real images are, before anything sees them
        features, logits = extract(stored)
        moments = (moments or Moments.none(features.shape[1], device)).with_rows(features)
        images.append(stored[: max(0, kept - first)].clone())  # a view would keep its batch
        first += len(stored)
        parts.append((features, logits, logits.argmax(1) if judged is None else judged(stored)))
    assert moments is not None, "no image is asked for"
    features, logits, answers = (torch.cat(column) for column in zip(*parts, strict=True))
    return MadeImages(classes, answers, features, logits, moments, torch.cat(images), finite)
