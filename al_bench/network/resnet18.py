"""ResNet18 as torchvision has it, MAL's network on images: F is its backbone (Sec. 5.1, whose counts tell the stem)."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet18_Weights

from al_bench.active.part import declare
from al_bench.config.ranges import Side, Width
from al_bench.network import Network
from al_bench.network.center_cut import front_layers
from al_bench.network.initialization import draw_as_torchvision
from al_bench.network.memory_format import StridedPointwise
from al_bench.network.pretrained import load_weights, urls_of
from al_bench.network.standardized import Deviations, Means

Stem = Literal["imagenet", "cifar"]


@declare("network/resnet18", beside=("weights_folder",), files=("weights",))
class ResNet18(Network):
    """Four stages of two residual blocks; the last map, averaged over its positions, is the features (B, 8 width).

    Layers have torchvision's names below `backbone`, and first weights are drawn as torchvision draws them. 11,176,512
    weights of the backbone with the stem of ImageNet at width 64, 11,227,812 with a head of 100 classes.

    input_shape: (C, H, W) of any size. stem: `imagenet`, 7 x 7 with stride 2 and a max pooling, or `cifar`, 3 x 3
    without pooling. width: channels of the first stage, which the three others double. input_size: see `CenterCut`.
    weights, weights_folder: see `load_weights`. mean, std: of the pixels, one number or one for each channel.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        stem: Stem,
        width: Width,
        mean: Means,
        std: Deviations,
        input_size: Side | None = None,
        weights: str | None = None,
        weights_folder: str | Path = "data/weights",
    ) -> None:
        front = front_layers("resnet18", input_shape, mean, std, input_size)
        backbone = residual_layers(front, input_shape[0], stem, width)
        super().__init__(backbone, nn.Identity(), nn.Linear(8 * width, num_classes))
        load_weights(self, weights, weights_folder, urls_of(ResNet18_Weights))


def residual_layers(
    front: dict[str, nn.Module], num_channels: int, stem: Stem, width: int, before_pooling: nn.Module | None = None
) -> nn.Sequential:
    """ResNet18 without its last layer, by torchvision's names, behind `front`.

    before_pooling: works on the last map (B, 8 width, h, w).
    """
    layers = OrderedDict(front)
    if stem == "imagenet":
        layers["conv1"] = nn.Conv2d(num_channels, width, 7, stride=2, padding=3, bias=False)
    else:
        layers["conv1"] = nn.Conv2d(num_channels, width, 3, padding=1, bias=False)
    layers["bn1"], layers["relu"] = nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    if stem == "imagenet":
        layers["maxpool"] = nn.MaxPool2d(3, stride=2, padding=1)
    before = width
    for number, stride in enumerate((1, 2, 2, 2)):
        after = width * 2**number
        layers[f"layer{number + 1}"] = nn.Sequential(_block(before, after, stride), _block(after, after, 1))
        before = after
    if before_pooling is not None:
        layers["before_pooling"] = before_pooling
    layers["avgpool"], layers["flatten"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    backbone = nn.Sequential(layers)
    draw_as_torchvision(backbone)
    return backbone


def _block(before: int, after: int, stride: int) -> BasicBlock:
    if before == after and stride == 1:
        return BasicBlock(before, after)
    shortcut = nn.Sequential(StridedPointwise(before, after, stride), nn.BatchNorm2d(after))
    return BasicBlock(before, after, stride, shortcut)
