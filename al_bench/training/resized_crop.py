"""Augmentation for few labels: every image is cut, scaled, mirrored and tinted on its own."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from al_bench.active.inputs import to_float
from al_bench.active.part import declare
from al_bench.config.ranges import Fraction
from al_bench.errors import UserError

_MOST_RATIO = 4 / 3  # of a cut's width to its height, and of its height to its width


@declare("augmentation/resized_crop")
@dataclass(frozen=True)
class ResizedCrop:
    """A random part of each image, scaled to the whole, in other light and colors, with `flip` mirrored every second
    time.

    least_area: of the part, whose share of the image is uniform from it to 1 and whose sides are as 3 : 4 to 4 : 3
    (Szegedy et al. 2015, Sec. 6, as torchvision's RandomResizedCrop). jitter: brightness, contrast and saturation are
    each multiplied by a factor from 1 - jitter to 1 + jitter. Draws from the global generator of the batch's device.
    """

    least_area: Fraction
    jitter: Fraction = 0.0
    flip: bool = True

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Stored images (B, C, H, W) to float ones in [0, 1], and labels (B,). Raises UserError for inputs that are not
        images, or whose labels are maps."""
        if images.dim() != 4 or labels.dim() != 1:
            raise UserError(
                "recipe.augmentation needs images (B, C, H, W) with a class each and got "
                f"{tuple(images.shape)} with labels {tuple(labels.shape)}: use recipe.augmentation=null"
            )
        cut = functional.grid_sample(
            to_float(images), self._grid(images), padding_mode="reflection", align_corners=False
        )
        return self._tinted(cut).clamp_(0, 1), labels

    def _grid(self, images: Tensor) -> Tensor:
        """(B, H, W, 2) places in [-1, 1] that the pixels are taken from."""
        count, device = len(images), images.device
        area = torch.empty(count, device=device).uniform_(self.least_area, 1)
        ratio = torch.empty(count, device=device).uniform_(-math.log(_MOST_RATIO), math.log(_MOST_RATIO)).exp()
        width, height = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
        moves = torch.rand(2, count, device=device) * 2 - 1
        mirrored = torch.where(torch.rand(count, device=device) < 0.5 * self.flip, -1.0, 1.0)
        theta = torch.zeros(count, 2, 3, device=device)
        theta[:, 0, 0], theta[:, 0, 2] = width * mirrored, moves[0] * (1 - width)
        theta[:, 1, 1], theta[:, 1, 2] = height, moves[1] * (1 - height)
        return functional.affine_grid(theta, list(images.shape), align_corners=False)

    def _tinted(self, images: Tensor) -> Tensor:
        if self.jitter == 0:
            return images
        factors = torch.rand(3, len(images), 1, 1, 1, device=images.device) * 2 * self.jitter + 1 - self.jitter
        images = images * factors[0]
        middle = images.mean((1, 2, 3), keepdim=True)
        images = (images - middle) * factors[1] + middle
        gray = images.mean(1, keepdim=True)
        return (images - gray) * factors[2] + gray
