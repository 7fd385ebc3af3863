"""What a strategy asks the oracle."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Query:
    """Q annotations that are asked for; one row is one annotation.

    Exactly one of `indices` and `synthetic` is given.

    indices: (Q,) int64 positions in the whole training split.
    synthetic: (Q, V, ...) inputs as the pool stores them, V of them per annotation (1; a line of ADBA has 11).
    shown: (Q, V, C, H, W) uint8, what an annotator looks at where that is not the input itself.
    scores: (Q,) acquisition scores, in the strategy's own sense. ranks: (Q,) int64, which nearest neighbor of its
    synthetic image each index is, 0 the nearest.
    trace: what was measured inside, one tensor of Q rows each; stored with the cycle.
    """

    indices: Tensor | None = None
    synthetic: Tensor | None = None
    shown: Tensor | None = None
    scores: Tensor | None = None
    ranks: Tensor | None = None
    trace: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert (self.indices is None) != (self.synthetic is None), "a query is of indices or of synthetic inputs"

    @property
    def size(self) -> int:
        """The number of annotations Q."""
        rows = self.indices if self.indices is not None else self.synthetic
        assert rows is not None
        return len(rows)
