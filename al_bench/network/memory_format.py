"""Images laid out channels last, which convolutions on a CPU read fastest, and what must not depend on the layout."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def channels_last(images: Tensor) -> Tensor:
    """The same (B, C, H, W) images, laid out (B, H, W, C) in a CPU's memory; what is elsewhere or has another shape
    comes back as it is.

    Convolutions and poolings hand the layout on, weights keep theirs, and results differ by rounding. In float32 steps
    and scoring take 0.51 to 1.04 of the time (docs/architecture.md, Speed of a step).
    """
    if images.dim() != 4 or images.device.type != "cpu":
        return images
    return images.to(memory_format=torch.channels_last)


class StridedPointwise(nn.Conv2d):
    """A 1 x 1 convolution of a stride, without bias: that of stride 1 on the positions that it reads, the same values.

    As torch's own, its way back writes beyond its memory on a CPU with AVX-512 where 8 channels lie channels last, and
    the process dies (torch 2 with oneDNN; found with a narrow DRN).
    """

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__(before, after, 1, bias=False)
        self.step = stride

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps[:, :, :: self.step, :: self.step])


class MapDropout(nn.Dropout):
    """Dropout of a map's single numbers, which draws for (B, C, H, W) in this order, whatever the layout in memory."""

    def forward(self, maps: Tensor) -> Tensor:
        if not self.training or not self.p or maps.is_contiguous():
            return super().forward(maps)
        return maps * functional.dropout(torch.ones_like(maps, memory_format=torch.contiguous_format), self.p)
