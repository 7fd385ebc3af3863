from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.residual_gan import ResidualCritic, ResidualGenerator
from al_bench.training.losses import gradient_penalty


def generator(image_shape: tuple[int, ...] = (3, 32, 32), channels: int = 8) -> ResidualGenerator:
    with seeding.fork(0):
        return ResidualGenerator(128, image_shape, channels)


def critic(image_shape: tuple[int, ...] = (3, 32, 32), channels: int = 8, dropout: float = 0.0) -> ResidualCritic:
    with seeding.fork(0):
        return ResidualCritic(image_shape, channels, [dropout] * 3)


def shapes(network: nn.Module, inputs: Tensor, kernel_size: int) -> list[tuple[int, ...]]:
    """Of the output of every convolution with this kernel, the batch left out."""
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (kernel_size, kernel_size):
            layer.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
    network(inputs)
    return seen


def block(maps: Tensor, layers: list[nn.Conv2d], shortcut: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """A block of the critic as its authors write it: activation before each convolution, pooled at its end."""
    return shortcut + change(layers[1](layers[0](maps.relu()).relu()))


def pooled(maps: Tensor) -> Tensor:
    return (maps[..., ::2, ::2] + maps[..., 1::2, ::2] + maps[..., ::2, 1::2] + maps[..., 1::2, 1::2]) / 4


def test_asal_table_8_generator() -> None:
    network = generator(channels=128).eval()
    linear = next(layer for layer in network.modules() if isinstance(layer, nn.Linear))
    assert (linear.in_features, linear.out_features) == (128, 2048)
    expected = [(128, 8, 8)] * 2 + [(128, 16, 16)] * 2 + [(128, 32, 32)] * 2 + [(3, 32, 32)]
    assert shapes(network, torch.zeros(1, 128), 3) == expected
    assert shapes(network, torch.zeros(1, 128), 1) == [(128, 8, 8), (128, 16, 16), (128, 32, 32)]
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules()) == 7


def test_asal_table_8_critic() -> None:
    network, images = critic(channels=128), torch.zeros(1, 3, 32, 32)
    assert shapes(network, images, 3) == [(128, 32, 32)] * 2 + [(128, 16, 16)] * 2 + [(128, 8, 8)] * 4
    assert shapes(network, images, 1) == [(128, 16, 16), (128, 16, 16)], "the first shortcut pools first"
    assert network.features(images).shape == (1, 128)
    assert not any("Norm" in type(layer).__name__ for layer in network.modules())


def test_parameters_counted_by_hand() -> None:
    square, plain = 128 * 128 * 9 + 128, 128 * 128 + 128
    of_critic = 3 * 128 * 9 + 128 + 3 * 128 + 128 + 7 * square + plain + 128 + 1
    assert sum(p.numel() for p in critic(channels=128).parameters()) == of_critic
    of_generator = 128 * 2048 + 2048 + 6 * square + 3 * plain + 7 * 2 * 128 + 128 * 3 * 9 + 3
    assert sum(p.numel() for p in generator(channels=128).parameters()) == of_generator


def test_the_critic_layer_by_layer() -> None:
    """A second implementation, of its convolutions in the order of the code's graph."""
    network, images = critic().double(), torch.rand(2, 3, 32, 32, dtype=torch.float64)
    wide = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)]
    narrow = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1)]
    signed = 2 * images - 1
    maps = narrow[0](pooled(signed)) + pooled(wide[1](wide[0](signed).relu()))
    maps = block(maps, wide[2:4], pooled(narrow[1](maps)), pooled)
    maps = block(maps, wide[4:6], maps, lambda new: new)
    maps = block(maps, wide[6:8], maps, lambda new: new)
    features = maps.relu().mean((2, 3))
    torch.testing.assert_close(network.features(images), features)
    torch.testing.assert_close(network(images), network.head(features).squeeze(1))


def test_a_block_of_the_generator_doubles_by_repeating() -> None:
    """Four copies in depth, taken apart by depth_to_space as in the code, repeat every value in both directions."""
    up, maps = generator().eval().layers[2], torch.randn(2, 8, 4, 4)
    repeated = maps.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(up.shortcut(maps), up.shortcut[1](repeated))
    inside = up.residual[3](up.residual[0](maps).relu().repeat_interleave(2, 2).repeat_interleave(2, 3))
    inside = up.residual[6](up.residual[4](inside).relu())
    torch.testing.assert_close(up(maps), up.shortcut(maps) + inside)


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (64, 64), (9, 17)])
def test_any_size_in_the_canonical_range(size: tuple[int, int]) -> None:
    network = generator((3, *size)).eval()
    images = network(300 * torch.randn(5, 128, generator=seeding.generator(1)))
    assert images.shape == (5, 3, *size)
    assert 0 <= images.min() < 0.01, "the whole range is used"
    assert 0.99 < images.max() <= 1
    assert critic((3, *size))(images).shape == (5,)


def test_an_odd_size_is_the_crop_of_the_even_one() -> None:
    """28 -> 14 -> 7 -> 4 and back, as in the layered networks."""
    even, odd = generator((1, 32, 32)).eval(), generator((1, 28, 28)).eval()
    maps = torch.randn(1, 8, 4, 4)
    torch.testing.assert_close(odd.layers[2].shortcut(maps), even.layers[2].shortcut(maps)[..., :7, :7])
    assert critic((1, 28, 28)).layers[:1](torch.zeros(1, 1, 28, 28)).shape == (1, 8, 14, 14)


def test_weights_are_he_s_in_blocks_and_glorot_s_elsewhere() -> None:
    """With both fans in He's rule: 4 / (fan-in + fan-out), as the code has it."""
    network = critic(channels=128)
    first, second = network.layers[0], network.layers[1]
    for weight, variance in (
        (first.residual[0].weight, 4 / (3 * 9 + 128 * 9)),
        (second.residual[1].weight, 4 / (2 * 128 * 9)),
        (first.shortcut[1].weight, 2 / (3 + 128)),
        (second.shortcut[0].weight, 2 / 256),
        (network.head.weight, 2 / 129),
        (generator(channels=128).layers[-2].weight, 2 / (128 * 9 + 3 * 9)),
    ):
        bound = float(weight.detach().abs().max())
        assert bound == pytest.approx((3 * variance) ** 0.5, rel=0.03)


def test_dropout_follows_the_last_three_blocks() -> None:
    network = ResidualCritic((3, 32, 32), 8, [0.2, 0.4, 0.5])
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == ["_Block", "_Block", "MapDropout", "_Block", "MapDropout", "_Block", "MapDropout", "ReLU"]
    assert [layer.p for layer in network.layers if isinstance(layer, nn.Dropout)] == [0.2, 0.4, 0.5]
    with pytest.raises(UserError, match=r"dropout=\[0.5\] of a residual critic"):
        ResidualCritic((3, 32, 32), 8, [0.5])


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("channels", [1, 8, 16])
def test_a_penalty_is_the_same_in_both_layouts(channels: int, dropout: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """In double precision, where rounding is small: dropout draws the same, gradients keep their layout."""
    network = critic((3, 13, 12), channels, dropout).double()
    images = torch.rand(4, 3, 13, 12, generator=seeding.generator(0)).double()

    def gradients() -> list[Tensor]:
        with seeding.fork(1):
            loss = gradient_penalty(network.values, images) + network(images).square().mean()
        network.zero_grad()
        loss.backward()
        return [weight.grad for weight in network.parameters() if weight.grad is not None]

    found = gradients()
    assert len(found) == len(list(network.parameters()))
    monkeypatch.setattr("al_bench.network.residual_gan.channels_last", lambda maps: maps)
    for mine, straight in zip(found, gradients(), strict=True):
        torch.testing.assert_close(mine, straight, rtol=1e-7, atol=1e-9)
        assert mine.is_contiguous(), "a fused optimizer would take its numbers in another order"
