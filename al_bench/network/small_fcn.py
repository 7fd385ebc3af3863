"""A small fully convolutional network that labels every pixel: ours."""

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from al_bench.active.part import declare
from al_bench.config.ranges import NotAll, Width
from al_bench.errors import UserError
from al_bench.network import Network


@declare("network/small_fcn")
class SmallFcn(Network):
    """Four 3 x 3 convolutions of `width` channels at half the resolution, which see 23 pixels; one at the full one.

    input_shape: (C, H, W), of any size.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})
    of_maps: ClassVar[bool] = True

    def __init__(self, input_shape: Sequence[int], num_classes: int, width: Width, dropout: NotAll) -> None:
        if len(input_shape) != 3:
            raise UserError(
                f"network=small_fcn needs images (C, H, W) and got {tuple(input_shape)}: use representation=none"
            )
        layers = _convolution(input_shape[0], width, stride=2)
        for dilation in (1, 2, 2):
            layers += _convolution(width, width, dilation=dilation)
        size = (input_shape[1], input_shape[2])
        full = [nn.Upsample(size, mode="bilinear"), *_convolution(width, width), nn.Dropout2d(dropout)]
        super().__init__(nn.Sequential(*layers), nn.Sequential(*full), nn.Conv2d(width, num_classes, 1))


def _convolution(before: int, after: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU()]
