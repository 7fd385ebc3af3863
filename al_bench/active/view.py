"""Inputs that are rows of others: read when they are asked for, copied never."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs


def in_memory(inputs: Inputs) -> bool:
    """Whether reading is a gather of a tensor's rows, and nothing waits for a disk or a decoder."""
    return in_memory(inputs.inputs) if isinstance(inputs, InputsView) else isinstance(inputs, Tensor)


@dataclass(frozen=True, eq=False)
class InputsView:
    """Rows of inputs and of synthetic inputs, in any order.

    inputs: (N, ...). synthetic: (S, ...), stored as `inputs` are and where they are given. rows: (L,) int64, below N a
    position in `inputs`, from N on a place in `synthetic`.
    """

    inputs: Inputs
    synthetic: Tensor
    rows: Tensor

    @property
    def shape(self) -> torch.Size:
        """(L, ...)."""
        return torch.Size((len(self.rows), *self.inputs.shape[1:]))

    @property
    def dtype(self) -> torch.dtype:
        """Of the inputs."""
        return self.inputs.dtype

    @property
    def device(self) -> torch.device:
        """Where batches are given."""
        return self.inputs.device

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, indices: Tensor, /) -> Tensor:
        chosen = self.rows[indices]
        if len(self.synthetic) == 0:
            return self.inputs[chosen]
        made = chosen >= len(self.inputs)
        found = torch.empty((len(chosen), *self.shape[1:]), dtype=self.dtype, device=self.device)
        found[~made] = self.inputs[chosen[~made]]
        found[made] = self.synthetic[chosen[made] - len(self.inputs)]
        return found

    def to(self, device: torch.device, /) -> Inputs:
        """Gives its batches on `device`."""
        moved = self.inputs.to(device)
        return replace(self, inputs=moved, synthetic=self.synthetic.to(device), rows=self.rows.to(device))
