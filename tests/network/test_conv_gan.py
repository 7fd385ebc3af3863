from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from al_bench import seeding
from al_bench.network.conv_gan import ConvCritic, ConvGenerator


def generator(image_shape: tuple[int, ...], channels: tuple[int, ...], **changes: Any) -> ConvGenerator:
    made: dict[str, Any] = {"kernel_size": 5, "activation": nn.ReLU, "batch_norm": False, "output": "sigmoid"}
    with seeding.fork(0):
        return ConvGenerator(128, image_shape, channels, **made | {"initialization": "he_glorot"} | changes)


def critic(image_shape: tuple[int, ...], channels: tuple[int, ...], **changes: Any) -> ConvCritic:
    made: dict[str, Any] = {"kernel_size": 5, "slope": 0.2, "norm": "none", "input_range": "canonical"}
    with seeding.fork(0):
        return ConvCritic(image_shape, channels, **made | {"initialization": "he_glorot"} | changes)


def shapes(network: nn.Module, inputs: torch.Tensor) -> list[tuple[int, ...]]:
    """Of every convolution's output, the batch left out."""
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
    network(inputs)
    return seen


def test_asal_table_5_generator() -> None:
    network = generator((1, 28, 28), (256, 128, 64))
    linear = next(layer for layer in network.modules() if isinstance(layer, nn.Linear))
    assert (linear.in_features, linear.out_features) == (128, 4096)
    assert shapes(network, torch.zeros(2, 128)) == [(128, 7, 7), (64, 14, 14), (1, 28, 28)]


def test_asal_table_5_critic() -> None:
    network = critic((1, 28, 28), (64, 128, 256))
    assert shapes(network, torch.zeros(2, 1, 28, 28)) == [(64, 14, 14), (128, 7, 7), (256, 4, 4)]
    assert network.features(torch.zeros(2, 1, 28, 28)).shape == (2, 4096)


def test_asal_table_7() -> None:
    network = generator((3, 32, 32), (512, 256, 128), output="tanh", batch_norm=True)
    assert shapes(network, torch.zeros(2, 128)) == [(256, 8, 8), (128, 16, 16), (3, 32, 32)]
    assert sum(isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) for layer in network.modules()) == 3
    assert critic((3, 32, 32), (128, 256, 512)).features(torch.zeros(2, 3, 32, 32)).shape == (2, 8192)


def test_asal_table_10() -> None:
    network = generator((3, 64, 64), (256, 256, 128, 64), output="tanh", batch_norm=True)
    assert shapes(network, torch.zeros(2, 128)) == [(256, 8, 8), (128, 16, 16), (64, 32, 32), (3, 64, 64)]
    assert critic((3, 64, 64), (128, 256, 512, 512)).features(torch.zeros(2, 3, 64, 64)).shape == (2, 8192)


@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
@pytest.mark.parametrize("size", [(8, 8), (28, 28), (32, 32), (64, 64), (9, 17)])
def test_any_size_in_the_canonical_range(size: tuple[int, int], output: str) -> None:
    network = generator((3, *size), (16, 8, 4), output=output)
    images = network(100 * torch.randn(5, 128, generator=seeding.generator(1)))
    assert images.shape == (5, 3, *size)
    assert images.min() < 0.01, "the whole range is used"
    assert images.max() > 0.99
    assert images.min() >= 0
    assert images.max() <= 1
    assert critic((3, *size), (4, 8, 16))(images).shape == (5,)


def test_ranges_are_mapped_inside() -> None:
    """The same layers: tanh to [0, 1] is a sigmoid of twice the value; a signed critic sees 2 x - 1."""
    latents, images = torch.randn(2, 128), torch.rand(2, 1, 8, 8)
    by_tanh = generator((1, 8, 8), (4,), output="tanh")
    torch.testing.assert_close(by_tanh(latents), (2 * by_tanh.layers(latents)).sigmoid())
    signed, plain = critic((1, 8, 8), (4,), input_range="signed"), critic((1, 8, 8), (4,))
    assert torch.equal(signed(images), plain(2 * images - 1))


def test_values_are_linear_in_the_features() -> None:
    network, images = critic((1, 28, 28), (4, 8, 16)), torch.rand(3, 1, 28, 28)
    assert torch.equal(network(images), network.head(network.features(images)).squeeze(1))


@pytest.mark.parametrize(("norm", "kind"), [("none", None), ("batch", nn.BatchNorm2d), ("layer", nn.GroupNorm)])
def test_norm_of_all_levels_but_the_first(norm: str, kind: type[nn.Module] | None) -> None:
    layers = critic((3, 32, 32), (8, 8, 8), norm=norm).layers
    found = [position for position, layer in enumerate(layers) if kind is not None and isinstance(layer, kind)]
    assert found == ([] if kind is None else [3, 6])
    assert not any(isinstance(layer, nn.BatchNorm2d | nn.GroupNorm) for layer in layers[:3])


def test_a_layer_norm_does_not_couple_the_images_of_a_batch() -> None:
    network, images = critic((3, 32, 32), (8, 8, 8), norm="layer"), torch.rand(4, 3, 32, 32)
    torch.testing.assert_close(network(images)[:1], network(images[:1]))


def test_a_spectral_norm_is_of_every_layer() -> None:
    network, images = critic((3, 32, 32), (8, 6, 4), norm="spectral"), torch.rand(4, 3, 32, 32)
    for _ in range(50):  # each pass in train mode sharpens the estimate
        network(images)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    largest = [float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)) for layer in layers]
    assert largest == pytest.approx(4 * [1], abs=1e-2)


def test_the_weights_are_drawn_as_asked() -> None:
    make = partial(generator, (1, 8, 8), (4,))
    assert make(initialization="torch").layers[0].bias.any()
    assert not make().layers[0].bias.any()


def test_the_first_norm_is_of_units_or_of_channels() -> None:
    by_unit = generator((3, 32, 32), (8, 4, 2), batch_norm=True).layers
    by_channel = generator((3, 32, 32), (8, 4, 2), batch_norm=True, first_norm="channel").layers
    assert isinstance(by_unit[1], nn.BatchNorm1d) and by_unit[1].num_features == 8 * 4 * 4
    assert isinstance(by_channel[2], nn.BatchNorm2d) and by_channel[2].num_features == 8
    kinds = [type(layer) for layer in by_channel[:5]]
    assert kinds == [nn.Linear, nn.Unflatten, nn.BatchNorm2d, nn.ReLU, nn.ConvTranspose2d]
    assert len(by_unit) == len(by_channel)


def test_dropout_follows_every_activation() -> None:
    network, images = critic((3, 32, 32), (8, 8, 8), dropout=0.5), torch.rand(4, 3, 32, 32)
    kinds = [type(layer) for layer in network.layers]
    assert kinds == [nn.Conv2d, nn.LeakyReLU, nn.Dropout] * 3
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))
    assert not any(isinstance(layer, nn.Dropout) for layer in critic((3, 32, 32), (8, 8, 8)).layers)
