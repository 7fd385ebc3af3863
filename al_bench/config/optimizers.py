"""Optimizers of a configuration, tried before anything is trained."""

import sys
from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any

from al_bench.errors import UserError


def is_optimizer(target: type) -> bool:
    """Whether a class is one of torch's."""
    optim = sys.modules.get("torch.optim")  # imported by whoever is one: a finished run is shown without torch
    return optim is not None and issubclass(target, optim.Optimizer)


def refuse_optimizer(path: str, name: str, optimizer: Any, arguments: Mapping[str, Any]) -> None:
    """Optimizers check their ranges themselves, but only once there are parameters, after other trainings; and some
    take no step by gradients alone. Raises UserError for both.

    path: of its node; name: of the class.
    """
    import torch

    closure = signature(optimizer.step).parameters.get("closure")  # not called: its first step imports for seconds
    if optimizer is torch.optim.SparseAdam or (closure is not None and closure.default is Parameter.empty):
        remedy = "use one that does, such as torch.optim.Adam"
        raise UserError(f"{path}._target_={name} takes no step by dense gradients alone: {remedy}")
    try:
        optimizer([torch.nn.Parameter(torch.zeros(1))], **arguments)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
