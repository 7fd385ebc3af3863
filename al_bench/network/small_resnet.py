"""A small residual network for pictures of any size and few labels, trained in minutes on a CPU: ours."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from torch import nn
from torchvision.models.resnet import BasicBlock

from al_bench.active.part import declare
from al_bench.config.ranges import Side, Widths
from al_bench.network import Network
from al_bench.network.center_cut import front_layers
from al_bench.network.standardized import Deviations, Means


@declare("network/small_resnet")
class SmallResNet(Network):
    """A residual block of two 3 x 3 convolutions for each of `channels`, behind a stem; their last map, averaged over
    its positions, is the features.

    input_shape: (C, H, W). first_side: of the first block's maps at most, in pixels: the stem is a 5 x 5 convolution,
    of stride 2 for larger images, and as many poolings that halve their sides as it takes, so that pictures of any size
    cost about the same. Every later block halves them, its shortcut by their mean (He et al. 2019, ResNet-D). mean,
    std: of the pixels, one number or one for each channel.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        channels: Widths,
        first_side: Side,
        mean: Means,
        std: Deviations,
    ) -> None:
        front = front_layers("small_resnet", input_shape, mean, std, None)
        side = max(input_shape[1:])
        stride = 2 if side > first_side else 1
        layers: list[nn.Module] = [
            *front.values(),
            nn.Conv2d(input_shape[0], channels[0], 5, stride, padding=2, bias=False),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
        ]
        side = -(-side // stride)
        while side > first_side:
            layers.append(nn.MaxPool2d(3, stride=2, padding=1))
            side = -(-side // 2)
        layers.append(BasicBlock(channels[0], channels[0]))
        layers += [_halving(before, after) for before, after in pairwise(channels)]
        backbone = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        super().__init__(backbone, nn.Identity(), nn.Linear(channels[-1], num_classes))


def _halving(before: int, after: int) -> BasicBlock:
    mean = nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False)
    shortcut = nn.Sequential(mean, nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
    return BasicBlock(before, after, 2, shortcut)
