"""A small convolutional classifier for small images such as the embedded digits: ours."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn

from al_bench.active.part import declare
from al_bench.config.ranges import NotAll, Width, Widths
from al_bench.errors import UserError
from al_bench.network import Network


@declare("network/small_cnn")
class SmallCnn(Network):
    """3 x 3 convolutions of `channels`, each with ReLU, a 2 x 2 max pooling, a hidden layer with dropout.

    input_shape: (C, H, W), at least 2 x 2 pixels.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        channels: Widths,
        hidden: Width,
        dropout: NotAll,
    ) -> None:
        if len(input_shape) != 3 or min(input_shape[1:]) < 2:
            raise UserError(
                f"network=small_cnn needs images (C, H, W) of 2 x 2 pixels or more and got {tuple(input_shape)}: "
                "use network=linear"
            )
        layers: list[nn.Module] = []
        for before, after in pairwise([input_shape[0], *channels]):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        backbone = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten())
        with torch.no_grad():
            size = backbone(torch.zeros(1, *input_shape)).shape[1]
        neck = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Dropout(dropout))
        super().__init__(backbone, neck, nn.Linear(hidden, num_classes))
