import pytest
import torch

from al_bench import seeding
from al_bench.errors import InputError
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


@pytest.mark.parametrize("size", [(8, 8), (9, 17), (64, 64)])
def test_any_size_in_the_canonical_range(size: tuple[int, int]) -> None:
    images = 100 * torch.randn(2, 3, *size)
    made = ConvAutoencoder((3, *size), (4, 8), (4,), kernel_size=3, slope=0.2, initialization="he_glorot")(images)
    assert made.shape == images.shape
    assert made.min() >= 0
    assert made.max() <= 1


def test_refuses_a_decoder_that_does_not_end_at_the_image() -> None:
    with pytest.raises(InputError, match=r"decoder_channels=\[2, 1, 1\]"):
        ConvAutoencoder((1, 28, 28), (1, 2, 4), (2, 1, 1), kernel_size=5, slope=0.2, initialization="he_glorot")
