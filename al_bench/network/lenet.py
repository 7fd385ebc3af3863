"""LeNet as ASAL draws it (Tab. 5, Classifier): two padded convolutions and two linear layers."""

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from al_bench.active.part import declare
from al_bench.errors import UserError
from al_bench.network import Network


@declare("network/lenet")
class LeNet(Network):
    """Embeddings of 1,024 numbers; 28 x 28 images have 3,136 features. input_shape: (C, H, W), at least 4 x 4."""

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})

    def __init__(self, input_shape: Sequence[int], num_classes: int) -> None:
        if len(input_shape) != 3 or min(input_shape[1:]) < 4:
            raise UserError(
                f"network=lenet needs images (C, H, W) of 4 x 4 pixels or more and got {tuple(input_shape)}: "
                "use network=linear"
            )
        channels, height, width = input_shape
        backbone = nn.Sequential(
            nn.Conv2d(channels, 32, 5, padding=2),  # "same", the only padding that gives the table's 3136
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        neck = nn.Sequential(nn.Linear(64 * (height // 4) * (width // 4), 1024), nn.ReLU(), nn.Dropout(0.5))
        super().__init__(backbone, neck, nn.Linear(1024, num_classes))
