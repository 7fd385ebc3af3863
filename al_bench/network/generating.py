"""Models that make images of a class: what an evaluator of generation asks of one."""

from typing import Protocol

from torch import Tensor


class Generating(Protocol):
    """A model that provides "sample".

    latent_size: Z of the prior, z ~ N(0, I). num_classes: K. drawn: (K,) int64, how many generated images of each class
    its discriminator was trained on.
    """

    latent_size: int
    num_classes: int
    drawn: Tensor

    def generate(self, latents: Tensor, classes: Tensor) -> Tensor:
        """(B, Z) latents and (B,) int64 classes, both on the model's device, to (B, C, H, W) float images in [0, 1]."""
