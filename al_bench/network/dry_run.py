"""What a network makes of its inputs, without computing it."""

import copy
from collections.abc import Sequence

import torch
from torch import nn

from al_bench.config.groups import name_chosen
from al_bench.errors import UserError


def dry_run(network: nn.Module, input_shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of what a network makes of one float input; a copy of it without numbers tells.

    input_shape: of the input, without the batch. Raises UserError where the network cannot take it.
    """
    shapes = copy.deepcopy(network).to("meta").eval()
    try:
        with torch.no_grad():
            return tuple(shapes(torch.empty(1, *input_shape, device="meta")).shape[1:])
    except RuntimeError as error:
        first = str(error).strip().splitlines()[0]
        raise UserError(
            f"{name_chosen(network)} cannot take inputs of {' x '.join(map(str, input_shape))}: {first}"
        ) from error
