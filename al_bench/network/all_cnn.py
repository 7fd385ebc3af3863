"""All-CNN-C (Springenberg et al. 2015) as ASAL draws it (Tab. 7, Classifier): the network for CIFAR-10, ten classes."""

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from al_bench.active.part import declare
from al_bench.config.ranges import NotAll, Padding
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.initialization import Initialization, initialize
from al_bench.network.memory_format import MapDropout


@declare("network/all_cnn")
class AllCnn(Network):
    """Convolutions alone; features and embeddings are the last map's 192 channels, averaged over positions.

    Table 7 has a 1 x 1 convolution to the classes before the average. Both are linear, so the average may come first:
    the same logits of the same 1,369,738 parameters (three colors, ten classes).

    input_shape: (C, H, W), at least 12 x 12. input_dropout: of the image, which Table 7 leaves out and the original
    has. dropout: after each convolution of stride 2. last_padding: of the last 3 x 3 convolution. initialization: see
    `initialize`.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        input_dropout: NotAll,
        dropout: NotAll,
        last_padding: Padding,
        initialization: Initialization,
    ) -> None:
        if len(input_shape) != 3 or min(input_shape[1:]) < 12:
            raise UserError(
                f"network=all_cnn needs images (C, H, W) of 12 x 12 pixels or more and got {tuple(input_shape)}: "
                "use network=small_cnn or network=linear"
            )
        backbone = nn.Sequential(
            MapDropout(input_dropout),
            *_convolution(input_shape[0], 96),
            *_convolution(96, 96),
            *_convolution(96, 96, stride=2),
            MapDropout(dropout),
            *_convolution(96, 192),
            *_convolution(192, 192),
            *_convolution(192, 192, stride=2),
            MapDropout(dropout),
            *_convolution(192, 192, padding=last_padding),
            *_convolution(192, 192, kernel_size=1, padding=0),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        super().__init__(backbone, nn.Identity(), nn.Linear(192, num_classes))
        initialize(self, initialization)


def _convolution(before: int, after: int, kernel_size: int = 3, stride: int = 1, padding: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(before, after, kernel_size, stride, padding), nn.ReLU()]
