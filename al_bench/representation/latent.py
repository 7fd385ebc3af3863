"""Images replaced by their latents in a GAN: the space in which ADBA learns (Huijser and van Gemert 2017, Sec. 3).

A Wasserstein GAN has no encoder, and ASAL Sec. 5.3 does not say how it found the latents of real images. Here a network
learns them from pairs (G(z), z), then gradient steps on the reconstruction refine each image's own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench.active.inputs import Inputs, fingerprint, to_float
from al_bench.active.part import declare, describe
from al_bench.config.ranges import SearchSteps
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError, amount
from al_bench.files import written_whole
from al_bench.gan import Gan, GanNetworks
from al_bench.network.dry_run import dry_run
from al_bench.network.predict import stream
from al_bench.progress import progress
from al_bench.representation import Representation
from al_bench.representation.encoder import Encoder
from al_bench.storage.artifacts import Artifacts, Made

_BLOCK = 500  # images that are refined at once and then kept, so that a killed run goes on behind them


@declare("representation/latent")
@dataclass(frozen=True)
class Latent(Representation):
    """(N, C, H, W) images to (N, Z) latents of `gan`, each dimension of mean 0 and deviation 1 on the training split.

    encoder: gives the first latent of an image. steps, optimizer: of its refinement, by the squared error of the image
    that the generator makes of it; optimizer: of ([latents]) -> optimizer, coordinate by coordinate as Adam is, so that
    images do not depend on each other. Latents are computed once and stored.
    """

    gan: Gan | None
    encoder: Encoder
    steps: SearchSteps
    optimizer: Callable[..., Optimizer]
    gives_images: ClassVar[bool] = False
    decodes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.gan is None:
            raise UserError("representation=latent gives latents of a GAN and gan=none: choose another gan")

    def shape(self, image_shape: Sequence[int]) -> tuple[int, ...]:
        assert self.gan is not None
        self.gan.check(image_shape)
        encoder = self.encoder.untrained(image_shape, self.gan.latent_size)
        return dry_run(encoder, image_shape, "representation.encoder.network")

    def apply(self, dataset: Dataset, artifacts: Artifacts) -> Dataset:
        assert self.gan is not None
        networks = self.gan.trained(dataset.blind(), artifacts)
        encoder = self.encoder.trained(self.gan, networks, dataset.train.images, artifacts)
        latents = self._latents(dataset, encoder, networks, artifacts)
        decoder = Decoder(networks, *standards(latents["train"]))
        splits: dict[str, Any] = {
            name: Split(decoder.standardised(latents[name]), split.labels) for name, split in _splits(dataset).items()
        }
        return replace(dataset, **splits, decode=decoder)

    def _latents(
        self, dataset: Dataset, encoder: nn.Module, networks: GanNetworks, artifacts: Artifacts
    ) -> Mapping[str, Tensor]:
        """(N, Z) of each split, as the generator reads them."""
        images = {name: split.images for name, split in _splits(dataset).items()}
        others = {name: fingerprint(inputs) for name, inputs in images.items() if name != "train"}
        spec = {"latents": describe(self), "images": fingerprint(images["train"]), "others": others}

        def make(scratch: Path) -> Made:
            total = sum(len(inputs) for inputs in images.values())
            found, errors = {}, torch.zeros(self.steps + 1)
            with progress("latents", total, "images") as bar:
                for name, inputs in images.items():
                    blocks = []
                    for block in self._blocks(inputs, encoder, networks, scratch / name):
                        blocks.append(block["latents"])
                        errors += block["errors"]
                        bar.advance(len(block["latents"]))
                    found[name] = torch.cat(blocks)
            return found, {"squared_error": (errors / total).tolist()}

        stored = artifacts.get("latents", spec, make)
        return {name: latents.to(dataset.train.images.device) for name, latents in stored.items()}

    def _blocks(
        self, images: Inputs, encoder: nn.Module, networks: GanNetworks, scratch: Path
    ) -> Iterator[Mapping[str, Tensor]]:
        """Latents (_BLOCK, Z) and errors (steps + 1,), summed over the block, in order; finished ones are read."""
        for first in range(0, len(images), _BLOCK):
            path = scratch / f"{first:09d}.safetensors"
            if not path.exists():
                places = torch.arange(first, min(first + _BLOCK, len(images)), device=images.device)
                batch = to_float(images[places])
                latents, errors = self.refined(batch, torch.cat(list(stream(encoder, encoder, batch))), networks)
                with written_whole(path) as file:
                    file.write(save({"latents": latents.cpu(), "errors": errors.cpu()}))
            yield load(path.read_bytes())

    def refined(self, images: Tensor, latents: Tensor, networks: GanNetworks) -> tuple[Tensor, Tensor]:
        """Latents (B, Z) moved towards the float images (B, C, H, W); and the squared error before each step and
        at the end, summed over pixels and images, (steps + 1,). Raises FloatingPointError where one is not finite."""
        moved = latents.clone().requires_grad_(True)
        optimizer = self.optimizer([moved])
        errors = []
        for step in range(self.steps + 1):
            with torch.enable_grad():
                error = (networks.generator(moved) - images).square().sum()
                (gradient,) = torch.autograd.grad(error, moved)
            errors.append(error.detach())
            if step < self.steps:
                moved.grad = gradient
                optimizer.step()
        if not moved.isfinite().all():
            raise FloatingPointError(f"a latent is not finite after {amount(self.steps, 'step')} of its refinement")
        return moved.detach(), torch.stack(errors)


@dataclass(frozen=True)
class Decoder:
    """Standardised latents back to images: `Dataset.decode`.

    mean, deviation: (Z,) of the training split's latents.
    """

    networks: GanNetworks
    mean: Tensor
    deviation: Tensor

    def standardised(self, latents: Tensor) -> Tensor:
        """(B, Z) as the generator reads them to (B, Z) as the learner does."""
        return (latents - self.mean) / self.deviation

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, Z) standardised latents to float images (B, C, H, W)."""
        return torch.cat(list(stream(self._images, self.networks, inputs)))

    def _images(self, inputs: Tensor) -> Tensor:
        images: Tensor = self.networks.generator(inputs * self.deviation + self.mean)
        return images


def standards(latents: Tensor) -> tuple[Tensor, Tensor]:
    """(Z,) mean and deviation of (N, Z); a dimension that does not vary gets the deviation 1."""
    deviation = latents.std(0, correction=0)
    return latents.mean(0), torch.where(deviation > 0, deviation, torch.ones_like(deviation))


def _splits(dataset: Dataset) -> dict[str, Split]:
    found = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {name: split for name, split in found.items() if split is not None}
