import pytest
import torch
from torch import nn
from torch.nn.functional import max_pool2d

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.conv_autoencoder import ConvAutoencoder


@pytest.mark.parametrize(("channels", "decoder", "size"), [((3, 6, 12), (6, 3), 192), ((1, 2, 4), (2, 1), 64)])
def test_asal_table_4(channels: tuple[int, ...], decoder: tuple[int, ...], size: int) -> None:
    """Ten classes, and two classes with a third of the channels (A.1)."""
    network = ConvAutoencoder((1, 28, 28), channels, decoder, kernel_size=5, slope=0.2, initialization="he_glorot")
    images = torch.rand(2, 1, 28, 28)
    assert network.encode(images).shape == (2, size)
    assert network(images).shape == images.shape
    assert [layer.out_channels for layer in network.decoder[::2]] == [*decoder, 1]


def test_the_code_is_what_follows_the_last_leaky_relu() -> None:
    with seeding.fork(0):
        network = ConvAutoencoder((1, 28, 28), (3, 6, 12), (6, 3), kernel_size=5, slope=0.2, initialization="he_glorot")
    images = torch.rand(50, 1, 28, 28)
    before = network.encoder[:-1](images).flatten(1)
    code = network.encode(images)
    assert torch.equal(code, torch.where(before > 0, before, 0.2 * before))
    assert (before < 0).any()
    assert (before > 0).any()


def pooling() -> ConvAutoencoder:
    with seeding.fork(0):
        return ConvAutoencoder(
            (3, 32, 32), (64, 32, 16), (32, 64), 3, 0, "he_glorot", downsampling="pool", batch_norm="all"
        )


def linear() -> ConvAutoencoder:
    with seeding.fork(0):
        return ConvAutoencoder(
            (3, 64, 64),
            (8, 4, 4, 16),
            (4, 4, 8),
            5,
            0,
            "he_glorot",
            batch_norm="inner",
            linear_code=True,
            output="tanh",
        )


def test_asal_table_6() -> None:
    """Convolution, batch norm, ReLU, max pooling, three times; batch norm before every ReLU and the sigmoid."""
    network, images = pooling(), torch.rand(2, 3, 32, 32)
    sizes = [tuple(network.encoder[:end](images).shape[1:]) for end in (1, 4, 5, 8, 9, 12)]
    expected = [(64, 32, 32), (64, 16, 16), (32, 16, 16), (32, 8, 8), (16, 8, 8), (16, 4, 4)]
    assert sizes == expected
    level = [nn.ConvTranspose2d, nn.BatchNorm2d]
    assert [type(layer) for layer in network.decoder] == [*level, nn.ReLU, *level, nn.ReLU, *level, nn.Sigmoid]
    code = network.encode(images)
    assert code.shape == (2, 256)
    assert code.min() == 0, "a ReLU and a max pooling leave nothing negative"
    assert network(images).shape == images.shape


def test_pooling_before_the_relu_is_the_table_s_order() -> None:
    network, images = pooling().eval(), torch.rand(2, 3, 32, 32)
    maps = images
    for level in range(3):
        convolution, norm = network.encoder[4 * level], network.encoder[4 * level + 1]
        maps = max_pool2d(norm(convolution(maps)).relu(), 2)
    torch.testing.assert_close(network.encode(images), maps.flatten(1))


def test_asal_table_9() -> None:
    """The code is linear; it and the image have no batch norm; everything works in [-1, 1]."""
    network, images = linear().eval(), torch.rand(2, 3, 64, 64)
    level = [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]
    assert [type(layer) for layer in network.encoder] == [*level * 3, nn.Conv2d, nn.Identity]
    level = [nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU]
    assert [type(layer) for layer in network.decoder] == [*level * 3, nn.ConvTranspose2d, nn.Tanh]
    code = network.encode(images)
    assert code.shape == (2, 256)
    assert (code < 0).any() and (code > 0).any()
    torch.testing.assert_close(code, network.encoder(2 * images - 1).flatten(1))
    torch.testing.assert_close(network(images), (network.decoder(network.encoder(2 * images - 1)) + 1) / 2)


@pytest.mark.parametrize("size", [(28, 28), (9, 17)])
def test_pooling_takes_odd_sizes(size: tuple[int, int]) -> None:
    made = ConvAutoencoder((1, *size), (4, 8, 8), (8, 4), 3, 0, "he_glorot", downsampling="pool", batch_norm="all")
    assert made(torch.rand(2, 1, *size)).shape == (2, 1, *size)


def test_ranges_of_a_tanh_are_mapped_inside() -> None:
    images = 100 * torch.randn(2, 3, 64, 64)
    made = linear()(images)
    assert 0 <= made.min() < 0.05
    assert 0.95 < made.max() <= 1


@pytest.mark.parametrize("size", [(8, 8), (9, 17), (64, 64)])
def test_any_size_in_the_canonical_range(size: tuple[int, int]) -> None:
    images = 100 * torch.randn(2, 3, *size)
    made = ConvAutoencoder((3, *size), (4, 8), (4,), kernel_size=3, slope=0.2, initialization="he_glorot")(images)
    assert made.shape == images.shape
    assert made.min() >= 0
    assert made.max() <= 1


def test_refuses_a_decoder_that_does_not_end_at_the_image() -> None:
    with pytest.raises(UserError, match=r"decoder_channels=\[2, 1, 1\]"):
        ConvAutoencoder((1, 28, 28), (1, 2, 4), (2, 1, 1), kernel_size=5, slope=0.2, initialization="he_glorot")
