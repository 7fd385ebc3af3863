import pytest
import torch
from torch import nn

from al_bench import seeding
from al_bench.network.initialization import Initialization, initialize


@pytest.mark.parametrize(
    ("layer", "bound"),
    [
        (nn.Linear(300, 100), (6 / 400) ** 0.5),
        (nn.Conv2d(16, 32, 5, stride=2), (6 / (16 * 25)) ** 0.5),
        (nn.ConvTranspose2d(16, 32, 5, stride=2), (6 / (16 * 25 / 4)) ** 0.5),
    ],
)
def test_he_and_glorot_bounds(layer: nn.Module, bound: float) -> None:
    with seeding.fork(0):
        initialize(layer, "he_glorot")
    assert 0.99 * bound < layer.get_parameter("weight").abs().max() <= bound
    assert not layer.get_parameter("bias").any()


@pytest.mark.parametrize(
    ("layer", "rule", "variance"),
    [
        (nn.Linear(300, 100), "he_mean_glorot", 2 / 400),
        (nn.Conv2d(16, 32, 5, stride=2), "he_mean_glorot", 4 / (16 * 25 + 32 * 25 / 4)),
        (nn.ConvTranspose2d(16, 32, 5, stride=2), "he_mean_glorot", 4 / (16 * 25 / 4 + 32 * 25)),
        (nn.Conv2d(16, 32, 3), "glorot", 2 / (16 * 9 + 32 * 9)),
        (nn.Linear(300, 100), "uniform_002", 0.02**2),
        (nn.Conv2d(16, 32, 5, stride=2), "uniform_002", 0.02**2),
        (nn.ConvTranspose2d(16, 32, 5, stride=2), "uniform_002", 0.02**2),
    ],
)
def test_the_other_rules(layer: nn.Module, rule: Initialization, variance: float) -> None:
    """A uniform distribution on [-b, b] has variance b^2 / 3."""
    with seeding.fork(0):
        initialize(layer, rule)
    weight = layer.get_parameter("weight").detach()
    assert float(weight.var()) == pytest.approx(variance, rel=0.03)
    assert 0.99 * (3 * variance) ** 0.5 < weight.abs().max() <= (3 * variance) ** 0.5
    assert not layer.get_parameter("bias").any()


def test_he_keeps_the_scale_through_a_transposed_convolution() -> None:
    """ReLU halves the second moment; He's rule doubles it, whatever the stride."""
    layer = nn.ConvTranspose2d(64, 64, 5, stride=2, padding=2, output_padding=1)
    with seeding.fork(0):
        initialize(layer, "he_glorot")
        maps = torch.randn(8, 64, 16, 16)
    inner = layer(maps)[..., 4:-4, 4:-4].detach()
    assert float(inner.square().mean() / maps.square().mean()) == pytest.approx(2, rel=0.05)
