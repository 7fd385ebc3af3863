"""Bilinear upsampling against the fixed transposed convolution of fyu/drn."""

import pytest
import torch
from torch import nn

from al_bench.network.upsampling import BilinearUpsampling
from al_bench.seeding import generator


def deconvolution(factor: int, num_channels: int) -> nn.ConvTranspose2d:
    """As a dilated residual network ends: a kernel of twice the factor, one triangle along each side."""
    layer = nn.ConvTranspose2d(
        num_channels, num_channels, 2 * factor, stride=factor, padding=factor // 2, groups=num_channels, bias=False
    )
    center = (2 * factor - 1) / (2 * factor)
    side = 1 - (torch.arange(2 * factor) / factor - center).abs()
    layer.weight.data[:] = side[:, None] * side
    return layer


@pytest.mark.parametrize("factor", [2, 8])
def test_is_the_transposed_convolution(factor: int) -> None:
    maps = torch.randn(2, 3, 5, 4, generator=generator(0))
    expected = deconvolution(factor, 3)(maps)
    found = BilinearUpsampling(factor, expected.shape[2:])(maps)
    assert expected.shape == (2, 3, 5 * factor, 4 * factor)
    assert torch.allclose(found, expected, atol=1e-5)


def test_cuts_what_the_image_does_not_have() -> None:
    maps = torch.randn(1, 2, 3, 3, generator=generator(0))
    whole, cut = BilinearUpsampling(8, (24, 24))(maps), BilinearUpsampling(8, (21, 18))(maps)
    assert torch.equal(cut, whole[:, :, :21, :18])
