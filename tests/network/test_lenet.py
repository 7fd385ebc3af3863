import pytest
import torch

from al_bench.errors import UserError
from al_bench.network.lenet import LeNet


def test_has_the_layers_of_table_5() -> None:
    network = LeNet((1, 28, 28), 10)
    convolutions = 1 * 32 * 25 + 32 + 32 * 64 * 25 + 64
    assert sum(p.numel() for p in network.parameters()) == convolutions + 3136 * 1024 + 1024 + 1024 * 10 + 10
    images = torch.rand(3, 1, 28, 28)
    assert network.features(images).shape == (3, 3136)
    assert network.embed(images).shape == (3, 1024)
    assert (network.embed(images) >= 0).all(), "the embedding is taken after the ReLU"


@pytest.mark.parametrize("shape", [(3, 4, 4), (3, 32, 32), (1, 29, 31)])
def test_takes_images_of_other_sizes(shape: tuple[int, ...]) -> None:
    assert LeNet(shape, 2)(torch.rand(2, *shape)).shape == (2, 2)


@pytest.mark.parametrize("shape", [(64,), (1, 3, 28)])
def test_refuses_what_does_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"network=lenet needs .*4 x 4 .*network=linear"):
        LeNet(shape, 10)
