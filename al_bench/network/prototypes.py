"""Classification by class prototypes: MAL's C, and the reversal of gradients inside it (MAL Sec. 3.1)."""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Reversal = Literal["inside", "before"]
Normalization = Literal["embedding", "features"]


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, inputs: Tensor) -> Tensor:
        return inputs.view_as(inputs)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].neg()


def reverse_gradient(inputs: Tensor) -> Tensor:
    """The same values; what comes before them takes the gradient with the other sign (Ganin and Lempitsky 2015)."""
    reversed_: Tensor = _Reversed.apply(inputs)
    return reversed_


def unit_length(features: Tensor) -> Tensor:
    """(B, F[, h, w]) features over their length along F, at each position of a map."""
    return functional.normalize(features, dim=1)


class UnitLength(nn.Module):
    """`unit_length` as a layer."""

    def forward(self, features: Tensor) -> Tensor:
        return unit_length(features)


class Prototypes(nn.Module):
    """Logits w_k . x / (T |x|) of K vectors w_k without bias (Eq. 1), whose own lengths stay as they are.

    temperature: T. normalizes: whether embeddings are divided by their lengths here, or were before.
    """

    def __init__(self, temperature: float, normalizes: bool, vectors: nn.Module, upsampling: nn.Module) -> None:
        super().__init__()
        self.temperature, self.normalizes = temperature, normalizes
        self.vectors, self.upsampling = vectors, upsampling

    @classmethod
    def of_vectors(cls, size: int, num_classes: int, temperature: float, normalizes: bool = True) -> "Prototypes":
        """(B, E) embeddings to (B, K) logits; size: E."""
        return cls(temperature, normalizes, nn.Linear(size, num_classes, bias=False), nn.Identity())

    @classmethod
    def of_maps(
        cls, size: int, num_classes: int, temperature: float, upsampling: nn.Module, normalizes: bool = True
    ) -> "Prototypes":
        """(B, E, h, w) embeddings to (B, K, H, W) logits: 1 x 1 filters, then `upsampling` (Sec. 3.2)."""
        return cls(temperature, normalizes, nn.Conv2d(size, num_classes, 1, bias=False), upsampling)

    def forward(self, embeddings: Tensor) -> Tensor:
        aligned = unit_length(embeddings) if self.normalizes else embeddings
        logits: Tensor = self.upsampling(self.vectors(aligned) / self.temperature)
        return logits
