"""Strided convolutions and their inverse, at any image size: what generators, critics and auto-encoders are built of.

A level halves height and width, rounding up (28 -> 14 -> 7 -> 4); going up visits the same sizes backwards. That is the
8 -> 7 crop that ASAL's Tables 4 and 5 leave out: output_padding 0 drops exactly the row and column that
the crop does.
"""

from collections.abc import Sequence

from torch import nn

from al_bench.errors import UserError

Size = tuple[int, int]


def halved(size: Size, levels: int) -> list[Size]:
    """Height and width before and after each of `levels` halvings, levels + 1 of them, the image's own first."""
    sizes = [size]
    for _ in range(levels):
        height, width = sizes[-1]
        sizes.append((-(-height // 2), -(-width // 2)))
    return sizes


def down(channels: int, wider: int, kernel_size: int) -> nn.Conv2d:
    """(B, channels, h, w) to (B, wider, ceil(h / 2), ceil(w / 2))."""
    return nn.Conv2d(channels, wider, kernel_size, stride=2, padding=_padding(kernel_size))


def up(channels: int, narrower: int, kernel_size: int, small: Size, large: Size) -> nn.ConvTranspose2d:
    """(B, channels, *small) to (B, narrower, *large); `large` is twice `small`, or one less."""
    padding = _padding(kernel_size)
    rest = (large[0] - (2 * small[0] - 1), large[1] - (2 * small[1] - 1))
    return nn.ConvTranspose2d(channels, narrower, kernel_size, stride=2, padding=padding, output_padding=rest)


def spatial(image_shape: Sequence[int]) -> tuple[int, Size]:
    """Channels, and (height, width), of a (C, H, W) shape."""
    channels, height, width = image_shape
    return channels, (height, width)


def _padding(kernel_size: int) -> int:
    if kernel_size % 2 == 0:
        raise UserError(f"kernel_size={kernel_size} does not halve every image size: use an odd one such as 3 or 5")
    return kernel_size // 2
