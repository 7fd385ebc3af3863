"""Strided convolutional auto-encoder: ASAL Table 4, read as facts 1.3 does (sizes 28 -> 14 -> 7 -> 4 and back)."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from al_bench.errors import InputError
from al_bench.network import AutoencoderNetwork
from al_bench.network.initialization import Initialization, initialize
from al_bench.network.resampling import down, halved, spatial, up


class ConvAutoencoder(AutoencoderNetwork):
    """Canonical images to codes and back.

    channels: of the encoder's maps, from the image inwards, (3, 6, 12) in Table 4. decoder_channels: of the decoder's
    maps before the image, one fewer, (6, 3) in Table 4. slope: of the encoder's leaky ReLUs; the decoder has ReLUs
    and a sigmoid at its end. initialization: see `initialize`.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        channels: Sequence[int],
        decoder_channels: Sequence[int],
        kernel_size: int,
        slope: float,
        initialization: Initialization,
    ) -> None:
        super().__init__()
        if len(decoder_channels) != len(channels) - 1:
            raise InputError(
                f"decoder_channels={list(decoder_channels)} has to be one shorter than channels={list(channels)}: "
                "the image is the decoder's last map"
            )
        image_channels, size = spatial(image_shape)
        sizes = halved(size, len(channels))[::-1]
        self.encoder, self.decoder = nn.Sequential(), nn.Sequential()
        for narrow, wide in pairwise([image_channels, *channels]):
            self.encoder.extend([down(narrow, wide, kernel_size), nn.LeakyReLU(slope)])
        widths = [channels[-1], *decoder_channels, image_channels]
        for (wide, narrow), (small, large) in zip(pairwise(widths), pairwise(sizes), strict=True):
            self.decoder.extend([up(wide, narrow, kernel_size, small, large), nn.ReLU()])
        self.decoder[-1] = nn.Sigmoid()
        initialize(self, initialization)

    def encode(self, images: Tensor) -> Tensor:
        """(B, C, H, W) images in [0, 1] to codes (B, D)."""
        code: Tensor = self.encoder(images)
        return code.flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) images in [0, 1] to their reconstructions, of the same shape and range."""
        reconstructed: Tensor = self.decoder(self.encoder(images))
        return reconstructed
