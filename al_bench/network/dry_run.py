"""What a network makes of its inputs, without computing it."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from al_bench.errors import UserError
from al_bench.network import name_network


def dry_run(network: nn.Module, input_shape: Sequence[int], name: str = "") -> tuple[int, ...]:
    """The shape of what a network makes of one float input; a copy of it without numbers tells.

    input_shape: of the input, without the batch. name: what a user knows the network by, where it is no choice of
    `conf/network`. Raises UserError where the network cannot take it.
    """
    shapes = copy.deepcopy(network).to("meta").eval()
    try:
        with torch.no_grad():
            return tuple(shapes(torch.empty(1, *input_shape, device="meta")).shape[1:])
    except RuntimeError as error:
        first = str(error).strip().splitlines()[0]
        raise UserError(
            f"{name or name_network(network)} cannot take inputs of {' x '.join(map(str, input_shape))}: {first}"
        ) from error


def norms_alone(network: nn.Module, input_shape: Sequence[int], name: str = "") -> bool:
    """Whether the batch norm of a network can be trained on one input alone: every map that it reads has two positions
    to tell apart at least, or there is none.

    input_shape, name: as `dry_run` has them, and raises UserError as it does.
    """
    shapes, positions = copy.deepcopy(network), list[int]()

    def count(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        positions.append(inputs[0][0, 0].numel())

    for part in shapes.modules():
        if isinstance(part, _BatchNorm):
            part.register_forward_pre_hook(count)
    dry_run(shapes, input_shape, name)
    return min(positions, default=2) > 1
