"""Augmentation of a stored batch where it lies: each image moves on its own, by one index gather."""

from dataclasses import dataclass

import torch
from pydantic import NonNegativeInt
from torch import Tensor
from torch.nn import functional

from al_bench.active.part import declare
from al_bench.errors import UserError
from al_bench.training.losses import IGNORED


@declare("augmentation/flip_crop")
@dataclass(frozen=True)
class FlipCrop:
    """A random crop of the zero-padded image, and with `flip` a mirroring of every second one on average.

    padding: pixels on each side, so an image moves by -padding to padding in each direction. Draws from the global
    generator of the batch's device. (WAAL's published code on CIFAR-10; docs/papers/waal.md, Paper and code.)
    """

    padding: NonNegativeInt
    flip: bool

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) and labels (B,), or label maps (B, H, W) that move with their image.

        A map is IGNORED where the image is padding. Raises UserError for inputs that are not images.
        """
        if images.dim() != 4:
            raise UserError(
                f"augmentation by FlipCrop needs images (B, C, H, W) and got {tuple(images.shape)}: "
                "use recipe.augmentation=null or representation=none"
            )
        rows, columns = (self._windows(len(images), size, images.device) for size in images.shape[2:])
        if self.flip:
            mirrored = torch.rand(len(images), 1, device=images.device) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        if labels.dim() == 3:
            labels = self._moved(labels[:, None], rows, columns, IGNORED)[:, 0]
        return self._moved(images, rows, columns, 0), labels

    def _windows(self, count: int, size: int, device: torch.device) -> Tensor:
        """(B, size) positions in a padded row or column, a window for each image."""
        starts = torch.randint(2 * self.padding + 1, (count, 1), device=device)
        return starts + torch.arange(size, device=device)

    def _moved(self, maps: Tensor, rows: Tensor, columns: Tensor, outside: int) -> Tensor:
        padded = functional.pad(maps, (self.padding,) * 4, value=outside)
        places = (rows[:, :, None] * padded.shape[3] + columns[:, None, :]).flatten(1)  # (B, H W) of each crop
        moved = padded.flatten(2).gather(2, places[:, None].expand(-1, maps.shape[1], -1))
        return moved.reshape(maps.shape)
