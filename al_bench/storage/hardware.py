"""What a run computes on, for its record: other processors round otherwise, and a training ends elsewhere for it."""

import os
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from al_bench.errors import printable

_INFO = Path("/proc/cpuinfo")  # of Linux; elsewhere what Python knows
_KEYS = ("model name", "cpu family", "model")


def hardware() -> dict[str, Any]:
    """Processor, cores, GPUs, and the torch that uses them."""
    import torch

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    found = {
        "machine": platform.machine(),
        "processor": processor(_INFO),
        "instructions": torch.backends.cpu.get_cpu_capability(),  # that torch's own kernels are chosen by
        "cores": os.cpu_count(),
        "gpus": gpus,
        "torch": torch.__version__,
    }
    return {"hardware": found}


@cache
def current_machine() -> str:
    """What this process computes on, as `name_machine` has it."""
    return name_machine(hardware()["hardware"])


def name_machine(known: Mapping[str, Any]) -> str:
    """In words: its GPUs, or how many cores of which processor; of what does not say that, of which machine. known: as
    `hardware` has it."""
    named = known.get("processor") or known.get("machine")
    return printable(", ".join(map(str, known.get("gpus") or [f"{named}, {known.get('cores')} cores"])))


def processor(info: Path) -> str:
    """The first processor's name, family and model; of what says none, its architecture. info: as of Linux."""
    try:
        first = info.read_text(errors="replace").partition("\n\n")[0]
    except OSError:
        return platform.processor() or platform.machine()
    said = dict(line.split(":", 1) for line in first.splitlines() if ":" in line)
    values = {key.strip(): " ".join(value.split()) for key, value in said.items()}
    name, *numbers = (values.get(key, "") for key in _KEYS)
    words = [f"{word} {number}" for word, number in zip(("family", "model"), numbers, strict=True) if number]
    return ", ".join([name, *words]) if name else platform.processor() or platform.machine()
