"""Bilinear upsampling of maps by a whole factor, as dilated residual networks end (Yu et al. 2017)."""

from collections.abc import Sequence

from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from al_bench.active.part import declare


@declare("network/upsampling")
class BilinearUpsampling(nn.Module):
    """(B, K, h, w) maps to (B, K, H, W), the upper left of `factor` times their size.

    For an even factor it is the fixed transposed convolution of fyu/drn (segment.py: kernel 2 factor, stride factor,
    padding factor / 2), which reads zeros beyond the border: an interpolation of the map with a border of zeros.

    size: (H, W), at most factor times (h, w).
    """

    def __init__(self, factor: PositiveInt, size: Sequence[PositiveInt]) -> None:
        super().__init__()
        self.factor, self.size = factor, tuple(size)

    def forward(self, maps: Tensor) -> Tensor:
        height, width = self.size
        bordered = functional.pad(maps, (1, 1, 1, 1))
        large = functional.interpolate(bordered, scale_factor=float(self.factor), mode="bilinear", align_corners=False)
        return large[:, :, self.factor : self.factor + height, self.factor : self.factor + width]
