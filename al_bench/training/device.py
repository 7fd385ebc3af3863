"""Where a run computes."""

from collections.abc import Mapping
from typing import Any

import torch

from al_bench.errors import UserError


def chosen_device(name: str) -> torch.device:
    """The device of a name: `auto` (the GPU where there is one), `cpu`, `cuda` or `cuda:1`.

    Raises UserError for a GPU that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"device={name} is not known: use auto, cpu, cuda or cuda:1") from error
    if device.type not in ("cpu", "cuda") or (device.type == "cpu" and device.index):
        raise UserError(f"device={name} is not supported: use auto, cpu, cuda or cuda:1")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"device={name} was asked for and {torch.cuda.device_count()} GPUs are there: use device=cpu")
    return device


def timed_device(name: str) -> torch.device:
    """The device of a measurement of seconds, which is in its id by its name. Raises UserError as `chosen_device` does,
    and for `auto` where that is a GPU: its seconds would be shown to who asks for a CPU's."""
    device = chosen_device(name)
    if name == "auto" and device.type != "cpu":
        raise UserError(f"device=auto is {device.type} here, and seconds are of a device: give it by name, or cpu")
    return device


def refuse_half_precision(device: str, node: Any, path: str = "") -> None:
    """Raises UserError where a part would train in float16 on a CPU: Lightning takes bfloat16 there, whose numbers are
    others, and the run's id would be that of a GPU's.

    device: see `chosen_device`; node: of the procedure, in plain containers; path: of the node, as a user types it.
    """
    if isinstance(node, Mapping):
        for key, value in node.items():
            refuse_half_precision(device, value, f"{path}.{key}".lstrip("."))
    elif path.rpartition(".")[2] == "precision" and node == "16-mixed" and chosen_device(device).type == "cpu":
        raise UserError(f"{path}=16-mixed needs a GPU, and this run is on the CPU: use bf16-mixed or 32-true")
