"""What a network makes of its inputs is known without computing it."""

import pytest
import torch
from torch import nn

from al_bench.errors import UserError
from al_bench.network.dry_run import dry_run, norms_alone


def test_a_shape_is_told_and_the_network_is_left_as_it_is() -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.BatchNorm2d(5))
    assert dry_run(network, (3, 9, 7)) == (5, 4, 3)
    assert network.training
    assert {one.device.type for one in network.parameters()} == {"cpu"}


def test_inputs_that_do_not_fit_are_named() -> None:
    with pytest.raises(UserError, match="Linear cannot take inputs of 2 x 4: "):
        dry_run(nn.Linear(3, 2), (2, 4))


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5])
def test_batch_norm_of_one_image_needs_two_positions(side: int) -> None:
    """As torch has it, which refuses to train on fewer."""
    network = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1), nn.BatchNorm2d(2))
    network.append(nn.Sequential(nn.Conv2d(2, 2, 3, stride=2, padding=1), nn.BatchNorm2d(2)))
    try:
        network.train()(torch.zeros(1, 1, side, side))
        trains = True
    except ValueError:
        trains = False
    assert norms_alone(network, (1, side, side)) is trains
    assert trains is (side == 5)


def test_batch_norm_of_a_vector_needs_two_and_none_needs_one() -> None:
    assert not norms_alone(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), (3,))
    assert norms_alone(nn.Linear(3, 4), (3,))


def test_a_part_of_a_part_is_named_by_its_key() -> None:
    with pytest.raises(UserError, match=r"^gan\.discriminator cannot take inputs of 2 x 4: "):
        dry_run(nn.Linear(3, 2), (2, 4), "gan.discriminator")
