"""The C library's allocator, told to keep what one step frees for the next."""

import ctypes
import os
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h of glibc numbers them
_BLOCK, _OF_OLD_GLIBC = 2**28, 2**25  # bytes of the largest block that is taken from what is kept
_KEPT = 2**29  # bytes that stay free at the end of the heap
_SETTINGS = ("trim_threshold", "mmap_threshold", "top_pad", "mmap_max")  # of the environment, that say otherwise


def keep_freed_memory() -> bool:
    """Has glibc take blocks of up to 256 MiB (32 MiB before 2.35) from what was freed before, and keep 512 MiB at the
    end of its heap; what is free below a block in use stays too, however much, until `give_memory_back`.

    By itself it gives much of a step's activations back to the system, which then fills pages with zeros at the next
    step, one fault each. No number changes. Returns whether it is done: another C library has no such setting, and what
    the environment says of it stands.
    """
    said = (f"glibc.malloc.{name}" in os.environ.get("GLIBC_TUNABLES", "") for name in _SETTINGS)
    if any(f"MALLOC_{name.upper()}_" in os.environ for name in _SETTINGS) or any(said):
        return False
    if (set_option := _function("mallopt")) is None:
        return False
    # The block first: a threshold of what is kept alone would end glibc's own growth of it, at 128 KiB.
    taken = any(set_option(_MMAP_THRESHOLD, size) for size in (_BLOCK, _OF_OLD_GLIBC))
    return bool(taken and set_option(_TRIM_THRESHOLD, _KEPT))


def give_memory_back() -> None:
    """Has glibc give back all that is free, as between a run's cycles, where steps are over."""
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


def _function(name: str) -> Any:
    """Of glibc; None where there is another C library."""
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):  # Windows
        return None
