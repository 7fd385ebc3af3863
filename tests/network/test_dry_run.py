"""What a network makes of its inputs is known without computing it."""

import pytest
from torch import nn

from al_bench.errors import UserError
from al_bench.network.dry_run import dry_run


def test_a_shape_is_told_and_the_network_is_left_as_it_is() -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.BatchNorm2d(5))
    assert dry_run(network, (3, 9, 7)) == (5, 4, 3)
    assert network.training
    assert {one.device.type for one in network.parameters()} == {"cpu"}


def test_inputs_that_do_not_fit_are_named() -> None:
    with pytest.raises(UserError, match="Linear cannot take inputs of 2 x 4: "):
        dry_run(nn.Linear(3, 2), (2, 4))
