"""The classifier of ASAL's CelebA experiments (Tab. 10): three convolutions and two linear layers."""

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from al_bench.active.part import declare
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.last_layer import last_layer


@declare("network/celeba_cnn", revision=2)
class CelebaCnn(Network):
    """Embeddings of 1,024 numbers, 64 x 64 images have 4,096 features; one output for two classes, as in Table 10.

    input_shape: (C, H, W), at least 8 x 8.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})

    def __init__(self, input_shape: Sequence[int], num_classes: int) -> None:
        if len(input_shape) != 3 or min(input_shape[1:]) < 8:
            raise UserError(
                f"network=celeba_cnn needs images (C, H, W) of 8 x 8 pixels or more and got {tuple(input_shape)}: "
                "use network=linear"
            )
        channels, height, width = input_shape
        backbone = nn.Sequential(
            *_convolution(channels, 16),
            *_convolution(16, 32),
            *_convolution(32, 64),
            nn.Flatten(),
        )
        neck = nn.Sequential(nn.Linear(64 * (height // 8) * (width // 8), 1024), nn.ReLU(), nn.Dropout(0.5))
        super().__init__(backbone, neck, last_layer(1024, num_classes))


def _convolution(before: int, after: int) -> list[nn.Module]:
    padded = nn.Conv2d(before, after, 3, padding=1)  # "same", the only padding that gives the table's 4096
    return [padded, nn.ReLU(), nn.MaxPool2d(2)]
