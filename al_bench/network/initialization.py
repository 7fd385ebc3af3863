"""First weights, as the code that ASAL's GANs follow draws them (igul222/improved_wgan_training), and torchvision."""

import math
from typing import Literal

from torch import nn
from torch.nn import init

Initialization = Literal["he_glorot", "he_mean_glorot", "glorot", "uniform_002", "normal_002", "torch"]
Layer = nn.Linear | nn.Conv2d | nn.ConvTranspose2d


def initialize(module: nn.Module, rule: Initialization) -> None:
    """Draws the weights of every convolution and linear layer anew and sets their biases to 0; `torch` leaves them.

    he_glorot: He-uniform convolutions, Glorot-uniform linear layers. he_mean_glorot: the same with the mean of both
    fans in He's rule, which is what the code does; equal where a layer keeps width and size. glorot: Glorot-uniform
    everywhere. uniform_002, normal_002: of standard deviation 0.02, whatever the layer. A fan is what one value really
    reads or feeds: a stride of 2 divides the fan-in of a transposed convolution, the fan-out of another, by 4.
    """
    if rule == "torch":
        return
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if rule == "normal_002":
                init.normal_(layer.weight, std=0.02)
            else:
                bound = _bound(layer, rule)
                init.uniform_(layer.weight, -bound, bound)
            assert layer.bias is not None
            init.zeros_(layer.bias)


def _bound(layer: Layer, rule: Initialization) -> float:
    """Of a uniform distribution around 0: the square root of three times its variance."""
    if rule == "uniform_002":
        return math.sqrt(3) * 0.02
    fan_in, fan_out = _fans(layer)
    of_he = not isinstance(layer, nn.Linear) and rule != "glorot"
    if of_he and rule == "he_glorot":
        return math.sqrt(6 / fan_in)
    return math.sqrt(3) * math.sqrt((4 if of_he else 2) / (fan_in + fan_out))


def _fans(layer: Layer) -> tuple[float, float]:
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    positions, shared = math.prod(layer.kernel_size), math.prod(layer.stride)
    fans = layer.in_channels * positions, layer.out_channels * positions
    return (fans[0] / shared, fans[1]) if isinstance(layer, nn.ConvTranspose2d) else (fans[0], fans[1] / shared)


def draw_as_torchvision(backbone: nn.Module) -> None:
    """Draws convolutions as torchvision's networks do: He-normal by the fan-out, biases 0."""
    for layer in backbone.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
