"""AC-GAN's training: an iteration beside one of the same GAN without classes, and adversarial sampling beside regular
training."""

from collections.abc import Callable, Mapping
from functools import partial

import torch

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import Precision
from al_bench.gan import Gan
from al_bench.gan.dcgan import Dcgan
from al_bench.gan.sngan import Sngan
from al_bench.gan.wgan_gp import WganGp
from al_bench.learner.acgan import Acgan
from al_bench.network.class_conditional import ClassHeads
from al_bench.network.plain_gan import Norm, PlainCritic, PlainGenerator
from benchmarks import Goal, Measured, interleaved

SEED = 0
CLASSES, SHAPE, BATCH_SIZE = 10, (1, 28, 28), 50
CHANNELS = (128, 64, 32)
OF_CLASSES = 1.1
GAMMA = 4
BASES: Mapping[str, tuple[Callable[..., Gan], Norm, int, float]] = {
    "AC-DCGAN": (partial(Dcgan, halved=False), "batch", 1, 1.9),
    "AC-SNGAN": (partial(Sngan, loss="cross_entropy"), "spectral", 1, 1.9),
    "AC-WGAN-GP": (partial(WganGp, penalty_weight=10), "none", 5, 1.7),
}  # losses, norm of the discriminator, its steps in an iteration, goal of gamma 4


def measure(pairs: int = 3, iterations: int = 20, channels: tuple[int, ...] = CHANNELS) -> list[Measured]:
    """Images of 28 x 28, batches of 50; the WGAN-GP plays a fifth of the iterations, of five critic steps each."""
    pool = labeled_pool()
    rows: list[Measured] = []
    for name, (losses, norm, num_critic, goal) in BASES.items():
        steps = max(2, iterations // num_critic)
        gan = gan_of(losses, norm, num_critic, steps, channels)
        rows += [beside_no_classes(name, gan, pool, pairs), beside_regular(name, gan, pool, pairs, goal)]
    return rows


def labeled_pool() -> Pool:
    """A pool of 1,000 random images, all labeled."""
    rng = seeding.generator(SEED)
    images = torch.randint(256, (1000, *SHAPE), generator=rng).to(torch.uint8)
    everything = PoolQuery(torch.arange(len(images)))
    return Pool.unlabeled_from(images, CLASSES).with_labels(everything, everything.indices % CLASSES)


def gan_of(losses: Callable[..., Gan], norm: Norm, num_critic: int, steps: int, channels: tuple[int, ...]) -> Gan:
    """One of the bases on the plain networks."""
    adam = partial(torch.optim.Adam, lr=0.0002, betas=(0.5, 0.999))
    precision: Precision = "bf16-mixed" if torch.cpu._is_avx512_bf16_supported() else "32-true"  # as scale=small trains
    return losses(
        generator=partial(PlainGenerator, channels=channels, initialization="normal_002"),
        discriminator=partial(PlainCritic, channels=channels[::-1], slope=0.2, norm=norm, initialization="normal_002"),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        latent_size=128,
        iterations=steps,
        batch_size=BATCH_SIZE,
        num_critic=num_critic,
        precision=precision,
        conditional=ClassHeads("one_hot", 128, spectral_head=norm == "spectral", initialization="normal_002"),
    )


def beside_no_classes(name: str, gan: Gan, pool: Pool, pairs: int) -> Measured:
    """What class heads and class losses cost."""
    runs = interleaved(lambda _: learner(gan, 1).fit(pool, None, SEED), lambda _: gan.fit(pool.inputs), pairs)
    ours, plain = (1e3 * seconds / gan.iterations for seconds in runs.medians)
    how = f"{gan.iterations} iterations of batches of {BATCH_SIZE}: {ours:,.1f} ms each, without classes {plain:,.1f}"
    return Measured(f"{name} iteration / the same GAN's without classes", runs.ratio, Goal(OF_CLASSES), how)


def beside_regular(name: str, gan: Gan, pool: Pool, pairs: int, goal: float) -> Measured:
    """What four times as many candidates cost."""
    chosen, regular = (learner(gan, gamma) for gamma in (GAMMA, 1))
    runs = interleaved(lambda _: chosen.fit(pool, None, SEED), lambda _: regular.fit(pool, None, SEED), pairs)
    ours, plain = (1e3 * seconds / gan.iterations for seconds in runs.medians)
    how = f"{gan.iterations} iterations of batches of {BATCH_SIZE}: {ours:,.1f} ms each, regular {plain:,.1f}"
    return Measured(f"{name}, gamma {GAMMA} / regular training", runs.ratio, Goal(goal), how)


def learner(gan: Gan, gamma: int) -> Acgan:
    """AC-GAN's training by ALCG's equations."""
    return Acgan(
        gan=gan,
        gamma=gamma,
        class_weight=1,
        generator_class_weight=1,
        classify_fakes=False,
        reads="labeled",
        warm_start=False,
        missing_classes="skip",
    )
