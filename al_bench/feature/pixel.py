"""F_gray and F_rgb of ASAL (Sec. 3.2): the pixels themselves."""

import math
from collections.abc import Sequence

from torch import Tensor

from al_bench.active.part import declare
from al_bench.feature import Feature
from al_bench.network import Network


@declare("feature/pixel")
class Pixel(Feature):
    """Every value of an image is a feature."""

    def size(self, image_shape: Sequence[int]) -> int:
        """C * H * W."""
        return math.prod(image_shape)

    def extract(self, images: Tensor, model: Network | None) -> Tensor:
        """(B, C, H, W) float images to (B, C * H * W)."""
        return images.flatten(1)
