"""h(x) = W x + b on the inputs as they are (ASAL Sec. 4.2)."""

import math
from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from al_bench.active.part import declare
from al_bench.network import Network
from al_bench.network.last_layer import last_layer


@declare("network/linear", revision=2)
class Linear(Network):
    """One linear layer on (C, H, W) pixels or (D,) features: one output for two classes (`last_layer`), else K."""

    provides: ClassVar[frozenset[str]] = frozenset({"embedding", "hyperplane"})

    def __init__(self, input_shape: Sequence[int], num_classes: int) -> None:
        super().__init__(nn.Flatten(), nn.Identity(), last_layer(math.prod(input_shape), num_classes))
        if num_classes > 2:
            self.provides = self.provides - {"hyperplane"}  # type: ignore[misc]  # more classes have more boundaries
