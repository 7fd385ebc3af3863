"""Conv-Small of Miyato et al. (VAT, 2018), which ASAL takes for SVHN and, with a strided first layer, for LSUN.

Widths are those of the appendix; norm, slope, dropout and the unpadded seventh convolution are those of
takerum/vat_tf cnn.py, whose own widths are the large network's.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from torch import nn

from al_bench.active.part import declare
from al_bench.config.ranges import Fraction, Kernel, ModerateOrZero, NotAll
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.memory_format import MapDropout


@declare("network/conv_small")
class ConvSmall(Network):
    """Three 3 x 3 convolutions of 64, three of 128, one unpadded, two of 1 x 1; features are the average of the last.

    input_shape: (C, H, W), at least 12 x 12 pixels after the first layer. first_kernel, first_stride: of the first
    layer. slope: of the leaky ReLUs. dropout: after both max poolings. norm_momentum: weight of a new batch in the
    moving statistics. norm_logits: whether logits are normalised too.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        first_kernel: Kernel,
        first_stride: Kernel,
        slope: ModerateOrZero,
        dropout: NotAll,
        norm_momentum: Fraction,
        norm_logits: bool,
    ) -> None:
        smallest = 11 * first_stride + 1  # 12 after the first layer, 3 after the poolings
        if len(input_shape) != 3 or min(input_shape[1:]) < smallest:
            raise UserError(
                f"network=conv_small with first_stride={first_stride} needs images (C, H, W) of {smallest} x {smallest}"
                f" pixels or more and got {tuple(input_shape)}: use network=small_cnn or network=linear"
            )
        convolution = partial(_convolution, slope=slope, momentum=norm_momentum)
        layers = convolution(input_shape[0], 64, first_kernel, first_stride)
        layers += [*convolution(64, 64), *convolution(64, 64), nn.MaxPool2d(2), MapDropout(dropout)]
        layers += [*convolution(64, 128), *convolution(128, 128), *convolution(128, 128)]
        layers += [nn.MaxPool2d(2), MapDropout(dropout), *convolution(128, 128, padding=0)]
        layers += [*convolution(128, 128, 1), *convolution(128, 128, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        last: list[nn.Module] = [nn.Linear(128, num_classes)]
        if norm_logits:
            last.append(nn.BatchNorm1d(num_classes, momentum=norm_momentum))
        super().__init__(nn.Sequential(*layers), nn.Identity(), nn.Sequential(*last))


def _convolution(
    before: int,
    after: int,
    kernel_size: int = 3,
    stride: int = 1,
    padding: int | None = None,
    *,
    slope: float,
    momentum: float,
) -> list[nn.Module]:
    """padding: None keeps the size."""
    same = kernel_size // 2 if padding is None else padding
    convolution = nn.Conv2d(before, after, kernel_size, stride, same, bias=False)  # batch norm has one
    return [convolution, nn.BatchNorm2d(after, momentum=momentum), nn.LeakyReLU(slope)]
