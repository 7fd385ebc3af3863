"""Plain convolutional generator and critic: what the authors of spectral normalization compare GANs on (Miyato et al.
2018, in pfnet-research/chainer-gan-lib common/net.py), one architecture for all of ALCG's bases
(docs/papers/alcg.md, Bases).

Each level halves the image exactly, while it is even and no map becomes smaller than 4 x 4: 32 -> 16 -> 8 -> 4, and
28 -> 14 -> 7. Both speak float images in [0, 1] and work in [-1, 1].
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from al_bench.active.part import declare
from al_bench.config.ranges import ModerateOrZero, Width, Widths
from al_bench.errors import UserError
from al_bench.network.critic import Critic, normalize_spectrally
from al_bench.network.initialization import Initialization, initialize
from al_bench.network.memory_format import channels_last
from al_bench.network.resampling import Size, spatial

Norm = Literal["none", "batch", "spectral"]

_SMALLEST = 4  # height and width of the smallest map of 32 x 32 images


@declare("network/plain_generator")
class PlainGenerator(nn.Module):
    """Latents (B, Z) to float images (B, C, H, W): a linear layer, transposed convolutions of 4 x 4 that double, and a
    convolution of 3 x 3; batch norm and ReLU before each but the first.

    channels: of the maps from the smallest to the largest at 32 x 32; smaller images do without the first ones.
    """

    def __init__(
        self,
        latent_size: Width,
        image_shape: Sequence[int],
        channels: Widths,
        initialization: Initialization,
    ) -> None:
        super().__init__()
        image_channels, size = spatial(image_shape)
        sizes = halve_exactly(size, len(channels) - 1)
        widths, smallest = list(channels[-len(sizes) :]), sizes[-1]
        self.layers = nn.Sequential(
            nn.Linear(latent_size, widths[0] * smallest[0] * smallest[1]),
            nn.Unflatten(1, (widths[0], *smallest)),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        )
        for wide, narrow in pairwise(widths):
            doubled = nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1)
            self.layers.extend([doubled, nn.BatchNorm2d(narrow), nn.ReLU()])
        self.layers.extend([nn.Conv2d(widths[-1], image_channels, 3, padding=1), nn.Tanh()])
        initialize(self, initialization)

    def forward(self, latents: Tensor) -> Tensor:
        """(B, Z) latents to (B, C, H, W) images in [0, 1]."""
        values: Tensor = self.layers(latents)
        return (values + 1) / 2


@declare("network/plain_critic")
class PlainCritic(Critic):
    """Float images (B, C, H, W) to values (B,): a convolution of 3 x 3, and for each level one of 4 x 4 that halves and
    another of 3 x 3.

    channels: of the maps from the largest to the smallest at 32 x 32; smaller images do without the last ones. slope:
    of the leaky ReLUs. norm: "batch", of every layer but the first and the last; "spectral", of every layer's weights;
    "none", which a gradient penalty asks for.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        channels: Widths,
        slope: ModerateOrZero,
        norm: Norm,
        initialization: Initialization,
    ) -> None:
        image_channels, size = spatial(image_shape)
        sizes = halve_exactly(size, len(channels) - 1)
        widths = list(channels[: len(sizes)])
        super().__init__(nn.Linear(widths[-1] * sizes[-1][0] * sizes[-1][1], 1), signed=True)
        convolutions = [nn.Conv2d(image_channels, widths[0], 3, padding=1)]
        for narrow, wide in pairwise(widths):
            convolutions.append(nn.Conv2d(narrow, wide, 4, stride=2, padding=1))
            convolutions.append(nn.Conv2d(wide, wide, 3, padding=1))
        self.layers = nn.Sequential()
        for number, convolution in enumerate(convolutions):
            self.layers.append(convolution)
            if number and norm == "batch":
                self.layers.append(nn.BatchNorm2d(convolution.out_channels))
            self.layers.append(nn.LeakyReLU(slope))
        initialize(self, initialization)
        if norm == "spectral":
            normalize_spectrally(self)

    def own_features(self, inputs: Tensor) -> Tensor:
        maps: Tensor = self.layers(channels_last(inputs))
        return maps.flatten(1)


def halve_exactly(size: Size, levels: int) -> list[Size]:
    """Height and width before and after each of at most `levels` halvings, the image's own first.

    Raises UserError for no level, and for images that cannot be halved once.
    """
    if levels < 1:
        raise UserError(f"channels of {levels + 1} maps halve no image: give those of 2 or more (gan.*.channels)")
    sizes = [size]
    while len(sizes) <= levels and all(side % 2 == 0 and side // 2 >= _SMALLEST for side in sizes[-1]):
        height, width = sizes[-1]
        sizes.append((height // 2, width // 2))
    if len(sizes) == 1:
        raise UserError(
            f"images of {size[0]} x {size[1]} pixels cannot be halved to maps of {_SMALLEST} x {_SMALLEST} or more, as "
            "these networks do: use images of an even size from 8 x 8 on, such as 32 x 32 (dataset.image_size)"
        )
    return sizes
