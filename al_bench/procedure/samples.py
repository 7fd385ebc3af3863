"""Samples of a trained GAN, for procedures that look at them."""

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.gan import GanNetworks
from al_bench.network.predict import stream


def draw_samples(networks: GanNetworks, count: int, seed: int) -> Tensor:
    """(count, C, H, W) float images of the prior, the same for all procedures of a seed."""
    latents = networks.draw(count, seeding.generator(seeding.seed_for(seed, 0, "samples")))
    return torch.cat(list(stream(networks.generator, networks, latents)))
