"""Convolutional auto-encoders: ASAL Tables 4, 6 and 9, Table 4 with a crop (sizes 28 -> 14 -> 7 -> 4 and back).

One class for the three: a pair file can merge keys into the node of a network and cannot give it another class, and no
recipe can choose one, since a run without F_auto has no such node to choose in.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from al_bench.active.part import declare
from al_bench.config.ranges import Kernel, ModerateOrZero, Width, Widths
from al_bench.errors import UserError
from al_bench.network import AutoencoderNetwork
from al_bench.network.initialization import Initialization, initialize
from al_bench.network.resampling import down, halved, spatial, up


@declare("network/conv_autoencoder")
class ConvAutoencoder(AutoencoderNetwork):
    """Float images to codes and back.

    channels: of the encoder's maps, from the image inwards, (3, 6, 12) in Table 4. decoder_channels: of the decoder's
    maps before the image, one fewer, (6, 3) in Table 4. slope: of the encoder's leaky ReLUs; the decoder's ReLUs have
    none. initialization: see `initialize`. downsampling: by the stride of the convolution (Tables 4 and 9), or by a max
    pooling (Table 6). batch_norm: before no activation (Table 4), before every one, the last
    sigmoid's included (Table 6), or in all layers but the code's and the image's (Table 9). linear_code: no activation
    makes the code (Table 9). output: `tanh` works in [-1, 1], at both ends, and is mapped from and to [0, 1] here.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        channels: Widths,
        decoder_channels: Sequence[Width],
        kernel_size: Kernel,
        slope: ModerateOrZero,
        initialization: Initialization,
        downsampling: Literal["stride", "pool"] = "stride",
        batch_norm: Literal["none", "all", "inner"] = "none",
        linear_code: bool = False,
        output: Literal["sigmoid", "tanh"] = "sigmoid",
    ) -> None:
        super().__init__()
        if len(decoder_channels) != len(channels) - 1:
            raise UserError(
                f"decoder_channels={list(decoder_channels)} has to be one shorter than channels={list(channels)}: "
                "the image is the decoder's last map"
            )
        self.signed = output == "tanh"
        image_channels, size = spatial(image_shape)
        sizes = halved(size, len(channels))[::-1]
        normed = [batch_norm != "none"] * (len(channels) - 1) + [batch_norm == "all"]
        self.encoder, self.decoder = nn.Sequential(), nn.Sequential()
        for (narrow, wide), norm in zip(pairwise([image_channels, *channels]), normed, strict=True):
            self.encoder.extend([*_narrowed(narrow, wide, kernel_size, downsampling, norm), nn.LeakyReLU(slope)])
        if linear_code:
            self.encoder[-1] = nn.Identity()
        widths = [channels[-1], *decoder_channels, image_channels]
        for (wide, narrow), (small, large), norm in zip(pairwise(widths), pairwise(sizes), normed, strict=True):
            self.decoder.extend([up(wide, narrow, kernel_size, small, large), *_norms(narrow, norm), nn.ReLU()])
        self.decoder[-1] = nn.Tanh() if self.signed else nn.Sigmoid()
        initialize(self, initialization)

    def encode(self, images: Tensor) -> Tensor:
        """(B, C, H, W) images in [0, 1] to codes (B, D)."""
        return self._code(images).flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) images in [0, 1] to their reconstructions, of the same shape and range."""
        reconstructed: Tensor = self.decoder(self._code(images))
        return (reconstructed + 1) / 2 if self.signed else reconstructed

    def _code(self, images: Tensor) -> Tensor:
        code: Tensor = self.encoder(images * 2 - 1 if self.signed else images)
        return code


def _narrowed(narrow: int, wide: int, kernel_size: int, downsampling: str, norm: bool) -> list[nn.Module]:
    if downsampling == "stride":
        return [down(narrow, wide, kernel_size), *_norms(wide, norm)]
    convolution = nn.Conv2d(narrow, wide, kernel_size, padding="same")
    # Before the activation, which is monotonous: the same code of a quarter of the values
    return [convolution, *_norms(wide, norm), nn.MaxPool2d(2, ceil_mode=True)]


def _norms(channels: int, norm: bool) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels)] if norm else []
