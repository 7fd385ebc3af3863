"""A DRN with dropout: the same network but for what it drops in training."""

import torch

from al_bench.network.drn import Drn
from al_bench.network.drn_dropout import DrnDropout

SIZE = (3, 24, 32)


def test_evaluates_as_a_drn_of_the_same_weights() -> None:
    plain = Drn(SIZE, 5, "d_22", 2, 0.5, 0.5).eval()
    network = DrnDropout(SIZE, 5, 0.2, "d_22", 2, 0.5, 0.5).eval()
    network.load_state_dict(plain.state_dict())  # dropout has no weights
    images = torch.rand(2, *SIZE)
    assert torch.equal(network(images), plain(images))


def test_drops_a_fifth_of_the_numbers_of_its_features() -> None:
    network = DrnDropout(SIZE, 5, 0.2, "d_22", 2, 0.5, 0.5).train()
    features = torch.ones(4, 64, 30, 40)
    dropped = network.neck(features)
    assert abs((dropped == 0).float().mean().item() - 0.2) < 0.01
    assert dropped.unique().tolist() == [0, 1.25]
    assert "dropout" in network.provides
