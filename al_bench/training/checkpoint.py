"""The checkpoint of one training: written whole, read without unpickling, the same numbers after it as without it."""

import io
import logging
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench.files import digest, set_aside, written_whole

logger = logging.getLogger(__name__)

_DIGEST = 64  # a file begins with the SHA-256 of the rest, so that a corrupted one changes nothing


class Checkpoint:
    """Where a training stands: step, weights, optimizers, the losses so far, torch's random states.

    path: of the file; seconds: between two saves; seed: of the training, by which its own checkpoint is told.
    """

    def __init__(self, path: Path, seconds: float, seed: int) -> None:
        self.path, self.seconds, self.seed = path, seconds, seed
        self.last = time.monotonic()

    def due(self) -> bool:
        """Whether the last save is `seconds` ago."""
        return time.monotonic() - self.last >= self.seconds

    def save(self, step: int, module: nn.Module, optimizers: Sequence[Optimizer], account: Mapping[str, Any]) -> None:
        """Writes the state after `step` steps in place of an older one; account: plain values and tensors to keep."""
        device = _device_of(module)
        state = {
            "seed": self.seed,
            "step": step,
            "module": module.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            "account": account,
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        }
        payload = io.BytesIO()
        torch.save(state, payload)
        with written_whole(self.path) as file:
            file.write(digest(payload.getvalue()).encode() + payload.getvalue())
        self.last = time.monotonic()

    def load(self, module: nn.Module, optimizers: Sequence[Optimizer]) -> dict[str, Any] | None:
        """Puts everything back and returns it: "step", the steps done, and "account". None without a file, and for that
        of another seed: a learner may train several times in one folder. It may have been written on another device.

        A corrupted file is set aside and the training begins anew, which is safe: it ends the same.
        """
        if not self.path.exists():
            return None
        stored = self.path.read_bytes()
        if digest(stored[_DIGEST:]).encode() != stored[:_DIGEST]:
            aside = set_aside(self.path)
            logger.warning(f"the checkpoint {self.path} is corrupted: it is kept as {aside.name}, training starts anew")
            return None
        state: dict[str, Any] = torch.load(io.BytesIO(stored[_DIGEST:]), map_location="cpu", weights_only=True)
        if state.get("seed") != self.seed:
            return None
        module.load_state_dict(state["module"])
        for optimizer, values in zip(optimizers, state["optimizers"], strict=True):
            _load_optimizer(optimizer, values)
        torch.set_rng_state(state["rng"])
        device = _device_of(module)
        if device.type == "cuda" and (rng := own_state(state["cuda_rng"], device)) is not None:
            torch.cuda.set_rng_state(rng, device)
        return state

    def remove(self) -> None:
        """Called when the training is over."""
        self.path.unlink(missing_ok=True)


def own_state(stored: Tensor | Sequence[Tensor] | None, device: torch.device) -> Tensor | None:
    """The state of a GPU's generator, None where none is stored. stored: older checkpoints have one for each GPU."""
    if stored is None or isinstance(stored, Tensor):
        return stored
    index = device.index or 0
    return stored[index] if index < len(stored) else None


def _device_of(module: nn.Module) -> torch.device:
    return next((tensor.device for tensor in (*module.parameters(), *module.buffers())), torch.device("cpu"))


def _load_optimizer(optimizer: Optimizer, values: dict[str, Any]) -> None:
    """Its state, but for whether a CUDA graph reads it, which is this device's to say."""
    own = [group.get("capturable") for group in optimizer.param_groups]
    optimizer.load_state_dict(values)
    for group, capturable in zip(optimizer.param_groups, own, strict=True):
        if capturable is not None:
            group["capturable"] = capturable


def finished_checkpoint(scratch: Path, name: str, seed: int) -> Checkpoint:
    """Where a finished training waits until what follows it is finished too."""
    return Checkpoint(scratch / f"{name}.finished", math.inf, seed)
