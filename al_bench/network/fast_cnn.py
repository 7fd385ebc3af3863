"""A convolutional network that learns CIFAR-10 in seconds on a GPU, in the manner of the speed records."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from al_bench.active.part import declare
from al_bench.config.ranges import Moderate, Widths
from al_bench.errors import UserError, amount
from al_bench.network import Network
from al_bench.network.standardized import Deviations, Means, Standardized

_FIRST = 24  # channels: of 2 x 2 pixels of three colors there are twelve patterns, and each has its negative


@declare("network/fast_cnn")
class FastCnn(Network):
    """A 2 x 2 convolution and a block for each of `channels`: 3 x 3 convolution, pooling, 3 x 3 convolution, each with
    batch norm and GELU; the largest of each of the last maps are the features (Jordan 2024, "94% on CIFAR-10 in 3.29
    Seconds on a Single GPU", after Page 2018).

    Of the records it has early pooling, narrow maps and a logit scale; it has not their first layer, which is set to
    whiten the training images, nor their Dirac weights. input_shape: (C, H, W), for three blocks at least 9 x 9.
    logit_scale: of the last layer's outputs. mean, std: of the pixels, one number or one for each channel.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        channels: Widths,
        logit_scale: Moderate,
        mean: Means,
        std: Deviations,
    ) -> None:
        least = 2 ** len(channels) + 1
        if len(input_shape) != 3 or min(input_shape[1:]) < least:
            raise UserError(
                f"network=fast_cnn with {amount(len(channels), 'block')} needs images (C, H, W) of {least} x {least} "
                f"pixels or more and got {tuple(input_shape)}: use network=small_cnn or network=linear"
            )
        layers: list[nn.Module] = [
            Standardized(input_shape[0], mean, std),
            nn.Conv2d(input_shape[0], _FIRST, 2),
            nn.GELU(),
        ]
        for before, after in pairwise([_FIRST, *channels]):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.MaxPool2d(2), *_normalized(after)]
            layers += [nn.Conv2d(after, after, 3, padding=1, bias=False), *_normalized(after)]
        backbone = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten())
        super().__init__(backbone, nn.Identity(), ScaledLinear(channels[-1], num_classes, logit_scale))


class ScaledLinear(nn.Linear):
    """A linear layer without bias whose outputs are scaled, so that the first steps are small."""

    def __init__(self, num_features: int, num_classes: int, scale: float) -> None:
        super().__init__(num_features, num_classes, bias=False)
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features) * self.scale


def _normalized(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.GELU()]
