"""ALCG's three bases as they are composed, against what the paper and published code say (docs/papers/alcg.md)."""

from functools import partial
from typing import Any

import pytest
import torch
from composing import compose, part
from hydra.errors import ConfigCompositionException

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError
from al_bench.gan.dcgan import Dcgan
from al_bench.gan.sngan import Sngan
from al_bench.gan.wgan_gp import WganGp
from al_bench.network.conv_gan import ConvCritic, ConvGenerator

ON = ("dataset=cifar10", "recipe=alcg/cifar10", "method=alcg/rand")


def learner(gan: str, *changes: str) -> Any:
    return part("learner", *ON, f"gan={gan}", *changes)


@pytest.mark.parametrize(
    ("gan", "game", "norm", "rate", "beta", "num_critic"),
    [
        ("ac_dcgan", Dcgan, "batch", 2e-4, (0.5, 0.999), 1),
        ("ac_sngan", Sngan, "spectral", 2e-4, (0.5, 0.999), 1),
        ("ac_wgan_gp", WganGp, "none", 1e-4, (0.5, 0.9), 5),
    ],
)
def test_they_differ_in_their_game_their_norm_and_their_optimizers_alone(
    gan: str, game: type, norm: str, rate: float, beta: tuple[float, float], num_critic: int
) -> None:
    made = learner(gan).gan
    assert type(made) is game
    assert (made.discriminator.keywords["norm"], made.num_critic) == (norm, num_critic)
    for optimizer in (made.generator_optimizer, made.discriminator_optimizer):
        assert (optimizer.keywords["lr"], tuple(optimizer.keywords["betas"])) == (rate, beta)
    assert (made.batch_size, made.latent_size, made.iterations) == (64, 128, 10_000)
    assert made.generator.keywords["channels"] == [512, 256, 128, 64]
    assert made.discriminator.keywords["channels"] == [64, 128, 256, 512]
    assert made.conditional.class_input == "one_hot"


@pytest.mark.parametrize(("architecture", "widths"), [("ig", [512, 256, 128]), ("radford", [256, 128, 64])])
@pytest.mark.parametrize(("gan", "norm"), [("ac_dcgan", "batch"), ("ac_sngan", "spectral"), ("ac_wgan_gp", "none")])
def test_other_networks_keep_the_norm_and_the_training_of_their_base(
    architecture: str, widths: list[int], gan: str, norm: str
) -> None:
    usual, made = learner(gan).gan, learner(gan, f"architecture@gan={architecture}").gan
    assert (made.generator.func, made.discriminator.func) == (ConvGenerator, ConvCritic)
    assert (made.generator.keywords["channels"], made.discriminator.keywords["channels"]) == (widths, widths[::-1])
    assert made.discriminator.keywords["norm"] == norm
    for name in ("batch_size", "num_critic", "latent_size", "iterations", "conditional"):
        assert getattr(made, name) == getattr(usual, name)


@pytest.mark.parametrize("architecture", ["ig", "radford"])
@pytest.mark.parametrize("gan", ["ac_dcgan", "ac_sngan", "ac_wgan_gp"])
def test_other_networks_train_and_make_images_of_a_class(architecture: str, gan: str) -> None:
    small = "dataset=digits", "method=alcg/as", f"gan={gan}", f"architecture@gan={architecture}", "learner.iterations=2"
    images = torch.randint(256, (20, 1, 8, 8), dtype=torch.uint8, generator=seeding.generator(0))
    pool = Pool.unlabeled_from(images, 4).with_labels(PoolQuery(torch.arange(12)), torch.arange(12) % 4)
    model = part("learner", *small).fit(pool, None, 0)
    images = model.generate(torch.randn(3, model.latent_size), torch.arange(3))
    assert images.shape == (3, 1, 8, 8)
    assert 0 <= images.min() < images.max() <= 1


def test_networks_are_those_of_a_gan_with_classes() -> None:
    with pytest.raises(ConfigCompositionException, match="architecture"):
        compose("gan=dcgan", "architecture@gan=ig")


def test_their_losses_are_those_of_the_paper() -> None:
    """Eq. 1 is not halved; Eqs. 4 and 5 weigh both class losses by 1; the penalty by 10."""
    assert learner("ac_dcgan").gan.halved is False
    assert learner("ac_sngan").gan.loss == "cross_entropy"
    assert learner("ac_wgan_gp").gan.penalty_weight == 10
    for gan in ("ac_dcgan", "ac_sngan", "ac_wgan_gp"):
        found = learner(gan)
        assert (found.class_weight, found.generator_class_weight) == (1, 1)
        assert (found.classify_fakes, found.reads, found.warm_start) == (False, "labeled", False)


def test_they_are_measured_as_published() -> None:
    """50,000 samples against all real training images, splits of ten, subsets of 1,000, three neighbors."""
    found = part("evaluator", *ON, "gan=ac_dcgan")
    assert (found.samples, found.split, found.splits, found.inception) == (50_000, "train", 10, None)
    assert (found.kid_subset_size, found.neighbors, found.mode_share) == (1000, 3, 1 / 50)


@pytest.mark.parametrize(("gan", "weight"), [("ac_wgan_gp", 0.1), ("ac_dcgan", 1), ("ac_sngan", 1)])
def test_published_code_weighs_the_generators_class_loss_beside_a_wasserstein_critic(gan: str, weight: float) -> None:
    found = learner(gan, "preset=as_code")
    assert (found.class_weight, found.generator_class_weight) == (1, weight)


@pytest.mark.parametrize(
    ("gan", "norm", "refused"),
    [
        ("ac_wgan_gp", "batch", True), ("ac_wgan_gp", "none", False), ("ac_wgan_gp", "spectral", False),
        ("wgan_gp", "batch", True), ("wgan_gp", "none", False), ("wgan_gp", "layer", False),
    ],
)  # fmt: skip
def test_a_gradient_penalty_refuses_batch_norm(gan: str, norm: str, refused: bool) -> None:
    """Where an image's value depends on the others its gradient is no slope of the critic along it."""
    changes = "dataset=digits", f"gan={gan}", f"gan.discriminator.norm={norm}"
    if gan == "wgan_gp":
        build = partial(part("gan", *changes).networks, (1, 8, 8))
    else:  # as its learner makes them
        images = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
        build = partial(part("learner", *changes, "method=alcg/rand").empty, Pool.unlabeled_from(images, 2), 0)
    if not refused:
        assert build() is not None
        return
    with pytest.raises(UserError, match="has batch norm, by which the images of a batch change"):
        build()
