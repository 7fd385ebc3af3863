"""Images with a part of another image, and of its label: what keeps a network from learning few images by heart."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.config.ranges import Fraction
from al_bench.errors import UserError


@declare("mixing/cut_mix")
@dataclass(frozen=True)
class CutMix:
    """A rectangle of each image in a batch is taken from another one of it (Yun et al. 2019).

    probability: of a batch, whose images all have the same rectangle, its share of the area uniform from 0 to 1 and its
    place any inside the image. Draws from the global generator of the processor.
    """

    probability: Fraction

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor, float]:
        """Float images (B, C, H, W) to mixed ones; to the positions (B,) in the batch of what is in their rectangles;
        and to the share of the area that is their own. Raises UserError for inputs that are not images."""
        refuse_no_images(*images.shape)
        partners = torch.arange(len(images), device=images.device)
        if torch.rand(()) >= self.probability:
            return images, partners, 1.0
        partners = torch.randperm(len(images)).to(images.device)
        part = math.sqrt(float(torch.rand(())))  # of a side
        (top, height), (left, width) = (_span(side, part) for side in images.shape[2:])
        mixed = images.clone()
        place = (..., slice(top, top + height), slice(left, left + width))
        mixed[place] = images[partners][place]
        return mixed, partners, 1 - height * width / math.prod(images.shape[2:])


def refuse_no_images(*shape: int) -> None:
    """Raises UserError where a batch of this shape is none of images."""
    if len(shape) != 4:
        raise UserError(
            f"learner.mixing needs images (B, C, H, W) and got inputs of {' x '.join(map(str, shape[1:]))} numbers, "
            "which are features: use learner.mixing=null, or representation=none"
        )


def _span(side: int, part: float) -> tuple[int, int]:
    """Where a part of a side begins, and how long it is."""
    length = int(side * part)
    return int(torch.randint(side - length + 1, ())), length
