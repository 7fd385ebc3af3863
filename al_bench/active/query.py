"""What a strategy asks the oracle: labels of images of the pool, or of synthetic inputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """What either kind of query carries of how it came about, one row for each of its Q annotations.

    scores: (Q,) acquisition scores, in the strategy's own sense. trace: what was measured inside, one tensor of Q rows
    each; stored with the cycle.
    """

    scores: Tensor | None = None
    trace: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Lowest:
    """The other end of a ranking, which is not asked for: a person looks at it.

    indices: (L,) int64 unlabeled positions in the whole training split, L at most `MOST`; scores: (L,), lowest first.
    """

    MOST: ClassVar[int] = 10

    indices: Tensor
    scores: Tensor


@dataclass(frozen=True)
class PoolQuery(_Measured):
    """Asks for the labels of Q inputs of the pool.

    indices: (Q,) int64 positions in the whole training split. ranks: (Q,) int64, which nearest neighbor of its
    synthetic image each index is, 0 the nearest. lowest: of a strategy that ranks what it looks at.
    """

    indices: Tensor
    ranks: Tensor | None = None
    lowest: Lowest | None = None

    @property
    def size(self) -> int:
        """The number of annotations Q."""
        return len(self.indices)


@dataclass(frozen=True)
class SyntheticQuery(_Measured):
    """Asks for the labels of synthetic inputs, in Q annotations.

    synthetic: (Q, V, ...) inputs as the pool stores them, V of them per annotation (1; a line of ADBA has 11).
    shown: (Q, V, C, H, W) uint8, what an annotator looks at where that is not the input itself.
    """

    synthetic: Tensor
    shown: Tensor | None = None

    @property
    def size(self) -> int:
        """The number of annotations Q."""
        return len(self.synthetic)

    @property
    def looked_at(self) -> Tensor:
        """(Q, V, ...) what an annotator looks at."""
        return self.synthetic if self.shown is None else self.shown


Query = PoolQuery | SyntheticQuery
