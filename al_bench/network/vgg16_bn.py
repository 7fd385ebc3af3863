"""VGG16 with batch norm in its layout for CIFAR, WAAL's network for SVHN, CIFAR-10 and STL10 (App. G.2)."""

from collections.abc import Sequence
from typing import ClassVar

from torch import nn
from torchvision.models.vgg import cfgs, make_layers

from al_bench.active.part import declare
from al_bench.config.ranges import NotAll, Width
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.standardized import Deviations, Means, Standardized


@declare("network/vgg16_bn")
class Vgg16Bn(Network):
    """Thirteen 3 x 3 convolutions and five max poolings; the last map, flattened, is the features.

    32 x 32 images have 512 features, 96 x 96 images 4,608; the classifier is F-hidden-ReLU-dropout-K. Weights are drawn
    as torch draws them, which is what WAAL's code does (model.py), and not as torchvision's VGG.

    input_shape: (C, H, W), at least 32 x 32. mean, std: of the pixels, one number or one for each channel.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        hidden: Width,
        dropout: NotAll,
        mean: Means,
        std: Deviations,
    ) -> None:
        if len(input_shape) != 3 or min(input_shape[1:]) < 32:
            raise UserError(
                f"network=vgg16_bn needs images (C, H, W) of 32 x 32 pixels or more and got {tuple(input_shape)}: "
                "use network=small_cnn or network=linear"
            )
        num_channels, height, width = input_shape
        layers: nn.Sequential = make_layers(cfgs["D"], batch_norm=True)
        if num_channels != 3:
            layers[0] = nn.Conv2d(num_channels, 64, 3, padding=1)
        backbone = nn.Sequential(Standardized(num_channels, mean, std), *layers, nn.Flatten())
        num_features = 512 * (height // 32) * (width // 32)
        neck = nn.Sequential(nn.Linear(num_features, hidden), nn.ReLU(), nn.Dropout(dropout))
        super().__init__(backbone, neck, nn.Linear(hidden, num_classes))
