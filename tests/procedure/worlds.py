"""A world of two classes, black and white images, in which every answer of a procedure is known."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from al_bench.dataset import Dataset, Split
from al_bench.gan import GanNetworks
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.store import RunStore

SIDE = 4


def split(black: int, white: int) -> Split:
    """Black images of class 0, then white ones of class 1; each a little different from the others."""
    images = torch.cat([torch.zeros(black, 1, SIDE, SIDE), torch.full((white, 1, SIDE, SIDE), 240)]).to(torch.uint8)
    images[:, 0, 0, 0] += (torch.arange(len(images)) % 16).to(torch.uint8)
    return Split(images, torch.tensor([0] * black + [1] * white))


def dataset(black: int = 60, white: int = 60) -> Dataset:
    return Dataset(split(black, white), None, split(20, 20), 2, ("black", "white"))


class Painter(nn.Module):
    """White where the first latent is above a threshold, else black."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(threshold))

    def forward(self, latents: Tensor) -> Tensor:
        bright = (latents[:, 0] > self.threshold).float() * 240 / 255
        return bright[:, None, None, None].expand(-1, 1, SIDE, SIDE)


class Brightness(Network):
    """Logits (-s, s) with s = `scale` times how far the mean pixel is from gray."""

    def __init__(self, scale: float) -> None:
        super().__init__(nn.Flatten(), nn.Identity(), nn.Linear(SIDE * SIDE, 2))
        self.scale = scale

    def forward(self, inputs: Tensor) -> Tensor:
        score = self.scale * (inputs.flatten(1).mean(1) - 0.47)
        return torch.stack([-score, score], 1)


class PainterGan:
    """Stands for a trained GAN: white from a threshold of the first latent on."""

    def __init__(self, threshold: float = 0.0) -> None:
        self.threshold = threshold

    def check(self, image_shape: Sequence[int]) -> None:
        """It makes its own, whatever is asked for."""

    def trained(self, dataset: Dataset, artifacts: Artifacts) -> GanNetworks:
        return GanNetworks(Painter(self.threshold), nn.Linear(1, 1), 3).eval()


class Judge:
    """Stands for a trained oracle."""

    def __init__(self, scale: float = 100.0, min_confidence: float = 0.9) -> None:
        self.model, self.min_confidence = Brightness(scale).eval(), min_confidence

    def check(self, dataset: Dataset) -> None:
        """It takes any."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        assert len(dataset.train.labels), "a judge learns from the labels"


def store(folder: Path) -> RunStore:
    return RunStore(folder / "run", {}, {})
