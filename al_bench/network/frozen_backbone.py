"""A network that is trained no more, from images to the numbers that a classifier of few labels begins with."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from al_bench.config.ranges import Normalizing
from al_bench.errors import UserError
from al_bench.network import pooled
from al_bench.network.memory_format import channels_last
from al_bench.network.predict import most_rows, rows_by_pixels
from al_bench.network.standardized import Standardized


def normalized(features: Tensor, how: Normalizing, mean: Tensor, scale: Tensor) -> Tensor:
    """(B, D) features: (features - mean) scale for `standardize`, of length 1 for `l2`, as they are for `none`."""
    if how == "standardize":
        return (features - mean) * scale
    return functional.normalize(features, dim=1) if how == "l2" else features


@dataclass(frozen=True)
class Reading:
    """How a network wants its images: scaled to (H, W) pixels, with so many channels, standardized by the mean and
    deviation of each, which are None where it does so itself."""

    size: tuple[int, int]
    num_channels: int = 3
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"


class FrozenBackbone(nn.Module):
    """(B, C, H, W) float images in [0, 1] to (B, D) float32 features, the mean over positions where `body` gives maps.

    Images are scaled until they cover `reading.size`, both sides alike, and what is over is cut off evenly; gray ones
    are repeated for each channel. body: reads what `reading` says; half: in bfloat16.
    """

    def __init__(self, body: nn.Module, reading: Reading, half: bool = False) -> None:
        super().__init__()
        self.body, self.reading, self.half_precision = body, reading, half
        known = reading.mean is not None and reading.std is not None
        self.standardized = (
            Standardized(reading.num_channels, reading.mean or 0.0, reading.std or 1.0) if known else nn.Identity()
        )
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        pixels = self.standardized(self._scaled(images.expand(-1, self.reading.num_channels, -1, -1)))
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.half_precision):
            features: Tensor = pooled(self.body(channels_last(pixels)))
        return features.flatten(1).float()

    def _scaled(self, images: Tensor) -> Tensor:
        (height, width), (rows, columns) = self.reading.size, images.shape[2:]
        if (height, width) == (rows, columns):
            return images
        factor = max(height / rows, width / columns)
        inner = [max(height, round(rows * factor)), max(width, round(columns * factor))]
        scaled = functional.interpolate(images, inner, mode=self.reading.interpolation, antialias=True)
        top, left = (inner[0] - height) // 2, (inner[1] - width) // 2
        return scaled[:, :, top : top + height, left : left + width]

    def rows(self, device: torch.device) -> int:
        """How many images are computed on at once."""
        return rows_by_pixels((1, self.reading.num_channels, *self.reading.size), most_rows(device))

    def size_of(self, image_shape: Sequence[int]) -> int:
        """D of images (C, H, W). Raises UserError for images that it cannot take."""
        if len(image_shape) != 3 or image_shape[0] not in (1, self.reading.num_channels):
            raise UserError(
                f"representation=backbone has a network for {self.reading.num_channels} channels and the inputs are "
                f"{tuple(image_shape)}: use images of as many, such as dataset.mode="
                f"{'gray' if self.reading.num_channels == 1 else 'rgb'}"
            )
        try:
            with torch.no_grad():
                return int(self(torch.zeros(1, *image_shape, device=next(self.parameters()).device)).shape[1])
        except (RuntimeError, AssertionError) as error:  # theirs assert what they can take
            why = str(error).strip().splitlines()
            raise UserError(
                f"representation.image_size={self.reading.size[0]} is none that its network takes "
                f"({why[0] if why else 'it does not say why'}): use null, its own"
            ) from error

    @property
    def sum(self) -> str:
        """Sixteen hexadecimal digits of its weights, by their names: of whatever file they came."""
        state = hashlib.sha256()
        for name, value in sorted(self.body.state_dict().items()):
            state.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
            state.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return state.hexdigest()[:16]
