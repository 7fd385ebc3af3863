"""First weights: He for convolutions, Glorot for linear layers, as the code that ASAL's GANs follow draws them."""

import math
from typing import Literal

from torch import nn
from torch.nn import init

Initialization = Literal["he_glorot", "torch"]


def initialize(module: nn.Module, rule: Initialization) -> None:
    """Draws the weights of every convolution and linear layer anew; `torch` leaves them as they are.

    he_glorot: He-uniform convolutions, Glorot-uniform linear layers, biases 0 (igul222/improved_wgan_training; facts
    1.5). The fan-in of a transposed convolution is what one output really reads, k^2 / stride^2 positions.
    """
    if rule == "torch":
        return
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            init.xavier_uniform_(layer.weight)
            init.zeros_(layer.bias)
        elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            assert layer.bias is not None
            bound = (6 / _fan_in(layer)) ** 0.5
            init.uniform_(layer.weight, -bound, bound)
            init.zeros_(layer.bias)


def _fan_in(layer: nn.Conv2d | nn.ConvTranspose2d) -> float:
    shared = math.prod(layer.stride) if isinstance(layer, nn.ConvTranspose2d) else 1
    return layer.in_channels * math.prod(layer.kernel_size) / shared
