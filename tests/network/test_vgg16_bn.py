"""WAAL App. G.2; the counts are closed forms."""

import pytest
import torch
from torch import nn

from al_bench.errors import UserError
from al_bench.network.vgg16_bn import Vgg16Bn

WIDTHS = [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6


def made(shape: tuple[int, ...], hidden: int = 50, num_classes: int = 10) -> Vgg16Bn:
    return Vgg16Bn(shape, num_classes, hidden, dropout=0.5, mean=0.5, std=0.5)


def convolutions(num_channels: int) -> int:
    """Weights and biases of 3 x 3 convolutions, and two numbers of batch norm for each channel."""
    return sum(
        9 * before * after + after + 2 * after for before, after in zip([num_channels, *WIDTHS], WIDTHS, strict=False)
    )


@pytest.mark.parametrize(
    ("shape", "hidden", "num_features"),
    [((3, 32, 32), 50, 512), ((3, 96, 96), 100, 4608), ((1, 32, 64), 50, 1024), ((3, 63, 33), 50, 512)],
)
def test_has_the_weights_of_waal(shape: tuple[int, int, int], hidden: int, num_features: int) -> None:
    network = made(shape, hidden).eval()
    head = num_features * hidden + hidden + hidden * 10 + 10
    assert sum(p.numel() for p in network.parameters()) == convolutions(shape[0]) + head
    assert sum(isinstance(layer, nn.Conv2d) for layer in network.modules()) == 13
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in network.modules()) == 5
    with torch.no_grad():
        images = torch.rand(2, *shape)
        assert network.features(images).shape == (2, num_features)
        assert network.embed(images).shape == (2, hidden)
        assert network(images).shape == (2, 10)


def test_its_convolutions_are_vgg16s() -> None:
    """14,714,688 of the convolutions, as in every table of VGG16, and 8,448 of batch norm."""
    assert convolutions(3) == 14_714_688 + 8_448


def test_a_batch_of_one_trains() -> None:
    """The last convolutions of a 32 x 32 image still see 2 x 2 positions, so batch norm has something to average."""
    network = made((3, 32, 32)).train()
    network(torch.rand(1, 3, 32, 32)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_weights_are_drawn_as_torch_draws_them() -> None:
    """Uniform within 1 / sqrt(fan-in), where torchvision's VGG has a normal of the fan-out and zero biases."""
    for layer in made((3, 32, 32)).modules():
        if isinstance(layer, nn.Conv2d):
            bound = (9 * layer.in_channels) ** -0.5
            assert 0.95 * bound < layer.weight.abs().max() <= bound
            assert layer.bias is not None and layer.bias.abs().max() > 0


@pytest.mark.parametrize("shape", [(64,), (3, 31, 32), (1, 28, 28), (1, 8, 8)])
def test_refuses_what_does_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"network=vgg16_bn needs .*32 x 32 .*network=small_cnn"):
        made(shape)
