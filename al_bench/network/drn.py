"""Dilated residual networks for segmentation (Yu et al. 2017): MAL's F and M on label maps (MAL Sec. 3.2).

Layers and their names are those of fyu/drn (drn.py), so that its published weights fit.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from al_bench.active.part import declare
from al_bench.config.ranges import Width
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.memory_format import StridedPointwise
from al_bench.network.pretrained import load_weights
from al_bench.network.standardized import Deviations, Means, Standardized
from al_bench.network.upsampling import BilinearUpsampling

STRIDE = 8  # of the features: three layers of stride 2, then dilation in their place
WEIGHTS = {  # of ImageNet's classes, as fyu/drn (drn.py) names them; what follows the dash begins the file's SHA-256
    "d_22": {"IMAGENET1K_V1": "http://dl.yf.io/drn/drn_d_22-4bd2f8ea.pth"},
    "d_38": {"IMAGENET1K_V1": "http://dl.yf.io/drn/drn_d_38-eebb45f0.pth"},
    "c_26": {"IMAGENET1K_V1": "http://dl.yf.io/drn/drn_c_26-ddedf421.pth"},
}
_WIDTHS = (1, 2, 4, 8, 16, 32, 32, 32)  # channels of the eight levels, in those of the first
_DEPTHS = {"d_22": (1, 1, 2, 2, 2, 2, 1, 1), "d_38": (1, 1, 3, 4, 6, 3, 1, 1), "c_26": (1, 1, 2, 2, 2, 2, 1, 1)}


class Block(nn.Module):
    """Two 3 x 3 convolutions of one dilation each, (B, before, H, W) to (B, after, ceil(H / stride), ceil(W / stride));
    residual: beside a shortcut, by a 1 x 1 convolution where the shape changes."""

    def __init__(
        self, before: int, after: int, stride: int = 1, dilations: tuple[int, int] = (1, 1), residual: bool = True
    ) -> None:
        super().__init__()
        self.conv1 = _convolution(before, after, stride, dilations[0])
        self.bn1 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _convolution(after, after, 1, dilations[1])
        self.bn2 = nn.BatchNorm2d(after)
        self.residual = residual
        self.downsample: nn.Sequential | None = None
        if stride != 1 or before != after:
            shortcut = StridedPointwise(before, after, stride)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(after))

    def forward(self, maps: Tensor) -> Tensor:
        found = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(maps)))))
        if self.residual:
            found = found + (maps if self.downsample is None else self.downsample(maps))
        rectified: Tensor = self.relu(found)
        return rectified


class Levels(nn.Module):
    """The eight levels, after a first 7 x 7 convolution; (B, C, H, W) to (B, 32 width, ceil(H / 8), ceil(W / 8)).

    kind: see `Drn`; before: what comes first. Kind d has plain convolutions where kind c has blocks: in levels 1, 2, 7
    and 8, which remove the artifacts of dilation.
    """

    def __init__(self, before: nn.Module, num_channels: int, kind: str, width: int) -> None:
        super().__init__()
        self.before = before
        plain = kind.startswith("d")
        sizes, depths = [width * factor for factor in _WIDTHS], _DEPTHS[kind]
        first = nn.Conv2d(num_channels, sizes[0], 7, padding=3, bias=False)
        if plain:
            self.layer0 = nn.Sequential(first, nn.BatchNorm2d(sizes[0]), nn.ReLU(inplace=True))
        else:
            self.conv1, self.bn1, self.relu = first, nn.BatchNorm2d(sizes[0]), nn.ReLU(inplace=True)
        levels = [
            _stage(plain, sizes[0], sizes[0], depths[0]),
            _stage(plain, sizes[0], sizes[1], depths[1], stride=2),
            _stage(False, sizes[1], sizes[2], depths[2], stride=2),
            _stage(False, sizes[2], sizes[3], depths[3], stride=2),
            _stage(False, sizes[3], sizes[4], depths[4], dilation=2),
            _stage(False, sizes[4], sizes[5], depths[5], dilation=4),
            _stage(plain, sizes[5], sizes[6], depths[6], dilation=2, residual=False),
            _stage(plain, sizes[6], sizes[7], depths[7], residual=False),
        ]
        for number, level in enumerate(levels, start=1):
            self.add_module(f"layer{number}", level)

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for part in self.children():
            maps = part(maps)
        return maps


@declare("network/drn", beside=("weights_folder",), files=("weights",))
class Drn(Network):
    """A dilated residual network, (B, C, H, W) to (B, K, H, W) logits; its features, 32 width channels at an eighth of
    the size, go through one 1 x 1 convolution with bias and are upsampled by 8.

    kind: "d_22", "d_38" or "c_26". width: channels of the first level, 16 as published. mean, std: of the pixels, one
    number or one for each channel. weights, weights_folder: see `load_weights`. input_shape: (C, H, W) of any size.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding"})
    of_maps: ClassVar[bool] = True

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        kind: Literal["d_22", "d_38", "c_26"],
        width: Width,
        mean: Means,
        std: Deviations,
        weights: str | None = None,
        weights_folder: str | Path = "data/weights",
    ) -> None:
        if len(input_shape) != 3:
            raise UserError(f"network=drn needs images (C, H, W) and got {tuple(input_shape)}: use representation=none")
        levels = Levels(Standardized(input_shape[0], mean, std), input_shape[0], kind, width)
        head = nn.Conv2d(width * _WIDTHS[-1], num_classes, 1)
        _initialize(levels, head)
        upsampling = BilinearUpsampling(STRIDE, (input_shape[1], input_shape[2]))
        super().__init__(levels, nn.Identity(), nn.Sequential(head, upsampling))
        load_weights(self, weights, weights_folder, WEIGHTS[kind])


def _convolution(before: int, after: int, stride: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, padding=dilation, dilation=dilation, bias=False)


def _stage(
    plain: bool, before: int, after: int, depth: int, stride: int = 1, dilation: int = 1, residual: bool = True
) -> nn.Sequential:
    """`depth` convolutions or blocks of one level, the first of which has its stride."""
    layers: list[nn.Module] = []
    for number in range(depth):
        size, step = (before, stride) if number == 0 else (after, 1)
        if plain:
            layers += [_convolution(size, after, step, dilation), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        else:
            layers.append(Block(size, after, step, (dilation, dilation), residual))
    return nn.Sequential(*layers)


def _initialize(levels: nn.Module, head: nn.Conv2d) -> None:
    """Normal, of variance 2 over a filter's outputs, as published."""
    with torch.no_grad():
        for layer in (*levels.modules(), head):
            if isinstance(layer, nn.Conv2d):
                layer.weight.normal_(0, (2 / (layer.kernel_size[0] ** 2 * layer.out_channels)) ** 0.5)
        assert head.bias is not None
        head.bias.zero_()
