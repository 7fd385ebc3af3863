"""Nearest neighbors without replacement (ASAL Eq. 2 and Alg. 1 line 4)."""

from abc import ABC, abstractmethod
from collections.abc import Set
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from al_bench.matcher.ties import drawn_ranks

FIRST_FETCH = 16  # neighbors that a search is asked for at first
_ROWS = 2**18  # features looked at together, so that what is computed of them is small beside them
_NEAR_TIE = 1e-5  # of |query|^2 + the largest |feature|^2: float32 does not tell closer squared distances apart


@dataclass(frozen=True)
class Matches:
    """indices: (Q,) int64, distinct; ranks: (Q,) int64, 0 where the very nearest was free (of those found, where the
    index is approximate); distances: (Q,) float64, Euclidean."""

    indices: Tensor
    ranks: Tensor
    distances: Tensor


class Matcher(ABC):
    """An index over the pool's features; members differ in how they search, the rule of `match` is one."""

    features: Tensor
    largest: float

    def fit(self, features: Tensor) -> None:
        """Builds the index of (N, D) features, which are kept as they are if they are float32 and contiguous.

        Raises FloatingPointError where one is not finite.
        """
        self.features = _finite(features)
        parts = self.features.split(_ROWS) if len(features) else ()
        self.largest = max((float(part.square().sum(1).max()) for part in parts), default=0.0)
        self.build(self.features)

    @abstractmethod
    def build(self, features: Tensor) -> None:
        """Builds the index of (N, D) float32 features."""

    @abstractmethod
    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) int64 positions nearest to (Q, D) float32 queries, nearest first, on any device.

        -1 where an approximate index found fewer.
        """

    def match(self, queries: Tensor, taken: Tensor, rng: torch.Generator) -> Matches:
        """For each query in turn its nearest position that is neither in `taken` nor given to an earlier query.

        queries: (Q, D); taken: (L,) int64. Of positions at equal distances, whatever their number, the first in an
        order that `rng` draws once per call; an approximate index has to find them. More and more neighbors are fetched
        until a free one is certain to be the nearest free one of what the index finds, and to stand before all that tie
        with it; where it finds no more and none of it is free, all features are looked at. Distances are computed in
        float64. Raises ValueError if fewer than Q are left, FloatingPointError if a query is not finite.
        """
        seed = int(torch.randint(2**62, (), generator=rng))
        gone = set(taken.tolist())
        num_features = len(self.features)
        if len(queries) > num_features - len(gone):
            raise ValueError(
                f"{len(queries)} matches were asked for and {num_features - len(gone)} of {num_features} are left"
            )
        queries = _finite(queries).to(self.features.device)
        count = min(FIRST_FETCH, num_features)
        fetched = self.search(queries, count).cpu() if len(queries) else torch.empty(0, count)
        found = []
        for query, candidates in zip(queries, fetched, strict=True):
            found.append(self._match(query.double(), candidates, gone, seed))
            gone.add(found[-1][0])
        columns = list(zip(*found, strict=True)) or [(), (), ()]
        indices, ranks = (torch.tensor(column, dtype=torch.int64) for column in columns[:2])
        return Matches(indices, ranks, torch.tensor(columns[2], dtype=torch.float64))

    def _match(self, query: Tensor, candidates: Tensor, gone: Set[int], seed: int) -> tuple[int, int, float]:
        """Position, rank and distance of the nearest free one; (M,) candidates are the nearest M to begin with."""
        while True:
            found = candidates[candidates >= 0]
            complete = len(found) < len(candidates) or len(found) == len(self.features)
            match = self._nearest_free(query, found, gone, complete, seed)
            if match is not None:
                return match
            if complete or 4 * len(candidates) >= len(self.features):
                return self._nearest_of_all(query, gone, seed)
            candidates = self.search(query.float()[None], 4 * len(candidates))[0].cpu()

    def _nearest_free(
        self, query: Tensor, found: Tensor, gone: Set[int], complete: bool, seed: int
    ) -> tuple[int, int, float] | None:
        """Position, rank and distance of the nearest free one of those found.

        complete: whether the index finds no more. None where no other is free, or a nearer one may not be found yet.
        """
        near = self.features[found.to(self.features.device)].double()
        distances = (near - query).square().sum(1).cpu().numpy()
        order = np.lexsort((drawn_ranks(found.numpy(), seed), distances))
        positions = found.numpy()[order]
        rank = next((rank for rank, position in enumerate(positions.tolist()) if position not in gone), None)
        if rank is None:
            return None
        distance = distances[order[rank]]
        uncertain = _NEAR_TIE * (self.largest + float(query.square().sum()))
        if not complete and distances[order[-1]] - distance <= uncertain:
            return None
        return int(positions[rank]), rank, float(np.sqrt(distance))

    def _nearest_of_all(self, query: Tensor, gone: Set[int], seed: int) -> tuple[int, int, float]:
        """Position, rank and distance of the nearest free one of all features."""
        parts = [(part.double() - query).square().sum(1).cpu() for part in self.features.split(_ROWS)]
        distances = torch.cat(parts).numpy()
        free = np.ones(len(distances), dtype=bool)
        free[list(gone)] = False
        distance = distances[free].min()
        equals = np.flatnonzero(distances == distance)
        equals = equals[drawn_ranks(equals, seed).argsort()]
        first = int(free[equals].argmax())
        return int(equals[first]), int((distances < distance).sum()) + first, float(np.sqrt(distance))


def _finite(features: Tensor) -> Tensor:
    """The features as float32. Raises FloatingPointError where one is not finite: nobody's match, or everybody's."""
    features = features.detach().float().contiguous()
    for start in range(0, len(features), _ROWS):
        finite = features[start : start + _ROWS].isfinite().all(1)
        if not finite.all():
            row = start + int((~finite).nonzero()[0])
            raise FloatingPointError(f"features to match have to be finite and row {row} is not")
    return features
