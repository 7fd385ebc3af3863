"""Nearest neighbors without replacement (ASAL Eq. 2 and Alg. 1 line 4)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_FIRST_FETCH = 16
_NEAR_TIE = 1e-5  # of |query|^2 + the largest |feature|^2: float32 does not tell closer squared distances apart


@dataclass(frozen=True)
class Matches:
    """indices: (Q,) int64, distinct; ranks: (Q,) int64, 0 where the very nearest was free; distances: (Q,) float64,
    Euclidean."""

    indices: Tensor
    ranks: Tensor
    distances: Tensor


class Matcher(ABC):
    """An index over the pool's features; members differ in how they search, the rule of `match` is one."""

    features: Tensor
    largest: float

    def fit(self, features: Tensor) -> None:
        """Builds the index of (N, D) features. Raises ValueError where one is not finite."""
        self.features = _finite(features)
        self.largest = float(self.features.square().sum(1).max()) if len(features) else 0.0
        self.build(self.features)

    @abstractmethod
    def build(self, features: Tensor) -> None:
        """Builds the index of (N, D) float32 features."""

    @abstractmethod
    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) int64 positions nearest to (Q, D) float32 queries, nearest first, on any device.

        -1 where an approximate index found fewer.
        """

    def match(self, queries: Tensor, taken: Tensor) -> Matches:
        """For each query in turn its nearest position that is neither in `taken` nor given to an earlier query.

        queries: (Q, D); taken: (L,) int64. Ties go to the lower position. More and more neighbors are fetched until a
        free one is certain to be the nearest free one. Raises ValueError if fewer than Q are left or a query is not
        finite.
        """
        free = np.ones(len(self.features), dtype=bool)
        free[taken.cpu().numpy()] = False
        if len(queries) > free.sum():
            raise ValueError(f"{len(queries)} matches were asked for and {free.sum()} of {len(free)} are left")
        queries = _finite(queries).to(self.features.device)
        count = min(_FIRST_FETCH, len(free))
        fetched = self.search(queries, count).cpu() if len(queries) else torch.empty(0, count)
        found = []
        for query, candidates in zip(queries, fetched, strict=True):
            found.append(self._match(query, candidates, free))
            free[found[-1][0]] = False
        columns = list(zip(*found, strict=True)) or [(), (), ()]
        indices, ranks = (torch.tensor(column, dtype=torch.int64) for column in columns[:2])
        return Matches(indices, ranks, torch.tensor(columns[2], dtype=torch.float64))

    def _match(self, query: Tensor, candidates: Tensor, free: np.ndarray) -> tuple[int, int, float]:
        """Position, rank and distance of the nearest free one; (M,) candidates are the nearest M to begin with."""
        while (match := self._nearest_free(query, candidates, free)) is None:
            count = min(4 * len(candidates), len(free))
            candidates = self.search(query[None], count)[0].cpu() if count < len(free) else torch.arange(len(free))
        return match

    def _nearest_free(self, query: Tensor, candidates: Tensor, free: np.ndarray) -> tuple[int, int, float] | None:
        """Position, rank and distance of the nearest free candidate; None while a closer one may not be among them."""
        everything = len(candidates) == len(free)
        candidates = candidates[candidates >= 0]
        near = self.features[candidates.to(self.features.device)].double()
        distances = (near - query.double()).square().sum(1).cpu().numpy()
        order = np.lexsort((candidates.numpy(), distances))
        ranks = np.flatnonzero(free[candidates.numpy()[order]])
        if not len(ranks):
            return None
        rank = int(ranks[0])
        distance = distances[order[rank]]
        uncertain = _NEAR_TIE * (self.largest + float(query.double().square().sum()))
        if not everything and distances[order[-1]] - distance <= uncertain:
            return None
        return int(candidates[order[rank]]), rank, float(np.sqrt(distance))


def _finite(features: Tensor) -> Tensor:
    """The features as float32. Raises ValueError where one is not finite: it would be nobody's or everybody's match."""
    features = features.detach().float().contiguous()
    if not features.isfinite().all():
        row = int((~features.isfinite()).any(1).nonzero()[0])
        raise ValueError(f"features to match have to be finite and row {row} is not")
    return features
