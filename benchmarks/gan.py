"""GAN training: one iteration of WGAN-GP with ASAL's nets for MNIST (Tab. 5), beside an eager loop written by hand,
whose gradient penalty is autograd's own."""

import gc
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from al_bench import seeding
from al_bench.gan import GanNetworks
from al_bench.gan.wgan_gp import WganGp
from al_bench.network.conv_gan import ConvCritic, ConvGenerator
from al_bench.training.image_batches import ImageBatches
from benchmarks import Goal, Measured, Pairs, interleaved

SEED = 0
NUM_CRITIC, BATCH_SIZE, PENALTY = 5, 50, 10.0  # docs/papers/asal.md, GANs
Autocast = Callable[[], Any]


def measure(channels: tuple[int, int, int] = (64, 128, 256), iterations: int = 2, pairs: int = 5) -> list[Measured]:
    """On the CPU, in float32 and, where the processor multiplies them, in bfloat16, beside float32 and bfloat16."""
    gan, images = tables_gan(channels, iterations), made_images()
    rows = [row(gan, images, "float32 / by hand", Goal(0.9), pairs)]
    if torch.cpu._is_avx512_bf16_supported():
        half: WganGp = replace(gan, precision="bf16-mixed")
        rows.append(row(half, images, "bfloat16 / by hand", Goal(0.55), pairs))
        rows.append(row(half, images, "bfloat16 / by hand in bfloat16", Goal(0.9), pairs, autocast_of(half, images)))
    return rows


def measure_gpu(channels: tuple[int, int, int] = (64, 128, 256), iterations: int = 200) -> Iterator[Measured]:
    """On a GPU: the step replayed as a CUDA graph, in float32 and bfloat16, and what fused optimizers do without one;
    then the memory of the first. Measures nothing without a GPU."""
    if not torch.cuda.is_available():
        return
    gan, images = tables_gan(channels, iterations), made_images().cuda()
    graph = replace(gan, capture=True)
    yield row_on_gpu(graph, gan, images, "float32, CUDA graph", Goal(0.35))
    yield row_on_gpu(gan, gan, images, "float32, fused optimizers", None)
    yield row_on_gpu(replace(graph, precision="bf16-mixed"), gan, images, "bfloat16, CUDA graph", None)
    ours, plain = (peak_memory(play) for play in (lambda: graph.fit(images), lambda: by_hand(gan, images)))
    how = f"on {torch.cuda.get_device_name()}: {ours:,.0f} MiB that torch held at most, by hand {plain:,.0f}"
    yield Measured("GAN training, peak memory on the GPU, CUDA graph / by hand", ours / plain, None, how)


def row_on_gpu(ours: WganGp, gan: WganGp, images: Tensor, name: str, goal: Goal | None) -> Measured:
    """Ours over float32 by hand, step for step as eager PyTorch runs it."""
    runs = interleaved(lambda _: finished(ours, images), lambda _: finished(gan, images, by_hand), pairs=5)
    mine, plain = (1e3 * seconds / gan.iterations for seconds in runs.medians)
    how = f"1 x 28 x 28 on {torch.cuda.get_device_name()}: {mine:,.2f} ms, by hand {plain:,.2f}"
    return Measured(f"GAN iteration, {name} / by hand", runs.ratio, goal, how, begin_alike(ours, images))


def begin_alike(ours: WganGp, images: Tensor, iterations: int = 8) -> bool:
    """Whether a short game ends as by hand in the same precision."""
    short = replace(ours, iterations=iterations)
    with torch.backends.cudnn.flags(enabled=True, deterministic=True):
        mine, other = short.fit(images)[0], by_hand(short, images, autocast_of(short, images))
    return moved_alike(short.networks(images.shape[1:]), mine, other)


def moved_alike(start: nn.Module, one: nn.Module, other: nn.Module, apart: float = 0.01) -> bool:
    """Whether two trainings moved the same first weights alike, up to a fraction of the way.

    Fused optimizers and other orders of adding round otherwise, Adam takes a whole step by the sign of a slope near 0,
    and games let that grow with every step.
    """
    first, mine, theirs = (parameters_to_vector(module.parameters()).cpu() for module in (start, one, other))
    return bool((mine - theirs).norm() <= apart * (theirs - first).norm())


def peak_memory(play: Callable[[], object]) -> float:
    """MiB of the GPU that torch held at most meanwhile, what a CUDA graph keeps for itself included."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    play()
    return torch.cuda.max_memory_reserved() / 2**20


def row(ours: WganGp, images: Tensor, name: str, goal: Goal, pairs: int, autocast: Autocast = nullcontext) -> Measured:
    """Ours over by hand, in float32 or as `autocast` has it."""
    runs = interleaved(lambda _: finished(ours, images), lambda _: by_hand(ours, images, autocast), pairs)
    mine, plain = (1e3 * seconds / ours.iterations for seconds in runs.medians)
    how = f"1 x 28 x 28, {NUM_CRITIC} critic steps and one of the generator: {mine:,.0f} ms, by hand {plain:,.0f}"
    return Measured(f"GAN iteration, {name}", runs.ratio, goal, how, agree(ours, images, runs))


def autocast_of(ours: WganGp, images: Tensor) -> Autocast:
    """What a loop by hand enters around each network's call to compute in our precision."""
    if ours.precision == "32-true":
        return nullcontext
    return partial(torch.autocast, images.device.type, torch.bfloat16)


def tables_gan(channels: tuple[int, int, int], iterations: int) -> WganGp:
    """WGAN-GP with the layers of Table 5; channels of the critic, from the image inwards."""
    rules: dict[str, Any] = {"kernel_size": 5, "initialization": "he_mean_glorot"}
    critic: dict[str, Any] = {"slope": 0.2, "norm": "none", "input_range": "canonical"}
    generator: dict[str, Any] = {"activation": nn.ReLU, "batch_norm": False, "output": "sigmoid"}
    adam = partial(torch.optim.Adam, lr=1e-4, betas=(0.5, 0.9))
    return WganGp(
        generator=partial(ConvGenerator, channels=channels[::-1], **rules, **generator),
        discriminator=partial(ConvCritic, channels=channels, **rules, **critic),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        latent_size=128,
        iterations=iterations,
        batch_size=BATCH_SIZE,
        num_critic=NUM_CRITIC,
        penalty_weight=PENALTY,
    )


def made_images() -> Tensor:
    """Images of noise: what a step costs does not depend on them."""
    rng = seeding.generator(SEED)
    return torch.randint(256, (500, 1, 28, 28), generator=rng).to(torch.uint8)


def finished(gan: WganGp, images: Tensor, play: Callable[[WganGp, Tensor], GanNetworks] | None = None) -> GanNetworks:
    """The networks after the whole training; on a GPU once it really is over."""
    networks = play(gan, images) if play else gan.fit(images)[0]
    if images.is_cuda:
        torch.cuda.synchronize()
    return networks


def agree(ours: WganGp, images: Tensor, runs: Pairs) -> bool:
    """Whether the weights are those of the loop by hand in the same precision, as far as this one goes."""
    start, hand = ours.networks(images.shape[1:]), by_hand(ours, images, autocast_of(ours, images))
    return moved_alike(start, runs.results[-1][0], hand, apart=0.01 if ours.precision == "32-true" else 0.03)


def by_hand(gan: WganGp, images: Tensor, autocast: Autocast = nullcontext) -> GanNetworks:
    """The same game on the same batches and nothing else; autocast is entered anew around each network's call."""
    networks = gan.networks(images.shape[1:]).to(images.device)
    generator, critic = networks.generator, networks.discriminator
    for_critic = gan.discriminator_optimizer(critic.parameters())
    for_generator = gan.generator_optimizer(generator.parameters())
    batches = ImageBatches(
        images,
        batch_size=BATCH_SIZE,
        steps=gan.iterations,
        seed=seeding.seed_for(gan.seed, 0, "gan batches"),
        per_step=NUM_CRITIC,
    )

    def called(network: nn.Module, inputs: Tensor) -> Tensor:
        with autocast():
            outputs: Tensor = network(inputs)
        return outputs.float()

    def latents() -> Tensor:
        return torch.randn(BATCH_SIZE, 128, device=images.device)

    with seeding.fork(seeding.seed_for(gan.seed, 0, "gan training")):
        for step in range(gan.iterations):
            for stored in batches[step]:
                real = stored.float() / 255
                with torch.no_grad():
                    fake = called(generator, latents())
                wasserstein = called(critic, fake).mean() - called(critic, real).mean()
                weights = torch.rand(BATCH_SIZE, 1, 1, 1, device=images.device)
                points = (real + weights * (fake - real)).requires_grad_(True)
                (slopes,) = torch.autograd.grad(called(critic, points).sum(), points, create_graph=True)
                penalty = (slopes.flatten(1).norm(dim=1) - 1).square().mean()
                for_critic.zero_grad()
                (wasserstein + PENALTY * penalty).backward()
                for_critic.step()
            critic.requires_grad_(False)
            for_generator.zero_grad()
            (-called(critic, called(generator, latents())).mean()).backward()
            for_generator.step()
            critic.requires_grad_(True)
    return networks
