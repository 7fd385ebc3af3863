"""What values an image: a Wasserstein critic, or a discriminator, whose values are logits of "real"."""

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Critic(nn.Module, ABC):
    """Float images (B, C, H, W) in [0, 1] to values (B,), by layers that work in a range of their own.

    head: the last layer, features to one value. signed: whether that range is [-1, 1]. A slope of the critic is one
    along images in that range, of which `values` is a function: in [0, 1] it would be twice as large.
    """

    def __init__(self, head: nn.Linear, signed: bool = False) -> None:
        super().__init__()
        self.head, self.signed = head, signed

    def to_own_range(self, images: Tensor) -> Tensor:
        """Images in [0, 1] to those that the layers work on."""
        return images * 2 - 1 if self.signed else images

    @abstractmethod
    def own_features(self, inputs: Tensor) -> Tensor:
        """(B, C, H, W) images in the critic's own range to (B, D), the input of the last layer."""

    def values(self, inputs: Tensor) -> Tensor:
        """(B, C, H, W) images in the critic's own range to (B,) values."""
        return self.score(self.own_features(inputs))

    def score(self, features: Tensor) -> Tensor:
        """(B, D) features to (B,) values."""
        values: Tensor = self.head(features)
        return values.squeeze(1)

    def features(self, images: Tensor) -> Tensor:
        """(B, C, H, W) images in [0, 1] to (B, D), the input of the last layer."""
        return self.own_features(self.to_own_range(images))

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) images in [0, 1] to (B,) values."""
        return self.score(self.features(images))


def normalize_spectrally(critic: Critic) -> None:
    """Divides the weights of every layer by their largest singular value (Miyato et al. 2018), the head's last; of
    weights that are drawn already."""
    for layer in critic.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer is not critic.head:
            spectral_norm(layer)
    spectral_norm(critic.head)
