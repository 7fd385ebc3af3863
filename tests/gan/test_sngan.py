"""Both losses against closed forms."""

import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from al_bench.gan.sngan import Sngan


def made(loss: Any) -> Sngan:
    return Sngan(
        generator=nn.Identity,
        discriminator=nn.Identity,  # type: ignore[arg-type]  # neither is made here
        generator_optimizer=partial(torch.optim.Adam, lr=0.1),
        discriminator_optimizer=partial(torch.optim.Adam, lr=0.1),
        latent_size=3,
        iterations=1,
        batch_size=2,
        num_critic=1,
        loss=loss,
    )


def values(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float32, requires_grad=True)


def test_where_the_discriminator_cannot_tell() -> None:
    assert made("cross_entropy").discriminator_loss_of(values(0, 0), values(0)).item() == pytest.approx(2 * math.log(2))
    assert made("hinge").discriminator_loss_of(values(0, 0), values(0)).item() == 2


def test_cross_entropy_is_that_of_both_halves() -> None:
    expected = math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))
    assert made("cross_entropy").discriminator_loss_of(values(2), values(-1)).item() == pytest.approx(expected)
    assert made("cross_entropy").generator_loss_of(values(-1)).item() == pytest.approx(math.log1p(math.exp(1)))


def test_the_hinge_asks_for_no_more_than_a_margin_of_one() -> None:
    real, fake = values(1.5, 0.25), values(-3, -0.5)
    loss = made("hinge").discriminator_loss_of(real, fake)
    assert loss.item() == pytest.approx((0 + 0.75) / 2 + (0 + 0.5) / 2)
    loss.backward()
    assert real.grad is not None and fake.grad is not None
    assert real.grad.tolist() == [0, -0.5], "real is raised until it exceeds 1"
    assert fake.grad.tolist() == [0, 0.5], "fake falls until it is below -1"
    assert made("hinge").generator_loss_of(values(3, -1)).item() == -1
