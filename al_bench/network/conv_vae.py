"""The convolutional variational auto-encoder of VAAL (Sinha et al. 2019)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from al_bench.active.part import declare
from al_bench.config.ranges import Width
from al_bench.errors import UserError

_LEVELS = (1, 2, 4, 8)  # channels of the encoder's convolutions, in those of the first


@declare("network/conv_vae")
class ConvVae(nn.Module):
    """Images (B, C, S, S) in [-1, 1] to mean and log variance (B, z) of a latent, and back; the output has no
    activation.

    Four 4 x 4 convolutions of stride 2, to a sixteenth of the size; the way back begins at an eighth, and ends in a
    1 x 1 layer. Weights are drawn as in sinhasam/vaal (model.py): Kaiming's for the convolutions and the first layer
    back, torch's own for the other layers.

    image_shape: (C, S, S), S a multiple of 16. width: channels of the first convolution, 128 as published. latent_size:
    z.
    """

    def __init__(self, image_shape: Sequence[int], width: Width, latent_size: Width) -> None:
        super().__init__()
        self.latent_size = latent_size
        num_channels, size = image_shape[0], image_shape[1]
        if size % 16 or image_shape[2] != size:
            raise UserError(
                f"VAAL's auto-encoder needs square images of a multiple of 16 pixels and got {tuple(image_shape)}: use "
                "strategy.image_size=32"
            )
        widths = [width * factor for factor in _LEVELS]
        down = [layer for pair in pairwise([num_channels, *widths]) for layer in _halving(*pair)]
        self.encoder = nn.Sequential(*down, nn.Flatten())
        num_features = widths[-1] * (size // 16) ** 2
        self.mean, self.log_variance = nn.Linear(num_features, latent_size), nn.Linear(num_features, latent_size)
        first = nn.Linear(latent_size, widths[-1] * (size // 8) ** 2)
        up = [layer for pair in pairwise(reversed(widths)) for layer in _doubling(*pair)]
        unflatten = nn.Unflatten(1, (widths[-1], size // 8, size // 8))
        self.decoder = nn.Sequential(first, unflatten, *up, nn.ConvTranspose2d(widths[0], num_channels, 1))
        with torch.no_grad():
            for layer in (*self.encoder, first):
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    nn.init.kaiming_normal_(layer.weight)
            assert first.bias is not None
            first.bias.zero_()

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance, (B, z) each."""
        features = self.encoder(images)
        return self.mean(features), self.log_variance(features)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstructions (B, C, S, S) of one draw of each latent, its means and its log variances."""
        mean, log_variance = self.encode(images)
        latent = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return self.decoder(latent), mean, log_variance


def _halving(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


def _doubling(before: int, after: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
