import pytest
import torch

from al_bench.errors import UserError
from al_bench.network.celeba_cnn import CelebaCnn


def test_has_the_layers_of_table_10() -> None:
    network = CelebaCnn((3, 64, 64), 2)
    convolutions = 9 * (3 * 16 + 16 * 32 + 32 * 64) + 16 + 32 + 64
    assert sum(p.numel() for p in network.parameters()) == convolutions + 4096 * 1024 + 1024 + 1024 + 1
    images = torch.rand(3, 3, 64, 64)
    assert network.features(images).shape == (3, 4096)
    assert network.embed(images).shape == (3, 1024)


@pytest.mark.parametrize("shape", [(64,), (3, 7, 64)])
def test_refuses_what_does_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"network=celeba_cnn needs .*8 x 8 .*network=linear"):
        CelebaCnn(shape, 2)
    assert CelebaCnn((1, 8, 9), 2)(torch.rand(2, 1, 8, 9)).shape == (2, 2)
