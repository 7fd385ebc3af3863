import pytest
import torch
from torch import nn

from al_bench.errors import UserError
from al_bench.learner.h_divergence import Discriminated
from al_bench.network.lenet5 import LeNet5


def test_has_the_layers_of_waal() -> None:
    network = LeNet5((1, 28, 28), 10, mean=0.0, std=1.0)
    convolutions = 1 * 10 * 25 + 10 + 10 * 20 * 25 + 20
    assert sum(p.numel() for p in network.parameters()) == convolutions + 320 * 50 + 50 + 50 * 10 + 10
    images = torch.rand(3, 1, 28, 28)
    assert network.features(images).shape == (3, 320)
    assert network.embed(images).shape == (3, 50)


def test_training_drops_half_of_the_second_convolutions_maps_whole() -> None:
    """With maps of 1 everywhere, the 16 features of each are 0, or 2 to make up for those dropped."""
    network = LeNet5((1, 28, 28), 10, mean=0.0, std=1.0)
    second = [layer for layer in network.backbone if isinstance(layer, nn.Conv2d)][1]
    nn.init.zeros_(second.weight)
    nn.init.ones_(second.bias)
    torch.manual_seed(0)
    maps = network.train().features(torch.rand(200, 1, 28, 28)).detach().reshape(200, 20, 16)
    assert (maps == maps[:, :, :1]).all()
    assert set(maps.unique().tolist()) == {0.0, 2.0}
    assert float(maps.mean()) == pytest.approx(1.0, abs=0.1)
    assert (network.eval().features(torch.rand(2, 1, 28, 28)) == 1).all()


def test_a_second_head_has_the_weights_of_waals_critic() -> None:
    """App. G.2: 320-50-relu-dropout-1, beside the classifier 320-50-relu-dropout-10."""
    network = LeNet5((1, 28, 28), 10, mean=0.0, std=1.0)
    second = Discriminated(network, network.features(torch.rand(2, 1, 28, 28)).shape[1], hidden=50).discriminator
    classifier = 320 * 50 + 50 + 50 * 10 + 10
    heads = sum(p.numel() for p in [*network.neck.parameters(), *network.head.parameters()])
    assert heads == classifier == 16_560
    assert sum(p.numel() for p in second.parameters()) == 320 * 50 + 50 + 50 * 1 + 1 == 16_101


def test_standardizes_canonical_pixels() -> None:
    torch.manual_seed(0)
    network = LeNet5((1, 28, 28), 10, mean=0.0, std=1.0).eval()
    torch.manual_seed(0)
    standardizing = LeNet5((1, 28, 28), 10, mean=0.2, std=0.5).eval()
    images = torch.rand(3, 1, 28, 28)
    assert torch.allclose(standardizing(images), network((images - 0.2) / 0.5), atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 16, 16), (3, 32, 32), (1, 29, 31)])
def test_takes_images_of_other_sizes(shape: tuple[int, ...]) -> None:
    assert LeNet5(shape, 2, 0.0, 1.0)(torch.rand(2, *shape)).shape == (2, 2)


@pytest.mark.parametrize("shape", [(64,), (1, 8, 8), (1, 15, 28)])
def test_refuses_what_does_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"network=lenet5 needs .*16 x 16 .*network=small_cnn"):
        LeNet5(shape, 10, 0.0, 1.0)
