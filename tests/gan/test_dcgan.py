import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from al_bench import seeding
from al_bench.gan.dcgan import Dcgan
from al_bench.network.critic import Critic


class Logit(Critic):
    """The logit of "real" is the image itself."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(1, 1))

    def own_features(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1)

    def score(self, features: Tensor) -> Tensor:
        return features.sum(1)


class Shift(nn.Module):
    """z + b as images of one pixel."""

    def __init__(self, latent_size: int, image_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, latents: Tensor) -> Tensor:
        return (0.1 * latents + self.bias)[:, :, None, None]


class Discriminator(Critic):
    def __init__(self, image_shape: tuple[int, ...]) -> None:
        super().__init__(nn.Linear(32, 1))
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(1, 32), nn.LeakyReLU(0.2))

    def own_features(self, inputs: Tensor) -> Tensor:
        features: Tensor = self.layers(inputs)
        return features


def made(iterations: int = 1) -> Dcgan:
    adam = partial(torch.optim.Adam, lr=0.01, betas=(0.5, 0.999))
    return Dcgan(Shift, Discriminator, adam, adam, 1, iterations, 64, 1)


def images(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None]


def test_log_2_where_it_cannot_tell() -> None:
    assert float(made().discriminator_loss(Logit(), images(0, 0), images(0))) == pytest.approx(math.log(2))
    assert float(made().generator_loss(Logit(), images(0))) == pytest.approx(math.log(2))


def test_closed_form() -> None:
    """Half of softplus(-real) + softplus(fake)."""
    expected = (math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))) / 2
    assert float(made().discriminator_loss(Logit(), images(2), images(-1))) == pytest.approx(expected)
    assert float(made().generator_loss(Logit(), images(-1))) == pytest.approx(math.log1p(math.exp(1)))


def test_not_halved_it_is_the_sum() -> None:
    """ALCG Eq. 1, where a class loss stands beside it."""
    real, fake = images(2), images(-1)
    whole = replace(made(), halved=False).discriminator_loss(Logit(), real, fake)
    assert float(whole) == pytest.approx(2 * float(made().discriminator_loss(Logit(), real, fake)))


def test_the_generator_does_not_saturate() -> None:
    """Where the discriminator is sure, -log D keeps a slope of 1; log(1 - D) would have one of e^-20."""
    fake = images(-20.0).requires_grad_(True)
    (gradient,) = torch.autograd.grad(made().generator_loss(Logit(), fake), fake)
    assert float(gradient) == pytest.approx(-1)
    assert made().discriminator_loss(Logit(), images(-1e4), images(1e4)).isfinite()


def test_the_game_moves_the_generator_to_the_data() -> None:
    data = (0.6 + 0.1 * torch.randn(512, 1, 1, 1, generator=seeding.generator(0))).mul(255).round().clamp(0, 255)
    networks, _ = made(iterations=400).fit(data.to(torch.uint8))
    assert float(networks.generator(torch.zeros(1, 1)).detach()) == pytest.approx(0.6, abs=0.08)
