"""What stands before a network's own layers: the middle is cut out of larger images, and pixels are standardized."""

from collections.abc import Sequence

from pydantic import PositiveInt
from torch import Tensor, nn

from al_bench.errors import UserError
from al_bench.network.standardized import Deviations, Means, Standardized


class CenterCut(nn.Module):
    """Images (B, C, H, W) to the `size` x `size` pixels in their middle; of that size they pass as they are.

    What is left on both sides differs by at most one pixel, which is then below and on the right. size: None: images of
    any size pass. Raises UserError for smaller images.
    """

    def __init__(self, size: PositiveInt | None) -> None:
        super().__init__()
        self.size = size

    def forward(self, images: Tensor) -> Tensor:
        if self.size is None:
            return images
        top, left = ((side - self.size) // 2 for side in self.cut_from(images.shape[-2:]))
        return images[..., top : top + self.size, left : left + self.size]

    def cut_from(self, shape: Sequence[int]) -> Sequence[int]:
        """The (H, W) of images. Raises UserError where the middle is larger than they are."""
        if self.size is not None and min(shape) < self.size:
            raise UserError(
                f"network.input_size={self.size} is larger than images of {shape[0]} x {shape[1]} pixels: give "
                f"{min(shape)} or less, or null"
            )
        return shape


def front_layers(
    name: str, input_shape: Sequence[int], mean: Means, std: Deviations, input_size: int | None
) -> dict[str, nn.Module]:
    """What stands before a network's own layers, by name: the cut and the standardized pixels.

    Raises UserError, naming the network, for inputs that are not images, and as `CenterCut` and `Standardized` do.
    """
    if len(input_shape) != 3:
        raise UserError(f"network={name} needs images (C, H, W) and got {tuple(input_shape)}: use network=linear")
    cut = CenterCut(input_size)
    cut.cut_from(input_shape[1:])
    return {"cut": cut, "standardized": Standardized(input_shape[0], mean, std)}
