import pytest
import torch
from composing import part
from torch import Tensor, nn

from al_bench.errors import UserError
from al_bench.network.conv_small import ConvSmall


def made(choice: str, input_shape: tuple[int, ...], *overrides: str) -> ConvSmall:
    network: ConvSmall = part("network", f"network={choice}", *overrides)(input_shape=input_shape, num_classes=10)
    return network.eval()


def shapes(network: nn.Module, images: Tensor) -> list[tuple[int, ...]]:
    """Of every convolution's output, the batch left out."""
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
    network(images)
    return seen


@pytest.mark.parametrize(("choice", "size"), [("conv_small", 32), ("conv_small_strided", 64)])
def test_layers(choice: str, size: int) -> None:
    """docs/papers/asal.md, Networks; the strided first layer of A.7 takes 64 x 64 images to the same maps."""
    network = made(choice, (3, size, size))
    expected = [(64, 32, 32)] * 3 + [(128, 16, 16)] * 3 + [(128, 6, 6)] * 3
    assert shapes(network, torch.zeros(1, 3, size, size)) == expected
    assert network.embed(torch.zeros(1, 3, size, size)).shape == (1, 128)
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.5, 0.5]


@pytest.mark.parametrize(("choice", "kernel", "stride"), [("conv_small", 3, 1), ("conv_small_strided", 5, 2)])
def test_the_first_layer(choice: str, kernel: int, stride: int) -> None:
    first = next(layer for layer in made(choice, (3, 64, 64)).modules() if isinstance(layer, nn.Conv2d))
    assert (first.kernel_size, first.stride) == ((kernel, kernel), (stride, stride))


def test_parameters_counted_by_hand() -> None:
    """Nine convolutions without bias, two numbers of batch norm for each of their maps, the last layer."""
    convolutions = 9 * (3 * 64 + 2 * 64 * 64 + 64 * 128 + 3 * 128 * 128) + 2 * 128 * 128
    expected = convolutions + 2 * (3 * 64 + 6 * 128) + 128 * 10 + 10
    assert sum(p.numel() for p in made("conv_small", (3, 32, 32)).parameters()) == expected


def test_every_norm_and_activation_is_that_of_the_source() -> None:
    network = made("conv_small", (3, 32, 32))
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    slopes = [layer.negative_slope for layer in network.modules() if isinstance(layer, nn.LeakyReLU)]
    assert (len(norms), slopes) == (9, [0.1] * 9)
    assert {norm.momentum for norm in norms} == {0.01}


def test_logits_can_be_normalised() -> None:
    network = made("conv_small", (3, 32, 32), "network.norm_logits=true").train()
    logits = network(torch.rand(16, 3, 32, 32))
    torch.testing.assert_close(logits.mean(0), torch.zeros(10), atol=1e-5, rtol=0)
    torch.testing.assert_close(logits.var(0, correction=0), torch.ones(10), atol=0.05, rtol=0)


@pytest.mark.parametrize(("choice", "smallest"), [("conv_small", 12), ("conv_small_strided", 23)])
def test_refuses_what_does_not_fit(choice: str, smallest: int) -> None:
    assert made(choice, (1, smallest, smallest))(torch.rand(2, 1, smallest, smallest)).shape == (2, 10)
    for shape in ((64,), (3, smallest - 1, 64)):
        with pytest.raises(UserError, match=rf"needs .*{smallest} x {smallest} .*network=small_cnn"):
            made(choice, shape)
