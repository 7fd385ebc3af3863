"""MAL's D: whether normalized features are of a labeled input (MAL Sec. 3.1, Eq. 3)."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor, nn

from al_bench.network import pooled
from al_bench.network.prototypes import unit_length


class Discriminating(Protocol):
    """What "labeledness" means of a model."""

    def labeledness(self, inputs: Tensor) -> Tensor:
        """(B, ...) float inputs to (B,) logits of being labeled: the lowest is least like what is labeled."""

    def logits_and_labeledness(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Both of one pass: (B, K[, H, W]) acquisition logits and (B,) logits of being labeled."""


class LabelednessDiscriminator(nn.Module):
    """(B, F[, h, w]) features to (B,) logits of being labeled, over T; features are normalized here.

    Vectors go through F-hidden-...-1 with ReLU, which Sec. 5.1 counts (512-512-512-1: 525,825 parameters), maps through
    3 x 3 convolutions of stride 2, their mean over positions and one linear layer (Sec. 4.2: "a 3-layer CNN" and a
    small fully connected layer).

    num_features: F; hidden: units of each hidden layer; channels: of each convolution; on_maps: which of both.
    temperature: T of Eq. 3, read as logits over T: its 1 / T of a probability may exceed 1.
    """

    def __init__(
        self, num_features: int, hidden: Sequence[int], channels: Sequence[int], on_maps: bool, temperature: float
    ) -> None:
        super().__init__()
        self.temperature, self.on_maps = temperature, on_maps
        self.layers = _convolutions(num_features, channels) if on_maps else _linears(num_features, hidden)

    def forward(self, features: Tensor) -> Tensor:
        answers: Tensor = self.layers(unit_length(features if self.on_maps else pooled(features)))
        return answers.squeeze(1) / self.temperature


def _linears(size: int, hidden: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in zip([size, *hidden], hidden, strict=False):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear([size, *hidden][-1], 1))


def _convolutions(size: int, channels: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in zip([size, *channels], channels, strict=False):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear([size, *channels][-1], 1))
