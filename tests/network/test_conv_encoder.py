import pytest
import torch

from al_bench.network.conv_encoder import ConvEncoder


@pytest.mark.parametrize(("shape", "units"), [((1, 28, 28), 256 * 4 * 4), ((3, 32, 32), 256 * 4 * 4), ((1, 8, 8), 256)])
def test_halves_down_to_one_vector_of_any_size(shape: tuple[int, ...], units: int) -> None:
    network = ConvEncoder(shape, 128, (64, 128, 256), 5, 0.2, batch_norm=True, initialization="he_glorot")
    assert network.head.in_features == units
    assert network(torch.rand(2, *shape)).shape == (2, 128)
    assert len([layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]) == 3
    plain = ConvEncoder(shape, 5, (4,), 3, 0.2, batch_norm=False, initialization="torch")
    assert not [layer for layer in plain.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert plain(torch.rand(2, *shape)).shape == (2, 5)
