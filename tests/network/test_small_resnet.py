import pytest
import torch
from torch import nn

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.small_resnet import SmallResNet


def made(shape: tuple[int, ...]) -> SmallResNet:
    with seeding.fork(0):
        return SmallResNet(shape, 5, channels=[8, 16, 32], first_side=16, mean=0.5, std=0.25).eval()


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        ((1, 8, 8), [8, 4, 2]),
        ((1, 28, 28), [14, 7, 4]),
        ((3, 64, 64), [16, 8, 4]),
        ((3, 224, 160), [14, 7, 4]),
    ],
)
def test_pictures_of_any_size_meet_maps_of_about_the_same(shape: tuple[int, ...], sides: list[int]) -> None:
    network, found = made(shape), []
    for part in network.backbone:
        if type(part).__name__ == "BasicBlock":
            part.register_forward_hook(lambda _part, _inputs, maps: found.append(maps.shape[2]))
    with torch.no_grad():
        assert network(torch.zeros(2, *shape)).shape == (2, 5)
    assert found == sides


def test_has_the_weights_that_are_counted_by_hand() -> None:
    convolutions = 5 * 5 * 3 * 8 + 2 * 9 * 8 * 8 + 9 * (8 * 16 + 16 * 16) + 9 * (16 * 32 + 32 * 32) + 8 * 16 + 16 * 32
    norms = 2 * (8 + 2 * 8 + 3 * 16 + 3 * 32)
    assert sum(weights.numel() for weights in made((3, 64, 64)).parameters()) == convolutions + norms + 5 * 33


def test_a_shortcut_is_the_mean_of_what_it_halves() -> None:
    """Of an odd side too, where the last mean is of fewer."""
    (mean, *_), maps = made((3, 64, 64)).backbone[-3].downsample, torch.arange(9.0).reshape(1, 1, 3, 3)
    assert isinstance(mean, nn.AvgPool2d)
    assert mean(maps).tolist() == [[[[2.0, 3.5], [6.5, 8.0]]]]


def test_features_are_refused() -> None:
    with pytest.raises(UserError, match="network=small_resnet needs images"):
        made((12,))
