"""Strided convolutional generator and critic: ASAL Tables 5, 7 and 10, after DCGAN and WGAN-GP.

One level per entry of `channels`, whatever the image's size. Both speak float images in [0, 1]; the range that a
network works in is its own (docs/papers/asal.md, Value ranges).
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from al_bench.active.part import declare
from al_bench.config.ranges import Kernel, ModerateOrZero, NotAll, Width, Widths
from al_bench.network.critic import Critic, normalize_spectrally
from al_bench.network.initialization import Initialization, initialize
from al_bench.network.resampling import down, halved, spatial, up


@declare("network/conv_generator")
class ConvGenerator(nn.Module):
    """Latents (B, Z) to float images (B, C, H, W).

    channels: of the maps from the smallest to the one before the image; Table 5 has (256, 128, 64). activation: makes
    the one between layers. output: `tanh` works in [-1, 1] and is mapped to [0, 1] here. initialization: see
    `initialize`. first_norm: whether each unit of the first map has its own batch statistics, as in IG's gan_cifar.py,
    or each channel, as in its gan_64x64.py.
    """

    def __init__(
        self,
        latent_size: Width,
        image_shape: Sequence[int],
        channels: Widths,
        kernel_size: Kernel,
        activation: Callable[[], nn.Module],
        batch_norm: bool,
        output: Literal["sigmoid", "tanh"],
        initialization: Initialization,
        first_norm: Literal["unit", "channel"] = "unit",
    ) -> None:
        super().__init__()
        image_channels, size = spatial(image_shape)
        sizes = halved(size, len(channels))[::-1]
        first = (channels[0], *sizes[0])
        units = math.prod(first)
        layers: list[nn.Module] = [nn.Linear(latent_size, units), activation(), nn.Unflatten(1, first)]
        if batch_norm and first_norm == "unit":
            layers.insert(1, nn.BatchNorm1d(units))
        elif batch_norm:
            layers = [layers[0], layers[2], nn.BatchNorm2d(channels[0]), layers[1]]
        for (wide, narrow), (small, large) in zip(pairwise(channels), pairwise(sizes), strict=False):
            norm: list[nn.Module] = [nn.BatchNorm2d(narrow)] if batch_norm else []
            layers += [up(wide, narrow, kernel_size, small, large), *norm, activation()]
        layers.append(up(channels[-1], image_channels, kernel_size, *sizes[-2:]))
        self.layers, self.output = nn.Sequential(*layers), output
        initialize(self, initialization)

    def forward(self, latents: Tensor) -> Tensor:
        """(B, Z) latents to (B, C, H, W) images in [0, 1]."""
        values: Tensor = self.layers(latents)
        return values.sigmoid() if self.output == "sigmoid" else (values.tanh() + 1) / 2


@declare("network/conv_critic")
class ConvCritic(Critic):
    """Float images (B, C, H, W) to values (B,): a critic, or the logits of a discriminator.

    channels: of the maps, from the image inwards; Table 5 has (64, 128, 256). slope: of the leaky ReLUs. norm: of all
    levels but the first; `layer` has no part that couples the images of a batch, which a gradient penalty needs.
    `spectral`: of the weights of every layer, the head's too.
    input_range: what the layers work in, `signed` [-1, 1] or `to_float` [0, 1]. initialization: see `initialize`.
    dropout: after every activation, which a consistency term needs.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        channels: Widths,
        kernel_size: Kernel,
        slope: ModerateOrZero,
        norm: Literal["none", "batch", "layer", "spectral"],
        input_range: Literal["canonical", "signed"],
        initialization: Initialization,
        dropout: NotAll = 0.0,
    ) -> None:
        image_channels, size = spatial(image_shape)
        height, width = halved(size, len(channels))[-1]
        super().__init__(nn.Linear(channels[-1] * height * width, 1), signed=input_range == "signed")
        self.layers = nn.Sequential()
        for level, (narrow, wide) in enumerate(pairwise([image_channels, *channels])):
            self.layers.append(down(narrow, wide, kernel_size))
            if level and norm == "batch":
                self.layers.append(nn.BatchNorm2d(wide))
            elif level and norm == "layer":
                self.layers.append(nn.GroupNorm(1, wide))
            self.layers.append(nn.LeakyReLU(slope))
            if dropout:
                self.layers.append(nn.Dropout(dropout))
        initialize(self, initialization)
        if norm == "spectral":
            normalize_spectrally(self)

    def own_features(self, inputs: Tensor) -> Tensor:
        maps: Tensor = self.layers(inputs)
        return maps.flatten(1)
