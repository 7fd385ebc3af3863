from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from al_bench import seeding
from al_bench.gan.wgan_gp import WganGp
from al_bench.network.critic import Critic
from al_bench.training.losses import gradient_penalty
from al_bench.training.schedule import StepDecay
from benchmarks.gan import by_hand, made_images, tables_gan


class Linear(Critic):
    """A critic of constant slope |w| along the images of its own range."""

    def __init__(self, weight: Tensor, signed: bool = False) -> None:
        super().__init__(nn.Linear(len(weight), 1, bias=False), signed)
        self.head.weight.data = weight[None]

    def own_features(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1)


class Shift(nn.Module):
    """z + b as "images" of one pixel and two channels: all that this generator can learn is where they lie."""

    def __init__(self, latent_size: int, image_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(latent_size))

    def forward(self, latents: Tensor) -> Tensor:
        return (0.05 * latents + self.bias)[:, :, None, None]


class Small(Critic):
    def __init__(self, image_shape: tuple[int, ...], signed: bool = False) -> None:
        super().__init__(nn.Linear(32, 1), signed)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(2, 32), nn.LeakyReLU(0.2))

    def own_features(self, inputs: Tensor) -> Tensor:
        features: Tensor = self.layers(inputs)
        return features


def made(iterations: int = 1, num_critic: int = 5) -> WganGp:
    adam = partial(torch.optim.Adam, lr=0.01, betas=(0.0, 0.9))
    schedule = StepDecay((0.4, 0.7), 0.25)  # the game circles around its end without
    return WganGp(Shift, Small, adam, adam, 2, iterations, 64, num_critic, schedule=schedule, penalty_weight=10.0)


@pytest.mark.parametrize("signed", [False, True])
def test_a_linear_critic_in_closed_form(signed: bool) -> None:
    """w (mean fake - mean real) + lambda (|w| - 1)^2, wherever the interpolates fall; images of [-1, 1] lie twice as
    far apart, and the slope along them is still |w|."""
    real, fake = torch.rand(7, 2, 1, 1), torch.rand(7, 2, 1, 1)
    critic = Linear(torch.tensor([3.0, 4.0]), signed)
    apart = (fake - real) * (2 if signed else 1)
    expected = (apart.flatten(1) @ torch.tensor([3.0, 4.0])).mean() + 10 * (5 - 1) ** 2
    torch.testing.assert_close(made().discriminator_loss(critic, real, fake), expected)
    torch.testing.assert_close(made().generator_loss(critic, fake), -critic(fake).mean())


@pytest.mark.parametrize("signed", [False, True])
def test_the_penalty_image_by_image(signed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second implementation, as the published code: images are brought to the range of the layers first, and all else
    happens there. One interpolate at a time, its slope by differences of the critic's values."""
    with seeding.fork(0):
        critic = Small((2, 1, 1), signed).double()
        critic.layers[2] = nn.Tanh()
        real, fake = torch.rand(5, 2, 1, 1, dtype=torch.float64), torch.rand(5, 2, 1, 1, dtype=torch.float64)
        weights = torch.rand(5, 1, 1, 1, dtype=torch.float64)
    expected = 0.0
    values = nn.Sequential(critic.layers, critic.head)
    own = [images * 2 - 1 if signed else images for images in (real, fake)]
    for first, second, weight in zip(*own, weights, strict=True):
        point, step = (1 - weight) * first + weight * second, 1e-5
        moves = step * torch.eye(2, dtype=torch.float64)[:, :, None, None]
        with torch.no_grad():
            slopes = [(values((point + move)[None]) - values((point - move)[None])) / (2 * step) for move in moves]
        expected += (float(slopes[0] ** 2 + slopes[1] ** 2) ** 0.5 - 1) ** 2 / 5
    monkeypatch.setattr(torch, "rand", lambda *_, **__: weights)
    loss = made().discriminator_loss(critic, real, fake) - (critic(fake).mean() - critic(real).mean())
    assert float(loss.detach()) == pytest.approx(10 * expected, rel=1e-6)


def test_each_pair_has_a_weight_of_its_own() -> None:
    seen = []

    class Watched(Linear):
        def own_features(self, inputs: Tensor) -> Tensor:
            seen.append(inputs.detach())
            return super().own_features(inputs)

    made().discriminator_loss(Watched(torch.ones(18)), torch.zeros(500, 2, 3, 3), torch.ones(500, 2, 3, 3))
    weights = seen[-1].flatten(1)
    assert torch.equal(weights.amin(1), weights.amax(1)), "one weight for all of an image"
    assert float(weights[:, 0].mean()) == pytest.approx(0.5, abs=0.05)
    assert float(weights[:, 0].var()) == pytest.approx(1 / 12, abs=0.01)


def test_critic_steps_lower_the_penalty_and_part_real_from_fake() -> None:
    """With the sign of the penalty turned, as in WAAL's published code, it would rise."""
    gan, rng = made(), seeding.generator(0)
    real, fake = torch.rand(256, 2, 1, 1, generator=rng) * 0.2, torch.rand(256, 2, 1, 1, generator=rng) * 0.2 + 0.8
    with seeding.fork(0):
        critic = gan.discriminator(image_shape=(2, 1, 1))
        optimizer = gan.discriminator_optimizer(critic.parameters())
        before = gradient_penalty(critic.values, (real + fake) / 2).detach()
        for _ in range(200):
            optimizer.zero_grad()
            gan.discriminator_loss(critic, real, fake).backward()
            optimizer.step()
    assert float(gradient_penalty(critic.values, (real + fake) / 2).detach()) < 0.1 * float(before)
    assert float((critic(real).mean() - critic(fake).mean()).detach()) == pytest.approx(0.8 * 2**0.5, rel=0.15)


def test_the_game_moves_the_generator_to_the_data() -> None:
    """From a mean of 0, which is 0.73 away, to the data's 0.2 and 0.7."""
    rng = seeding.generator(0)
    images = (torch.tensor([0.2, 0.7]) + 0.05 * torch.randn(512, 2, generator=rng)).mul(255).round().clamp(0, 255)
    networks, trace = made(iterations=250).fit(images.to(torch.uint8)[:, :, None, None])
    means = networks.generator(torch.zeros(1, 2)).flatten().detach()
    assert float((means - torch.tensor([0.2, 0.7])).norm()) < 0.2
    assert set(trace) == {"discriminator_loss", "generator_loss"}


def test_an_iteration_is_num_critic_steps_then_one_of_the_generator() -> None:
    steps: list[str] = []

    def watched(parameters: Any, name: str) -> torch.optim.Optimizer:
        optimizer = torch.optim.Adam(parameters)
        optimizer.register_step_post_hook(lambda *_: steps.append(name))
        return optimizer

    optimizers = {f"{name}_optimizer": partial(watched, name=name) for name in ("generator", "discriminator")}
    replace(made(iterations=2, num_critic=3), **optimizers).fit(torch.zeros(64, 2, 1, 1, dtype=torch.uint8))
    assert steps == ["discriminator", "discriminator", "discriminator", "generator"] * 2


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_game_is_the_one_written_by_hand(precision: str) -> None:
    """A second, plain implementation on small nets of Table 5's form, ten iterations."""
    gan, images = tables_gan((4, 8, 16), 10), made_images()
    autocast = nullcontext if precision == "32-true" else partial(torch.autocast, "cpu", torch.bfloat16)
    ours = replace(gan, precision=precision)
    games = replace(ours, iterations=0).fit(images)[0], ours.fit(images)[0], by_hand(gan, images, autocast)
    start, made, written = (parameters_to_vector(networks.parameters()) for networks in games)
    apart, moved = (made - written).norm(), (written - start).norm()
    assert moved > 0 and apart < 0.01 * moved, (
        "a penalty of 9.9 in place of 10 ends further away, another rounding does not"
    )


def test_the_generator_s_batch_may_be_another() -> None:
    seen: list[int] = []

    class Watched(Shift):
        def forward(self, latents: Tensor) -> Tensor:
            seen.append(len(latents))
            return super().forward(latents)

    gan = replace(made(iterations=1, num_critic=2), generator=Watched, generator_batch_size=128)
    gan.fit(torch.zeros(64, 2, 1, 1, dtype=torch.uint8))
    assert seen == [64, 64, 128]


def test_dequantized_pixels_fill_their_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """(byte + U[0, 1)) / 256, as the authors' residual GANs read CIFAR-10: uniform over the byte's own 256th."""
    seen: list[Tensor] = []

    def watched(gan: WganGp, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        seen.append(real)
        loss: Tensor = critic(fake).sum()
        return loss

    monkeypatch.setattr(WganGp, "discriminator_loss", watched)
    replace(made(num_critic=1), dequantize=True).fit(torch.full((64, 2, 9, 9), 255, dtype=torch.uint8))
    levels = seen[0] * 256 - 255
    assert 0 <= float(levels.min()) < 0.01
    assert 0.99 < float(levels.max()) < 1
    assert float(levels.mean()) == pytest.approx(0.5, abs=0.02)
