"""Classes thinned out unevenly: a balanced data set made imbalanced, for training alone (MAL Sec. 4.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.config.ranges import Fraction, NoneToAll, Seed
from al_bench.dataset import Split
from al_bench.errors import UserError


@declare("dataset/imbalance")
@dataclass(frozen=True)
class Imbalance:
    """Which fraction of each class is kept, and which of its images these are, drawn by `split_seed`.

    ratios: each is that of as many classes, so that their number divides that of the classes. assigned: `random`, which
    classes have which ratio is drawn, or `in_order`, the first classes have the first. rounding: `exact`, a class of n
    images keeps ratio n, rounded (half up), or `bernoulli`, each image is kept with probability ratio. floor: images
    that a class keeps at least, all of it where it has fewer.
    """

    ratios: Sequence[Fraction]
    split_seed: Seed = 0
    assigned: Literal["random", "in_order"] = "random"
    rounding: Literal["exact", "bernoulli"] = "exact"
    floor: NoneToAll = 1

    def positions(self, labels: Tensor, num_classes: int) -> Tensor:
        """The ascending positions that are kept of images with labels (N,) 0 to num_classes - 1.

        Raises UserError for ratios that cannot be divided among the classes.
        """
        if not self.ratios or num_classes % len(self.ratios):
            raise UserError(
                f"dataset.imbalance.ratios has {len(self.ratios)} ratios, which cannot be divided among {num_classes} "
                f"classes: give a number of them that divides {num_classes}"
            )
        kept = []
        for label, ratio in zip(self._classes(num_classes), self._ratios(num_classes), strict=True):
            members = (labels == label).nonzero().squeeze(1)
            draws = torch.rand(len(members), generator=self._rng(f"imbalance of class {label}"), dtype=torch.float64)
            count = int((draws < ratio).sum()) if self.rounding == "bernoulli" else int(ratio * len(members) + 0.5)
            kept.append(members[draws.argsort()[: max(count, self.floor)]])
        return torch.cat(kept).sort().values

    def apply(self, split: Split, num_classes: int) -> Split:
        """What is kept of a split, in memory, in its order."""
        return split.subset(self.positions(split.classes, num_classes))

    def _classes(self, num_classes: int) -> list[int]:
        if self.assigned == "in_order":
            return list(range(num_classes))
        order: list[int] = torch.randperm(num_classes, generator=self._rng("ratios of classes")).tolist()
        return order

    def _ratios(self, num_classes: int) -> list[float]:
        return [ratio for ratio in self.ratios for _ in range(num_classes // len(self.ratios))]

    def _rng(self, purpose: str) -> torch.Generator:
        return seeding.generator(seeding.seed_for(self.split_seed, 0, purpose))
