"""Samples of a generator, for procedures that draw them and for a person who looks at them."""

from pathlib import Path

import torch
from torch import Tensor
from torchvision.utils import save_image

from al_bench import seeding
from al_bench.files import written_whole
from al_bench.gan import GanNetworks
from al_bench.network.predict import stream

_SEEN = 56  # pixels of a side from which on a person tells what is in an image


def draw_samples(networks: GanNetworks, count: int, seed: int) -> Tensor:
    """(count, C, H, W) float images of the prior, the same for all procedures of a seed."""
    latents = networks.draw(count, seeding.generator(seeding.seed_for(seed, 0, "samples")))
    return torch.cat(list(stream(networks.generator, networks, latents)))


def save_grid(images: Tensor, path: Path, columns: int) -> None:
    """Writes (N, C, H, W) uint8 images as one PNG, `columns` in a row; small ones a whole number of times as large."""
    times = max(1, _SEEN // min(images.shape[2:]))
    images = images.repeat_interleave(times, 2).repeat_interleave(times, 3)
    with written_whole(path) as file:
        save_image(images.cpu().float() / 255, file, format="png", nrow=columns)
