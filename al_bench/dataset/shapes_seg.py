"""Bright shapes drawn on dark textured ground, with label maps: a segmentation task that needs no download."""

import math

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.config.ranges import Drawn, Seed, Side, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.subset import limit_splits
from al_bench.training.losses import IGNORED

CLASS_NAMES = ("background", "circle", "square", "triangle")

_MOST_SHAPES = 2
_RING = 1.0  # pixels around a shape that count as neither: where even a person could not say
_MOST_TURN = 0.3  # radians from upright
_EDGES = (64, 4, 3)  # a circle is drawn as a polygon of 64 edges


@declare("dataset/shapes_seg")
def shapes_seg(
    train_size: Drawn,
    test_size: Drawn,
    image_size: Side,
    draw_seed: Seed,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
) -> Dataset:
    """(N, 3, image_size, image_size) images of one or two shapes; maps of 4 classes, IGNORED around each shape.

    draw_seed: of all that is drawn; the test images do not depend on train_size. max_images: of the training split;
    max_held_out, max_test: of the test split.
    """
    train, test = (
        draw(count, image_size, seeding.generator(seeding.seed_for(draw_seed, 0, name)))
        for name, count in (("train", train_size), ("test", test_size))
    )
    return limit_splits(Dataset(train, None, test, len(CLASS_NAMES), CLASS_NAMES), max_images, max_held_out, max_test)


def draw(count: int, size: int, rng: torch.Generator) -> Split:
    """`count` images, shape over shape: the later one hides the earlier."""
    images = 0.5 * _texture(count, size, rng)
    maps = torch.zeros(count, size, size, dtype=torch.uint8)
    present = torch.randint(1, _MOST_SHAPES + 1, (count, 1, 1), generator=rng)
    for number in range(_MOST_SHAPES):
        kinds = torch.randint(1, len(CLASS_NAMES), (count,), generator=rng)
        outside = _distances(kinds, size, rng).masked_fill(present <= number, math.inf)
        fill = 0.5 + 0.5 * _texture(count, size, rng)
        images = torch.where((outside <= 0)[:, None], fill, images)
        maps = torch.where(outside <= _RING, IGNORED, maps)
        maps = torch.where(outside <= 0, kinds[:, None, None], maps).to(torch.uint8)
    return Split(images.mul(255).round().to(torch.uint8), maps)


def _distances(kinds: Tensor, size: int, rng: torch.Generator) -> Tensor:
    """(N, H, W) pixels from the border of one turned regular polygon per image, at most 0 inside it."""
    count = len(kinds)
    step = 2 * math.pi / torch.tensor(_EDGES)[kinds - 1][:, None, None]  # between the normals of two edges
    reach = size * (0.14 + 0.12 * torch.rand(count, 1, 1, generator=rng))  # radius of a circle of the same area
    radius = reach * (step / 2 / torch.tan(step / 2)).sqrt()  # of the inscribed circle
    centers = reach + torch.rand(2, count, 1, 1, generator=rng) * (size - 2 * reach)
    turn = _MOST_TURN * (2 * torch.rand(count, 1, 1, generator=rng) - 1) + math.pi / 2  # one edge lies below
    place = torch.arange(size) + 0.5
    down, right = place[:, None] - centers[0], place[None, :] - centers[1]
    angle = torch.atan2(down, right) - turn
    from_normal = angle - step * torch.round(angle / step)  # to the normal of the nearest edge
    return torch.hypot(down, right) * torch.cos(from_normal) - radius


def _texture(count: int, size: int, rng: torch.Generator) -> Tensor:
    """(N, 3, H, W) in [0, 1]: one color with a wave of any direction and grain."""
    color = torch.rand(count, 3, 1, 1, generator=rng)
    waves = 0.6 * torch.randn(2, count, 1, 1, 1, generator=rng)  # radians per pixel, down and right
    place = torch.arange(size)
    wave = torch.sin(waves[0] * place[:, None] + waves[1] * place)
    grain = torch.randn(count, 3, size, size, generator=rng)
    return (color + 0.12 * wave + 0.05 * grain).clamp(0, 1)
