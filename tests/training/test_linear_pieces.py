"""Slopes by masks and transposed convolutions are autograd's, and so is what is derived from them."""

from functools import partial

import pytest
import torch
from torch import nn

from al_bench import seeding
from al_bench.network.conv_gan import ConvCritic
from al_bench.network.plain_gan import PlainCritic
from al_bench.network.residual_gan import ResidualCritic
from al_bench.training.linear_pieces import LinearPieces
from al_bench.training.losses import gradient_penalty

SHAPE = (3, 12, 10)


class Mixed(nn.Module):
    """What convolutions, rectifiers and poolings may be beside those of the project's critics, and a curve above."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, (3, 5), (2, 1), (2, 1), (1, 2), bias=False)
        self.layers = nn.Sequential(
            nn.LeakyReLU(0.3, inplace=True),
            nn.AvgPool2d(3, 2, 1, count_include_pad=False),
            nn.Conv2d(8, 6, 3, padding="same", groups=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(6, 6, 3, padding=1, padding_mode="reflect"),
            nn.Flatten(),
            nn.LazyLinear(4),
            nn.Tanh(),
            nn.Linear(4, 1),
        )

    def forward(self, inputs):
        return self.layers(self.first(inputs)).squeeze(1)


CRITICS = {
    "leaky": partial(ConvCritic, SHAPE, (4, 6, 8), 5, 0.2, "none", "canonical", "he_mean_glorot"),
    "layer norm": partial(ConvCritic, SHAPE, (4, 6), 3, 0.2, "layer", "signed", "he_mean_glorot"),
    "spectral norm": partial(ConvCritic, SHAPE, (4, 6), 3, 0.2, "spectral", "signed", "he_mean_glorot"),
    "dropout": partial(ConvCritic, SHAPE, (4, 6), 3, 0.2, "none", "signed", "he_mean_glorot", dropout=0.4),
    "plain": partial(PlainCritic, (3, 16, 16), (4, 6), 0.1, "none", "he_mean_glorot"),
    "residual": partial(ResidualCritic, (3, 13, 11), 6, (0.2, 0.5, 0.5)),
    "mixed": Mixed,
}


def by_autograd(critic, points):
    """The penalty as `gradient_penalty` has it where nothing is known of the critic."""
    points = points.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(points).float().sum(), points, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def made(name, dtype=torch.float64):
    """A critic, what it makes of points, and points."""
    shape = {"plain": (3, 16, 16), "residual": (3, 13, 11)}.get(name, SHAPE)
    with seeding.fork(0):
        critic, points = CRITICS[name](), torch.rand(5, *shape, dtype=dtype)
        if name == "mixed":
            critic(points.float())  # its first call says how wide it is
    critic = critic.to(dtype)
    return critic, getattr(critic, "values", critic), points


def gradients_of(loss, critic):
    """Of every weight, zeros where it has none."""
    found = torch.autograd.grad(loss, list(critic.parameters()), allow_unused=True)
    weights = zip(critic.parameters(), found, strict=True)
    return [torch.zeros_like(weight) if gradient is None else gradient for weight, gradient in weights]


@pytest.mark.parametrize("name", CRITICS)
def test_a_penalty_and_its_gradients_are_those_of_autograd(name):
    """In double precision, whatever else a critic has."""
    critic, values, points = made(name)
    critic.eval() if name == "spectral norm" else critic.train()  # in training each pass moves its vectors
    with seeding.fork(1):
        expected = by_autograd(values, points)
    with seeding.fork(1):
        found = gradient_penalty(values, points)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=0)
    for mine, theirs in zip(gradients_of(found, critic), gradients_of(expected, critic), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", CRITICS)
def test_gradients_of_values_are_asked_for_after_the_block(name):
    critic, values, points = made(name)
    critic.eval()
    expected = gradients_of(values(points).square().sum(), critic)
    with LinearPieces():
        inside = values(points)
    for mine, theirs in zip(gradients_of(inside.square().sum(), critic), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["leaky", "residual"])
def test_in_bfloat16_they_are_as_close_as_it_rounds(name):
    critic, values, points = made(name, torch.float32)
    critic.eval()
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = gradient_penalty(values, points), by_autograd(values, points)
    torch.testing.assert_close(found, expected, rtol=0.01, atol=0.001)
    mine, theirs = (torch.cat([part.flatten() for part in gradients_of(loss, critic)]) for loss in (found, expected))
    assert mine.dtype == torch.float32
    assert float((mine - theirs).norm() / theirs.norm()) < 0.01


@pytest.mark.parametrize("name", ["leaky", "residual"])
def test_nothing_goes_back_through_the_forward_pass(name):
    """What is saved: with autograd a bias gets a gradient of zeros, which has come all the way."""
    critic, values, points = made(name, torch.float32)
    gradient_penalty(values, points).backward()
    assert [part for part, weight in critic.named_parameters() if weight.grad is not None] == [
        part for part, _ in critic.named_parameters() if part.endswith("weight")
    ]
    critic.zero_grad()
    by_autograd(values, points).backward()
    assert any(part.endswith("bias") and weight.grad is not None for part, weight in critic.named_parameters())


@pytest.mark.parametrize("last", [nn.Identity, nn.Sigmoid])
def test_a_critic_without_convolutions_keeps_its_bits(last):
    """That of WAAL, whose stored runs are."""
    with seeding.fork(0):
        hidden = [nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 9), nn.LeakyReLU(0.2)]
        critic = nn.Sequential(*hidden, nn.Linear(9, 1), last())
        points = torch.randn(50, 6)
    expected, found = by_autograd(critic, points), gradient_penalty(critic, points)
    assert torch.equal(found, expected)
    for mine, theirs in zip(gradients_of(found, critic), gradients_of(expected, critic), strict=True):
        assert torch.equal(mine, theirs)
