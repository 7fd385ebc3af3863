"""Residual generator and critic: ASAL Table 8, after WGAN-GP's and CT-GAN's for CIFAR-10 (IG
gan_cifar_resnet.py and CT CT_gan_cifar_resnet.py, without their labels).

Both speak float images in [0, 1] and work in [-1, 1]. Blocks come before their activations, so that shortcuts carry
what no activation touched. He's rule in blocks, Glorot's for shortcuts and output.
"""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from al_bench.active.part import declare
from al_bench.config.ranges import NotAll, Width
from al_bench.errors import UserError
from al_bench.network.critic import Critic
from al_bench.network.initialization import initialize
from al_bench.network.memory_format import MapDropout, channels_last
from al_bench.network.resampling import Size, halved, spatial

_LEVELS = 3  # doublings of the generator's first map: 4 x 4 to 32 x 32


@declare("network/residual_generator")
class ResidualGenerator(nn.Module):
    """Latents (B, Z) to float images (B, C, H, W). channels: of every map, 128 in Table 8."""

    def __init__(self, latent_size: Width, image_shape: Sequence[int], channels: Width) -> None:
        super().__init__()
        image_channels, size = spatial(image_shape)
        sizes = halved(size, _LEVELS)[::-1]
        first = (channels, *sizes[0])
        blocks = [_up(channels, large) for large in sizes[1:]]
        output = _conv(channels, image_channels, 3)
        self.layers = nn.Sequential(
            nn.Linear(latent_size, channels * sizes[0][0] * sizes[0][1]),
            nn.Unflatten(1, first),
            *blocks,
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            output,
            nn.Tanh(),
        )
        _initialize(self, blocks)
        initialize(output, "glorot")

    def forward(self, latents: Tensor) -> Tensor:
        """(B, Z) latents to (B, C, H, W) images in [0, 1]."""
        values: Tensor = self.layers(latents)
        return (values + 1) / 2


@declare("network/residual_critic")
class ResidualCritic(Critic):
    """Float images (B, C, H, W) to values (B,), without any norm. Features (B, channels) are means over positions.

    channels: of every map, 128 in Table 8. dropout: rates after the second, third and fourth block: 0 in WGAN-GP;
    (0.2, 0.5, 0.5) for the consistency term of WGAN-CT, whose authors drop so.
    """

    def __init__(self, image_shape: Sequence[int], channels: Width, dropout: Sequence[NotAll]) -> None:
        if len(dropout) != 3:
            raise UserError(f"dropout={list(dropout)} of a residual critic is one rate for each of blocks 2, 3 and 4")
        super().__init__(nn.Linear(channels, 1), signed=True)
        image_channels, _ = spatial(image_shape)
        blocks = [_first(image_channels, channels), _down(channels), _plain(channels), _plain(channels)]
        layers: list[nn.Module] = [blocks[0]]
        for block, rate in zip(blocks[1:], dropout, strict=True):
            layers += [block, MapDropout(rate)]
        self.layers = nn.Sequential(*layers, nn.ReLU())
        _initialize(self, blocks)

    def own_features(self, inputs: Tensor) -> Tensor:
        maps: Tensor = self.layers(channels_last(inputs))
        return maps.flatten(2).mean(2)


class _Block(nn.Module):
    """shortcut(x) + residual(x)."""

    def __init__(self, shortcut: nn.Module, residual: nn.Module) -> None:
        super().__init__()
        self.shortcut, self.residual = shortcut, residual

    def forward(self, maps: Tensor) -> Tensor:
        total: Tensor = self.shortcut(maps) + self.residual(maps)
        return total


def _up(channels: int, large: Size) -> _Block:
    """(B, channels, h, w) to (B, channels, *large), with batch norm."""
    layers: list[nn.Module] = [nn.BatchNorm2d(channels), nn.ReLU(), _doubled(large), _conv(channels, channels, 3)]
    layers += [nn.BatchNorm2d(channels), nn.ReLU(), _conv(channels, channels, 3)]
    return _Block(nn.Sequential(_doubled(large), _conv(channels, channels, 1)), nn.Sequential(*layers))


def _first(image_channels: int, channels: int) -> _Block:
    """(B, image_channels, H, W) to half the size; an image takes no activation, and its shortcut is cheaper pooled."""
    residual = nn.Sequential(_conv(image_channels, channels, 3), nn.ReLU(), _conv(channels, channels, 3), _mean())
    return _Block(nn.Sequential(_mean(), _conv(image_channels, channels, 1)), residual)


def _down(channels: int) -> _Block:
    """(B, channels, h, w) to half the size."""
    residual = nn.Sequential(*_plain_layers(channels), _mean())
    return _Block(nn.Sequential(_conv(channels, channels, 1), _mean()), residual)


def _plain(channels: int) -> _Block:
    """(B, channels, h, w) to the same."""
    return _Block(nn.Identity(), nn.Sequential(*_plain_layers(channels)))


def _plain_layers(channels: int) -> Iterable[nn.Module]:
    return nn.ReLU(), _conv(channels, channels, 3), nn.ReLU(), _conv(channels, channels, 3)


def _conv(channels: int, wider: int, kernel_size: int) -> nn.Conv2d:
    return nn.Conv2d(channels, wider, kernel_size, padding=kernel_size // 2)


def _doubled(large: Size) -> nn.Module:
    """Every value four times; an odd size leaves the last row or column out, as `resampling` does."""
    return nn.Upsample(large, mode="nearest")


def _mean() -> nn.Module:
    """Of each 2 x 2 values, or of those that an odd size leaves."""
    return nn.AvgPool2d(2, ceil_mode=True)


def _initialize(network: nn.Module, blocks: Sequence[_Block]) -> None:
    initialize(network, "he_mean_glorot")
    for block in blocks:
        initialize(block.shortcut, "glorot")
