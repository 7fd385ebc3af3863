from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from composing import members, part
from torch import Tensor, nn

from al_bench import seeding
from al_bench.dataset.digits import digits
from al_bench.errors import UserError
from al_bench.gan.wgan_ct import WganCt
from al_bench.network.conv_gan import ConvCritic
from al_bench.network.critic import Critic
from al_bench.network.residual_gan import ResidualCritic
from al_bench.storage.artifacts import Artifacts
from al_bench.training.schedule import StepDecay

WEIGHT = torch.tensor([3.0, 4.0])


class Masked(Critic):
    """A linear critic that leaves out what `masks` say, a mask for each of twice the real images; nothing of others."""

    def __init__(self, masks: Tensor) -> None:
        super().__init__(nn.Linear(len(WEIGHT), 1, bias=False))
        self.masks, self.head.weight.data = masks, WEIGHT[None]

    def own_features(self, inputs: Tensor) -> Tensor:
        flat = inputs.flatten(1)
        return flat * self.masks if len(flat) == len(self.masks) else flat


class Shift(nn.Module):
    """z + b as "images" of one pixel and two channels."""

    def __init__(self, latent_size: int, image_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(latent_size))

    def forward(self, latents: Tensor) -> Tensor:
        return (0.05 * latents + self.bias)[:, :, None, None]


class Small(Critic):
    def __init__(self, image_shape: tuple[int, ...], dropout: float = 0.2) -> None:
        super().__init__(nn.Linear(64, 1))
        hidden = [nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Dropout(dropout), nn.Linear(64, 64), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(nn.Flatten(), *hidden)

    def own_features(self, inputs: Tensor) -> Tensor:
        features: Tensor = self.layers(inputs)
        return features


def made(critic: Callable[..., Critic] = Small, iterations: int = 1, margin: float = 0.0) -> WganCt:
    adam = partial(torch.optim.Adam, lr=0.01, betas=(0.0, 0.9))
    weights = {"penalty_weight": 10.0, "consistency_weight": 2.0, "feature_weight": 0.1, "margin": margin}
    schedule = StepDecay((0.4, 0.7), 0.25)  # the game circles around its end without
    return WganCt(Shift, critic, adam, adam, 2, iterations, 64, 5, schedule=schedule, **weights)


def test_a_linear_critic_in_closed_form() -> None:
    """Real [1, 1] without its first and without its second number: values 4 and 3, features [0, 1] and [1, 0].

    Wasserstein: 0 for fakes of 0, minus 4 of the first pass. Penalty: 10 (5 - 1)^2. Term: 2 (1 + 0.1 * 1).
    """
    masks = torch.tensor([[0.0, 1], [0, 1], [1, 0], [1, 0]])
    real, fake = torch.ones(2, 2, 1, 1), torch.zeros(2, 2, 1, 1)
    loss = made().discriminator_loss(Masked(masks), real, fake)
    assert float(loss.detach()) == pytest.approx(0 - 4 + 160 + 2.2)
    with_margin = made(margin=0.2).discriminator_loss(Masked(masks), real, fake)
    assert float(with_margin.detach()) == pytest.approx(0 - 4 + 160 + 2)
    same = made().discriminator_loss(Masked(torch.ones(4, 2)), real, fake)
    assert float(same.detach()) == pytest.approx(0 - 7 + 160), "WGAN-GP's where nothing is left out"


@pytest.fixture(params=["layered", "residual"])
def network(request: pytest.FixtureRequest) -> Critic:
    makers: dict[str, Callable[[], Critic]] = {
        "layered": partial(ConvCritic, (2, 8, 8), (4, 6), 3, 0.2, "layer", "signed", "he_glorot", dropout=0.5),
        "residual": partial(ResidualCritic, (2, 8, 8), 6, [0.2, 0.5, 0.5]),
    }
    with seeding.fork(0):
        return makers[request.param]().double()


def test_both_critics_image_by_image(network: Critic) -> None:
    """A second implementation: what the last layer saw and gave, one image at a time."""
    seen: list[tuple[Tensor, Tensor]] = []
    network.get_submodule("head").register_forward_hook(
        lambda _, inputs, values: seen.append((inputs[0].detach(), values[:, 0].detach()))
    )
    real, fake = torch.rand(2, 3, 2, 8, 8, dtype=torch.float64, generator=seeding.generator(0))
    with seeding.fork(0):
        loss = replace(made(), penalty_weight=0).discriminator_loss(network, real, fake)
    (features, values), (_, of_fake), _ = seen
    expected = 0.0
    for image in range(3):
        expected += float(of_fake[image] - values[image]) / 3
        apart = float((features[image] - features[image + 3]).square().mean())
        assert apart > 0, "two passes leave out other units"
        expected += 2 * (float(values[image] - values[image + 3]) ** 2 + 0.1 * apart) / 3
    assert float(loss.detach()) == pytest.approx(expected, abs=1e-5)


def test_the_penalty_of_both_critics_by_differences(network: Critic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both work in [-1, 1], where the published code begins: the slope is along points of that range, not of [0, 1]."""
    network.eval()
    real, fake = torch.rand(2, 2, 2, 8, 8, dtype=torch.float64, generator=seeding.generator(0))
    weights = torch.tensor([0.25, 0.5], dtype=torch.float64)[:, None, None, None]
    points = (2 * real - 1) + weights * ((2 * fake - 1) - (2 * real - 1))
    moves = 1e-6 * torch.eye(128, dtype=torch.float64).unflatten(1, (2, 8, 8))
    with torch.no_grad():
        slopes = [(of_signed(network, point + moves) - of_signed(network, point - moves)) / 2e-6 for point in points]
    slow = sum((float(slope.norm()) - 1) ** 2 / 2 for slope in slopes)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: weights)
    assert float(made().penalty(network, real, fake).detach()) == pytest.approx(10 * slow, rel=1e-5)


def of_signed(network: Critic, images: Tensor) -> Tensor:
    """(B,) values of images in [-1, 1], layer by layer."""
    maps = network.get_submodule("layers")(images)
    features = maps.flatten(1) if isinstance(network, ConvCritic) else maps.mean((2, 3))
    return features @ network.head.weight[0] + network.head.bias


def test_terms_keep_their_ratio_in_either_range() -> None:
    """A linear critic on [-1, 1] whose images are those of one on [0, 1], stretched: Wasserstein and consistency terms
    are those of the stretched images, the penalty is the same. In [0, 1] it would have been 4 (10 - 1)^2 for 160."""
    real, fake = torch.rand(2, 2, 2, 1, 1, generator=seeding.generator(0))
    masks = torch.tensor([[0.0, 1], [0, 1], [1, 0], [1, 0]])
    signed = Masked(masks)
    signed.signed = True
    in_signed = made().discriminator_loss(signed, real, fake)
    in_own = made().discriminator_loss(Masked(masks), real * 2 - 1, fake * 2 - 1)
    assert float(in_signed.detach()) == pytest.approx(float(in_own.detach()), rel=1e-6)


def test_dropout_is_on_for_every_player_and_off_for_features(tmp_path: Path) -> None:
    """Twice the real images, the fakes, the interpolates, then the generator's fakes: five critic steps and one."""
    passes: list[tuple[int, bool]] = []

    class Watched(Small):
        def own_features(self, inputs: Tensor) -> Tensor:
            passes.append((len(inputs), self.layers[3].training))
            return super().own_features(inputs)

    flat = digits(test_share=0.2, split_seed=0, max_images=200)
    images = flat.train.images[torch.arange(64)][:, :, :1, :1].expand(-1, 2, -1, -1)
    networks, _ = made(Watched).fit(images)
    assert passes == [(128, True), (64, True), (64, True)] * 5 + [(64, True)]
    assert not networks.discriminator.training
    critic = networks.discriminator
    assert torch.equal(critic.features(torch.ones(1, 2, 1, 1)), critic.features(torch.ones(1, 2, 1, 1)))
    stored = part("gan", "gan=wgan_ct", "gan.iterations=1").trained(flat.blind(), Artifacts(tmp_path))
    assert not any(layer.training for layer in stored.modules())


def test_critic_steps_lower_the_term_and_still_part_real_from_fake() -> None:
    gan, rng = made(), seeding.generator(0)
    real, fake = torch.rand(256, 2, 1, 1, generator=rng) * 0.2, torch.rand(256, 2, 1, 1, generator=rng) * 0.2 + 0.8

    def apart(critic: Critic) -> float:
        one, other = critic(real), critic(real)
        return float((one - other).square().mean().detach())

    ends = {}
    for weight in (0.0, 2.0):
        with seeding.fork(0):
            critic = gan.discriminator(image_shape=(2, 1, 1))
            optimizer = gan.discriminator_optimizer(critic.parameters())
            for _ in range(150):
                optimizer.zero_grad()
                replace(gan, consistency_weight=weight).discriminator_loss(critic, real, fake).backward()
                optimizer.step()
            ends[weight] = apart(critic)
            assert float((critic(real).mean() - critic(fake).mean()).detach()) > 0.7
    assert ends[2.0] < ends[0.0] * 2 / 3


def test_the_game_moves_the_generator_to_the_data() -> None:
    """From a mean of 0, which is 0.73 away, to the data's 0.2 and 0.7."""
    rng = seeding.generator(0)
    images = (torch.tensor([0.2, 0.7]) + 0.05 * torch.randn(512, 2, generator=rng)).mul(255).round().clamp(0, 255)
    networks, trace = made(partial(Small, dropout=0.05), iterations=150).fit(images.to(torch.uint8)[:, :, None, None])
    means = networks.generator(torch.zeros(1, 2)).flatten().detach()
    assert float((means - torch.tensor([0.2, 0.7])).norm()) < 0.2
    assert set(trace) == {"discriminator_loss", "generator_loss"}


def test_refuses_a_discriminator_without_dropout() -> None:
    with pytest.raises(UserError, match=r"two dropout passes .* gan.discriminator.dropout"):
        made(partial(Small, dropout=0.0)).networks((2, 1, 1))
    made().networks((2, 1, 1))


@pytest.mark.parametrize("choice", [name for name in members("gan") if name.endswith("_ct")])
def test_the_weights_of_the_code(choice: str) -> None:
    gan = part("gan", f"gan={choice}", "recipe=asal/mnist_ten")
    assert (gan.consistency_weight, gan.feature_weight, gan.margin, gan.penalty_weight) == (2, 0.1, 0, 10)
