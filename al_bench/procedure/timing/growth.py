"""A pool made larger than the data are, by random augmentation (ASAL Sec. 5.5), without holding its images."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active.inputs import Inputs, to_float
from al_bench.feature import Feature
from al_bench.feature.pca import Pca
from al_bench.files import written_whole
from al_bench.network.predict import BATCH_SIZE, evaluating
from al_bench.training.batches import Augmentation
from al_bench.training.cost import measure_cost


@dataclass(frozen=True, eq=False)
class Cycled:
    """The first `period` inputs over and over, up to `length`: what scoring that many costs does not depend on what is
    in the pixels, and memory stays that of the data."""

    inputs: Inputs
    period: int
    length: int

    @property
    def shape(self) -> torch.Size:
        """(length, C, H, W)."""
        return torch.Size((self.length, *self.inputs.shape[1:]))

    @property
    def dtype(self) -> torch.dtype:
        return self.inputs.dtype

    @property
    def device(self) -> torch.device:
        return self.inputs.device

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, indices: Tensor, /) -> Tensor:
        return self.inputs[indices % self.period]

    def to(self, device: torch.device, /) -> "Cycled":
        """Its inputs on a device."""
        return Cycled(self.inputs.to(device), self.period, self.length)


@dataclass
class GrownFeatures:
    """(copies * N, P) float32 features of N images and of augmented copies of them, made copy by copy.

    images: (N, C, H, W) uint8 in memory. module: what extracts, for its eval mode. most: copies that memory is taken
    for. folder: where each copy is kept, so that a kill loses one at most. The first copy is the images themselves.
    seconds: what extracting each copy took, its augmentation included.
    """

    images: Tensor
    feature: Feature
    module: nn.Module
    pca: Pca
    augmentation: Augmentation
    most: int
    folder: Path
    seed: int

    def __post_init__(self) -> None:
        self.features = torch.empty(0)
        self.seconds: list[float] = []

    def grow_to(self, copies: int) -> Tensor:
        """The features of the first `copies`."""
        count = len(self.images)
        if not len(self.features):
            self.features = torch.empty(self.most * count, len(self.pca.components), device=self.images.device)
        for copy in range(len(self.seconds), copies):
            rows, seconds = self._copy(copy)
            self.features[copy * count : (copy + 1) * count] = rows
            self.seconds.append(seconds)
        return self.features[: copies * count]

    def _copy(self, copy: int) -> tuple[Tensor, float]:
        path = self.folder / f"features-{copy:03d}.safetensors"
        if not path.exists():
            with measure_cost() as cost:
                rows = self._extract(copy)
            made = {"features": rows.cpu(), "seconds": torch.tensor(cost.seconds, dtype=torch.float64)}
            with written_whole(path) as file:
                file.write(save(made))
        kept = load_file(path)
        return kept["features"].to(self.images.device), float(kept["seconds"])

    def _extract(self, copy: int) -> Tensor:
        seed = seeding.seed_for(self.seed, copy, "augmentation")
        with seeding.fork(seed), evaluating(self.module), torch.no_grad():
            return torch.cat([self._project(part, copy > 0) for part in self.images.split(BATCH_SIZE)])

    def _project(self, images: Tensor, augmented: bool) -> Tensor:
        if augmented:
            images, _ = self.augmentation(images, torch.zeros(len(images), dtype=torch.int64, device=images.device))
        return self.pca.project(self.feature.extract(to_float(images), None))
