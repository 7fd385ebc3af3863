"""Strided convolutional encoder, a generator's layers backwards: what finds the latent of an image."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from al_bench.active.part import declare
from al_bench.config.ranges import Kernel, ModerateOrZero, Width, Widths
from al_bench.network.initialization import Initialization, initialize
from al_bench.network.resampling import down, halved, spatial


@declare("network/conv_encoder")
class ConvEncoder(nn.Module):
    """Float images (B, C, H, W) to latents (B, Z).

    channels: of the maps, from the image inwards, each of half the size. slope: of the leaky ReLUs. batch_norm: of
    every map. initialization: see `initialize`.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_size: Width,
        channels: Widths,
        kernel_size: Kernel,
        slope: ModerateOrZero,
        batch_norm: bool,
        initialization: Initialization,
    ) -> None:
        super().__init__()
        image_channels, size = spatial(image_shape)
        self.layers = nn.Sequential()
        for narrow, wide in pairwise([image_channels, *channels]):
            norm: list[nn.Module] = [nn.BatchNorm2d(wide)] if batch_norm else []
            self.layers.extend([down(narrow, wide, kernel_size), *norm, nn.LeakyReLU(slope)])
        height, width = halved(size, len(channels))[-1]
        self.head = nn.Linear(channels[-1] * height * width, latent_size)
        initialize(self, initialization)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) images in [0, 1] to (B, Z) latents."""
        latents: Tensor = self.head(self.layers(images).flatten(1))
        return latents
