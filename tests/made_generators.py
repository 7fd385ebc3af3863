"""A world of four classes, a bright quarter each, a generator of it and a judge whose answers are known."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.dataset import Dataset, Split
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts
from al_bench.training.observation import Observer

CLASSES, SIDE, LATENTS = 4, 8, 6
BRIGHT = 0.6


def quarters(classes: Tensor) -> Tensor:
    """(B, 1, SIDE, SIDE) float images, BRIGHT in the quarter of their class."""
    half = SIDE // 2
    corners = BRIGHT * nn.functional.one_hot(classes, CLASSES).float().reshape(-1, 1, 2, 2)
    return corners.repeat_interleave(half, 2).repeat_interleave(half, 3)


def split(count: int, seed: int, noise: float = 0.4) -> Split:
    """Classes 0, 1, 2, 3, 0, ... in turn, under noise."""
    classes = torch.arange(count) % CLASSES
    images = quarters(classes) + noise * torch.rand(count, 1, SIDE, SIDE, generator=generator(seed))
    return Split(images.clamp(max=1).mul(255).round().to(torch.uint8), classes)


def dataset(noise: float = 0.4, train: int = 80, test: int = 40) -> Dataset:
    return Dataset(split(train, 0, noise), None, split(test, 1, noise), CLASSES, tuple("abcd"))


class Painter(Network):
    """Paints its class's quarter, or that of another, under noise by the latents."""

    provides = frozenset({"sample", "embedding"})
    latent_size, num_classes = LATENTS, CLASSES

    def __init__(self, noise: float = 0.4, shift: int = 0, only: int | None = None, fill: float = 0.0) -> None:
        """shift: to another class; only: the one class that it paints; fill: added to every pixel."""
        super().__init__(nn.Flatten(), nn.Dropout(0.5), nn.Linear(SIDE * SIDE, CLASSES))
        self.noise, self.shift, self.only, self.fill = noise, shift, only, fill
        self.modes: list[bool] = []
        self.drawn = torch.tensor([3, 1, 0, 4])

    def generate(self, latents: Tensor, classes: Tensor) -> Tensor:
        assert latents.shape == (len(classes), LATENTS)
        self.modes.append(self.training)
        painted = (classes + self.shift) % CLASSES if self.only is None else torch.full_like(classes, self.only)
        waves = torch.sin(latents[:, :1] * torch.arange(1, SIDE * SIDE + 1) + latents[:, 1:2])  # (B, pixels)
        return quarters(painted) + self.noise * (waves.reshape(-1, 1, SIDE, SIDE) + 1) / 2 + self.fill


class Copyist(Painter):
    """Shows real images, one after the other, whatever it is asked for."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.images, self.shown = images, 0

    def generate(self, latents: Tensor, classes: Tensor) -> Tensor:
        first = self.shown % len(self.images)
        self.shown += len(classes)
        return self.images[first : first + len(classes)].float() / 255


class Judge:
    """Answers by the brightest quarter, seen through a grid so coarse that noise misleads it."""

    min_confidence = 0.0

    def __init__(self, pixels: int = 1) -> None:
        """pixels: how many of each quarter it looks at."""
        look = torch.zeros(CLASSES, 1, SIDE, SIDE)
        half = SIDE // 2
        for k in range(CLASSES):
            row, column = half * (k // 2), half * (k % 2)
            for number in range(pixels):
                look[k, 0, row + number // half, column + number % half] = 1 / pixels
        neck, head = nn.Linear(SIDE * SIDE, CLASSES, bias=False), nn.Linear(CLASSES, CLASSES, bias=False)
        neck.weight.data, head.weight.data = look.flatten(1), 20 * torch.eye(CLASSES)
        self.model = Network(nn.Flatten(), neck, head).eval().requires_grad_(False)

    def check(self, dataset: Dataset) -> None:
        """It takes any."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        assert len(dataset.train.labels), "a judge learns from the labels"


class Paints(Learner):
    """Its model paints, well or with pixels that are no numbers."""

    provides = frozenset({"sample"})

    def __init__(self, broken: Sequence[int] = ()) -> None:
        """broken: the cycles whose pixels are none."""
        self.broken, self.fits = broken, 0

    def empty(self, pool: Pool, seed: int) -> Network:
        return Painter()

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        fill = math.nan if self.fits in self.broken else 0.0
        self.fits += 1
        return Painter(fill=fill).eval()
