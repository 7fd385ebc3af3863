"""DeepFool: batched against one image at a time, as the code that WAAL's baselines come from has it."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from al_bench import seeding
from al_bench.active.inputs import as_stored, to_float
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.dataset.digits import digits
from al_bench.learner.supervised import Supervised
from al_bench.network import Network
from al_bench.network.lenet5 import LeNet5
from al_bench.strategy.deepfool import DeepFool
from benchmarks import Goal, Measured, interleaved

SEED = 0
LABELED, EPOCHS = 500, 20  # a model of 80% has an image take the two or three steps of a real one
STRATEGY = DeepFool(max_iter=50, overshoot=0.02)


def measure(num_images: int = 10_000, num_slow: int = 200, blocks: int = 5) -> list[Measured]:
    """Seconds per image, block by block: the slow side takes the first images of each, so that both meet one load."""
    pool = made_pool(num_images)
    network = partial(LeNet5, mean=0.1307, std=0.3081)
    sgd = partial(torch.optim.SGD, lr=0.01, momentum=0.5)
    learner = Supervised(network=network, epochs=EPOCHS, batch_size=64, optimizer=sgd)
    model = learner.fit(pool, None, SEED)
    goals = {"backward of each logit": Goal(1 / 8), "gradients of the image alone": None}
    return [
        compared(model, pool.inputs[pool.unlabeled], num_slow, blocks, kind, goal, alone)
        for (kind, goal), alone in zip(goals.items(), (False, True), strict=True)
    ]


def compared(
    model: Network, images: Tensor, num_slow: int, blocks: int, kind: str, goal: Goal | None, alone: bool
) -> Measured:
    """One row; alone: see `one_at_a_time`."""
    parts, few = images.chunk(blocks), num_slow // blocks
    runs = interleaved(
        lambda number: STRATEGY.perturbations(model, parts[number], torch.arange(len(parts[number]))),
        lambda number: one_at_a_time(model, to_float(parts[number][:few]), alone),
        blocks,
    )
    same = all(torch.allclose(ours[0][:few], slow, rtol=1e-3) for ours, slow in runs.results)
    steps = torch.cat([ours[1] for ours, _ in runs.results]).float().mean()
    ours, slow = (1e3 * seconds / count for seconds, count in zip(runs.medians, (len(parts[0]), few), strict=True))
    how = (
        f"LeNet5, {len(images):,} images 1 x 28 x 28, {steps:.1f} steps each: {ours:.2f} ms an image; one at a time, "
        f"{kind}, {slow:.1f} ms on {few * blocks} of them"
    )
    return Measured(f"DeepFool / one image at a time, {kind}", runs.ratio * few / len(parts[0]), goal, how, same)


def made_pool(num_images: int) -> Pool:
    """scikit-learn's digits at 28 x 28 pixels under noise, drawn again and again; some are labeled, beside as many
    unlabeled ones as were asked for."""
    train, rng = digits(test_share=0.2, split_seed=0).train, seeding.generator(SEED)
    drawn = torch.randint(len(train), (LABELED + num_images,), generator=rng)
    large = functional.interpolate(to_float(train.images[torch.arange(len(train))]), size=28, mode="bilinear")
    images = large[drawn] + 0.08 * torch.randn(len(drawn), 1, 28, 28, generator=rng)
    pool = Pool.unlabeled_from(as_stored(images, torch.uint8), 10)
    return pool.with_labels(PoolQuery(torch.arange(LABELED)), train.labels[drawn[:LABELED]])


def one_at_a_time(model: Network, images: Tensor, alone: bool) -> Tensor:
    """(B,) squared norms of the perturbations, image by image and logit by logit.

    alone: gradients of the images and of nothing else, where a plain `backward` also takes those of the weights.
    """
    return torch.stack([_of_one(model, image[None], alone) for image in images])


def _of_one(model: Network, image: Tensor, alone: bool) -> Tensor:
    walked, factor = torch.zeros_like(image), 1 + STRATEGY.overshoot
    image = image.clone().requires_grad_()
    logits = model(image + factor * walked)[0]
    label = int(logits.argmax())
    for _ in range(STRATEGY.max_iter):
        slopes = [_slope(logit, image, alone) for logit in logits]
        nearest, step = float("inf"), torch.zeros_like(image)
        gaps, own = (logits - logits[label]).tolist(), slopes[label]
        for gap, slope in zip(gaps, (slope - own for slope in slopes), strict=True):
            norm = float(slope.norm())
            if norm > 0 and abs(gap) / norm < nearest:
                nearest, step = abs(gap) / norm, abs(gap) / norm**2 * slope
        walked += step
        logits = model(image + factor * walked)[0]
        if int(logits.argmax()) != label:
            break
    return walked.square().sum()


def _slope(logit: Tensor, image: Tensor, alone: bool) -> Tensor:
    if alone:
        return torch.autograd.grad(logit, image, retain_graph=True)[0]
    image.grad = None
    logit.backward(retain_graph=True)
    assert image.grad is not None
    return image.grad
