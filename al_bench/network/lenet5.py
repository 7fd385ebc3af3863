"""The network that WAAL calls LeNet5 (App. G.2), after PyTorch's MNIST example as its code is."""

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from al_bench.active.part import declare
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.standardized import Deviations, Means, Standardized


@declare("network/lenet5")
class LeNet5(Network):
    """28 x 28 images have 320 features; the classifier is 320-50-ReLU-dropout-K.

    input_shape: (C, H, W), at least 16 x 16. mean, std: of the pixels, one number or one for each channel.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})

    def __init__(self, input_shape: Sequence[int], num_classes: int, mean: Means, std: Deviations) -> None:
        if len(input_shape) != 3 or min(input_shape[1:]) < 16:
            raise UserError(
                f"network=lenet5 needs images (C, H, W) of 16 x 16 pixels or more and got {tuple(input_shape)}: "
                "use network=small_cnn or network=linear"
            )
        height, width = (((size - 4) // 2 - 4) // 2 for size in input_shape[1:])
        backbone = nn.Sequential(
            Standardized(input_shape[0], mean, std),
            nn.Conv2d(input_shape[0], 10, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(10, 20, 5),
            nn.Dropout2d(0.5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
        )
        neck = nn.Sequential(nn.Linear(20 * height * width, 50), nn.ReLU(), nn.Dropout(0.5))
        super().__init__(backbone, neck, nn.Linear(50, num_classes))
