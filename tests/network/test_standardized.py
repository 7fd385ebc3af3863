import pytest
import torch

from al_bench.errors import UserError
from al_bench.network.standardized import Standardized


def test_one_number_is_for_every_channel() -> None:
    images = torch.rand(4, 3, 5, 6)
    assert torch.equal(Standardized(3, 0.1307, 0.3081)(images), (images - 0.1307) / 0.3081)


def test_a_channel_has_its_own() -> None:
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.25, 0.5]
    images = torch.tensor(mean)[:, None, None] + torch.tensor(std)[:, None, None] * torch.randn(64, 3, 32, 32)
    found = Standardized(3, mean, std)(images)
    assert found.mean((0, 2, 3)).abs().max() < 0.02
    assert (found.std((0, 2, 3)) - 1).abs().max() < 0.02


def test_is_no_weight_and_yet_moves_with_the_network() -> None:
    layer = Standardized(3, [0.4, 0.5, 0.6], 0.5)
    assert not layer.state_dict()
    assert {buffer.device.type for buffer in layer.to("meta").buffers()} == {"meta"}


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"network\.mean=\[0\.1, 0\.2, 0\.3\] has 3 numbers for images of 1 channel: give one$"
    ):
        Standardized(1, [0.1, 0.2, 0.3], 1.0)
