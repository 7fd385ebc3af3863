"""Augmentation of a stored batch where it lies: each image moves on its own, by one index gather or a mirroring."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from al_bench.active.part import declare
from al_bench.config.ranges import Padding, Side
from al_bench.errors import UserError
from al_bench.training.losses import IGNORED


@declare("augmentation/flip_crop")
@dataclass(frozen=True)
class FlipCrop:
    """A random crop of the zero-padded image, and with `flip` a mirroring of every second one on average.

    padding: pixels on each side. size: side in pixels of the square that is cut out, every place in the padded image
    being as likely (MAL Sec. 4.1: 224 of 256); None: the image's own size, so that it moves by -padding to padding in
    each direction (WAAL's published code on CIFAR-10; docs/papers/waal.md, Paper and code). Draws from the global
    generator of the batch's device.
    """

    padding: Padding
    flip: bool
    size: Side | None = None

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) and labels (B,), or label maps (B, H, W) that move with their image.

        A map is IGNORED where the image is padding. Raises UserError for inputs that are not images, or too small.
        """
        _refuse_features(images)
        rows, columns = (self._windows(len(images), size, images.device) for size in images.shape[2:])
        if self.flip:
            mirrored = torch.rand(len(images), 1, device=images.device) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        if labels.dim() == 3:
            labels = self._moved(labels[:, None], rows, columns, IGNORED)[:, 0]
        return self._moved(images, rows, columns, 0), labels

    def _windows(self, count: int, size: int, device: torch.device) -> Tensor:
        """(B, size) positions in a padded row or column of `size` pixels, a window for each image."""
        wanted, padded = self.size or size, size + 2 * self.padding
        if wanted > padded:
            raise UserError(
                f"augmentation.size={wanted} is larger than images of {size} pixels, padded to {padded}: give less"
            )
        starts = torch.randint(padded - wanted + 1, (count, 1), device=device)
        return starts + torch.arange(wanted, device=device)

    def _moved(self, maps: Tensor, rows: Tensor, columns: Tensor, outside: int) -> Tensor:
        padded = functional.pad(maps, (self.padding,) * 4, value=outside)
        places = (rows[:, :, None] * padded.shape[3] + columns[:, None, :]).flatten(1)  # (B, H W) of each crop
        moved = padded.flatten(2).gather(2, places[:, None].expand(-1, maps.shape[1], -1))
        cut: Tensor = moved.unflatten(2, (rows.shape[1], columns.shape[1]))
        return cut


@declare("augmentation/flip")
@dataclass(frozen=True)
class Flip:
    """A mirroring of every second image on average, left to right (MAL Sec. 4.1), its label map with it.

    Draws from the global generator of the batch's device.
    """

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) and labels (B,) or (B, H, W). Raises UserError for inputs that are not images."""
        _refuse_features(images)
        mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
        if labels.dim() == 3:
            labels = torch.where(mirrored[:, 0], labels.flip(2), labels)
        return torch.where(mirrored, images.flip(3), images), labels


def _refuse_features(images: Tensor) -> None:
    if images.dim() != 4:
        raise UserError(
            f"recipe.augmentation needs images (B, C, H, W) and got {tuple(images.shape)}: "
            "use recipe.augmentation=null or representation=none"
        )
