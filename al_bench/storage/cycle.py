"""What a run stores of one cycle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from al_bench.storage.model_file import Reads
from al_bench.storage.record import CycleRecord

if TYPE_CHECKING:  # torch is imported where tensors are: a finished run is shown without it
    from torch import Tensor


@dataclass(frozen=True)
class Cycle:
    """One cycle: the labels it bought, the model trained on all of them, what that cost.

    tensors: what is too large or too exact for JSON; weights: the model's state dict; reads: what the model reads and
    answers, which its file says.
    """

    record: CycleRecord
    tensors: "Mapping[str, Tensor]" = field(default_factory=dict)
    weights: "Mapping[str, Tensor]" = field(default_factory=dict)
    reads: Reads | None = None
