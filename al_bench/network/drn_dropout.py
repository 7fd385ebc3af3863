"""A dilated residual network with the dropout that MAL adds for BALD, on label maps (MAL Tab. 5)."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from al_bench.active.part import declare
from al_bench.config.ranges import NotAll, Width
from al_bench.network.drn import Drn
from al_bench.network.memory_format import MapDropout
from al_bench.network.standardized import Deviations, Means


@declare("network/drn_dropout", beside=("weights_folder",), files=("weights",))
class DrnDropout(Drn):
    """`Drn` with dropout of single numbers of its features, before its last convolution; other arguments are `Drn`'s.

    dropout: the fraction that is dropped.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "dropout"})

    def __init__(
        self,
        input_shape: Sequence[int],
        num_classes: int,
        dropout: NotAll,
        kind: Literal["d_22", "d_38", "c_26"],
        width: Width,
        mean: Means,
        std: Deviations,
        weights: str | None = None,
        weights_folder: str | Path = "data/weights",
    ) -> None:
        super().__init__(input_shape, num_classes, kind, width, mean, std, weights, weights_folder)
        self.neck = MapDropout(dropout)
