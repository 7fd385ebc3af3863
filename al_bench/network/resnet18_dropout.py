"""ResNet18 with the dropout that MAL adds for BALD (Sec. 4.1)."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from torch import nn
from torchvision.models.resnet import ResNet18_Weights

from al_bench.active.part import declare
from al_bench.config.ranges import NotAll, Side, Width
from al_bench.network import Network
from al_bench.network.center_cut import front_layers
from al_bench.network.memory_format import MapDropout
from al_bench.network.pretrained import load_weights, urls_of
from al_bench.network.resnet18 import Stem, residual_layers
from al_bench.network.standardized import Deviations, Means


@declare("network/resnet18_dropout", beside=("weights_folder",), files=("weights",))
class ResNet18Dropout(Network):
    """`ResNet18` with dropout of single numbers of the last map, before it is averaged; its other arguments are that's.

    dropout: the fraction that is dropped.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        dropout: NotAll,
        stem: Stem,
        width: Width,
        mean: Means,
        std: Deviations,
        input_size: Side | None = None,
        weights: str | None = None,
        weights_folder: str | Path = "data/weights",
    ) -> None:
        front = front_layers("resnet18_dropout", input_shape, mean, std, input_size)
        backbone = residual_layers(front, input_shape[0], stem, width, MapDropout(dropout))
        super().__init__(backbone, nn.Identity(), nn.Linear(8 * width, num_classes))
        load_weights(self, weights, weights_folder, urls_of(ResNet18_Weights))
