"""The plain networks against the layers that they are written after, counted by hand."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.plain_gan import PlainCritic, PlainGenerator

CHANNELS = (512, 256, 128, 64)


def generator(image_shape: Sequence[int], channels: Sequence[int] = CHANNELS) -> PlainGenerator:
    with seeding.fork(0):
        return PlainGenerator(128, image_shape, channels, "normal_002")


def critic(image_shape: Sequence[int], norm: Any = "none", channels: Sequence[int] = CHANNELS[::-1]) -> PlainCritic:
    with seeding.fork(0):
        return PlainCritic(image_shape, channels, 0.2, norm, "normal_002")


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_32_by_32_has_the_parameters_of_its_layers() -> None:
    """Linear 128 to 4 x 4 x 512, three of 4 x 4 that double, one of 3 x 3; a scale and a shift for each of 960 maps."""
    linear = (128 + 1) * 512 * 16
    doubling = 512 * 256 * 16 + 256 + 256 * 128 * 16 + 128 + 128 * 64 * 16 + 64
    assert count(generator((3, 32, 32))) == linear + doubling + (64 * 9 * 3 + 3) + 2 * (512 + 256 + 128 + 64)
    threes = 3 * 9 * 64 + 64 + 128 * 128 * 9 + 128 + 256 * 256 * 9 + 256 + 512 * 512 * 9 + 512
    halving = 64 * 128 * 16 + 128 + 128 * 256 * 16 + 256 + 256 * 512 * 16 + 512
    assert count(critic((3, 32, 32))) == threes + halving + 512 * 16 + 1
    assert count(critic((3, 32, 32), "batch")) == count(critic((3, 32, 32))) + 2 * 2 * (128 + 256 + 512)


@pytest.mark.parametrize(
    ("shape", "first"),
    [((3, 32, 32), (512, 4, 4)), ((1, 28, 28), (256, 7, 7)), ((1, 8, 8), (128, 4, 4)), ((3, 64, 48), (512, 8, 6))],
)
def test_other_sizes_begin_where_an_exact_halving_ends(shape: tuple[int, ...], first: tuple[int, ...]) -> None:
    made, judge = generator(shape).eval(), critic(shape, "batch").eval()
    maps = made.layers[:2](torch.zeros(2, 128))
    assert tuple(maps.shape[1:]) == first
    images = made(torch.randn(2, 128, generator=seeding.generator(0)))
    assert tuple(images.shape) == (2, *shape)
    assert judge.features(images).shape == (2, first[0] * first[1] * first[2])
    assert judge(images).shape == (2,)


@pytest.mark.parametrize("shape", [(1, 31, 31), (1, 6, 8), (3, 32, 33)])
def test_images_that_cannot_be_halved_are_refused(shape: tuple[int, ...]) -> None:
    for make in (generator, critic):
        with pytest.raises(UserError, match=rf"images of {shape[1]} x {shape[2]} pixels cannot be halved"):
            make(shape)


@pytest.mark.parametrize("channels", [(), (8,)])
def test_channels_that_halve_nothing_are_refused(channels: tuple[int, ...]) -> None:
    for make in (generator, partial(critic, norm="none")):
        with pytest.raises(UserError, match=f"channels of {len(channels)} maps halve no image: give those of 2 or"):
            make((1, 8, 8), channels=channels)


def test_both_work_between_minus_one_and_one() -> None:
    """And speak images in [0, 1]."""
    judge, images = critic((1, 8, 8)).eval(), torch.rand(4, 1, 8, 8, generator=seeding.generator(0))
    torch.testing.assert_close(judge(images), judge.values(2 * images - 1))
    made = generator((1, 8, 8)).eval()
    latents = torch.randn(4, 128, generator=seeding.generator(0))
    torch.testing.assert_close(made(latents), (made.layers(latents) + 1) / 2)
    assert isinstance(made.layers[-1], nn.Tanh)


def test_spectral_norm_is_on_every_layer_and_holds_its_largest_singular_value_at_one() -> None:
    judge = critic((1, 8, 8), "spectral", (3, 5))
    images = torch.rand(4, 1, 8, 8, generator=seeding.generator(0))
    for _ in range(50):  # each pass in train mode sharpens the estimate
        judge(images)
    layers = [part for part in judge.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    assert len(layers) == 4
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
        assert float(largest) == pytest.approx(1, abs=1e-3)


def test_weights_are_normal_of_deviation_0_02_and_biases_zero() -> None:
    weights = torch.cat(
        [part.weight.detach().flatten() for part in generator((3, 32, 32)).modules() if hasattr(part, "stride")]
    )
    assert float(weights.std()) == pytest.approx(0.02, rel=0.01)
    kurtosis = float((weights / weights.std()).pow(4).mean())
    assert kurtosis == pytest.approx(3, abs=0.1), "3 of a normal distribution, 1.8 of a uniform one"
    assert not critic((3, 32, 32)).head.bias.any()
