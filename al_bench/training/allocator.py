"""The C library's allocator, told to keep what one step frees for the next."""

import ctypes
import os
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h of glibc numbers them
_BLOCK, _OF_OLD_GLIBC = 2**28, 2**25  # bytes of the largest block that is taken from what is kept
_KEPT = 2**29  # bytes that stay free at the end of the heap
_SETTINGS = ("trim_threshold", "mmap_threshold", "top_pad", "mmap_max")  # of the environment, that say otherwise


def keep_freed_memory() -> bool:
    """Has glibc take blocks of up to 256 MiB, or 32 where it takes no larger ones, from what was freed before, and keep
    512 MiB at the end of its heap. What is free below a block in use stays too, however much, until
    `give_memory_back`.

    By itself it gives much of a step's activations back to the system, which then fills pages with zeros at the next
    step, one fault each. No number changes. Returns whether it is done: another C library has no such setting, and what
    the environment says of it stands.
    """
    if (set_option := _function("mallopt")) is None:
        return False
    # The block first: a threshold of what is kept alone would end glibc's own growth of it, at 128 KiB.
    taken = any(set_option(_MMAP_THRESHOLD, size) for size in (_BLOCK, _OF_OLD_GLIBC))
    return bool(taken and set_option(_TRIM_THRESHOLD, _KEPT))


def give_memory_back() -> None:
    """Has glibc give back all that is free, as between a run's cycles, where steps are over; not where the environment
    says when it does."""
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


def _function(name: str) -> Any:
    """Of glibc; None where there is another C library, or the environment says how it keeps memory."""
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if any(f"MALLOC_{own.upper()}_" in os.environ or f"glibc.malloc.{own}" in tunables for own in _SETTINGS):
        return None
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):  # Windows
        return None
