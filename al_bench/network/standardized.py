"""The first layer of a network that expects standardized pixels: modules exchange float ones."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from al_bench.config.ranges import Moderate, Signed
from al_bench.errors import UserError, amount

Means = Signed | Sequence[Signed]  # one number, or one for each channel
Deviations = Moderate | Sequence[Moderate]


class Standardized(nn.Module):
    """Float pixels to (pixels - mean) / std; neither is among the weights that are stored.

    Raises UserError for a list that has not one number for each channel.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, num_channels: int, mean: Means, std: Deviations) -> None:
        super().__init__()
        for name, value in (("mean", mean), ("std", std)):
            numbers = [value] if isinstance(value, int | float) else list(value)
            if len(numbers) not in (1, num_channels):
                right = "one" if num_channels == 1 else f"one, or {num_channels}"
                raise UserError(
                    f"network.{name}={numbers} has {amount(len(numbers), 'number')} for images of "
                    f"{amount(num_channels, 'channel')}: give {right}"
                )
            self.register_buffer(name, torch.tensor(numbers, dtype=torch.float32)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.std
