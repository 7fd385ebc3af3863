"""Features in the range that a classifier's optimizer is made for."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs
from al_bench.config.ranges import Normalizing
from al_bench.network.frozen_backbone import normalized

_MOST_BYTES = 1 << 30  # of features that are kept in memory once they are normalized
_ROWS = 65_536  # looked at together
_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Normalization:
    """how: `standardize`, `l2` or `none`, see `Backbone`; mean, scale: (D,) of the first, (0,) of the two others."""

    how: Normalizing
    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, features: Tensor, how: Normalizing) -> "Normalization":
        """That of (N, D) training features."""
        if how != "standardize":
            return cls(how, torch.empty(0), torch.empty(0))
        mean = _summed(part.double().sum(0) for part in features.split(_ROWS)) / len(features)
        squares = _summed((part.double() - mean).square().sum(0) for part in features.split(_ROWS)) / len(features)
        deviation = squares.sqrt()
        return cls(how, mean.float(), torch.where(deviation > 0, 1 / deviation, 1.0).float())

    def applied(self, features: Tensor) -> Inputs:
        """All rows of (N, D) features: a tensor, or of very many a view that normalizes what is asked for."""
        if self.how == "none":
            return features
        if features.nbytes > _MOST_BYTES:
            return NormalizedRows(features, self)
        whole = torch.empty_like(features)
        for first in range(0, len(features), _ROWS):
            whole[first : first + _ROWS] = self(features[first : first + _ROWS])
        return whole

    def __call__(self, rows: Tensor) -> Tensor:
        """(B, D) to (B, D)."""
        return normalized(rows, self.how, self.mean.to(rows.device), self.scale.to(rows.device))


@dataclass(frozen=True, eq=False)
class NormalizedRows:
    """Inputs (N, D) that are read from where they lie and normalized. device: where batches are given."""

    features: Tensor
    normalization: Normalization
    device: torch.device = _CPU
    dtype: torch.dtype = torch.float32

    @property
    def shape(self) -> torch.Size:
        """(N, D)."""
        return self.features.shape

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, indices: Tensor, /) -> Tensor:
        return self.normalization(self.features[indices.cpu()].to(self.device))

    def to(self, device: torch.device, /) -> Inputs:
        """Gives its batches on `device`."""
        return replace(self, device=device)


def _summed(parts: Iterable[Tensor]) -> Tensor:
    total, *others = parts
    return sum(others, total)
