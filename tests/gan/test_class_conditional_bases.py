"""ALCG's three bases as they are composed, against what the paper and published code say (docs/papers/alcg.md)."""

from typing import Any

import pytest
from composing import part

from al_bench.gan.dcgan import Dcgan
from al_bench.gan.sngan import Sngan
from al_bench.gan.wgan_gp import WganGp

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
