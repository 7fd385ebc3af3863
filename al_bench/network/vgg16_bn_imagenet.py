"""VGG16 with batch norm as torchvision has it, under one linear layer: MAL's second network (Sec. 5.1, Tab. 9)."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from torch import nn
from torchvision.models.vgg import VGG16_BN_Weights, cfgs, make_layers

from al_bench.active.part import declare
from al_bench.config.ranges import Side
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.center_cut import front_layers
from al_bench.network.initialization import draw_as_torchvision
from al_bench.network.pretrained import load_weights, urls_of
from al_bench.network.standardized import Deviations, Means


@declare("network/vgg16_bn_imagenet", beside=("weights_folder",), files=("weights",))
class Vgg16BnImagenet(Network):
    """Thirteen 3 x 3 convolutions, pooled to 7 x 7 positions: 25,088 features, whatever the size of the images.

    Convolutions have torchvision's names below `backbone` and are drawn as torchvision draws them. 14,723,136 weights
    of the backbone, 17,232,036 with a head of 100 classes. Of 32 x 32 pixels the last map is one position, 49 times.

    input_shape: (C, H, W), at least 32 x 32. input_size: see `CenterCut`. weights, weights_folder: see
    `load_weights`. mean, std: of the pixels, one number or one for each channel.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        mean: Means,
        std: Deviations,
        input_size: Side | None = None,
        weights: str | None = None,
        weights_folder: str | Path = "data/weights",
    ) -> None:
        front = front_layers("vgg16_bn_imagenet", input_shape, mean, std, input_size)
        if min(input_size or input_shape[1], *input_shape[1:]) < 32:
            raise UserError(
                f"network=vgg16_bn_imagenet needs images of 32 x 32 pixels or more and got {tuple(input_shape)} with "
                f"network.input_size={input_size}: use network=resnet18"
            )
        layers: nn.Sequential = make_layers(cfgs["D"], batch_norm=True)
        if input_shape[0] != 3:
            layers[0] = nn.Conv2d(input_shape[0], 64, 3, padding=1)
        pooling = {"features": layers, "avgpool": nn.AdaptiveAvgPool2d(7), "flatten": nn.Flatten()}
        backbone = nn.Sequential(OrderedDict({**front, **pooling}))
        draw_as_torchvision(backbone)
        super().__init__(backbone, nn.Identity(), nn.Linear(512 * 7 * 7, num_classes))
        load_weights(self, weights, weights_folder, urls_of(VGG16_BN_Weights))
