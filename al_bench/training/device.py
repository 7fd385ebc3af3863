"""Where a run computes."""

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
